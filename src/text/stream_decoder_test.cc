#include "text/stream_decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "text/small_tokenizer.h"
#include "text/utf8.h"

namespace baton {
namespace {

constexpr Token kBos = 266, kThinkOpen = 270, kThinkClose = 271;

using Ids = std::vector<Token>;

struct Answer {
  std::string reasoning, content;
  std::string stop;
  std::vector<StreamDecoder::Delta> deltas;
  uint32_t reasoning_tokens = 0;
};

Answer decode(const Ids& ids, const StreamDecoderOptions& options) {
  static const auto tokenizer = small_tokenizer();
  StreamDecoder decoder(tokenizer, options);
  Answer answer;
  const auto take = [&](StreamDecoder::Delta delta) {
    answer.reasoning += delta.reasoning;
    answer.content += delta.content;
    answer.deltas.push_back(std::move(delta));
    return answer.deltas.back().stopped;
  };
  bool stopped = false;
  for (size_t i = 0; i < ids.size() && !stopped; ++i) stopped = take(decoder.push(ids[i]));
  take(decoder.finish());
  answer.stop = decoder.stop_string();
  answer.reasoning_tokens = decoder.reasoning_tokens();
  return answer;
}

/// One token a byte.
Ids bytes_of(std::string_view text) {
  Ids ids;
  for (const char c : text) ids.push_back(static_cast<uint8_t>(c));
  return ids;
}

Ids join(std::initializer_list<Ids> parts) {
  Ids ids;
  for (const Ids& part : parts) ids.insert(ids.end(), part.begin(), part.end());
  return ids;
}

StreamDecoderOptions plain(std::vector<std::string> stop = {}) {
  return {.stop = std::move(stop), .split_reasoning = false};
}

TEST(StreamDecoder, HoldsBackHalfCharacters) {
  const Answer answer = decode(bytes_of("中x"), plain());
  ASSERT_EQ(answer.deltas.size(), 5u);
  EXPECT_TRUE(answer.deltas[0].empty());
  EXPECT_TRUE(answer.deltas[1].empty());
  EXPECT_EQ(answer.deltas[2].content, "中");
  EXPECT_EQ(answer.deltas[3].content, "x");
}

TEST(StreamDecoder, IncompleteAndInvalidBytesBecomeReplacements) {
  EXPECT_EQ(decode({0xE4, 0xB8}, plain()).content, "\uFFFD");
  EXPECT_EQ(decode({0xE4, 0xB8, 'x'}, plain()).content, "\uFFFDx");
  EXPECT_EQ(decode({0xE4, 0xB8, kThinkClose}, {.starts_in_reasoning = true}).reasoning, "\uFFFD");
  EXPECT_EQ(decode({0xFF, 0x80}, plain()).content, "\uFFFD\uFFFD");
}

TEST(StreamDecoder, StopStringsSpanTokens) {
  const Answer answer = decode(bytes_of("one two END three"), plain({"END"}));
  EXPECT_EQ(answer.content, "one two ");
  EXPECT_EQ(answer.stop, "END");
  EXPECT_EQ(answer.deltas.size(), 11u + 1);  // the token that completes it, then finish()
  EXPECT_TRUE(answer.deltas[10].stopped);
  StreamDecoderOptions options = plain({"END"});
  options.include_stop = true;
  EXPECT_EQ(decode(bytes_of("one two END three"), options).content, "one two END");
}

TEST(StreamDecoder, AFalseBeginOfAStopStringIsGivenOut) {
  EXPECT_EQ(decode(bytes_of("aab"), plain({"aaab"})).content, "aab");
  EXPECT_EQ(decode(bytes_of("aaaab!"), plain({"aaab"})).content, "a");
  EXPECT_EQ(decode(bytes_of("EN"), plain({"END"})).content, "EN");
}

TEST(StreamDecoder, TheStopThatEndsFirstWinsThenTheLonger) {
  EXPECT_EQ(decode(bytes_of("xabcd"), plain({"abcd", "bc"})).stop, "bc");
  EXPECT_EQ(decode(bytes_of("xabcd"), plain({"bc", "abc"})).stop, "abc");
  EXPECT_EQ(decode(bytes_of("xabcd"), plain({"abc", "bc"})).content, "x");
  EXPECT_EQ(decode({259}, plain({"lo", "el"})).stop, "el");  // both inside one token
}

TEST(StreamDecoder, AStopStringDoesNotEndTheAnswerBeforeMinTokens) {
  const auto with = [](const Ids& ids, uint32_t min_tokens, std::vector<std::string> stop) {
    StreamDecoderOptions options = plain(std::move(stop));
    options.min_tokens = min_tokens;
    return decode(ids, options);
  };
  EXPECT_EQ(with(bytes_of("aENDbENDc"), 4, {"END"}).content, "a");  // completed by the fourth
  const Answer late = with(bytes_of("aENDbENDc"), 5, {"END"});
  EXPECT_EQ(late.content, "aENDb");
  EXPECT_EQ(late.stop, "END");
  EXPECT_EQ(late.deltas[3].content, "END");  // given out as soon as it is text
  EXPECT_EQ(with(bytes_of("aENDb"), 9, {"END"}).content, "aENDb");
  EXPECT_EQ(with(bytes_of("aENDb"), 9, {"END"}).stop, "");
  // Begun early, completed in time; also inside a match that came too early.
  EXPECT_EQ(with(bytes_of("abab!"), 4, {"bab"}).content, "a");
  EXPECT_EQ(with(bytes_of("aaa!"), 3, {"aa"}).content, "a");
  EXPECT_EQ(with(bytes_of("xaaa!"), 4, {"aa", "xaa"}).content, "xa");
  EXPECT_EQ(with({259, 'x'}, 2, {"lo"}).content, "hellox");
}

TEST(StreamDecoder, SpecialTokensAreSkippedUnlessAsked) {
  EXPECT_EQ(decode({'a', kBos, 'b'}, plain()).content, "ab");
  StreamDecoderOptions options = plain();
  options.skip_special = false;
  EXPECT_EQ(decode({'a', kBos, 'b'}, options).content, "a<｜begin▁of▁sentence｜>b");
  EXPECT_EQ(decode({0xE4, kBos, 0xB8, 0xAD}, plain()).content, "中");  // as decode() does
}

TEST(StreamDecoder, SplitsReasoningAtTheMarker) {
  const Ids ids = join({bytes_of("thought.\n\n"), {kThinkClose}, bytes_of("\n\nanswer\n")});
  const Answer answer = decode(ids, {.starts_in_reasoning = true});
  EXPECT_EQ(answer.reasoning, "thought.");
  EXPECT_EQ(answer.content, "answer\n");
  EXPECT_EQ(answer.reasoning_tokens, 11u);
  EXPECT_EQ(decode(ids, plain()).content, "thought.\n\n</think>\n\nanswer\n");
}

TEST(StreamDecoder, NewlinesInsideAThoughtStay) {
  const Answer answer = decode(join({bytes_of("\na\n\nb\n"), {kThinkClose}, bytes_of("\n\n\n x")}),
                               {.starts_in_reasoning = true});
  EXPECT_EQ(answer.reasoning, "\na\n\nb");
  EXPECT_EQ(answer.content, "\n x");  // no more than two are dropped
  EXPECT_EQ(decode(bytes_of("cut\n"), {.starts_in_reasoning = true}).reasoning, "cut\n");
}

TEST(StreamDecoder, AMarkerSpelledInBytesIsText) {
  const Answer answer = decode(bytes_of("a</think>b"), {.starts_in_reasoning = true});
  EXPECT_EQ(answer.reasoning, "a</think>b");
  EXPECT_EQ(answer.content, "");
  EXPECT_EQ(answer.reasoning_tokens, 10u);
}

TEST(StreamDecoder, AThoughtOpensOnlyAtTheBegin) {
  Answer answer = decode(join({{kThinkOpen}, bytes_of("t"), {kThinkClose}, bytes_of("a")}), {});
  EXPECT_EQ(answer.reasoning, "t");
  EXPECT_EQ(answer.content, "a");
  EXPECT_EQ(answer.reasoning_tokens, 3u);
  answer = decode(join({bytes_of("a"), {kThinkOpen}, bytes_of("b"), {kThinkClose}}), {});
  EXPECT_EQ(answer.reasoning, "");
  EXPECT_EQ(answer.content, "a<think>b</think>");
  EXPECT_EQ(answer.reasoning_tokens, 0u);
  answer = decode(join({{kThinkOpen}, bytes_of("t"), {kThinkClose, kThinkClose}}),
                  {.starts_in_reasoning = true});
  EXPECT_EQ(answer.reasoning, "t");
  EXPECT_EQ(answer.content, "</think>");
}

TEST(StreamDecoder, StopStringsSeeTheThoughtAndItsEnd) {
  const Ids ids = join({bytes_of("think STOP\n"), {kThinkClose}, bytes_of("\n\nanswer")});
  const auto with = [&](const char* stop, bool include = false) {
    return decode(ids, {.stop = {stop}, .include_stop = include, .starts_in_reasoning = true});
  };
  EXPECT_EQ(with("STOP").reasoning, "think ");
  EXPECT_EQ(with("STOP").content, "");
  EXPECT_EQ(with("STOP", true).reasoning, "think STOP");
  EXPECT_EQ(with("</think>").reasoning, "think STOP\n");  // the thought did not end
  EXPECT_EQ(with("think>\n\nan").reasoning, "think STOP");
  EXPECT_EQ(with("think>\n\nan").content, "");
  EXPECT_EQ(with("think>\n\nan", true).content, "an");
  EXPECT_EQ(with("P\n</think>\n\nansX").reasoning, "think STOP");  // held back, then given out
  EXPECT_EQ(with("P\n</think>\n\nansX").content, "answer");
}

TEST(StreamDecoder, WithoutATokenizerThereIsNoText) {
  StreamDecoder decoder(nullptr, {.stop = {"x"}, .starts_in_reasoning = true});
  EXPECT_TRUE(decoder.push(5).empty());
  EXPECT_TRUE(decoder.finish().empty());
  EXPECT_FALSE(decoder.in_reasoning());
}

// ---- properties over random answers ----

class StreamDecoderProperties : public testing::Test {
 protected:
  const uint64_t seed_ = std::random_device{}();
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
  std::mt19937_64 random_{seed_};

