#include "text/stream_decoder.h"

#include <algorithm>

#include "text/utf8.h"

namespace baton {

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer,
                             StreamDecoderOptions options)
    : tokenizer_(std::move(tokenizer)), options_(std::move(options)) {
  if (tokenizer_) {
    think_open_ = tokenizer_->marker("<think>");
    think_close_ = tokenizer_->marker("</think>");
  }
  for (std::string& stop : options_.stop) stops_.push_back(make_stop(std::move(stop)));
  options_.stop.clear();
  // A thought that no token can end is no thought.
  in_reasoning_ = options_.starts_in_reasoning && think_close_.has_value();
  emit_reasoning_ = in_reasoning_ && options_.split_reasoning;
}

StreamDecoder::Stop StreamDecoder::make_stop(std::string text) {
  CHECK(!text.empty());
  Stop stop;
  stop.text = utf8_lossy(text);
  stop.fallback.assign(stop.text.size() + 1, 0);
  uint32_t matched = 0;
  for (size_t i = 1; i < stop.text.size(); ++i) {
    while (matched > 0 && stop.text[i] != stop.text[matched]) matched = stop.fallback[matched];
    if (stop.text[i] == stop.text[matched]) ++matched;
    stop.fallback[i + 1] = matched;
  }
  return stop;
}

bool StreamDecoder::advance(Stop& stop, char c) {
  while (stop.matched > 0 && stop.text[stop.matched] != c) {
    stop.matched = stop.fallback[stop.matched];
  }
  if (stop.text[stop.matched] == c) ++stop.matched;
  return stop.matched == stop.text.size();
}

bool StreamDecoder::observe(Token token) {
  const bool first = tokens_++ == 0;
  if (first && think_open_ == token && think_close_) {
    in_reasoning_ = true;
    ++reasoning_tokens_;
    return true;
  }
  if (!in_reasoning_) return false;
  ++reasoning_tokens_;
  if (think_close_ != token) return false;
  in_reasoning_ = false;
  return true;
}

StreamDecoder::Delta StreamDecoder::push(Token token) {
  CHECK(stop_string_.empty());
  Delta delta;
  const bool switches = observe(token) && options_.split_reasoning;
  if (!tokenizer_) return delta;
  if (switches) {
    // The marker begins with a whole character, so what is incomplete before it stays so.
    if (!partial_.empty()) held_ += kReplacement;
    partial_.clear();
    const std::string_view text = tokenizer_->bytes(token);
    switches_.push_back({held_.size(), held_.size() + text.size(), in_reasoning_});
    held_ += text;
  } else if (!options_.skip_special || !tokenizer_->is_special(token)) {
    add_bytes(tokenizer_->bytes(token));
  }
  scan(delta);
  return delta;
}

StreamDecoder::Delta StreamDecoder::finish() {
  Delta delta;
  if (!stop_string_.empty()) return delta;
  if (!partial_.empty()) held_ += kReplacement;
  partial_.clear();
  scan(delta);
  if (delta.stopped) return delta;
  release(held_.size(), delta);
  delta.reasoning.append(newlines_, '\n');
  newlines_ = 0;
  return delta;
}

void StreamDecoder::add_bytes(std::string_view bytes) {
  partial_ += bytes;
  std::string_view rest = partial_;
  while (!rest.empty()) {
    const Utf8Step step = utf8_step(rest);
    if (step.kind == Utf8Step::Kind::incomplete) break;
    held_ += step.kind == Utf8Step::Kind::valid ? rest.substr(0, step.length) : kReplacement;
    rest.remove_prefix(step.length);
  }
  partial_.erase(0, partial_.size() - rest.size());
}

void StreamDecoder::scan(Delta& delta) {
  while (scanned_ < held_.size()) {
    const char c = held_[scanned_++];
    const Stop* complete = nullptr;
    for (Stop& stop : stops_) {
      if (advance(stop, c) && (complete == nullptr || stop.text.size() > complete->text.size())) {
        complete = &stop;
      }
    }
    if (complete == nullptr) continue;
    if (tokens_ < options_.min_tokens) {  // too early: it is text, and another may begin inside it
      for (Stop& stop : stops_) {
        if (stop.matched == stop.text.size()) stop.matched = stop.fallback[stop.matched];
      }
      continue;
    }
    stop_string_ = complete->text;
    delta.stopped = true;
    release(options_.include_stop ? scanned_ : scanned_ - stop_string_.size(), delta);
    delta.reasoning.append(newlines_, '\n');
    newlines_ = 0;
    return;
  }
  size_t longest_prefix = 0;  // of a stop string, at the end of the text
  for (const Stop& stop : stops_) longest_prefix = std::max<size_t>(longest_prefix, stop.matched);
  release(held_.size() - longest_prefix, delta);
}

void StreamDecoder::release(size_t count, Delta& delta) {
  size_t at = std::min(to_skip_, count);
  to_skip_ -= at;
  while (!switches_.empty() && switches_.front().begin < count) {
    const Switch change = switches_.front();
    switches_.erase(switches_.begin());
    emit(std::string_view(held_).substr(at, change.begin - at), delta);
    emit_reasoning_ = change.to_reasoning;
    newlines_ = 0;
    newlines_to_drop_ = change.to_reasoning ? 0 : 2;
    at = std::min(change.end, count);
    to_skip_ = change.end - at;
  }
  emit(std::string_view(held_).substr(at, count - at), delta);
  held_.erase(0, count);
  scanned_ -= count;
  for (Switch& change : switches_) {
    change.begin -= count;
    change.end -= count;
  }
}

void StreamDecoder::emit(std::string_view text, Delta& delta) {
  if (text.empty()) return;
  if (emit_reasoning_) {
    const size_t end = text.find_last_not_of('\n') + 1;  // npos + 1 = 0
    if (end > 0) {
      delta.reasoning.append(newlines_, '\n').append(text.substr(0, end));
      newlines_ = 0;
    }
    newlines_ += text.size() - end;
    return;
  }
  while (newlines_to_drop_ > 0 && !text.empty()) {
    if (text.front() != '\n') {
      newlines_to_drop_ = 0;
      break;
    }
    text.remove_prefix(1);
    --newlines_to_drop_;
  }
  delta.content += text;
}

}  // namespace baton
