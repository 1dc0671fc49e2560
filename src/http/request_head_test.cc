#include "http/request_head.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace baton::http {
namespace {

/// Scans and parses; the head must be all of `text`.
std::variant<RequestHead, Refusal> parse(const std::string& text) {
  HeadScanner scanner;
  const HeadScanner::State state = scanner.feed(text);
  if (state == HeadScanner::State::bad) return Refusal{400, "scan"};
  if (state == HeadScanner::State::more) return Refusal{0, "more"};
  EXPECT_EQ(scanner.end(), text.size()) << text;
  return parse_request_head(
      std::string_view(text).substr(scanner.begin(), scanner.end() - scanner.begin()));
}

RequestHead good(const std::string& text) {
  auto parsed = parse(text);
  const Refusal* refusal = std::get_if<Refusal>(&parsed);
  EXPECT_EQ(refusal, nullptr) << text << " → " << (refusal ? refusal->message : "");
  return refusal ? RequestHead() : std::get<RequestHead>(std::move(parsed));
}

int status(const std::string& text) {
  auto parsed = parse(text);
  const Refusal* refusal = std::get_if<Refusal>(&parsed);
  return refusal ? refusal->status : 200;
}

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
}
std::string with(const std::string& headers) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n\r\n";
}

TEST(RequestHead, ParsesAnOrdinaryRequest) {
  const RequestHead head = good(
      "POST /v1/chat/completions?x=1&y=%20 HTTP/1.1\r\nHost: example.org:8000\r\n"
      "Content-Type:application/json\r\nContent-LENGTH:  42 \t\r\nX-Empty:\r\nX-Twice: a\r\n"
      "x-twice: b\r\n\r\n");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.path, "/v1/chat/completions");
  EXPECT_EQ(head.query, "x=1&y=%20");
  EXPECT_EQ(head.content_length, 42u);
  EXPECT_FALSE(head.chunked);
  EXPECT_TRUE(head.keep_alive);
  const Headers expected = {{"host", "example.org:8000"},
                            {"content-type", "application/json"},
                            {"content-length", "42"},
                            {"x-empty", ""},
                            {"x-twice", "a"},
                            {"x-twice", "b"}};
  EXPECT_EQ(head.headers, expected);
}

TEST(RequestHead, PathsAreDecodedOnceAndChecked) {
  EXPECT_EQ(good(get("/v1/models/deepseek-ai%2FDeepSeek-R1")).path,
            "/v1/models/deepseek-ai/DeepSeek-R1");
  EXPECT_EQ(good(get("/%E4%BD%A0")).path, "/\xE4\xBD\xA0");
  EXPECT_EQ(good(get("/%2541")).path, "/%41");
  EXPECT_EQ(good(get("/a//b")).path, "/a//b");
  EXPECT_EQ(good(get("/?")).path, "/");
  EXPECT_EQ(good(get("/...")).path, "/...");
  for (const char* target :
       {"/%00",          "/%0d%0aX: y",  "/%7f",    "/%",         "/%4",
        "/%zz",          "/%ff",         "/%c0%80", "/%ed%a0%80", "/%f5%80%80%80",
        "/%e4%bd",       "/../metrics",  "/v1/..",  "/./x",       "/%2e%2E/x",
        "/a\\b",         "/a\"b",        "/a{b",    "/a#b",       "/a?b#c",
        "/\xE4\xBD\xA0", "relative",     "",        "*",          "ftp://h/",
        "http:///x",     "http://h@e/x", "http://"}) {
    EXPECT_EQ(status(get(target)), std::string(target).empty() ? 414 : 400) << target;
  }
}

TEST(RequestHead, AbsoluteFormKeepsPathAndQuery) {
  const RequestHead head = good(get("HTTP://example.org:80/v1/models?a=b"));
  EXPECT_EQ(head.path, "/v1/models");
  EXPECT_EQ(head.query, "a=b");
  EXPECT_EQ(good(get("http://example.org")).path, "/");
  EXPECT_EQ(good(get("http://example.org?q")).query, "q");
  EXPECT_EQ(good(get("https://[::1]:8000/x")).path, "/x");
}

