#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "base/json.h"
#include "ops/access_log.h"
#include "ops/health.h"
#include "ops/service_metrics.h"

namespace baton::ops {
namespace {

AccessRecord answered() {
  AccessRecord record;
  record.id = "req-1";
  record.method = "POST";
  record.path = "/v1/chat/completions";
  record.peer = "127.0.0.1:5000";
  record.route = "/v1/chat/completions";
  record.status = 200;
  record.duration = milliseconds(1500);
  record.first_token = milliseconds(100);
  record.last_token = milliseconds(1100);
  record.prompt_tokens = 12;
  record.cached_tokens = 8;
  record.generated_tokens = 101;
  record.finish = "stop";
  record.bytes_out = 4096;
  return record;
}

TEST(AccessLog, OneLineOfFields) {
  EXPECT_EQ(format_access(answered()),
            "id=req-1 peer=127.0.0.1:5000 method=POST path=/v1/chat/completions status=200 "
            "ms=1500.0 ttft_ms=100.0 prompt=12 cached=8 generated=101 finish=stop bytes=4096");
}

TEST(AccessLog, AbsentFieldsAreLeftOutAndALeaverIs499) {
  AccessRecord record;
  record.id = "a";
  record.method = "GET";
  record.path = "/";
  record.duration = 250'000;
  EXPECT_EQ(format_access(record), "id=a method=GET path=/ status=499 ms=0.2 bytes=0");
}

TEST(AccessLog, HostileValuesStayOneLine) {
  AccessRecord record;
  record.method = "GET";
  record.path = "/a b\nstatus=200 \"x\"\\\x1b[31m\xe4";
  const std::string line = format_access(record);
  EXPECT_NE(line.find("path=\"/a b\\x0astatus=200 \\\"x\\\"\\\\\\x1b[31m\\xe4\""),
            std::string::npos)
      << line;
  for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~');
}

TEST(AccessLog, LongValuesAreCut) {
  AccessRecord record;
  record.path = "/" + std::string(100'000, 'a');
  const std::string line = format_access(record);
  EXPECT_LT(line.size(), 400u);
  EXPECT_NE(line.find("aaa... "), std::string::npos);
}

/// The value of one sample line, by its name and labels.
double sample(const std::string& page, const std::string& series) {
  std::istringstream lines(page);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.rfind(series + " ", 0) == 0) return std::stod(line.substr(series.size() + 1));
  }
  return -1;
}

TEST(ServiceMetrics, OneRecordFeedsAll) {
  MetricRegistry registry;
  ServiceMetrics metrics(registry);
  metrics.observe(answered());
  metrics.observe(answered());
  AccessRecord left = answered();
  left.status = 0;
  left.finish = "cancelled";
  metrics.observe(left);
  const std::string page = registry.render();
  EXPECT_EQ(sample(page, "baton_requests_total{route=\"/v1/chat/completions\",status=\"200\"}"), 2);
  EXPECT_EQ(sample(page, "baton_requests_total{route=\"/v1/chat/completions\",status=\"499\"}"), 1);
  EXPECT_EQ(sample(page, "baton_requests_finished_total{reason=\"stop\"}"), 2);
  EXPECT_EQ(sample(page, "baton_requests_finished_total{reason=\"cancelled\"}"), 1);
  EXPECT_EQ(sample(page, "baton_prompt_tokens_total"), 36);
  EXPECT_EQ(sample(page, "baton_prompt_cached_tokens_total"), 24);
  EXPECT_EQ(sample(page, "baton_generation_tokens_total"), 303);
  EXPECT_EQ(sample(page, "baton_time_to_first_token_seconds_count"), 3);
  EXPECT_NEAR(sample(page, "baton_time_to_first_token_seconds_sum"), 0.3, 1e-9);
  EXPECT_NEAR(sample(page, "baton_time_per_output_token_seconds_sum"), 0.03, 1e-9);
  EXPECT_EQ(sample(page, "baton_time_per_output_token_seconds_bucket{le=\"0.01\"}"), 3);
  EXPECT_EQ(sample(page, "baton_time_per_output_token_seconds_bucket{le=\"0.005\"}"), 0);
}

TEST(ServiceMetrics, RequestsWithoutTokensLeaveTheTokenHistogramsAlone) {
  MetricRegistry registry;
  ServiceMetrics metrics(registry);
  AccessRecord record;
  record.route = "/livez";
  record.status = 200;
  metrics.observe(record);
  AccessRecord one_token = answered();
  one_token.generated_tokens = 1;
  one_token.last_token = one_token.first_token;
  metrics.observe(one_token);
  const std::string page = registry.render();
  EXPECT_EQ(sample(page, "baton_time_to_first_token_seconds_count"), 1);
  EXPECT_EQ(sample(page, "baton_time_per_output_token_seconds_count"), 0);
  EXPECT_EQ(sample(page, "baton_request_prompt_tokens_count"), 1);
}

TEST(ServiceMetrics, ChoicesShareTheTime) {
  MetricRegistry registry;
  ServiceMetrics metrics(registry);
  AccessRecord record = answered();
  record.choices = 2;
  record.generated_tokens = 202;  // 101 each, over one second
  metrics.observe(record);
  EXPECT_NEAR(sample(registry.render(), "baton_time_per_output_token_seconds_sum"), 0.01, 1e-9);
}

TEST(ServiceMetrics, InFlightFollowsItsGuards) {
  MetricRegistry registry;
  ServiceMetrics metrics(registry);
  {
    const ServiceMetrics::InFlight a(metrics), b(metrics);
    EXPECT_EQ(sample(registry.render(), "baton_requests_in_flight"), 2);
  }
  EXPECT_EQ(sample(registry.render(), "baton_requests_in_flight"), 0);
}

std::string whole_page() {
  static MetricRegistry registry;
  static ServiceMetrics metrics(registry);
  metrics.observe(answered());
  register_load_metrics(registry, [] {
    LoadSample load;
    load.ready = true;
    load.running = 3;
    load.blocks_total = 100;
    load.blocks_free = 25;
    load.prefix_hit_tokens = 7;
    return load;
  });
  register_http_metrics(registry, [] { return http::ServerStats{5, 2, 9, 1}; });
  register_build_info(registry, "0.1.0", "demo \"model\"", "abc");
  register_process_metrics(registry);
  return metrics_page(registry).body;
}

TEST(ServiceMetrics, SourcesAreReadWhenRendered) {
  const std::string page = whole_page();
  EXPECT_EQ(sample(page, "baton_ready"), 1);
  EXPECT_EQ(sample(page, "baton_sequences_running"), 3);
  EXPECT_EQ(sample(page, "baton_kv_usage_ratio"), 0.75);
  EXPECT_EQ(sample(page, "baton_prefix_hit_tokens_total"), 7);
  EXPECT_EQ(sample(page, "baton_http_connections_total"), 5);
  EXPECT_EQ(sample(page, "baton_http_connections_open"), 2);
  EXPECT_EQ(sample(page, "baton_http_requests_total"), 9);
  EXPECT_EQ(sample(page, "baton_http_refused_total"), 1);
  EXPECT_EQ(
      sample(page,
             "baton_build_info{version=\"0.1.0\",model=\"demo \\\"model\\\"\",class=\"abc\"}"),
      1);
  EXPECT_GT(sample(page, "process_resident_memory_bytes"), 1e6);
  EXPECT_GT(sample(page, "process_cpu_seconds_total"), -0.5);
  EXPECT_GE(sample(page, "process_open_fds"), 3);
  EXPECT_GT(sample(page, "process_start_time_seconds"), 1.6e9);
}

/// What `promtool check metrics` asks: help, one type, unit and counter suffixes, legal names.
TEST(ServiceMetrics, NamesPassTheLint) {
  std::istringstream lines(whole_page());
  std::map<std::string, std::string> types;
  std::set<std::string> helped;
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string hash, what, name, rest;
    if (line[0] == '#') {
      words >> hash >> what >> name >> rest;
      EXPECT_FALSE(rest.empty()) << line;
      if (what == "HELP") helped.insert(name);
      if (what == "TYPE") {
        EXPECT_TRUE(types.emplace(name, rest).second) << "two types: " << name;
      }
      continue;
    }
    for (const char c : line.substr(0, line.find_first_of("{ "))) {
      EXPECT_TRUE(std::islower(static_cast<unsigned char>(c)) || c == '_') << line;
    }
  }
  ASSERT_GT(types.size(), 20u);
  for (const auto& [name, type] : types) {
    EXPECT_TRUE(helped.count(name)) << name;
    const bool total = name.size() > 6 && name.compare(name.size() - 6, 6, "_total") == 0;
    EXPECT_EQ(total, type == "counter") << name;
    for (const char* wrong : {"_ms", "_milliseconds", "_count", "_sum", "_bucket", "_percent"}) {
      const std::string suffix = wrong;
      EXPECT_FALSE(name.size() > suffix.size() &&
                   name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0)
          << name;
    }
  }
}

