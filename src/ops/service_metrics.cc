#include "ops/service_metrics.h"

#include <utility>
#include <vector>

namespace baton::ops {
namespace {

using Kind = MetricRegistry::Kind;

std::vector<double> duration_bounds() {
  return {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600};
}

std::vector<double> token_time_bounds() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 5};
}

std::vector<double> token_count_bounds() {
  return {1, 4, 16, 64, 256, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072};
}

double in_seconds(Nanos value) {
  return static_cast<double>(value) / 1e9;
}

}  // namespace

ServiceMetrics::ServiceMetrics(MetricRegistry& registry)
    : registry_(registry),
      time_to_first_token_(registry.histogram("baton_time_to_first_token_seconds",
                                              "From the request to its first token.",
                                              duration_bounds())),
      time_per_output_token_(registry.histogram(
          "baton_time_per_output_token_seconds",
          "Mean time between the tokens of one answer after the first, one observation an answer.",
          token_time_bounds())),
      request_prompt_tokens_(registry.histogram("baton_request_prompt_tokens",
                                                "Prompt tokens a request.", token_count_bounds())),
      request_generation_tokens_(registry.histogram("baton_request_generation_tokens",
                                                    "Generated tokens a request, all choices.",
                                                    token_count_bounds())),
      prompt_tokens_(registry.counter("baton_prompt_tokens_total",
                                      "Prompt tokens of the requests that were started.")),
      cached_tokens_(registry.counter("baton_prompt_cached_tokens_total",
                                      "Prompt tokens that came from the prefix cache.")),
      generation_tokens_(
          registry.counter("baton_generation_tokens_total", "Tokens generated for clients.")) {
  registry.computed(Kind::gauge, "baton_requests_in_flight", "Requests being served now.",
                    [this] { return static_cast<double>(in_flight_.load()); });
}

void ServiceMetrics::observe(const AccessRecord& record) {
  const int status = record.status == 0 ? 499 : record.status;
  registry_
      .counter("baton_requests_total", "Requests by route and status (499: the client left).",
               {{"route", record.route}, {"status", std::to_string(status)}})
      .add();
  registry_
      .histogram("baton_request_duration_seconds", "From the request to the end of its answer.",
                 duration_bounds(), {{"route", record.route}})
      .observe(in_seconds(record.duration));
  if (!record.finish.empty()) {
    registry_
        .counter("baton_requests_finished_total", "Generating requests by how they ended.",
                 {{"reason", record.finish}})
        .add();
  }
  prompt_tokens_.add(record.prompt_tokens);
  cached_tokens_.add(record.cached_tokens);
  generation_tokens_.add(record.generated_tokens);
  if (record.prompt_tokens > 0) {
    request_prompt_tokens_.observe(static_cast<double>(record.prompt_tokens));
    request_generation_tokens_.observe(static_cast<double>(record.generated_tokens));
  }
  if (record.first_token < 0) return;
  time_to_first_token_.observe(in_seconds(record.first_token));
  // Choices run side by side, so each took its share of the tokens in the same time.
  const uint64_t choices = record.choices == 0 ? 1 : record.choices;
  const double tokens_each =
      static_cast<double>(record.generated_tokens) / static_cast<double>(choices);
  if (record.last_token > record.first_token && tokens_each > 1) {
    time_per_output_token_.observe(in_seconds(record.last_token - record.first_token) /
                                   (tokens_each - 1));
  }
}

void register_load_metrics(MetricRegistry& registry, std::function<LoadSample()> read) {
  auto add = [&](Kind kind, const char* name, const char* help,
                 double (*value)(const LoadSample&)) {
    registry.computed(kind, name, help, [read, value] { return value(read()); });
  };
  add(Kind::gauge, "baton_ready", "1 when new requests are taken.",
      [](const LoadSample& s) { return s.ready && !s.draining ? 1.0 : 0.0; });
  add(Kind::gauge, "baton_sequences_running", "Sequences in the batch.",
      [](const LoadSample& s) { return static_cast<double>(s.running); });
  add(Kind::gauge, "baton_sequences_waiting", "Sequences waiting for a place in the batch.",
      [](const LoadSample& s) { return static_cast<double>(s.waiting); });
  add(Kind::gauge, "baton_kv_blocks", "KV blocks in the pool.",
      [](const LoadSample& s) { return static_cast<double>(s.blocks_total); });
  add(Kind::gauge, "baton_kv_usage_ratio", "Share of the KV blocks that are in use, 0 to 1.",
      [](const LoadSample& s) {
        if (s.blocks_total == 0 || s.blocks_free > s.blocks_total) return 0.0;
        return static_cast<double>(s.blocks_total - s.blocks_free) /
               static_cast<double>(s.blocks_total);
      });
  add(Kind::counter, "baton_engine_steps_total", "Forward passes.",
      [](const LoadSample& s) { return static_cast<double>(s.steps); });
  add(Kind::counter, "baton_preemptions_total", "Sequences set aside because KV blocks ran out.",
      [](const LoadSample& s) { return static_cast<double>(s.preemptions); });
  add(Kind::counter, "baton_prefix_query_tokens_total",
      "Prompt tokens looked up in the prefix cache.",
      [](const LoadSample& s) { return static_cast<double>(s.prefix_query_tokens); });
  add(Kind::counter, "baton_prefix_hit_tokens_total", "Prompt tokens found in the prefix cache.",
      [](const LoadSample& s) { return static_cast<double>(s.prefix_hit_tokens); });
}

void register_http_metrics(MetricRegistry& registry, std::function<http::ServerStats()> read) {
  auto add = [&](Kind kind, const char* name, const char* help,
                 uint64_t http::ServerStats::*field) {
    registry.computed(kind, name, help,
                      [read, field] { return static_cast<double>(read().*field); });
  };
  add(Kind::counter, "baton_http_connections_total", "Connections accepted.",
      &http::ServerStats::connections_total);
  add(Kind::gauge, "baton_http_connections_open", "Connections open now.",
      &http::ServerStats::connections_open);
  add(Kind::counter, "baton_http_requests_total", "Well-formed HTTP requests.",
      &http::ServerStats::requests_total);
  add(Kind::counter, "baton_http_refused_total",
      "Connections and requests that the HTTP server itself refused (limits, syntax, time).",
      &http::ServerStats::refused_total);
}

void register_build_info(MetricRegistry& registry, const std::string& version,
                         const std::string& model, const std::string& klass) {
  registry.computed(Kind::gauge, "baton_build_info", "What runs; always 1.", [] { return 1.0; },
                    {{"version", version}, {"model", model}, {"class", klass}});
}

}  // namespace baton::ops