TEST(RequestHead, RequestLineIsStrict) {
  for (const char* line :
       {"GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET /",
        "GET / http/1.1", "GET / HTTP/1.1x", "GET / HTTP/11", "G@T / HTTP/1.1", "GET\t/ HTTP/1.1",
        "GET / HTTP/1,1", "/ HTTP/1.1", "GET / x HTTP/1.1"}) {
    EXPECT_EQ(status(std::string(line) + "\r\nHost: h\r\n\r\n"), 400) << line;
  }
  EXPECT_EQ(status("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(status("GET / HTTP/1.2\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(status("PRI * HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(status("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"), 501);
  EXPECT_EQ(status(std::string(33, 'A') + " / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(status(get("/" + std::string(9000, 'a'))), 414);
  EXPECT_EQ(good("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").path, "/");
}

TEST(RequestHead, HeadersAreStrict) {
  for (const char* headers :
       {"A : b", " A: b", "A: b\r\n c", "A: b\r\n\tc", "A", ": b", "A b: c", "A\xe4: b",
        "Host: again", "Authorization: a\r\nAuthorization: b", "Content-Type: a\r\nContent-Type: a",
        "Expect: 100-continue\r\nExpect: 100-continue"}) {
    EXPECT_EQ(status(with(headers)), 400) << headers;
  }
  EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), 400);  // no Host
  EXPECT_EQ(good("GET / HTTP/1.0\r\n\r\n").http_1_0, true);
  for (const char* host : {"a b", "a/b", "a@b", "a,b", "a?b", "a#b", "a\\b"}) {
    EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  }
  EXPECT_EQ(good(with("A: \xe4\xbd")).headers[1].second, "\xe4\xbd");
  std::string many;
  for (size_t i = 0; i + 1 < kMaxHeaderFields; ++i) many += "A: b\r\n";
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h\r\n" + many + "\r\n"), 200);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h\r\n" + many + "A: b\r\n\r\n"), 431);
}

TEST(RequestHead, FramingThatCouldBeReadTwoWaysIsRefused) {
  struct Case {
    const char* headers;
    int status;
  };
  const Case cases[] = {
      {"Content-Length: 5", 200},
      {"Content-Length: 5\r\nContent-Length: 5", 400},
      {"Content-Length: 5\r\ncontent-length: 6", 400},
      {"Content-Length: 5, 5", 400},
      {"Content-Length: +5", 400},
      {"Content-Length: -1", 400},
      {"Content-Length: 0x5", 400},
      {"Content-Length: 5.0", 400},
      {"Content-Length: 5 5", 400},
      {"Content-Length:", 400},
      {"Content-Length: 18446744073709551616", 400},
      {"Content-Length: 999999999999999999", 200},
      {"Transfer-Encoding: chunked", 200},
      {"Transfer-Encoding: Chunked", 200},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5", 400},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked", 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400},
      {"Transfer-Encoding: gzip, chunked", 501},
      {"Transfer-Encoding: chunked, identity", 501},
      {"Transfer-Encoding: xchunked", 501},
      {"Transfer-Encoding: \x0b"
       "chunked",
       400},
      {"Transfer-Encoding : chunked", 400},
      {"Transfer-Encoding:", 501},
      {"Expect: 100-continue", 200},
      {"Expect: 200-ok", 417},
  };
  for (const Case& c : cases) EXPECT_EQ(status(with(c.headers)), c.status) << c.headers;
  EXPECT_EQ(status("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_TRUE(good(with("Transfer-Encoding: chunked")).chunked);
}

TEST(RequestHead, ConnectionOptions) {
  EXPECT_FALSE(good(with("Connection: close")).keep_alive);
  EXPECT_FALSE(good(with("Connection: keep-alive, CLOSE")).keep_alive);
  EXPECT_FALSE(good(with("Connection: upgrade\r\nConnection: close")).keep_alive);
  EXPECT_TRUE(good(with("Connection: closed")).keep_alive);
  EXPECT_TRUE(good(with("Connection: ,,")).keep_alive);
  EXPECT_EQ(status(with("Connection: close: x")), 400);
  EXPECT_EQ(status(with("Connection: a b")), 400);
  EXPECT_FALSE(good("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(good("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

TEST(HeadScanner, FindsTheEndWhereverTheBytesAreCut) {
  const std::string head = "\r\nGET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";
  const std::string text = head + "GET /next";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    HeadScanner scanner;
    const auto first = scanner.feed(text.substr(0, cut));
    EXPECT_EQ(first, cut < head.size() ? HeadScanner::State::more : HeadScanner::State::done);
    if (first == HeadScanner::State::more) {
      EXPECT_EQ(scanner.feed(text), HeadScanner::State::done);
    }
    EXPECT_EQ(scanner.begin(), 2u);
    EXPECT_EQ(scanner.end(), head.size());
  }
}

TEST(HeadScanner, RefusesAtTheFirstWrongByte) {
  const std::string cases[] = {
      "\n",
      "\x16",
      "\r\r",
      "G\n",
      "GET / HTTP/1.1\rX",
      std::string("G\0", 2),
      "G\x7f",
      "GET / HTTP/1.1\r\nA: b\rc",
      "GET / HTTP/1.1\r\nA: b\n",
      "\r\n\r\n",
  };
  for (const std::string& text : cases) {
    HeadScanner scanner;
    for (size_t i = 1; i < text.size(); ++i) {
      EXPECT_EQ(scanner.feed(text.substr(0, i)), HeadScanner::State::more) << text << i;
    }
    EXPECT_EQ(scanner.feed(text), HeadScanner::State::bad) << text;
  }
}

TEST(RequestId, Form) {
  EXPECT_TRUE(is_request_id("a"));
  EXPECT_TRUE(is_request_id(std::string(128, 'Z')));
  EXPECT_TRUE(is_request_id("0.1_2-3"));
  for (const char* id : {"", "a b", "a\r\n", "é", "a/b", "a\"", "a:b"}) {
    EXPECT_FALSE(is_request_id(id)) << id;
  }
  EXPECT_FALSE(is_request_id(std::string(129, 'Z')));
}

}  // namespace
}  // namespace baton::http
