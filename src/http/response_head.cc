#include "http/response_head.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "http/request_head.h"

namespace baton::http {
namespace {

const char* reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

bool equal_nocase(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

bool is_own_header(std::string_view name) {
  constexpr std::string_view kOwn[] = {
      "content-length", "transfer-encoding", "connection", "content-type", "date", "x-request-id"};
  return std::any_of(std::begin(kOwn), std::end(kOwn),
                     [&](std::string_view own) { return equal_nocase(own, name); });
}

bool is_field(std::string_view name, std::string_view value) {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_token_char) &&
         std::all_of(value.begin(), value.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return (byte >= ' ' || c == '\t') && byte != 0x7f;
         });
}

void add(std::string& head, std::string_view name, std::string_view value) {
  if (!is_field(name, value)) return;
  head += name;
  head += ": ";
  head += value;
  head += "\r\n";
}

}  // namespace

bool status_has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string http_date(int64_t unix_s) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t when = unix_s;
  std::tm t = {};
  gmtime_r(&when, &t);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[t.tm_wday],
                t.tm_mday, kMonths[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
  return text;
}

std::string render_head(const Response& response, const HeadOptions& options) {
  std::string head =
      "HTTP/1.1 " + std::to_string(response.status) + ' ' + reason_phrase(response.status) + "\r\n";
  const bool has_body = status_has_body(response.status);
  if (has_body) {
    add(head, "Content-Type", response.content_type);
    switch (options.framing) {
      case Framing::length:
        add(head, "Content-Length", std::to_string(options.content_length));
        break;
      case Framing::chunked:
        add(head, "Transfer-Encoding", "chunked");
        break;
      case Framing::close:
        break;
    }
  }
  add(head, "Date", options.date);
  add(head, "x-request-id", options.request_id);
  if (!options.keep_alive) {
    add(head, "Connection", "close");
  } else if (options.http_1_0) {
    add(head, "Connection", "keep-alive");
  }
  for (const auto& [name, value] : response.headers) {
    if (!is_own_header(name)) add(head, name, value);
  }
  return head + "\r\n";
}

}  // namespace baton::http
