#include "http/connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>
#include <variant>

#include "base/log.h"
#include "http/chunked_decoder.h"

namespace baton::http {
namespace {

namespace asio = boost::asio;
using asio::experimental::awaitable_operators::operator||;

constexpr size_t kReadBytes = 16 * 1024;
constexpr size_t kBodyReadBytes = 64 * 1024;
constexpr uint64_t kLingerBytes = 32 * 1024 * 1024;
constexpr uint32_t kLingerMs = 2'000;
constexpr auto kStateCheckInterval = std::chrono::seconds(1);

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, std::shared_ptr<ServerState> state, Role role)
    : state_(std::move(state)),
      role_(role),
      transport_(std::make_shared<Transport>(std::move(socket))) {
  transport_->configure(state_->limits.send_buffer_bytes, state_->limits.write_timeout_ms);
  (role_ == Role::serve ? state_->connections_open : state_->connections_refusing).fetch_add(1);
}

Connection::~Connection() {
  transport_->close();
  (role_ == Role::serve ? state_->connections_open : state_->connections_refusing).fetch_sub(1);
  const std::lock_guard lock(state_->mutex);
  state_->connections.erase(this);
}

void Connection::start() {
  asio::co_spawn(
      transport_->executor(), role_ == Role::serve ? serve() : refuse_busy(),
      asio::bind_cancellation_slot(cancel_.slot(), [self = shared_from_this()](std::exception_ptr) {
        self->transport_->close();
      }));
}

void Connection::drain() {
  asio::post(transport_->executor(), [self = shared_from_this()] {
    if (self->idle_) self->transport_->interrupt();
  });
}

void Connection::abort() {
  asio::post(transport_->executor(), [self = shared_from_this()] {
    self->cancel_.emit(asio::cancellation_type::terminal);
  });
}

/// Ends by an exception (operation_aborted) when abort() was called; start()'s handler closes.
asio::awaitable<void> Connection::serve() {
  const auto self = shared_from_this();  // whatever the frames below refer to outlives them
  while (co_await serve_one()) first_ = false;
}

asio::awaitable<void> Connection::refuse_busy() {
  const auto self = shared_from_this();
  Refusal busy{503, "too many connections are open; try again later"};
  co_await refuse(std::move(busy));
}

asio::awaitable<bool> Connection::serve_one() {
  RequestHead head;
  Input input = co_await read_head(head);
  Request request;
  BodyShare share(*state_);
  if (input == Input::ready) input = co_await read_body(head, request.body, share);
  transport_->no_expiry();
  if (input == Input::gone) co_return false;
  if (input == Input::refused) {
    co_await refuse(std::move(refusal_));
    co_return false;
  }
  state_->requests_total.fetch_add(1, std::memory_order_relaxed);

  Answer::Options options;
  options.head_only = head.method == "HEAD";
  options.http_1_0 = head.http_1_0;
  options.keep_alive = head.keep_alive;
  request.method = std::move(head.method);
  request.path = std::move(head.path);
  request.query = std::move(head.query);
  request.headers = std::move(head.headers);
  request.peer = transport_->peer();
  const std::string_view id = request.header("x-request-id");
  request.id = is_request_id(id) ? std::string(id) : state_->make_request_id();
  options.id = request.id;
  co_return co_await answer(request, std::move(options));
}

Connection::Input Connection::refused(int status, std::string message) {
  refusal_ = {status, std::move(message)};
  return Input::refused;
}

Connection::Input Connection::failed_read(const Error& error, const char* what) {
  if (error.code == Code::deadline_exceeded) return refused(408, what);
  return Input::gone;
}

asio::awaitable<Connection::Input> Connection::read_head(RequestHead& head) {
  const Limits& limits = state_->limits;
  bool begun = !input_.empty();
  transport_->expire_after(begun || first_ ? limits.header_timeout_ms : limits.idle_timeout_ms);
  HeadScanner scanner;
  for (;;) {
    const HeadScanner::State found = scanner.feed(input_);
    if (found == HeadScanner::State::done) break;
    if (found == HeadScanner::State::bad) co_return refused(400, "this is not an HTTP request");
    if (input_.size() >= limits.header_bytes) {
      co_return refused(431, "the request header is larger than " +
                                 std::to_string(limits.header_bytes) + " bytes");
    }
    idle_ = input_.empty();
    if (idle_ && state_->draining && !transport_->has_input()) co_return Input::gone;
    const Result<void> read = co_await transport_->read_some(
        input_, std::min<size_t>(kReadBytes, limits.header_bytes - input_.size()));
    idle_ = false;
    if (!read.ok()) {
      const bool woken = read.error().code == Code::cancelled && state_->draining;
      if (woken && input_.empty()) continue;  // drain(): a request may have come meanwhile
      if (input_.empty()) co_return Input::gone;
      co_return failed_read(read.error(), "the request header took too long");
    }
    if (!begun && !first_) transport_->expire_after(limits.header_timeout_ms);
    begun = true;
  }
  auto parsed =
      parse_request_head(std::string_view(input_).substr(0, scanner.end()).substr(scanner.begin()));
  input_.erase(0, scanner.end());
  if (Refusal* refusal = std::get_if<Refusal>(&parsed)) {
    refusal_ = std::move(*refusal);
    co_return Input::refused;
  }
  head = std::move(std::get<RequestHead>(parsed));
  co_return Input::ready;
}

asio::awaitable<Connection::Input> Connection::read_body(const RequestHead& head, std::string& body,
                                                         BodyShare& share) {
  const Limits& limits = state_->limits;
  if (head.content_length > limits.body_bytes) {
    co_return refused(
        413, "the request body is larger than " + std::to_string(limits.body_bytes) + " bytes");
  }
  if (!head.chunked && head.content_length == 0) co_return Input::ready;
  if (head.expect_continue && input_.empty()) {
    std::array<asio::const_buffer, 1> parts = {asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25)};
    const Result<void> sent = co_await transport_->write_all(parts, limits.write_timeout_ms);
    if (!sent.ok()) co_return Input::gone;
  }
  transport_->expire_after(limits.body_timeout_ms);
  if (head.chunked) co_return co_await read_chunked(body, share);
  co_return co_await read_sized(head.content_length, body, share);
}

