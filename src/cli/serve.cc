// baton replica, baton up: one engine behind the HTTP surface.
#include <unistd.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "api/error_body.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/model_setup.h"
#include "cli/option_binding.h"
#include "cli/sampling_defaults.h"
#include "cli/version.h"
#include "engine/engine.h"
#include "engine/local_source.h"
#include "front/front.h"
#include "http/server.h"
#include "ops/health.h"
#include "ops/service_metrics.h"

namespace baton::cli {
namespace {

namespace asio = boost::asio;

struct ServeOptions {
  ModelOptions model;
  EngineOptions engine;
  http::Limits limits;
  std::string host = "127.0.0.1";
  uint16_t port = 7860;
  uint32_t io_threads = 2;
  std::string served_name;
  std::string reasoning = "both";
  std::string special_tokens = "escape";
  uint32_t max_tokens = 2048;
  uint32_t keep_alive_ms = 5'000;
  uint32_t request_timeout_ms = 0;
  uint32_t drain_ms = 30'000;
  bool access_log = true;
  std::string log_level = "info";

  void add_to(OptionTable& table) {
    table.add("host", &host, "ADDRESS", "Address to listen on; 0.0.0.0 for every interface");
    table.add<uint16_t>("port", &port, 0, 65535, "Port to listen on; 0 takes a free one");
    model.add_to(table);
    add_engine_options(table, engine);
    table.add("served-name", &served_name, "NAME", "Model name in the API; by default the model's");
    table.add_choice("reasoning", &reasoning,
                     {"both", "reasoning_content", "reasoning", "tags", "none"},
                     "Where a thought goes in an answer");
    table.add_choice("special-tokens", &special_tokens, {"escape", "allow"},
                     "Whether markers inside message content become control tokens");
    table.add<uint32_t>("max-tokens", &max_tokens, 1, 1 << 20,
                        "Longest answer of a request that does not say");
    table.add<uint32_t>("keep-alive-ms", &keep_alive_ms, 0, 3'600'000,
                        "SSE comment after so long a silence; 0 = none");
    table.add<uint32_t>("request-timeout-ms", &request_timeout_ms, 0, 86'400'000,
                        "Deadline of a request that states none; 0 = none");
    table.add<uint32_t>("drain-ms", &drain_ms, 0, 3'600'000,
                        "How long running answers may go on after SIGTERM");
    table.add("access-log", &access_log, "One line a request on stderr");
    table.add_choice("log-level", &log_level, {"debug", "info", "warn", "error", "off"}, "Logs");
    table.add<uint32_t>("connections-max", &limits.connections, 1, 1'000'000, "Open connections");
    table.add<uint64_t>("body-bytes-max", &limits.body_bytes, 1024, uint64_t{1} << 30,
                        "Largest request body");
    table.add<uint32_t>("header-bytes-max", &limits.header_bytes, 1024, 1 << 20,
                        "Largest request header");
    table.add<uint32_t>("idle-timeout-ms", &limits.idle_timeout_ms, 100, 86'400'000,
                        "Idle keep-alive connections are closed after");
    table.add<uint32_t>("write-timeout-ms", &limits.write_timeout_ms, 100, 86'400'000,
                        "A reader that takes nothing for so long is cut off");
    table.add<uint32_t>("io-threads", &io_threads, 1, 256, "Threads for HTTP and text");
  }
};

FrontOptions front_options(const ServeOptions& options, const ModelFolder& folder,
                           const ModelInfo& info) {
  FrontOptions front;
  front.model_names = {options.served_name.empty() ? folder.name : options.served_name};
  if (front.model_names[0] != folder.name) front.model_names.push_back(folder.name);
  front.created_s = static_cast<int64_t>(std::time(nullptr));
  front.sampling = default_sampling(folder.generation);
  front.max_tokens = options.max_tokens;
  front.reasoning = api::parse_reasoning_format(options.reasoning).value();
  front.content_markers = options.special_tokens == "allow" ? Markers::allow : Markers::escape;
  front.keep_alive_ms = options.keep_alive_ms;
  front.request_timeout_ms = options.request_timeout_ms;
  front.access_log = options.access_log;
  front.version = kVersion;
  front.device = info.device;
  front.dtype = info.dtype;
  return front;
}

/// One process: listens at once, loads meanwhile (alive, not ready), serves, drains.
class Service {
 public:
  explicit Service(ServeOptions options) : options_(std::move(options)) {}

