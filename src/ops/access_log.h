// One line a request: who asked what, how it ended and how long it took. Never prompt or answer
// text, never a query string (it may hold a key).
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace baton::ops {

/// What is known of one request when it is over. The front fills it while it serves.
struct AccessRecord {
  std::string id;  // x-request-id
  std::string method;
  std::string path;  // as asked for, percent-decoded; cut and escaped when logged
  std::string peer;
  std::string route;  // the metric label: a route's pattern ("/v1/models/{id}") or "other"
  int status = 0;     // 0: the client left before an answer; logged and counted as 499
  Nanos duration = 0;
  Nanos first_token = -1;  // since the request's start; -1: no token was made
  Nanos last_token = -1;
  uint64_t prompt_tokens = 0;
  uint64_t cached_tokens = 0;  // of the prompt, from the prefix cache
  uint64_t generated_tokens = 0;
  uint32_t choices = 1;  // answers generated side by side (n × prompts)
  std::string finish;    // "stop", "length", "cancelled", "deadline", "error"; empty: none
  std::string error;     // the error's code word, if the answer was one
  uint64_t bytes_out = 0;
};

/// The line without time and level: key=value pairs in a fixed order, absent ones left out. Values
/// with anything but visible ASCII, or with quotes, are quoted and escaped; at most 256 bytes each.
std::string format_access(const AccessRecord& record);

/// Logs it: info, or warn when the status is 500 or above.
void log_access(const AccessRecord& record);

}  // namespace baton::ops