asio::awaitable<Connection::Input> Connection::read_sized(uint64_t length, std::string& body,
                                                          BodyShare& share) {
  const auto buffered = static_cast<size_t>(std::min<uint64_t>(length, input_.size()));
  body.assign(input_, 0, buffered);
  input_.erase(0, buffered);
  while (body.size() < length) {
    const auto step = static_cast<size_t>(std::min<uint64_t>(kBodyReadBytes, length - body.size()));
    if (!share.grow_to(body.size() + step)) {
      co_return refused(503, "too many request bodies are in memory; try again later");
    }
    const Result<void> read = co_await transport_->read_some(body, step);
    if (!read.ok()) co_return failed_read(read.error(), "the request body took too long");
  }
  co_return Input::ready;
}

asio::awaitable<Connection::Input> Connection::read_chunked(std::string& body, BodyShare& share) {
  const Limits& limits = state_->limits;
  ChunkedDecoder decoder(limits.body_bytes);
  for (;;) {
    if (!share.grow_to(body.size() + input_.size())) {
      co_return refused(503, "too many request bodies are in memory; try again later");
    }
    std::string_view rest = input_;
    const ChunkedDecoder::State state = decoder.feed(rest, body);
    input_.erase(0, input_.size() - rest.size());
    switch (state) {
      case ChunkedDecoder::State::done:
        co_return Input::ready;
      case ChunkedDecoder::State::too_large:
        co_return refused(
            413, "the request body is larger than " + std::to_string(limits.body_bytes) + " bytes");
      case ChunkedDecoder::State::bad:
        co_return refused(400, "the chunked request body is malformed");
      case ChunkedDecoder::State::more:
        break;
    }
    const Result<void> read =
        co_await transport_->read_some(input_, std::min<size_t>(kReadBytes, limits.header_bytes));
    if (!read.ok()) co_return failed_read(read.error(), "the request body took too long");
  }
}

asio::awaitable<bool> Connection::answer(const Request& request, Answer::Options options) {
  Answer exchange(*transport_, *state_, std::move(options));
  std::exception_ptr failure;
  client_left_ = false;
  co_await (run_handler(request, exchange, failure) || watch_client());
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  const bool aborted = cancellation.cancelled() != asio::cancellation_type::none;
  if (client_left_ || aborted) co_return false;
  if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& e) {
      log::error("request {}: the handler failed: {}", request.id, e.what());
    } catch (...) {
      log::error("request {}: the handler failed", request.id);
    }
  }
  if (!exchange.answered()) {
    Response response = state_->unparsed(500, "the server failed to answer this request");
    const Result<void> sent = co_await exchange.respond(std::move(response));
    if (!sent.ok()) co_return false;
  }
  if (exchange.reusable()) co_return true;
  if (exchange.complete() && (!input_.empty() || transport_->has_input())) co_await linger();
  co_return false;
}

/// Never throws: what the handler throws is kept in `failure`, cancellation included.
asio::awaitable<void> Connection::run_handler(const Request& request, Answer& exchange,
                                              std::exception_ptr& failure) {
  try {
    co_await state_->handler(request, exchange);
  } catch (...) {
    failure = std::current_exception();
  }
}

/// Returns when the client is gone. Bytes that come early belong to the next request: they are kept
/// up to header_bytes; a client that sends more is only asked now and then whether it lives.
asio::awaitable<void> Connection::watch_client() {
  const size_t most = state_->limits.header_bytes;
  asio::steady_timer timer(transport_->executor());
  for (;;) {
    if (input_.size() < most) {
      const Result<void> read = co_await transport_->read_some(
          input_, std::min<size_t>(kReadBytes, most - input_.size()));
      if (!read.ok()) break;
    } else {
      timer.expires_after(kStateCheckInterval);
      co_await timer.async_wait(asio::use_awaitable);
      if (!transport_->is_established()) break;
    }
  }
  client_left_ = true;
}

asio::awaitable<void> Connection::refuse(Refusal refusal) {
  state_->refused_total.fetch_add(1, std::memory_order_relaxed);
  log::debug("refused {}: {} {}", transport_->peer(), refusal.status, refusal.message);
  Answer::Options options;
  options.id = state_->make_request_id();
  options.keep_alive = false;
  Answer exchange(*transport_, *state_, std::move(options));
  Response response = state_->unparsed(refusal.status, refusal.message);
  if (refusal.status == 503) response.headers.emplace_back("Retry-After", "1");
  const Result<void> sent = co_await exchange.respond(std::move(response));
  if (sent.ok()) co_await linger();
}

/// Closing with unread input makes the kernel send a reset, and the client might lose the answer:
/// so what still comes is read and dropped, for a bounded time and number of bytes.
asio::awaitable<void> Connection::linger() {
  transport_->finish_sending();
  transport_->expire_after(kLingerMs);
  for (uint64_t dropped = 0; dropped < kLingerBytes; dropped += input_.size()) {
    input_.clear();
    const Result<void> read = co_await transport_->read_some(input_, kBodyReadBytes);
    if (!read.ok()) break;
  }
}

}  // namespace baton::http
