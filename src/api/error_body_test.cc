#include "api/error_body.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"

namespace baton::api {
namespace {

std::string header(const ErrorReply& reply, const std::string& name) {
  const auto found = std::find_if(reply.headers.begin(), reply.headers.end(),
                                  [&](const auto& header) { return header.first == name; });
  return found == reply.headers.end() ? "" : found->second;
}

TEST(ErrorBody, StatusFollowsFromTheCode) {
  const std::vector<std::pair<Code, int>> table = {
      {Code::invalid_argument, 400},
      {Code::unsupported, 400},
      {Code::unauthorized, 401},
      {Code::forbidden, 403},
      {Code::not_found, 404},
      {Code::method_not_allowed, 405},
      {Code::too_large, 413},
      {Code::cancelled, 499},
      {Code::resource_exhausted, 429},
      {Code::deadline_exceeded, 504},
      {Code::unavailable, 503},
      {Code::data_corrupt, 500},
      {Code::io, 500},
      {Code::internal, 500},
  };
  for (const auto& [code, status] : table) {
    const ErrorReply reply = render_error(client_error(code, "m"));
    EXPECT_EQ(reply.status, status);
    EXPECT_EQ(http_status(code), status);
    const json::value error = parse_json(reply.body).value().at("error");
    EXPECT_EQ(error.at("message"), json::value("m"));
    EXPECT_TRUE(error.at("type").is_string());
    EXPECT_TRUE(error.at("param").is_null());
    const bool retry_hint = status == 429 || status == 503;
    EXPECT_EQ(!header(reply, "retry-after").empty(), retry_hint) << status;
    EXPECT_EQ(!header(reply, "retry-after-ms").empty(), retry_hint) << status;
    const bool hopeless = (status < 500 && status != 429) || status == 504;
    EXPECT_EQ(header(reply, "x-should-retry"), hopeless ? "false" : "") << status;
  }
}

TEST(ErrorBody, NamesFieldAndReason) {
  Error error = client_error(Code::invalid_argument, "no \"x\"", "n");
  error.reason = "invalid_type";
  EXPECT_EQ(render_error(error).body,
            R"({"error":{"message":"no \"x\"","type":"invalid_request_error","param":"n",)"
            R"("code":"invalid_type"}})");
  EXPECT_EQ(render_error_event(error), "data: " + render_error(error).body + "\n\n");
}

TEST(ErrorBody, RetryAfterRoundsUpToSeconds) {
  Error error = self_error(Code::resource_exhausted, "full");
  error.retry_after_ms = 1001;
  EXPECT_EQ(header(render_error(error), "retry-after"), "2");
  EXPECT_EQ(header(render_error(error), "retry-after-ms"), "1001");
  error.retry_after_ms = UINT32_MAX;
  EXPECT_EQ(header(render_error(error), "retry-after"), "4294968");
}

TEST(ErrorBody, OfAStatusAlone) {
  const json::value error = parse_json(render_status_error(431, "too long")).value().at("error");
  EXPECT_EQ(error.at("code"), json::value("headers_too_large"));
  EXPECT_EQ(error.at("type"), json::value("invalid_request_error"));
}

}  // namespace
}  // namespace baton::api
