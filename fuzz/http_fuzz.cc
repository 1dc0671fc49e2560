// The request parsers: they never crash, do not depend on how the bytes were cut, keep their
// promises about what they accept, and Beast, an independent parser, reads the same.
#include <boost/beast/core/string_type.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "http/chunked_decoder.h"
#include "http/request_head.h"

namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using baton::http::ChunkedDecoder;
using baton::http::HeadScanner;
using baton::http::RequestHead;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

void check_promises(const RequestHead& head) {
  CHECK(!head.method.empty() && head.path.front() == '/');
  for (const char c : head.path) CHECK(static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
  CHECK(("/" + head.path + "/").find("/../") == std::string::npos);
  CHECK(head.headers.size() <= baton::http::kMaxHeaderFields);
  CHECK(!(head.chunked && head.content_length > 0));
  for (const auto& [name, value] : head.headers) {
    CHECK(!name.empty());
    for (const char c : name) CHECK(baton::http::is_token_char(c) && !(c >= 'A' && c <= 'Z'));
    for (const char c : value) CHECK(c != '\r' && c != '\n' && c != '\0');
  }
}

/// What we accept, Beast accepts and frames alike.
void check_beast_agrees(std::string_view text, const RequestHead& head) {
  beast_http::request_parser<beast_http::empty_body> parser;
  parser.header_limit(1 << 24);
  parser.body_limit(boost::none);
  boost::system::error_code code;
  const size_t used = parser.put(asio::buffer(text), code);
  CHECK(!code && parser.is_header_done() && used == text.size());
  const auto& message = parser.get();
  CHECK(view(message.method_string()) == head.method);
  CHECK(message.version() == (head.http_1_0 ? 10u : 11u));
  CHECK(message.chunked() == head.chunked);
  CHECK(parser.content_length().value_or(0) == head.content_length);
  // Beast groups repeated names, so their order is compared within a name only.
  CHECK(static_cast<size_t>(std::distance(message.begin(), message.end())) == head.headers.size());
  for (const auto& [name, value] : head.headers) {
    const auto [from, to] = message.equal_range(name);
    bool found = false;
    for (auto it = from; it != to; ++it) found = found || view(it->value()) == value;
    CHECK(found);
  }
}

void try_head(std::string_view text) {
  HeadScanner whole;
  const HeadScanner::State state = whole.feed(text);
  HeadScanner cut;
  HeadScanner::State cut_state = HeadScanner::State::more;
  for (size_t to = 1; to <= text.size() && cut_state == HeadScanner::State::more;
       to += 1 + to / 8) {
    cut_state = cut.feed(text.substr(0, to));
  }
  if (cut_state == HeadScanner::State::more) cut_state = cut.feed(text);
  CHECK(cut_state == state);
  if (state != HeadScanner::State::done) return;
  CHECK(cut.begin() == whole.begin() && cut.end() == whole.end());
  const std::string_view head_text = text.substr(whole.begin(), whole.end() - whole.begin());
  const auto parsed = baton::http::parse_request_head(head_text);
  if (const auto* head = std::get_if<RequestHead>(&parsed)) {
    check_promises(*head);
    check_beast_agrees(head_text, *head);
  }
}

void try_chunked(std::string_view text) {
  constexpr uint64_t kLimit = 1 << 20;
  ChunkedDecoder whole(kLimit);
  std::string body;
  std::string_view rest = text;
  const ChunkedDecoder::State state = whole.feed(rest, body);
  CHECK(body.size() <= kLimit);

  ChunkedDecoder cut(kLimit);
  std::string cut_body;
  std::string_view cut_rest = text;
  ChunkedDecoder::State cut_state = ChunkedDecoder::State::more;
  for (size_t step = 1; !cut_rest.empty() && cut_state == ChunkedDecoder::State::more; ++step) {
    std::string_view part = cut_rest.substr(0, step);
    const size_t size = part.size();
    cut_state = cut.feed(part, cut_body);
    cut_rest.remove_prefix(size - part.size());
  }
  CHECK(cut_state == state);
  if (state != ChunkedDecoder::State::done) return;
  CHECK(cut_body == body && cut_rest == rest);

  const std::string message = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" +
                              std::string(text.substr(0, text.size() - rest.size()));
  beast_http::request_parser<beast_http::string_body> parser;
  parser.eager(true);
  parser.header_limit(1 << 24);
  parser.body_limit(kLimit);
  boost::system::error_code code;
  std::string_view left = message;
  while (!left.empty() && !code && !parser.is_done()) {
    left.remove_prefix(parser.put(asio::buffer(left), code));
  }
  // Extensions mean nothing to anyone; Beast holds them to their grammar, we to their characters.
  if (code == beast_http::error::bad_chunk_extension) return;
  CHECK(parser.get().body() == body);
  // Beast reads trailers like headers ("Connection: a b" is wrong to it); we drop them.
  CHECK(code || (parser.is_done() && left.empty()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_head(text);
  try_chunked(text);
  return 0;
}