  int run() {
    auto folder = ModelFolder::open(options_.model.model);
    if (!folder) return fail(folder.error());
    if (auto possible = cpu_model_options(options_.model, folder->config); !possible) {
      return fail(possible.error());  // at once, before anybody connects
    }
    auto server = http::Server::listen(
        io_.get_executor(), options_.host, options_.port, options_.limits,
        [this](const http::Request& request, http::Exchange& exchange) {
          return handle(request, exchange);
        },
        &Front::unparsed);
    if (!server) return fail(server.error());
    server_ = std::move(server).value();
    log::info("listening on {}, loading {} from {}", url(), folder->name, folder->path.string());

    wait_for_signal();
    std::thread loader([this, &folder] { load(*folder); });
    std::vector<std::thread> threads;
    for (uint32_t i = 1; i < options_.io_threads; ++i) threads.emplace_back([this] { io_.run(); });
    io_.run();
    for (std::thread& thread : threads) thread.join();
    loader.join();
    alarm(0);
    return exit_code_;
  }

 private:
  asio::awaitable<void> handle(const http::Request& request, http::Exchange& exchange) {
    if (ready_.load(std::memory_order_acquire)) {
      co_await handler_(request, exchange);
      co_return;
    }
    http::Response response = while_loading(request.path);
    (void)co_await exchange.respond(std::move(response));
  }

  /// Alive, not ready; requests are told to come back.
  static http::Response while_loading(const std::string& path) {
    ops::Health health;
    health.detail = "the model is being loaded";
    if (path == "/livez") return ops::livez(health);
    if (path == "/readyz" || path == "/health") return ops::readyz(health);
    Error error = self_error(Code::unavailable, "The model is being loaded.");
    error.retry_safe = true;
    error.retry_after_ms = 1'000;
    api::ErrorReply reply = api::render_error(error);
    http::Response response;
    response.status = reply.status;
    response.body = std::move(reply.body);
    response.headers = std::move(reply.headers);
    return response;
  }

  std::string url() const {
    const bool ipv6 = options_.host.find(':') != std::string::npos;
    return "http://" + (ipv6 ? "[" + options_.host + "]" : options_.host) + ":" +
           std::to_string(server_->port());
  }

  /// The loader thread.
  void load(const ModelFolder& folder) {
    Result<void> loaded;
    try {
      loaded = start_engine(folder);
    } catch (const std::exception& error) {  // a library threw: out of memory, no thread
      loaded = self_error(Code::internal, error.what());
    }
    if (loaded) return;
    exit_code_ = fail(loaded.error());
    asio::post(control_, [this] { stop(); });
  }

  Result<void> start_engine(const ModelFolder& folder) {
    const Nanos start = clock_.now();
    BATON_ASSIGN(std::unique_ptr<Model> model, load_model(folder, options_.model, options_.engine));
    engine_ = Engine::start(std::move(model), options_.engine, clock_);
    source_ = make_local_source(*engine_);
    metrics_ = std::make_unique<ops::ServiceMetrics>(registry_);
    register_metrics(folder);
    front_ = std::make_unique<Front>(*source_, folder.tokenizer, folder.chat_template,
                                     front_options(options_, folder, engine_->model_info()),
                                     *metrics_, registry_, clock_);
    handler_ = front_->handler();
    ready_.store(true, std::memory_order_release);
    const MemoryPlan memory = engine_->memory();
    log::info("ready after {:.2f} s: {} on {}, {}, weights {:.0f} MB, KV {:.0f} MB, class {}",
              static_cast<double>(clock_.now() - start) / 1e9, folder.name,
              engine_->model_info().device, engine_->model_info().dtype,
              static_cast<double>(memory.weight_bytes) / 1e6,
              static_cast<double>(memory.kv_bytes) / 1e6, to_string(engine_->model_info().klass));
    log::info("open {}/ or point an OpenAI client at {}/v1", url(), url());
    return {};
  }

