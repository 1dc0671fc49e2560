#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/options.h"
#include "base/result.h"

namespace baton {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return client_error(Code::invalid_argument, "odd", "value");
  return value / 2;
}

Result<int> quarter(int value) {
  BATON_ASSIGN(const int h, half(value));
  BATON_TRY(half(h));
  return half(h);
}

TEST(Result, CarriesValuesAndErrorsThroughTheMacros) {
  EXPECT_EQ(quarter(12).value(), 3);
  const Result<int> odd = quarter(6);
  ASSERT_FALSE(odd.ok());
  EXPECT_EQ(odd.error().code, Code::invalid_argument);
  EXPECT_EQ(odd.error().param, "value");
  EXPECT_EQ(odd.error().origin, Origin::client);
}

TEST(ResultDeathTest, TakingAValueThatIsNotThereIsAProgrammerError) {
  EXPECT_DEATH((void)quarter(1).value(), "CHECK failed");
}

TEST(Deadline, PassesAtItsTimeAndNeverDoesNot) {
  const Deadline soon = Deadline::at(milliseconds(5));
  EXPECT_FALSE(soon.passed(milliseconds(4)));
  EXPECT_TRUE(soon.passed(milliseconds(5)));
  EXPECT_EQ(soon.remaining(milliseconds(2)), milliseconds(3));
  EXPECT_EQ(soon.remaining(milliseconds(9)), 0);
  EXPECT_FALSE(Deadline::never().passed(seconds(1'000'000'000)));
}

TEST(Hash, DependsOnEveryByteLengthAndSeed) {
  std::string text(100, 'x');
  const uint64_t h = hash_string(text);
  EXPECT_EQ(h, hash_string(std::string(100, 'x')));
  EXPECT_NE(h, hash_string(text, 1));
  EXPECT_NE(h, hash_string(std::string(101, 'x')));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = 'y';
    EXPECT_NE(h, hash_string(changed)) << i;
  }
  EXPECT_NE(hash_string(std::string("a\0", 2)), hash_string("a"));
}

TEST(Json, ParsesAndRefusesWithThePlace) {
  EXPECT_EQ(parse_json("{\"a\":[1,2]}")->at("a").as_array().size(), 2u);
  for (const char* bad : {"", "{", "[1,]", "{} x", "\"\xff\"", "NaN", "[1 2]"}) {
    const auto result = parse_json(bad);
    ASSERT_FALSE(result.ok()) << bad;
    EXPECT_NE(result.error().message.find("at byte"), std::string::npos);
  }
}

TEST(Json, DepthIsLimited) {
  EXPECT_TRUE(parse_json(std::string(60, '[') + std::string(60, ']')).ok());
  EXPECT_FALSE(parse_json(std::string(100, '[') + std::string(100, ']')).ok());
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')).ok());
  EXPECT_FALSE(parse_json(std::string(1'000'000, '{')).ok());
}

TEST(Metrics, RendersTheTextFormat) {
  MetricRegistry registry;
  registry.counter("b_total", "Things.", {{"kind", "a\"b"}}).add(3);
  EXPECT_EQ(&registry.counter("b_total", "Things.", {{"kind", "a\"b"}}),
            &registry.counter("b_total", "Things.", {{"kind", "a\"b"}}));
  Histogram& h = registry.histogram("a_seconds", "Time.", {0.1, 1});
  h.observe(0.05);
  h.observe(0.1);
  h.observe(5);
  registry.computed(MetricRegistry::Kind::gauge, "c", "Now.", [] { return 0.25; });
  EXPECT_EQ(registry.render(),
            "# HELP a_seconds Time.\n# TYPE a_seconds histogram\n"
            "a_seconds_bucket{le=\"0.1\"} 2\na_seconds_bucket{le=\"1\"} 2\n"
            "a_seconds_bucket{le=\"+Inf\"} 3\na_seconds_sum 5.15\na_seconds_count 3\n"
            "# HELP b_total Things.\n# TYPE b_total counter\nb_total{kind=\"a\\\"b\"} 3\n"
            "# HELP c Now.\n# TYPE c gauge\nc 0.25\n");
}

TEST(Options, OneRowGivesDefaultRangeAndChecks) {
  uint16_t port = 7860;
  bool cache = true;
  std::string dtype = "bf16";
  OptionTable table;
  table.add<uint16_t>("port", &port, 0, 65535, "The port.");
  table.add("prefix-cache", &cache, "Keep prefixes.");
  table.add_choice("dtype", &dtype, {"bf16", "fp32"}, "Numbers.");
  EXPECT_EQ(table.rows()[0].fallback, "7860");
  EXPECT_EQ(table.rows()[0].range, "0…65535");
  EXPECT_TRUE(table.set("port", "80").ok());
  EXPECT_TRUE(table.set("prefix_cache", "off").ok());
  EXPECT_TRUE(table.set("dtype", "fp32").ok());
  EXPECT_EQ(port, 80);
  EXPECT_FALSE(cache);
  EXPECT_EQ(dtype, "fp32");
  for (const char* bad : {"65536", "-1", "1e3", "", " 1", "99999999999999999999"}) {
    EXPECT_FALSE(table.set("port", bad).ok()) << bad;
  }
  EXPECT_FALSE(table.set("dtype", "int2").ok());
  EXPECT_FALSE(table.set("no-such", "1").ok());
  EXPECT_EQ(port, 80);
}

}  // namespace
}  // namespace baton