  StreamDecoderOptions options() {
    StreamDecoderOptions options;
    for (uint64_t n = random_() % 4; n > 0; --n) {
      static const std::vector<std::string> kStops = {"aa",  "ab",  "\n\n",  "中",     "b</think>",
                                                      "a\n", "aab", "hello", "\uFFFD", "🙂b"};
      options.stop.push_back(kStops[random_() % kStops.size()]);
    }
    options.include_stop = random_() % 2;
    options.min_tokens = random_() % 2 ? 0 : static_cast<uint32_t>(random_() % 12);
    options.skip_special = random_() % 2;
    options.split_reasoning = random_() % 2;
    options.starts_in_reasoning = random_() % 2;
    return options;
  }

  Ids answer() {
    static const std::vector<Token> kTokens = {
        'a',  'b',  '\n', 259,        261,         0xE4, 0xB8, 0xAD, 0xF0, 0x9F,
        0x99, 0x82, 0xFF, kThinkOpen, kThinkClose, kBos, 264,  265,  -3,   9'999};
    Ids ids;
    for (uint64_t n = random_() % 20; n > 0; --n)
      ids.push_back(kTokens[random_() % kTokens.size()]);
    return ids;
  }
};

TEST_F(StreamDecoderProperties, DeltasAreWholeCharactersAndJoinToTheDecodedText) {
  const auto tokenizer = small_tokenizer();
  for (int round = 0; round < 20'000; ++round) {
    const Ids ids = answer();
    StreamDecoderOptions chosen = options();
    const Answer split = decode(ids, chosen);
    for (const auto& delta : split.deltas) {
      ASSERT_TRUE(utf8_valid(delta.content) && utf8_valid(delta.reasoning));
    }
    chosen.split_reasoning = false;
    const Answer whole = decode(ids, chosen);
    ASSERT_EQ(whole.stop, split.stop);  // where an answer stops has nothing to do with the split
    ASSERT_EQ(whole.deltas.size(), split.deltas.size());
    ASSERT_EQ(whole.reasoning, "");

    // The text up to the first end of a stop string that comes late enough, by the naive way.
    StreamDecoderOptions no_stop = plain();
    no_stop.skip_special = chosen.skip_special;
    const size_t given_early = [&] {  // by the tokens before number min_tokens
      size_t bytes = 0;
      const Answer all = decode(ids, no_stop);
      const size_t late =
          chosen.min_tokens <= ids.size() ? std::max(chosen.min_tokens, 1u) - 1 : all.deltas.size();
      for (size_t i = 0; i < late; ++i) bytes += all.deltas[i].content.size();
      return bytes;
    }();
    std::string text = tokenizer->decode(ids, chosen.skip_special);
    size_t end = std::string::npos, begin = 0;
    for (const std::string& stop : chosen.stop) {
      size_t at = text.find(stop);
      while (at != std::string::npos && at + stop.size() <= given_early)
        at = text.find(stop, at + 1);
      if (at == std::string::npos) continue;
      const size_t its_end = at + stop.size();
      if (its_end < end || (its_end == end && at < begin)) end = its_end, begin = at;
    }
    if (end != std::string::npos) text.resize(chosen.include_stop ? end : begin);
    ASSERT_EQ(whole.content, text);
  }
}

TEST_F(StreamDecoderProperties, OtherTokensOfTheSameTextGiveTheSameAnswer) {
  const auto tokenizer = small_tokenizer();
  for (int round = 0; round < 20'000; ++round) {
    const Ids ids = answer();
    StreamDecoderOptions chosen = options();
    chosen.min_tokens = 0;  // counts tokens
    Ids finer;
    for (const Token id : ids) {
      if (id < 0 || tokenizer->is_added(id)) {
        finer.push_back(id);
      } else {
        for (const char byte : tokenizer->bytes(id)) finer.push_back(static_cast<uint8_t>(byte));
      }
    }
    // A token without text is still a token: `<think>` behind it does not open the answer.
    if (ids.empty() || finer.empty() || tokenizer->bytes(ids[0]).empty()) continue;
    const Answer a = decode(ids, chosen), b = decode(finer, chosen);
    ASSERT_EQ(a.reasoning, b.reasoning);
    ASSERT_EQ(a.content, b.content);
    ASSERT_EQ(a.stop, b.stop);
  }
}

TEST_F(StreamDecoderProperties, ReplayGivesTheSameDeltas) {
  for (int round = 0; round < 2000; ++round) {
    const Ids ids = answer();
    const StreamDecoderOptions chosen = options();
    const Answer a = decode(ids, chosen), b = decode(ids, chosen);
    ASSERT_EQ(a.deltas.size(), b.deltas.size());
    for (size_t i = 0; i < a.deltas.size(); ++i) {
      ASSERT_EQ(a.deltas[i].content, b.deltas[i].content);
      ASSERT_EQ(a.deltas[i].reasoning, b.deltas[i].reasoning);
      ASSERT_EQ(a.deltas[i].stopped, b.deltas[i].stopped);
    }
  }
}

}  // namespace
}  // namespace baton
