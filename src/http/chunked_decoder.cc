#include "http/chunked_decoder.h"

#include <algorithm>

#include "http/request_head.h"

namespace baton::http {
namespace {

constexpr uint32_t kMaxSizeDigits = 15;  // so that no sum below can overflow

bool is_field_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= ' ' || c == '\t') && byte != 0x7f;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedDecoder::State ChunkedDecoder::feed(std::string_view& input, std::string& body) {
  while (!input.empty()) {
    if (step_ == Step::data) {
      const auto take_bytes = static_cast<size_t>(std::min<uint64_t>(chunk_bytes_, input.size()));
      body.append(input.substr(0, take_bytes));
      input.remove_prefix(take_bytes);
      chunk_bytes_ -= take_bytes;
      if (chunk_bytes_ == 0) step_ = Step::data_cr;
      continue;
    }
    const char c = input.front();
    input.remove_prefix(1);
    const State state = take(c, body.size());
    if (state != State::more) return state;
  }
  return State::more;
}

ChunkedDecoder::State ChunkedDecoder::size_digit(char c, uint64_t body_bytes) {
  const int digit = hex_digit(c);
  if (digit >= 0) {
    if (++size_digits_ > kMaxSizeDigits) return State::bad;
    chunk_bytes_ = chunk_bytes_ * 16 + static_cast<uint64_t>(digit);
    if (chunk_bytes_ > body_limit_ || chunk_bytes_ + body_bytes > body_limit_) {
      return State::too_large;
    }
    step_ = Step::size;
    return State::more;
  }
  if (step_ == Step::size_first) return State::bad;
  if (c == ';') {
    step_ = Step::extension;
    return State::more;
  }
  step_ = Step::size_lf;
  return c == '\r' ? State::more : State::bad;
}

ChunkedDecoder::State ChunkedDecoder::take(char c, uint64_t body_bytes) {
  auto next_if = [this](bool good, Step next) {
    step_ = next;
    return good ? State::more : State::bad;
  };
  auto extra_if = [this](bool good) {
    return good && ++extra_bytes_ <= kMaxExtraBytes ? State::more : State::bad;
  };
  switch (step_) {
    case Step::size_first:
    case Step::size:
      return size_digit(c, body_bytes);
    case Step::extension:
      // Quoted values are refused: parsers differ on a quote that is never closed.
      if (c == '\r') return next_if(true, Step::size_lf);
      return extra_if(c == ';' || c == '=' || is_token_char(c));
    case Step::size_lf:
      size_digits_ = 0;
      return next_if(c == '\n', chunk_bytes_ == 0 ? Step::trailer_first : Step::data);
    case Step::data:
      return State::bad;  // feed() takes data in one piece
    case Step::data_cr:
      return next_if(c == '\r', Step::data_lf);
    case Step::data_lf:
      return next_if(c == '\n', Step::size_first);
    case Step::trailer_first:
      if (c == '\r') return next_if(true, Step::last_lf);
      step_ = Step::trailer_name;
      return extra_if(is_token_char(c));
    case Step::trailer_name:
      if (c == ':') step_ = Step::trailer_value;
      return extra_if(c == ':' || is_token_char(c));
    case Step::trailer_value:
      return c == '\r' ? next_if(true, Step::trailer_lf) : extra_if(is_field_char(c));
    case Step::trailer_lf:
      return next_if(c == '\n', Step::trailer_first);
    case Step::last_lf:
      return c == '\n' ? State::done : State::bad;
  }
  return State::bad;
}

}  // namespace baton::http
