// Every numeric field of both requests against every kind of wrong number: refused by name, or
// accepted with the very value.
#include "api/fields.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <cmath>
#include <functional>

#include "api/chat_request.h"
#include "api/completion_request.h"

namespace baton::api {
namespace {

struct NumericField {
  const char* name;
  bool integer;
  double min, max;
  std::function<double(const Generation&)> read;
};

double or_nan(const std::optional<double>& value) {
  return value.value_or(std::nan(""));
}
double or_nan(const std::optional<int64_t>& value) {
  return value ? static_cast<double>(*value) : std::nan("");
}

const std::vector<NumericField>& numeric_fields() {
  static const std::vector<NumericField> fields = {
      {"temperature", false, 0, 2, [](auto& g) { return or_nan(g.temperature); }},
      {"top_p", false, kTopPLeast, 1, [](auto& g) { return or_nan(g.top_p); }},
      {"min_p", false, 0, 1, [](auto& g) { return or_nan(g.min_p); }},
      {"repetition_penalty", false, 0.01, 100,
       [](auto& g) { return or_nan(g.repetition_penalty); }},
      {"presence_penalty", false, -2, 2, [](auto& g) { return g.presence_penalty; }},
      {"frequency_penalty", false, -2, 2, [](auto& g) { return g.frequency_penalty; }},
      {"top_k", true, -1, 2147483647, [](auto& g) { return or_nan(g.top_k); }},
      {"n", true, 1, 16, [](auto& g) { return static_cast<double>(g.choices); }},
      {"max_tokens", true, 1, 2147483647, [](auto& g) { return or_nan(g.max_tokens); }},
      {"max_completion_tokens", true, 1, 2147483647, [](auto& g) { return or_nan(g.max_tokens); }},
      {"min_tokens", true, 0, 2147483647,
       [](auto& g) { return static_cast<double>(g.min_tokens); }},
      {"priority", true, -100, 100, [](auto& g) { return -static_cast<double>(g.priority); }},
      {"seed", true, -9223372036854775808.0, 9223372036854775807.0,
       [](auto& g) { return or_nan(g.seed); }},
  };
  return fields;
}

std::string with(const std::string& field, const std::string& value, bool chat) {
  const std::string prompt =
      chat ? R"("messages":[{"role":"user","content":"hi"}])" : R"("prompt":"hi")";
  return "{" + prompt + ",\"" + field + "\":" + value + "}";
}

Result<Generation> parse(const std::string& body, bool chat) {
  if (chat) {
    BATON_ASSIGN(ChatRequest request, parse_chat_request(body));
    return request.generation;
  }
  BATON_ASSIGN(CompletionRequest request, parse_completion_request(body));
  return request.generation;
}

TEST(NumericFields, EdgesAreAcceptedOrRefusedByName) {
  const std::vector<std::pair<std::string, double>> numbers = {
      {"-1", -1},
      {"0", 0},
      {"1", 1},
      {"2147483648", 2147483648.0},
      {"9223372036854775808", 9223372036854775808.0},
      {"-9223372036854775809", -9223372036854775809.0},
      {"18446744073709551616", 18446744073709551616.0},
      {"1e308", 1e308},
      {"-1e308", -1e308},
      {"0.5", 0.5},
      {"1e-300", 1e-300}};
  for (const bool chat : {true, false}) {
    for (const NumericField& field : numeric_fields()) {
      auto cases = numbers;
      for (const double edge : {field.min, field.max}) {
        if (std::fabs(edge) > 1e15) continue;
        for (const double step : {-1.0, 0.0, 1.0}) {
          const json::value number = field.integer ? json::value(static_cast<int64_t>(edge + step))
                                                   : json::value(edge + step);
          cases.emplace_back(json::serialize(number), edge + step);
        }
      }
      for (const auto& [text, value] : cases) {
        SCOPED_TRACE(std::string(field.name) + " = " + text + (chat ? " (chat)" : ""));
        bool fits = value >= field.min && value <= field.max;
        if (field.integer) fits = fits && value == std::floor(value);
        // 2⁶³ and −2⁶³−1 round to the ends of int64 as doubles, but do not fit.
        if (std::string(field.name) == "seed" && std::fabs(value) >= 9e18) fits = false;
        const Result<Generation> parsed = parse(with(field.name, text, chat), chat);
        ASSERT_EQ(parsed.ok(), fits);
        if (fits) {
          EXPECT_EQ(field.read(*parsed), value);
        } else {
          EXPECT_EQ(parsed.error().param, field.name);
          EXPECT_EQ(parsed.error().code, Code::invalid_argument);
          EXPECT_EQ(parsed.error().origin, Origin::client);
          EXPECT_FALSE(parsed.error().message.empty());
        }
      }
    }
  }
}

TEST(NumericFields, OtherTypesAreRefusedByNameAndNullIsAbsent) {
  for (const bool chat : {true, false}) {
    for (const NumericField& field : numeric_fields()) {
      for (const char* wrong : {"\"1\"", "true", "false", "[]", "[1]", "{}", "\"\""}) {
        SCOPED_TRACE(std::string(field.name) + " = " + wrong);
        const Result<Generation> parsed = parse(with(field.name, wrong, chat), chat);
        ASSERT_FALSE(parsed.ok());
        EXPECT_EQ(parsed.error().param, field.name);
        EXPECT_EQ(parsed.error().reason, "invalid_type");
      }
      EXPECT_TRUE(parse(with(field.name, "null", chat), chat).ok()) << field.name;
    }
  }
}

TEST(NumericFields, SeedKeepsAll64Bits) {
  for (const int64_t seed :
       {INT64_MIN, INT64_MIN + 1, int64_t{-1}, int64_t{9007199254740993}, INT64_MAX}) {
    const Result<Generation> parsed = parse(with("seed", std::to_string(seed), true), true);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed->seed, seed);
  }
}

TEST(NumericFields, WholeNumbersMayBeSpelledAsDecimals) {
  EXPECT_EQ(parse(with("max_tokens", "16.0", true), true)->max_tokens, 16);
  EXPECT_EQ(parse(with("max_tokens", "1.6e1", true), true)->max_tokens, 16);
  EXPECT_FALSE(parse(with("max_tokens", "16.5", true), true).ok());
}

TEST(TopLogprobs, ChatWantsABooleanAndACount) {
  const auto logprobs = [](const std::string& fields) {
    return parse_chat_request(R"({"messages":[{"role":"user","content":"hi"}],)" + fields + "}");
  };
  EXPECT_EQ(logprobs(R"("logprobs":true)")->generation.logprobs, 0);
  EXPECT_EQ(logprobs(R"("logprobs":true,"top_logprobs":20)")->generation.logprobs, 20);
  EXPECT_EQ(logprobs(R"("logprobs":false,"top_logprobs":0)")->generation.logprobs, -1);
  for (const char* wrong : {"-1", "21", "2147483648", "1e308", "\"1\"", "true", "[]", "0.5"}) {
    const auto parsed = logprobs(std::string(R"("logprobs":true,"top_logprobs":)") + wrong);
    ASSERT_FALSE(parsed.ok()) << wrong;
    EXPECT_EQ(parsed.error().param, "top_logprobs");
  }
  EXPECT_EQ(logprobs(R"("top_logprobs":3)").error().param, "top_logprobs");
  EXPECT_EQ(logprobs(R"("logprobs":3)").error().param, "logprobs");
}

TEST(TopLogprobs, CompletionsWantACount) {
  const auto logprobs = [](const std::string& value) {
    return parse_completion_request(R"({"prompt":"hi","logprobs":)" + value + "}");
  };
  EXPECT_EQ(logprobs("0")->generation.logprobs, 0);
  EXPECT_EQ(logprobs("20")->generation.logprobs, 20);
  EXPECT_EQ(logprobs("null")->generation.logprobs, -1);
  for (const char* wrong : {"-1", "21", "2147483648", "1e308", "\"1\"", "true", "[]", "0.5"}) {
    ASSERT_FALSE(logprobs(wrong).ok()) << wrong;
    EXPECT_EQ(logprobs(wrong).error().param, "logprobs");
  }
}

TEST(Body, MustBeOneJsonObject) {
  for (const char* body : {"", " ", "{", "[]", "1", "null", "\"a\"", "{}{}", "{\"a\":}", "{'a':1}",
                           "{\"a\":NaN}", "{\"a\":\"\xff\"}", "\xef\xbb\xbf{}", "{\"a\":1,}"}) {
    const Result<json::object> parsed = parse_body(body);
    ASSERT_FALSE(parsed.ok()) << body;
    EXPECT_EQ(parsed.error().reason, "invalid_json") << body;
    EXPECT_EQ(parsed.error().code, Code::invalid_argument) << body;
  }
}

TEST(Body, AMillionLevelsDeepIsRefused) {
  for (const char* open : {"[", "{\"a\":"}) {
    std::string body = "{\"messages\":";
    for (int i = 0; i < 1'000'000; ++i) body += open;
    const Result<json::object> parsed = parse_body(body);
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().reason, "invalid_json");
  }
}

}  // namespace
}  // namespace baton::api
