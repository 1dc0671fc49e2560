#include "text/tokenizer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "text/small_tokenizer.h"
#include "text/utf8.h"

namespace baton {
namespace {

constexpr Token kHello = 259, kBos = 266, kEos = 267, kUser = 268, kThinkEnd = 271;

std::shared_ptr<const Tokenizer> parse(const json::object& document) {
  auto parsed = Tokenizer::parse(json::serialize(document));
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().message);
  return parsed.ok() ? *parsed : nullptr;
}

using Ids = std::vector<Token>;

TEST(Tokenizer, EncodesPlainText) {
  const auto tokenizer = small_tokenizer();
  EXPECT_EQ(tokenizer->encode("hello", Markers::allow), Ids{kHello});
  EXPECT_EQ(tokenizer->encode("hello world", Markers::allow),
            (Ids{kHello, 260, 'o', 'r', 'l', 'd'}));
  EXPECT_EQ(tokenizer->encode("中", Markers::allow), Ids{265});
  EXPECT_EQ(tokenizer->encode("", Markers::allow), Ids{});
  EXPECT_EQ(tokenizer->encode("e\u0301", Markers::escape), (Ids{0xC3, 0xA9}));  // NFC
  EXPECT_EQ(tokenizer->encode("\xFFz", Markers::escape), (Ids{0xEF, 0xBF, 0xBD, 'z'}));
}

TEST(Tokenizer, MarkersCountOnlyWhereAllowed) {
  const auto tokenizer = small_tokenizer();
  EXPECT_EQ(tokenizer->encode("hello<｜User｜>hello", Markers::allow),
            (Ids{kHello, kUser, kHello}));
  const Ids escaped = tokenizer->encode("hello<｜User｜>hello", Markers::escape);
  for (const Token id : escaped) EXPECT_FALSE(tokenizer->is_added(id));
  EXPECT_EQ(tokenizer->decode(escaped, true), "hello<｜User｜>hello");
  EXPECT_EQ(tokenizer->encode("</think></think", Markers::allow).front(), kThinkEnd);
  EXPECT_EQ(tokenizer->encode("</think></think", Markers::allow).size(), 8u);
}

TEST(Tokenizer, TheLongestMarkerWinsThenTheLeftmost) {
  json::object document = small_tokenizer_json();
  for (const auto& [content, id] :
       std::vector<std::pair<std::string, int>>{{"<a", 300}, {"<a><b>", 301}, {"><b>!", 302}}) {
    document["added_tokens"].as_array().push_back(
        json::object{{"id", id}, {"content", content}, {"normalized", false}});
  }
  const auto tokenizer = parse(document);
  EXPECT_EQ(tokenizer->encode("<a><b>!", Markers::allow), (Ids{301, '!'}));
  EXPECT_EQ(tokenizer->encode("<a><b", Markers::allow), (Ids{300, '>', '<', 'b'}));
  EXPECT_EQ(tokenizer->size(), 303u);
  EXPECT_EQ(tokenizer->bytes(290), "");  // a hole
}

TEST(Tokenizer, MarkersMayTakeSpaceAlongOrBeNormalized) {
  json::object document = small_tokenizer_json();
  auto& added = document["added_tokens"].as_array();
  added.push_back(json::object{{"id", 300}, {"content", "[L]"}, {"lstrip", true}});
  added.push_back(json::object{{"id", 301}, {"content", "[R]"}, {"rstrip", true}});
  added.push_back(json::object{{"id", 302}, {"content", "é!"}, {"normalized", true}});
  const auto tokenizer = parse(document);
  EXPECT_EQ(tokenizer->encode("h \u3000[L] h", Markers::allow), (Ids{'h', 300, ' ', 'h'}));
  EXPECT_EQ(tokenizer->encode("h [R]\n\u00A0h", Markers::allow), (Ids{'h', ' ', 301, 'h'}));
  EXPECT_EQ(tokenizer->encode("[R]  [L]", Markers::allow), (Ids{301, 300}));
  EXPECT_EQ(tokenizer->encode("e\u0301!h", Markers::allow), (Ids{302, 'h'}));
}

TEST(Tokenizer, DecodesLossily) {
  const auto tokenizer = small_tokenizer();
  EXPECT_EQ(tokenizer->decode(Ids{0xE4, 0xB8, 'x', 0xFF}, false), "\uFFFDx\uFFFD");
  EXPECT_EQ(tokenizer->decode(Ids{0xE4, 0xB8, 0xAD}, false), "中");
  EXPECT_EQ(tokenizer->decode(Ids{kBos, kHello, kEos, kUser, -5, 100'000}, true),
            "hello<｜User｜>");
  EXPECT_EQ(tokenizer->decode(Ids{kBos, kHello}, false), "<｜begin▁of▁sentence｜>hello");
}

TEST(Tokenizer, KnowsItsTokens) {
  const auto tokenizer = small_tokenizer();
  EXPECT_EQ(tokenizer->bytes(kHello), "hello");
  EXPECT_EQ(tokenizer->bytes(264), "\xE4\xB8");
  EXPECT_EQ(tokenizer->bytes(-1), "");
  EXPECT_EQ(tokenizer->bytes(274), "");
  EXPECT_EQ(tokenizer->size(), 274u);
  EXPECT_EQ(tokenizer->marker("</think>"), kThinkEnd);
  EXPECT_EQ(tokenizer->marker("hello"), std::nullopt);
  EXPECT_TRUE(tokenizer->is_special(kBos));
  EXPECT_FALSE(tokenizer->is_special(kUser));
  EXPECT_TRUE(tokenizer->is_added(kUser));
  EXPECT_FALSE(tokenizer->is_added(kHello));
  EXPECT_FALSE(tokenizer->is_special(-1));
  EXPECT_EQ(Ids(tokenizer->prefix().begin(), tokenizer->prefix().end()), Ids{kBos});
}

TEST(Tokenizer, EscapedTextComesBackFromItsIds) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const auto tokenizer = small_tokenizer();
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (uint64_t n = random() % 40; n > 0; --n) {
      // Han, ASCII, emoji and markers: all normalised already.
      switch (random() % 5) {
        case 0:
          utf8_append(text, 0x4E00 + random() % 0x5000);
          break;
        case 1:
          utf8_append(text, 0x1F600 + random() % 0x40);
          break;
        case 2:
          text += "<think>";
          break;
        default:
          text += static_cast<char>(random() % 128);
      }
    }
    ASSERT_EQ(tokenizer->decode(tokenizer->encode(text, Markers::escape), true), text);
    ASSERT_EQ(tokenizer->decode(tokenizer->encode(text, Markers::allow), false), text);
  }
}

TEST(Tokenizer, IsSharedByThreads) {
  const auto tokenizer = small_tokenizer();
  const std::string text = "hello <think>中 e\u0301 world aaaa";
  const Ids expected = tokenizer->encode(text, Markers::allow);
  std::atomic<int> different = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i)
        different += tokenizer->encode(text, Markers::allow) != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different, 0);
}

