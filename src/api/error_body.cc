#include "api/error_body.h"

#include <algorithm>
#include <iterator>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include "base/json.h"

namespace baton::api {
namespace {

struct Row {
  Code code;
  int status;
  const char* type;
  const char* default_code;  // nullptr: null
  enum { may_retry, no_retry, retry_later } retry;
};

constexpr Row kTable[] = {
    {Code::invalid_argument, 400, "invalid_request_error", nullptr, Row::no_retry},
    {Code::unsupported, 400, "invalid_request_error", "unsupported_parameter", Row::no_retry},
    {Code::unauthorized, 401, "authentication_error", "invalid_api_key", Row::no_retry},
    {Code::forbidden, 403, "permission_error", "forbidden", Row::no_retry},
    {Code::not_found, 404, "invalid_request_error", "not_found", Row::no_retry},
    {Code::method_not_allowed, 405, "invalid_request_error", "method_not_allowed", Row::no_retry},
    {Code::too_large, 413, "invalid_request_error", "request_too_large", Row::no_retry},
    {Code::resource_exhausted, 429, "rate_limit_error", "overloaded", Row::retry_later},
    {Code::deadline_exceeded, 504, "timeout", "deadline_exceeded", Row::no_retry},
    {Code::cancelled, 499, "cancelled", "cancelled", Row::no_retry},
    {Code::unavailable, 503, "service_unavailable", "unavailable", Row::retry_later},
    {Code::data_corrupt, 500, "server_error", "data_corrupt", Row::may_retry},
    {Code::io, 500, "server_error", "io_error", Row::may_retry},
    {Code::internal, 500, "server_error", "internal_error", Row::may_retry},
};

const Row& row(Code code) {
  const auto found = std::find_if(std::begin(kTable), std::end(kTable),
                                  [&](const Row& r) { return r.code == code; });
  CHECK(found != std::end(kTable));
  return *found;
}

json::object error_object(const std::string& message, const char* type, const std::string& param,
                          const std::string& code) {
  json::object error;
  error["message"] = message;
  error["type"] = type;
  error["param"] = param.empty() ? json::value(nullptr) : json::value(param);
  error["code"] = code.empty() ? json::value(nullptr) : json::value(code);
  json::object body;
  body["error"] = std::move(error);
  return body;
}

std::string body(const Error& error) {
  return json::serialize(
      error_object(error.message, row(error.code).type, error.param, error_word(error)));
}

}  // namespace

int http_status(Code code) {
  return row(code).status;
}

std::string error_word(const Error& error) {
  if (!error.reason.empty()) return error.reason;
  const char* word = row(error.code).default_code;
  return word == nullptr ? "" : word;
}

ErrorReply render_error(const Error& error) {
  constexpr uint32_t kDefaultRetryAfterMs = 1000;
  const Row& r = row(error.code);
  ErrorReply reply{r.status, error_word(error), body(error), {}};
  if (r.retry == Row::retry_later) {
    const uint32_t ms = error.retry_after_ms == 0 ? kDefaultRetryAfterMs : error.retry_after_ms;
    reply.headers.emplace_back("retry-after", std::to_string((uint64_t{ms} + 999) / 1000));
    reply.headers.emplace_back("retry-after-ms", std::to_string(ms));
  } else if (r.retry == Row::no_retry) {
    reply.headers.emplace_back("x-should-retry", "false");
  }
  return reply;
}

std::string render_error_event(const Error& error) {
  return "data: " + body(error) + "\n\n";
}

std::string render_status_error(int status, const std::string& message) {
  const char* type = status == 503   ? "service_unavailable"
                     : status >= 500 ? "server_error"
                                     : "invalid_request_error";
  const char* code = status == 413   ? "request_too_large"
                     : status == 431 ? "headers_too_large"
                     : status == 408 ? "request_timeout"
                     : status == 503 ? "overloaded"
                     : status >= 500 ? "internal_error"
                                     : "invalid_http";
  return json::serialize(error_object(message, type, "", code));
}

}  // namespace baton::api
