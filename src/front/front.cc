#include "front/front.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <ctime>
#include <exception>
#include <random>

#include "api/chat_request.h"
#include "api/completion_request.h"
#include "api/error_body.h"
#include "api/response.h"
#include "base/check.h"
#include "base/log.h"
#include "front/context.h"
#include "front/generate.h"
#include "front/generation_job.h"
#include "front/page.h"
#include "front/reply.h"
#include "front/text_routes.h"
#include "ops/health.h"

namespace baton {

namespace asio = boost::asio;

namespace {

struct Call {
  const FrontContext& context;
  const http::Request& request;
  Reply& reply;
  Nanos started;
};

asio::awaitable<void> send(Reply& reply, Result<std::string> body) {
  if (body.ok()) {
    (void)co_await reply.send_json(std::move(body).value());
  } else {
    (void)co_await reply.send_error(body.error());
  }
}

asio::awaitable<void> generate(Call& call, Result<GenerationJob> job) {
  if (job.ok()) {
    co_await run_generation(call.context, std::move(job).value(), call.reply, call.started);
  } else {
    (void)co_await call.reply.send_error(job.error());
  }
}

Result<GenerationJob> chat_job(const Call& call) {
  BATON_ASSIGN(api::ChatRequest request, api::parse_chat_request(call.request.body));
  return resolve_chat(call.context, call.request, std::move(request));
}

Result<GenerationJob> completion_job(const Call& call) {
  BATON_ASSIGN(api::CompletionRequest request, api::parse_completion_request(call.request.body));
  return resolve_completion(call.context, call.request, std::move(request));
}

asio::awaitable<void> chat_completions(Call& call) {
  return generate(call, chat_job(call));
}
asio::awaitable<void> completions(Call& call) {
  return generate(call, completion_job(call));
}

asio::awaitable<void> tokenize(Call& call) {
  return send(call.reply, answer_tokenize(call.context, call.request.body));
}

asio::awaitable<void> detokenize(Call& call) {
  return send(call.reply, answer_detokenize(call.context, call.request.body));
}

api::ModelInfo model_info(const FrontContext& context, const std::string& name) {
  return {name, context.options.created_s, context.options.owner,
          context.source.info().context_tokens, context.options.model_names.front()};
}

asio::awaitable<void> models(Call& call) {
  std::vector<api::ModelInfo> all;
  for (const std::string& name : call.context.options.model_names) {
    all.push_back(model_info(call.context, name));
  }
  return send(call.reply, api::render_models(all));
}

constexpr std::string_view kModelPrefix = "/v1/models/";

Result<std::string> one_model(const Call& call) {
  const std::string name = call.request.path.substr(kModelPrefix.size());
  BATON_ASSIGN(const std::string known, call.context.model_name(name));
  return api::render_model(model_info(call.context, known));
}

asio::awaitable<void> model(Call& call) {
  return send(call.reply, one_model(call));
}

ops::Health health(const FrontContext& context) {
  const SourceLoad load = context.source.load();
  ops::Health out;
  out.failed = load.failed;
  out.ready = load.ready;
  out.draining = load.draining;
  out.running = load.running;
  out.waiting = load.waiting;
  return out;
}

asio::awaitable<void> livez(Call& call) {
  (void)co_await call.reply.exchange().respond(ops::livez(health(call.context)));
}

asio::awaitable<void> readyz(Call& call) {
  (void)co_await call.reply.exchange().respond(ops::readyz(health(call.context)));
}

asio::awaitable<void> metrics(Call& call) {
  (void)co_await call.reply.exchange().respond(ops::metrics_page(call.context.registry));
}

asio::awaitable<void> page(Call& call) {
  (void)co_await call.reply.exchange().respond(
      render_page(call.context, call.request.header("host")));
}

struct Route {
  const char* pattern;  // the label in metrics
  bool post;            // else GET and HEAD
  asio::awaitable<void> (*answer)(Call& call);
};

constexpr Route kRoutes[] = {
    {"/v1/chat/completions", true, chat_completions},
    {"/v1/completions", true, completions},
    {"/v1/models", false, models},
    {"/v1/models/{id}", false, model},
    {"/tokenize", true, tokenize},
    {"/detokenize", true, detokenize},
    {"/livez", false, livez},
    {"/readyz", false, readyz},
    {"/health", false, readyz},
    {"/metrics", false, metrics},
    {"/", false, page},
};

const Route* find_route(std::string_view path) {
  for (const Route& route : kRoutes) {
    if (path == route.pattern) return &route;
    const bool by_prefix = route.answer == model;
    if (by_prefix && path.starts_with(kModelPrefix) && path.size() > kModelPrefix.size()) {
      return &route;
    }
  }
  return nullptr;
}

asio::awaitable<void> not_found(Call& call) {
  Error error = client_error(Code::not_found, "There is no route " + call.request.path + ".");
  error.reason = "route_not_found";
  (void)co_await call.reply.send_error(error);
}

asio::awaitable<void> wrong_method(Call& call, const Route& route) {
  const char* allow = route.post ? "POST" : "GET, HEAD";
  const api::ErrorReply error = api::render_error(client_error(
      Code::method_not_allowed, call.request.method + " is not allowed for " + call.request.path +
                                    ": use " + (route.post ? "POST" : "GET") + "."));
  call.reply.record().error = error.code;
  http::Response response;
  response.status = error.status;
  response.body = error.body;
  response.headers = error.headers;
  response.headers.emplace_back("allow", allow);
  (void)co_await call.reply.exchange().respond(std::move(response));
}

/// Counts and logs the request when the last of it is gone, also when its coroutine is cancelled.
class Recording {
 public:
  Recording(const FrontContext& context, const http::Request& request,
            const http::Exchange& exchange)
      : context_(context),
        exchange_(exchange),
        in_flight_(context.metrics),
        started_(context.clock.now()) {
    record_.id = request.id;
    record_.method = request.method;
    record_.path = request.path;
    record_.peer = request.peer;
  }
  ~Recording() {
    record_.duration = context_.clock.now() - started_;
    // A handler that failed before it answered is answered by the server.
    record_.status = failed_ && !exchange_.answered() ? 500 : exchange_.status();
    record_.bytes_out = exchange_.bytes_sent();
    if (failed_) record_.error = "internal_error";
    context_.metrics.observe(record_);
    if (context_.options.access_log) ops::log_access(record_);
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  ops::AccessRecord& record() { return record_; }
  Nanos started() const { return started_; }
  void failed() { failed_ = true; }

 private:
  const FrontContext& context_;
  const http::Exchange& exchange_;
  ops::ServiceMetrics::InFlight in_flight_;
  Nanos started_;
  ops::AccessRecord record_;
  bool failed_ = false;
};

asio::awaitable<void> answer(const FrontContext& context, const http::Request& request,
                             http::Exchange& exchange) {
  Recording recording(context, request, exchange);
  Reply reply(exchange, recording.record());
  Call call{context, request, reply, recording.started()};
  const Route* route = find_route(request.path);
  recording.record().route = route == nullptr ? "other" : route->pattern;
  try {
    if (route == nullptr) {
      co_await not_found(call);
    } else if (route->post ? request.method != "POST"
                           : request.method != "GET" && request.method != "HEAD") {
      co_await wrong_method(call, *route);
    } else {
      co_await route->answer(call);
    }
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) recording.failed();
    throw;  // operation_aborted: the client left
  } catch (...) {
    recording.failed();
    throw;
  }
}

uint64_t system_random() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

int64_t system_time_s() {
  return static_cast<int64_t>(std::time(nullptr));
}

}  // namespace

Front::Front(TokenSource& source, std::shared_ptr<const Tokenizer> tokenizer,
             std::optional<ChatTemplate> chat_template, FrontOptions options,
             ops::ServiceMetrics& metrics, MetricRegistry& registry, const Clock& clock) {
  CHECK(!options.model_names.empty());
  if (!options.random) options.random = system_random;
  if (!options.unix_time_s) options.unix_time_s = system_time_s;
  context_.reset(new FrontContext{source, std::move(tokenizer), std::move(chat_template),
                                  std::move(options), metrics, registry, clock});
}

Front::~Front() = default;

http::Handler Front::handler() {
  return [context = context_.get()](const http::Request& request, http::Exchange& exchange) {
    return answer(*context, request, exchange);
  };
}

http::Response Front::unparsed(int status, const std::string& message) {
  http::Response response;
  response.status = status;
  response.body = api::render_status_error(status, message);
  return response;
}

}  // namespace baton