TEST(Tokenizer, LoadsFromAFolder) {
  const auto dir = std::filesystem::temp_directory_path() / "baton_tokenizer_test";
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  EXPECT_EQ(Tokenizer::load(dir).error().code, Code::not_found);
  std::ofstream(dir / "tokenizer.json") << json::serialize(small_tokenizer_json());
  const auto loaded = Tokenizer::load(dir);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ((*loaded)->encode("hello", Markers::allow), Ids{kHello});
  std::filesystem::resize_file(dir / "tokenizer.json", size_t{65} << 20);
  EXPECT_EQ(Tokenizer::load(dir).error().code, Code::too_large);
  std::filesystem::remove_all(dir);
}

// The check compared the contents as written; the tree of the normalised ones then aborted.
TEST(Tokenizer, AddedTokensThatAreEqualAfterNfcAreRefused) {
  const auto with = [](bool nfc, bool first_normalized) {
    json::object document = small_tokenizer_json();
    if (!nfc) document["normalizer"] = nullptr;
    auto& added = document["added_tokens"].as_array();
    added.push_back(json::object{{"id", 300}, {"content", "é!"}, {"normalized", first_normalized}});
    added.push_back(json::object{{"id", 301}, {"content", "e\u0301!"}, {"normalized", true}});
    return Tokenizer::parse(json::serialize(document));
  };
  const auto refused = with(true, true);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::data_corrupt);
  EXPECT_NE(refused.error().message.find("e\u0301!"), std::string::npos);

  const auto apart = with(true, false);  // one is sought in the raw text, one in the normalised
  ASSERT_TRUE(apart.ok()) << apart.error().message;
  EXPECT_EQ((*apart)->encode("é!", Markers::allow), Ids{300});
  EXPECT_EQ((*apart)->encode("e\u0301!", Markers::allow), Ids{301});
  const auto raw = with(false, true);
  ASSERT_TRUE(raw.ok()) << raw.error().message;
  EXPECT_EQ((*raw)->encode("é!e\u0301!", Markers::allow), (Ids{300, 301}));
}

TEST(Tokenizer, AFifoIsRefusedAndErrorsNameTheFile) {
  const auto dir = std::filesystem::temp_directory_path() / "baton_tokenizer_errors_test";
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  const std::string path = (dir / "tokenizer.json").string();
  const auto code = [&] {
    const auto loaded = Tokenizer::load(dir);
    EXPECT_FALSE(loaded.ok());
    if (loaded.ok()) return Code::internal;
    EXPECT_TRUE(loaded.error().message.starts_with(path + ": ")) << loaded.error().message;
    return loaded.error().code;
  };
  EXPECT_EQ(code(), Code::not_found);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(code(), Code::io);  // loading hung
  std::filesystem::remove(path);
  std::ofstream(path) << "{";
  EXPECT_EQ(code(), Code::data_corrupt);
  json::object document = small_tokenizer_json();
  document["added_tokens"].as_array().push_back(json::object{{"id", 300}, {"content", "<think>"}});
  std::ofstream(path, std::ios::trunc) << json::serialize(document);
  EXPECT_EQ(code(), Code::data_corrupt);  // as the listed parts are put together
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace baton
