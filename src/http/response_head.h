// The head of an answer, rendered without I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/server.h"

namespace baton::http {

enum class Framing : uint8_t {
  length,   // Content-Length
  chunked,  // HTTP/1.1 streams
  close,    // HTTP/1.0 streams: the end of the connection ends the body
};

struct HeadOptions {
  std::string_view request_id;
  std::string_view date;  // as http_date()
  Framing framing = Framing::length;
  uint64_t content_length = 0;
  bool http_1_0 = false;
  bool keep_alive = true;
};

/// Status line and headers with the empty line. The headers that frame the message are this
/// function's own: those of the same name in `response`, and those with bytes that no header may
/// have, are left out.
std::string render_head(const Response& response, const HeadOptions& options);

/// RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(int64_t unix_s);

/// 204, 304 and 1xx have no body whatever the headers say.
bool status_has_body(int status);

}  // namespace baton::http
