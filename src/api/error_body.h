// Errors as clients see them: status, OpenAI's error object, retry headers. One table.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace baton::api {

struct ErrorReply {
  int status = 500;
  std::string code;  // the machine-readable word, as in the body
  std::string body;  // {"error":{"message","type","param","code"}}
  /// Retry-After and retry-after-ms with 429 and 503; x-should-retry: false where the same request
  /// cannot succeed (official clients would otherwise send a 504 three times).
  std::vector<std::pair<std::string, std::string>> headers;
};

/// The HTTP status that `code` stands for.
int http_status(Code code);

/// The machine-readable word for `error`: its own reason, or the default of its code; may be empty.
std::string error_word(const Error& error);

ErrorReply render_error(const Error& error);

/// The same object as one server-sent event: `data: {"error":…}\n\n`.
std::string render_error_event(const Error& error);

/// The error body of a status that has no Error behind it (a request that is not HTTP).
std::string render_status_error(int status, const std::string& message);

}  // namespace baton::api
