#include "front/choice.h"

#include <algorithm>

#include "base/check.h"

namespace baton {
namespace {

void append_text(std::optional<std::string>& to, const std::string& text) {
  if (text.empty()) return;
  if (!to) to.emplace();
  *to += text;
}

Error ending_error(const Ending& ending) {
  if (ending.finish == Finish::deadline) {
    return client_error(Code::deadline_exceeded, "The request's time is over.");
  }
  if (ending.finish == Finish::cancelled) {
    Error error = self_error(Code::unavailable, "The server stopped this answer.");
    error.reason = "cancelled";
    return error;
  }
  return ending.error.value_or(self_error(Code::internal, "The answer could not be completed."));
}

}  // namespace

Choice::Choice(uint32_t index, std::shared_ptr<const Tokenizer> tokenizer,
               const ChoiceOptions& options)
    : index_(index),
      tokenizer_(std::move(tokenizer)),
      options_(options),
      decoder_(tokenizer_, options.decoder) {}

void Choice::push(const TokenEvent& event, api::ChoicePart& part) {
  CHECK(!over_);
  if (event.token >= 0) {
    // The token that ends the answer is counted and listed, but is no part of its text.
    const bool ends = event.ending && event.ending->stop_token == event.token;
    take_token(event, !ends || options_.decoder.include_stop, part);
  }
  if (event.ending) cached_tokens_ = event.ending->cached_tokens;
  if (event.ending && !over_) take_ending(*event.ending, part);
}

void Choice::take_token(const TokenEvent& event, bool as_text, api::ChoicePart& part) {
  ++tokens_;
  cached_tokens_ = event.cached_tokens;
  bool hidden = in_hidden_thought();
  StreamDecoder::Delta delta;
  if (as_text) delta = decoder_.push(event.token);
  hidden |= in_hidden_thought();  // both markers belong to the thought
  if (!hidden) list(event, part);
  append(delta, part);
  if (delta.stopped) stop_here(part);
}

/// Ids and logprobs would spell out what the text leaves out.
bool Choice::in_hidden_thought() const {
  return options_.reasoning == api::ReasoningFormat::none && options_.decoder.split_reasoning &&
         decoder_.in_reasoning();
}

void Choice::list(const TokenEvent& event, api::ChoicePart& part) {
  if (options_.token_ids) {
    if (!part.token_ids) part.token_ids.emplace();
    part.token_ids->push_back(event.token);
  }
  if (options_.logprobs) {
    if (!part.logprobs) {
      part.logprobs.emplace();
      part.text_offset = text_offset_;
    }
    api::TokenLogprob entry{text_of(event.token), event.logprob, {}};
    text_offset_ += api::count_characters(entry.token.text);
    for (const TopLogprob& top : event.top) {
      entry.top.emplace_back(text_of(top.token), top.logprob);
    }
    part.logprobs->push_back(std::move(entry));
  }
}

void Choice::stop_here(api::ChoicePart& part) {
  over_ = true;
  if (!decoder_.in_reasoning()) close_tag(part);
  part.finish = Finish::stop;
  part.stop_reason = decoder_.stop_string();
}

void Choice::take_ending(const Ending& ending, api::ChoicePart& part) {
  over_ = true;
  if (ending.finish != Finish::stop && ending.finish != Finish::length) {
    error_ = ending_error(ending);
    return;
  }
  const StreamDecoder::Delta rest = decoder_.finish();
  append(rest, part);
  if (rest.stopped) return stop_here(part);
  if (!decoder_.in_reasoning()) close_tag(part);
  part.finish = ending.finish;
  const std::vector<Token>& own = options_.stop_tokens;
  if (std::find(own.begin(), own.end(), ending.stop_token) != own.end()) {
    part.stop_reason = ending.stop_token;
  }
}

void Choice::append(const StreamDecoder::Delta& delta, api::ChoicePart& part) {
  if (options_.reasoning != api::ReasoningFormat::tags) {
    if (options_.reasoning != api::ReasoningFormat::none) {
      append_text(part.reasoning, delta.reasoning);
    }
    append_text(part.content, delta.content);
    return;
  }
  if (!delta.reasoning.empty()) {
    if (!tag_open_) append_text(part.content, "<think>\n");
    tag_open_ = true;
    append_text(part.content, delta.reasoning);
  }
  if (!delta.content.empty()) {
    close_tag(part);
    append_text(part.content, delta.content);
  }
}

void Choice::close_tag(api::ChoicePart& part) {
  if (tag_open_) append_text(part.content, "\n</think>\n\n");
  tag_open_ = false;
}

api::TokenText Choice::text_of(Token token) const {
  if (tokenizer_ == nullptr) return {token, "token_id:" + std::to_string(token)};
  return {token, tokenizer_->decode(std::span(&token, 1), false),
          std::string(tokenizer_->bytes(token))};
}

}  // namespace baton
