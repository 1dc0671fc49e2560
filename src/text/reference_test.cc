// Against Hugging Face's tokenizers, where its recorded answers are present.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "base/json.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace baton {
namespace {

const std::filesystem::path kShared = std::filesystem::path(BATON_SOURCE_DIR) / ".." / "shared";
const std::filesystem::path kModel = kShared / "models" / "deepseek-r1-distill-qwen-1.5b";

/// The objects of a gzipped JSON-lines file.
std::vector<json::object> read_cases(const std::filesystem::path& path) {
  std::vector<json::object> cases;
  std::FILE* pipe = popen(("gzip -dc '" + path.string() + "'").c_str(), "r");
  if (pipe == nullptr) return cases;
  std::string text;
  char buffer[65'536];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
  pclose(pipe);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    auto parsed = parse_json(std::string_view(text).substr(begin, end - begin));
    if (parsed.ok()) cases.push_back(parsed->as_object());
    begin = end + 1;
  }
  return cases;
}

std::vector<Token> ids_of(const json::value& array) {
  std::vector<Token> ids;
  for (const json::value& id : array.as_array()) ids.push_back(static_cast<Token>(id.as_int64()));
  return ids;
}

std::string text_of(const json::value& value) {
  return std::string(value.as_string().data(), value.as_string().size());
}

class Reference : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kModel / "tokenizer.json")) {
      GTEST_SKIP() << "no reference data beside the project";
    }
    auto loaded = Tokenizer::load(kModel);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    tokenizer_ = *loaded;
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
};

TEST_F(Reference, EncodesAndDecodesAsHuggingFaceDoes) {
  const auto cases = read_cases(kShared / "reference" / "tokenizer_dev.jsonl.gz");
  ASSERT_EQ(cases.size(), 600u);
  for (const json::object& test : cases) {
    const std::string text = text_of(test.at("text"));
    const std::vector<Token> ids = ids_of(test.at("ids"));
    EXPECT_EQ(tokenizer_->encode(text, Markers::allow), ids) << text;
    EXPECT_EQ(tokenizer_->decode(ids, false), text_of(test.at("decoded"))) << text;
  }
}

TEST_F(Reference, RendersAndEncodesChatsAsHuggingFaceDoes) {
  auto chat = ChatTemplate::load(kModel, *tokenizer_);
  ASSERT_TRUE(chat.ok()) << chat.error().message;
  EXPECT_EQ(chat->kind(), ChatTemplate::Kind::deepseek_r1);
  const auto cases = read_cases(kShared / "reference" / "chat_dev.jsonl.gz");
  ASSERT_EQ(cases.size(), 60u);
  for (const json::object& test : cases) {
    std::vector<Message> messages;
    for (const json::value& message : test.at("messages").as_array()) {
      messages.push_back({text_of(message.at("role")), text_of(message.at("content"))});
    }
    const std::string prompt = text_of(test.at("prompt"));
    EXPECT_EQ(chat->render(messages, true), prompt);
    EXPECT_EQ(chat->encode(*tokenizer_, messages, true, Markers::allow), ids_of(test.at("ids")))
        << prompt;
  }
}

TEST_F(Reference, KnowsItsMarkers) {
  EXPECT_EQ(tokenizer_->marker("</think>"), 151'649);
  EXPECT_EQ(tokenizer_->marker("<|im_start|>"), std::nullopt);
  ASSERT_EQ(tokenizer_->prefix().size(), 1u);
  EXPECT_EQ(tokenizer_->prefix()[0], 151'646);
  EXPECT_TRUE(tokenizer_->is_special(151'643));
  EXPECT_FALSE(tokenizer_->is_special(151'649));
  EXPECT_TRUE(tokenizer_->is_added(151'649));
  EXPECT_EQ(tokenizer_->size(), 151'665u);
}

}  // namespace
}  // namespace baton
