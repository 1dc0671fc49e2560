#include "http/request_head.h"

#include <algorithm>
#include <array>
#include <optional>

namespace baton::http {
namespace {

constexpr size_t kMaxMethodBytes = 32;
constexpr size_t kMaxTargetBytes = 8 * 1024;

/// Thrown and caught inside this file only: it keeps the rules below readable.
struct Refused {
  int status;
  const char* message;
};

void require(bool condition, const char* message, int status = 400) {
  if (!condition) throw Refused{status, message};
}

bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool equal_nocase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// RFC 3986: pchar without '%', and '/'.
bool is_path_char(char c) {
  return is_alpha(c) || is_digit(c) ||
         std::string_view("-._~!$&'()*+,;=:@/").find(c) != std::string_view::npos;
}

/// Wider than RFC 3986, as browsers and curl are, but visible ASCII and without '#'.
bool is_query_char(char c) {
  return c > ' ' && c <= '~' && c != '#' && c != '"' && c != '<' && c != '>';
}

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80    ? 1
                          : lead >= 0xf0 ? 4
                          : lead >= 0xe0 ? 3
                          : lead >= 0xc2 ? 2
                                         : 0;
    if (length == 0 || lead > 0xf4 || i + length > text.size()) return false;
    uint32_t point = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    constexpr std::array<uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      return false;
    }
    i += length;
  }
  return true;
}

std::string decoded_path(std::string_view raw) {
  std::string out;
  for (size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%') {
      require(i + 2 < raw.size(), "the path ends inside a percent-encoding");
      const int high = hex_digit(raw[i + 1]);
      const int low = hex_digit(raw[i + 2]);
      require(high >= 0 && low >= 0, "the path has a malformed percent-encoding");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      require(is_path_char(c), "the path has a character that must be percent-encoded");
    }
    require(static_cast<unsigned char>(c) >= ' ' && c != 0x7f, "the path has a control character");
    out += c;
  }
  require(is_utf8(out), "the path is not valid UTF-8");
  return out;
}

void refuse_dot_segments(std::string_view path) {
  for (size_t from = 0; from <= path.size();) {
    const size_t to = std::min(path.find('/', from), path.size());
    const std::string_view segment = path.substr(from, to - from);
    require(segment != "." && segment != "..", "the path has a \".\" or \"..\" segment");
    from = to + 1;
  }
}

void parse_target(std::string_view target, RequestHead& head) {
  require(!target.empty() && target.size() <= kMaxTargetBytes, "the request target is too long",
          414);
  if (target.front() != '/') {
    // Absolute-form (RFC 9112, 3.2.2): what a proxy is sent. Its authority is not looked at.
    const size_t scheme = target.find("://");
    require(scheme != std::string_view::npos && (equal_nocase(target.substr(0, scheme), "http") ||
                                                 equal_nocase(target.substr(0, scheme), "https")),
            "the request target is neither a path nor an http URL");
    const std::string_view rest = target.substr(scheme + 3);
    const size_t authority = std::min(rest.find_first_of("/?"), rest.size());
    require(authority > 0, "the request target has no host");
    for (const char c : rest.substr(0, authority)) {
      require((is_path_char(c) && c != '@') || c == '[' || c == ']',
              "the request target's host is malformed");
    }
    target = rest.substr(authority);
  }
  const size_t question = std::min(target.find('?'), target.size());
  head.path = decoded_path(target.substr(0, question));
  if (head.path.empty()) head.path = "/";
  refuse_dot_segments(head.path);
  if (question < target.size()) head.query = target.substr(question + 1);
  for (const char c : head.query) require(is_query_char(c), "the query has a forbidden character");
}

void parse_request_line(std::string_view line, RequestHead& head) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  require(first != std::string_view::npos && first != last, "the request line is malformed");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  require(!method.empty() && method.size() <= kMaxMethodBytes &&
              std::all_of(method.begin(), method.end(), is_token_char),
          "the request method is malformed");
  require(version.size() == 8 && version.substr(0, 5) == "HTTP/" && is_digit(version[5]) &&
              version[6] == '.' && is_digit(version[7]),
          "the request line is malformed");
  require(version == "HTTP/1.1" || version == "HTTP/1.0", "only HTTP/1.1 and HTTP/1.0 are spoken",
          505);
  require(method != "CONNECT", "CONNECT is not supported", 501);
  head.method = method;
  head.http_1_0 = version == "HTTP/1.0";
  parse_target(target, head);
}

void parse_field(std::string_view line, RequestHead& head) {
  require(line.front() != ' ' && line.front() != '\t', "a header is folded over several lines");
  const size_t colon = line.find(':');
  require(colon != std::string_view::npos && colon > 0, "a header line has no name");
  const std::string_view name = line.substr(0, colon);
  require(std::all_of(name.begin(), name.end(), is_token_char), "a header name is malformed");
  std::string_view value = line.substr(colon + 1);
  const size_t begin = value.find_first_not_of(" \t");
  value = begin == std::string_view::npos ? std::string_view() : value.substr(begin);
  value = value.substr(0, value.find_last_not_of(" \t") + 1);
  require(head.headers.size() < kMaxHeaderFields, "the request has too many headers", 431);
  head.headers.emplace_back(lowered(name), value);
}

