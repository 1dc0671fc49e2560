// One answer being put together: token events in, parts of the answer out. Pure: the same events
// give the same parts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/response.h"
#include "text/stream_decoder.h"
#include "text/tokenizer.h"
#include "token/token.h"

namespace baton {

struct ChoiceOptions {
  StreamDecoderOptions decoder;
  api::ReasoningFormat reasoning = api::ReasoningFormat::both;
  bool logprobs = false;
  bool token_ids = false;
  std::vector<Token> stop_tokens;  // the request's own, reported as stop_reason
};

class Choice {
 public:
  /// `tokenizer` may be null: the text is then empty.
  Choice(uint32_t index, std::shared_ptr<const Tokenizer> tokenizer, const ChoiceOptions& options);

  /// Takes the next event and appends what is new to `part`. When the choice is over, part.finish
  /// is set, or error(); nothing may be pushed then. The caller drops the stream: after a stop
  /// string it has more to say.
  void push(const TokenEvent& event, api::ChoicePart& part);

  bool over() const { return over_; }
  const std::optional<Error>& error() const { return error_; }
  uint32_t index() const { return index_; }
  uint32_t tokens() const { return tokens_; }  // through the one that completed the stop
  uint32_t reasoning_tokens() const { return decoder_.reasoning_tokens(); }
  uint32_t cached_tokens() const { return cached_tokens_; }
  /// The answer ended, or is so far, inside the thought: it has no content.
  bool in_reasoning() const { return decoder_.in_reasoning(); }

 private:
  void take_token(const TokenEvent& event, bool as_text, api::ChoicePart& part);
  void take_ending(const Ending& ending, api::ChoicePart& part);
  void stop_here(api::ChoicePart& part);
  void list(const TokenEvent& event, api::ChoicePart& part);
  void append(const StreamDecoder::Delta& delta, api::ChoicePart& part);
  void close_tag(api::ChoicePart& part);
  bool in_hidden_thought() const;
  api::TokenText text_of(Token token) const;

  uint32_t index_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  ChoiceOptions options_;
  StreamDecoder decoder_;
  std::optional<Error> error_;
  uint64_t text_offset_ = 0;  // characters of the tokens so far, for completions' logprobs
  uint32_t tokens_ = 0;
  uint32_t cached_tokens_ = 0;
  bool tag_open_ = false;  // "<think>" was sent, "</think>" not yet
  bool over_ = false;
};

}  // namespace baton