TEST(Health, StatusFollowsTheState) {
  struct Case {
    Health health;
    int livez, readyz;
    const char* word;
  };
  Health ready;
  ready.ready = true;
  ready.running = 2;
  Health draining = ready;
  draining.draining = true;
  Health failed = ready;
  failed.failed = true;
  failed.detail = "the device is lost";
  const Case cases[] = {{Health{}, 200, 503, "loading"},
                        {ready, 200, 200, "ready"},
                        {draining, 200, 503, "draining"},
                        {failed, 503, 503, "failed"}};
  for (const Case& c : cases) {
    EXPECT_EQ(livez(c.health).status, c.livez) << c.word;
    const http::Response response = readyz(c.health);
    EXPECT_EQ(response.status, c.readyz) << c.word;
    const auto body = parse_json(response.body);
    ASSERT_TRUE(body.ok());
    EXPECT_EQ(body->at("status").as_string(), c.word);
    EXPECT_EQ(body->at("running").to_number<int>(), static_cast<int>(c.health.running));
    EXPECT_EQ(body->as_object().contains("detail"), !c.health.detail.empty());
    bool retry = false;
    for (const auto& [name, value] : response.headers) retry = retry || name == "Retry-After";
    EXPECT_EQ(retry, c.readyz == 503);
  }
}

}  // namespace
}  // namespace baton::ops