/// The one value of a header that must not be repeated; none if absent.
std::optional<std::string_view> single(const RequestHead& head, std::string_view name,
                                       const char* repeated) {
  std::optional<std::string_view> found;
  for (const auto& [key, value] : head.headers) {
    if (key != name) continue;
    require(!found, repeated);
    found = value;
  }
  return found;
}

void read_framing(RequestHead& head) {
  const auto length = single(head, "content-length", "Content-Length is given twice");
  const auto coding = single(head, "transfer-encoding", "Transfer-Encoding is given twice");
  if (coding) {
    require(!length, "Content-Length and Transfer-Encoding exclude each other");
    require(!head.http_1_0, "Transfer-Encoding does not exist in HTTP/1.0");
    require(equal_nocase(*coding, "chunked"), "the only Transfer-Encoding understood is chunked",
            501);
    head.chunked = true;
  }
  if (length) {
    require(!length->empty() && length->size() <= 18 &&
                std::all_of(length->begin(), length->end(), is_digit),
            "Content-Length is not a number");
    for (const char c : *length) {
      head.content_length = head.content_length * 10 + static_cast<uint64_t>(c - '0');
    }
  }
}

void read_connection(RequestHead& head) {
  bool close = false;
  bool keep = false;
  for (const auto& [name, value] : head.headers) {
    if (name != "connection") continue;
    for (size_t from = 0; from <= value.size();) {
      const size_t to = std::min(value.find(',', from), value.size());
      std::string_view option = std::string_view(value).substr(from, to - from);
      const size_t begin = std::min(option.find_first_not_of(" \t"), option.size());
      option = option.substr(begin, option.find_last_not_of(" \t") + 1 - begin);
      require(std::all_of(option.begin(), option.end(), is_token_char),
              "the Connection header is malformed");
      close = close || equal_nocase(option, "close");
      keep = keep || equal_nocase(option, "keep-alive");
      from = to + 1;
    }
  }
  head.keep_alive = !close && (keep || !head.http_1_0);
}

void check_host(const RequestHead& head) {
  const auto host = single(head, "host", "Host is given twice");
  require(host.has_value() || head.http_1_0, "the Host header is missing");
  for (const char c : host.value_or("")) {
    require(
        (is_path_char(c) && c != '/' && c != '@' && c != ',') || c == '[' || c == ']' || c == '%',
        "the Host header is malformed");
  }
}

RequestHead parse(std::string_view text) {
  RequestHead head;
  bool first = true;
  for (size_t from = 0; from < text.size();) {
    const size_t to = text.find("\r\n", from);
    require(to != std::string_view::npos, "the header is malformed");
    const std::string_view line = text.substr(from, to - from);
    from = to + 2;
    if (line.empty()) break;
    if (first) {
      parse_request_line(line, head);
    } else {
      parse_field(line, head);
    }
    first = false;
  }
  require(!first, "the request line is missing");
  check_host(head);
  read_framing(head);
  read_connection(head);
  single(head, "authorization", "Authorization is given twice");
  single(head, "content-type", "Content-Type is given twice");
  if (const auto expect = single(head, "expect", "Expect is given twice");
      expect && !head.http_1_0) {
    require(equal_nocase(*expect, "100-continue"),
            "the only expectation understood is 100-continue", 417);
    head.expect_continue = true;
  }
  return head;
}

}  // namespace

bool is_token_char(char c) {
  return is_alpha(c) || is_digit(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRequestIdBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_alpha(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

HeadScanner::State HeadScanner::feed(std::string_view buffer) {
  while (position_ < buffer.size()) {
    const char c = buffer[position_++];
    if (after_cr_ != (c == '\n')) return State::bad;
    after_cr_ = c == '\r';
    if (after_cr_) continue;
    if (c != '\n') {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < ' ' && c != '\t') || byte == 0x7f) return State::bad;
      ++line_bytes_;
      continue;
    }
    const bool empty = line_bytes_ == 0;
    line_bytes_ = 0;
    if (!empty) {
      request_line_seen_ = true;
      continue;
    }
    if (request_line_seen_) return State::done;
    if (begin_ > 0) return State::bad;  // a second empty line before the request
    begin_ = position_;
  }
  return State::more;
}

std::variant<RequestHead, Refusal> parse_request_head(std::string_view head) {
  try {
    return parse(head);
  } catch (const Refused& refused) {
    return Refusal{refused.status, refused.message};
  }
}

std::string_view Request::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_name) return value;
  }
  return {};
}

}  // namespace baton::http