  void register_metrics(const ModelFolder& folder) {
    ops::register_process_metrics(registry_);
    ops::register_build_info(registry_, kVersion, folder.name,
                             to_string(engine_->model_info().klass));
    ops::register_http_metrics(registry_, [this] { return server_->stats(); });
    ops::register_load_metrics(registry_, [this] {
      const EngineStats stats = engine_->stats();
      ops::LoadSample sample;
      sample.ready = stats.ready;
      sample.draining = stats.draining;
      sample.running = stats.running;
      sample.waiting = stats.waiting;
      sample.blocks_total = stats.blocks_total;
      sample.blocks_free = stats.blocks_free;
      sample.steps = stats.steps;
      sample.preemptions = stats.preemptions;
      sample.prefix_query_tokens = stats.prefix_query_tokens;
      sample.prefix_hit_tokens = stats.prefix_hit_tokens;
      return sample;
    });
  }

  /// The first signal drains, a second one ends what is left at once (with its typed errors).
  void wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code error, int) {
      if (error) return;
      wait_for_signal();
      if (!draining_) {
        draining_ = true;
        drain();
      } else {
        log::warn("second signal: ending what is left");
        drain_until_ = clock_.now();
      }
    });
  }

  void drain() {
    log::info("draining: no new work, running answers have {} ms", options_.drain_ms);
    server_->stop_accepting();
    if (!ready_.load(std::memory_order_acquire)) {
      // Loading cannot be interrupted; nobody is waiting for an answer.
      std::_Exit(exit_code_);
    }
    engine_->drain();
    drain_until_ = clock_.now() + milliseconds(options_.drain_ms);
    poll_drained();
  }

  void poll_drained() {
    const EngineStats stats = engine_->stats();
    const bool idle = stats.running == 0 && stats.waiting == 0;
    if (!idle && clock_.now() >= drain_until_ && !ended_rest_) {
      ended_rest_ = true;
      log::warn("ending {} answers that still run", stats.running + stats.waiting);
      Error why = self_error(Code::unavailable, "the server is shutting down");
      why.retry_safe = true;
      engine_->finish_all(why);
      drain_until_ = clock_.now() + seconds(2);
    } else if ((idle && server_->stats().connections_open == 0) ||
               (clock_.now() >= drain_until_ && (idle || ended_rest_))) {
      log::info("drained");
      stop();
      return;
    }
    timer_.expires_after(std::chrono::milliseconds(20));
    timer_.async_wait([this](boost::system::error_code error) {
      if (!error) poll_drained();
    });
  }

  /// Lets run() return once every coroutine has ended. A reader that blocks its own end for three
  /// seconds is left to the kernel.
  void stop() {
    std::signal(SIGALRM, [](int) { std::_Exit(1); });
    alarm(3);
    server_->close();
    signals_.cancel();
    timer_.cancel();
    work_.reset();
  }

  ServeOptions options_;
  SteadyClock clock_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  asio::strand<asio::io_context::executor_type> control_ = asio::make_strand(io_);
  asio::signal_set signals_{control_, SIGINT, SIGTERM};
  asio::steady_timer timer_{control_};
  MetricRegistry registry_;
  std::unique_ptr<Engine> engine_;  // outlives the source, the front and the server's coroutines
  std::unique_ptr<TokenSource> source_;
  std::unique_ptr<ops::ServiceMetrics> metrics_;
  std::unique_ptr<Front> front_;
  http::Handler handler_;
  std::unique_ptr<http::Server> server_;
  std::atomic<bool> ready_{false};
  std::atomic<int> exit_code_{0};
  bool draining_ = false;  // these three belong to control_
  bool ended_rest_ = false;
  Nanos drain_until_ = 0;
};

void add_serve(CLI::App& app, int& exit_code, const char* name, const char* help) {
  add_command<ServeOptions>(app, name, help, exit_code, [](ServeOptions& options) {
    log::init(options.log_level);
    return Service(options).run();
  });
}

}  // namespace

void add_up(CLI::App& app, int& exit_code) {
  add_serve(app, exit_code, "up", "Serve on this machine: the demo model unless --model says else");
}

void add_replica(CLI::App& app, int& exit_code) {
  add_serve(app, exit_code, "replica", "One engine behind the OpenAI API");
}

}  // namespace baton::cli
