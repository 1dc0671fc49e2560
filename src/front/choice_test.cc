#include "front/choice.h"

#include <gtest/gtest.h>

#include "front/test_fakes.h"

namespace baton {
namespace {

const auto kTokenizer = std::make_shared<ByteTokenizer>();

/// Runs a script through a choice; the whole of it as one part.
api::ChoicePart whole(Choice& choice, const Script& script) {
  api::ChoicePart part;
  for (const ScriptStep& step : script) {
    for (const TokenEvent& event : step.events) {
      if (!choice.over()) choice.push(event, part);
    }
  }
  return part;
}

ChoiceOptions chat_options() {
  ChoiceOptions options;
  options.decoder.starts_in_reasoning = true;
  return options;
}

TEST(Choice, SplitsThoughtAndContent) {
  Choice choice(0, kTokenizer, chat_options());
  const auto part = whole(choice, script_of(byte_tokens("hm\n</think>\n\n42"), Finish::stop, 0, 3));
  EXPECT_EQ(part.reasoning, "hm");
  EXPECT_EQ(part.content, "42");
  EXPECT_EQ(part.finish, Finish::stop);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(part.stop_reason));
  EXPECT_EQ(choice.tokens(), 9u);  // EOS included
  EXPECT_EQ(choice.reasoning_tokens(), 4u);
  EXPECT_EQ(choice.cached_tokens(), 3u);
  EXPECT_FALSE(choice.error());
  EXPECT_FALSE(choice.in_reasoning());
}

TEST(Choice, TagsPutTheThoughtIntoTheContent) {
  ChoiceOptions options = chat_options();
  options.reasoning = api::ReasoningFormat::tags;
  Choice choice(0, kTokenizer, options);
  const auto part = whole(choice, script_of(byte_tokens("hm\n</think>\n\n42")));
  EXPECT_EQ(part.content, "<think>\nhm\n</think>\n\n42");
  EXPECT_FALSE(part.reasoning);
}

// A thought that a stop or the length ended right after it was left open.
TEST(Choice, TagsAreClosedAlsoWithoutContent) {
  for (const char* stop : {"", "42"}) {
    for (const Finish finish : {Finish::stop, Finish::length}) {
      ChoiceOptions options = chat_options();
      options.reasoning = api::ReasoningFormat::tags;
      if (*stop != 0) options.decoder.stop = {stop};
      Choice choice(0, kTokenizer, options);
      const std::string text = std::string("hm\n</think>\n\n") + stop;
      const auto part = whole(choice, script_of(byte_tokens(text), finish));
      EXPECT_EQ(part.content, "<think>\nhm\n</think>\n\n") << stop;
    }
  }
}

TEST(Choice, TagsOfAThoughtThatWasCutStayOpen) {
  ChoiceOptions options = chat_options();
  options.reasoning = api::ReasoningFormat::tags;
  Choice choice(0, kTokenizer, options);
  const auto part = whole(choice, script_of(byte_tokens("hm"), Finish::length));
  EXPECT_EQ(part.content, "<think>\nhm");
}

// The thought could be read in the logprobs and ids of an answer that was asked for without it.
TEST(Choice, NoneLeavesTheThoughtOutOfLogprobsAndIds) {
  for (const bool opened_by_prompt : {true, false}) {
    ChoiceOptions options;
    options.decoder.starts_in_reasoning = opened_by_prompt;
    options.reasoning = api::ReasoningFormat::none;
    options.logprobs = options.token_ids = true;
    Choice choice(0, kTokenizer, options);
    const std::string text = std::string(opened_by_prompt ? "" : "<think>") + "hm</think>42";
    const auto part = whole(choice, script_of(byte_tokens(text)));
    EXPECT_EQ(part.content, "42");
    EXPECT_EQ(part.token_ids, (std::vector<Token>{'4', '2', ByteTokenizer::kEos}));
    ASSERT_EQ(part.logprobs->size(), 3u);
    EXPECT_EQ(part.logprobs->at(0).token.text, "4");
    EXPECT_EQ(choice.tokens(), opened_by_prompt ? 6u : 7u) << "they are still counted";
  }
}

TEST(Choice, NoneListsNothingOfAThoughtThatWasCut) {
  ChoiceOptions options = chat_options();
  options.reasoning = api::ReasoningFormat::none;
  options.logprobs = options.token_ids = true;
  Choice choice(0, kTokenizer, options);
  const auto part = whole(choice, script_of(byte_tokens("hm")));  // with EOS
  EXPECT_FALSE(part.token_ids || part.logprobs || part.content);
}

TEST(Choice, NoneDropsTheThought) {
  ChoiceOptions options = chat_options();
  options.reasoning = api::ReasoningFormat::none;
  Choice choice(0, kTokenizer, options);
  const auto part = whole(choice, script_of(byte_tokens("hm</think>42")));
  EXPECT_EQ(part.content, "42");
  EXPECT_FALSE(part.reasoning);
  EXPECT_EQ(choice.reasoning_tokens(), 3u);
}

TEST(Choice, CutInsideTheThoughtHasNoContent) {
  Choice choice(0, kTokenizer, chat_options());
  const auto part = whole(choice, script_of(byte_tokens("hm"), Finish::length));
  EXPECT_EQ(part.reasoning, "hm");
  EXPECT_FALSE(part.content);
  EXPECT_TRUE(choice.in_reasoning());
  EXPECT_EQ(part.finish, Finish::length);
}

TEST(Choice, AStopStringEndsItAndIsTheReason) {
  ChoiceOptions options;
  options.decoder.stop = {"END"};
  options.token_ids = true;
  Choice choice(0, kTokenizer, options);
  const auto part = whole(choice, script_of(byte_tokens("abENDcd"), Finish::stop, 0, 3));
  EXPECT_EQ(part.content, "ab");
  EXPECT_EQ(part.finish, Finish::stop);
  EXPECT_EQ(std::get<std::string>(part.stop_reason), "END");
  EXPECT_EQ(choice.tokens(), 5u);  // through the one that completes the stop
  EXPECT_EQ(choice.cached_tokens(), 3u);
  EXPECT_EQ(part.token_ids, byte_tokens("abEND"));
}

TEST(Choice, StopBeatsLengthOnTheSameToken) {
  ChoiceOptions options;
  options.decoder.stop = {"c"};
  Choice choice(0, kTokenizer, options);
  const auto part = whole(choice, script_of(byte_tokens("abc"), Finish::length));
  EXPECT_EQ(part.finish, Finish::stop);
  EXPECT_EQ(part.content, "ab");
}

TEST(Choice, TheRequestsOwnStopTokenIsTheReasonAndNoText) {
  for (const bool include : {false, true}) {
    ChoiceOptions options;
    options.stop_tokens = {'c'};
    options.decoder.include_stop = include;
    Choice choice(0, kTokenizer, options);
    Script script = script_of(byte_tokens("abc"), Finish::length);
    script.back().events.back().ending->finish = Finish::stop;
    script.back().events.back().ending->stop_token = 'c';
    const auto part = whole(choice, script);
    EXPECT_EQ(part.content, include ? "abc" : "ab");
    EXPECT_EQ(std::get<Token>(part.stop_reason), 'c');
    EXPECT_EQ(choice.tokens(), 3u);
  }
}

TEST(Choice, HeldBackTextComesWithTheEnd) {
  ChoiceOptions options;
  options.decoder.stop = {"bcd"};
  Choice choice(0, kTokenizer, options);
  EXPECT_EQ(whole(choice, script_of(byte_tokens("abc"))).content, "abc");
}

TEST(Choice, OtherEndingsAreErrors) {
  const std::vector<std::pair<Finish, Code>> cases = {{Finish::deadline, Code::deadline_exceeded},
                                                      {Finish::cancelled, Code::unavailable},
                                                      {Finish::error, Code::internal}};
  for (const auto& [finish, code] : cases) {
    Choice choice(0, kTokenizer, {});
    const auto part = whole(choice, script_of(byte_tokens("ab"), finish));
    ASSERT_TRUE(choice.over() && choice.error());
    EXPECT_EQ(choice.error()->code, code);
    EXPECT_FALSE(part.finish);
  }
  Choice choice(0, kTokenizer, {});
  Script script = script_of(byte_tokens("ab"), Finish::error);
  script.back().events.back().ending->error = self_error(Code::data_corrupt, "bad");
  whole(choice, script);
  EXPECT_EQ(choice.error()->code, Code::data_corrupt);
}

TEST(Choice, LogprobsNameTokensAndOffsets) {
  ChoiceOptions options;
  options.logprobs = true;
  Choice choice(0, kTokenizer, options);
  api::ChoicePart first, second;
  const Script script = script_of({'a', 0xff, 'b'}, Finish::length);
  choice.push(script[0].events[0], first);
  choice.push(script[1].events[0], second);
  ASSERT_EQ(first.logprobs->size(), 1u);
  EXPECT_EQ(first.logprobs->at(0).token.text, "a");
  EXPECT_EQ(first.logprobs->at(0).top.at(1).first.text, "x");
  EXPECT_EQ(first.text_offset, 0u);
  EXPECT_EQ(second.text_offset, 1u);
  EXPECT_EQ(second.logprobs->at(0).token.text, "\xef\xbf\xbd");
  EXPECT_EQ(second.logprobs->at(0).token.bytes, "\xff");
}

TEST(Choice, WithoutATokenizerThereIsNoText) {
  ChoiceOptions options;
  options.logprobs = options.token_ids = true;
  Choice choice(0, nullptr, options);
  const auto part = whole(choice, script_of({5, 6}));
  EXPECT_FALSE(part.content || part.reasoning);
  EXPECT_EQ(part.token_ids, (std::vector<Token>{5, 6, ByteTokenizer::kEos}));
  EXPECT_EQ(part.logprobs->at(0).token.text, "token_id:5");
  EXPECT_FALSE(part.logprobs->at(0).token.bytes);
}

}  // namespace
}  // namespace baton
