// The head of an HTTP/1.1 request (RFC 9112), parsed without I/O. Strict: whatever two parsers
// could read differently is refused, never repaired.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "http/server.h"

namespace baton::http {

constexpr size_t kMaxHeaderFields = 100;
constexpr size_t kMaxRequestIdBytes = 128;

/// Why a request is not answered by the handler: the status and one sentence for a person.
struct Refusal {
  int status = 400;
  std::string message;
};

struct RequestHead {
  std::string method;
  std::string path;   // percent-decoded, valid UTF-8, no control characters, no "." or ".." segment
  std::string query;  // raw
  Headers headers;    // names in lower case, values trimmed, in the order sent
  bool http_1_0 = false;
  bool keep_alive = true;
  bool expect_continue = false;
  bool chunked = false;
  uint64_t content_length = 0;  // 0 when chunked or absent
};

/// Finds the end of a head in a buffer that grows, looking at every byte once. Refuses at once what
/// no head may contain (bare CR or LF, control characters), so that a client that speaks another
/// protocol need not wait for a time-out.
class HeadScanner {
 public:
  enum class State : uint8_t { more, done, bad };

  /// `buffer` is all that was read so far; it must begin with what earlier calls saw.
  State feed(std::string_view buffer);
  /// After done: the head, with its empty last line, is bytes [begin(), end()) of the buffer.
  size_t begin() const { return begin_; }
  size_t end() const { return position_; }

 private:
  size_t begin_ = 0;  // one empty line before a request is skipped (RFC 9112, 2.2)
  size_t position_ = 0;
  size_t line_bytes_ = 0;
  bool after_cr_ = false;
  bool request_line_seen_ = false;
};

/// `head` is what HeadScanner found. Refusals: 400, 414, 417, 431, 501, 505.
std::variant<RequestHead, Refusal> parse_request_head(std::string_view head);

/// Letters, digits, '.', '_' and '-', 1 to 128 of them.
bool is_request_id(std::string_view text);

/// RFC 9110 token characters (method and field names).
bool is_token_char(char c);

}  // namespace baton::http
