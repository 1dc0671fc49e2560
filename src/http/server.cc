#include "http/server.h"

#include <fcntl.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <random>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "http/connection.h"
#include "http/descriptors.h"
#include "http/server_state.h"

namespace baton::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr uint32_t kRefusalsAtOnce = 64;    // connections above the cap that are told so politely
constexpr uint32_t kOtherDescriptors = 64;  // of the process: listeners, files, event queues
constexpr auto kAcceptPause = std::chrono::milliseconds(50);  // when out of descriptors or memory
constexpr auto kAcceptSilence = std::chrono::seconds(10);     // between two warnings about that

/// Accepts until closed. Shared with its own coroutine, so that it outlives the server's handle.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(asio::any_io_executor executor, std::shared_ptr<ServerState> state)
      : executor_(std::move(executor)),
        acceptor_(asio::make_strand(executor_)),
        state_(std::move(state)) {}

  Result<void> open(const std::string& host, uint16_t port);
  void start();
  void stop();
  uint16_t port() const { return port_; }
  const std::shared_ptr<ServerState>& state() const { return state_; }

 private:
  asio::awaitable<void> accept_all();
  void warn(const error_code& code);
  void take(tcp::socket socket);

  asio::any_io_executor executor_;
  tcp::acceptor acceptor_;
  std::shared_ptr<ServerState> state_;
  uint64_t failures_ = 0;  // of accept, since the last warning
  std::chrono::steady_clock::time_point silent_until_{};
  uint16_t port_ = 0;
};

Result<void> Listener::open(const std::string& host, uint16_t port) {
  const std::string where = host + ":" + std::to_string(port);
  error_code code;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, code);
  if (code) {
    return client_error(Code::invalid_argument,
                        "cannot listen on " + where + ": the host is not an IP address", "host");
  }
  const tcp::endpoint endpoint(address, port);
  auto failed = [&] {
    return self_error(Code::io, "cannot listen on " + where + ": " + code.message());
  };
  if (acceptor_.open(endpoint.protocol(), code)) return failed();
  fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
  if (acceptor_.set_option(tcp::acceptor::reuse_address(true), code)) return failed();
  if (acceptor_.bind(endpoint, code)) return failed();
  if (acceptor_.listen(asio::socket_base::max_listen_connections, code)) return failed();
  const tcp::endpoint bound = acceptor_.local_endpoint(code);
  if (code) return failed();
  port_ = bound.port();
  return {};
}

void Listener::start() {
  asio::co_spawn(
      acceptor_.get_executor(), [self = shared_from_this()] { return self->accept_all(); },
      asio::detached);
}

void Listener::stop() {
  asio::post(acceptor_.get_executor(), [self = shared_from_this()] {
    error_code ignored;
    self->acceptor_.close(ignored);
  });
}

asio::awaitable<void> Listener::accept_all() {
  asio::steady_timer pause(acceptor_.get_executor());
  while (acceptor_.is_open()) {
    const asio::any_io_executor strand = asio::make_strand(executor_);
    auto [code, socket] =
        co_await acceptor_.async_accept(strand, asio::as_tuple(asio::use_awaitable));
    if (!code) {
      take(std::move(socket));
    } else if (acceptor_.is_open()) {
      warn(code);
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }
}

void Listener::warn(const error_code& code) {
  ++failures_;
  const auto now = std::chrono::steady_clock::now();
  if (now < silent_until_) return;
  log::warn("accept: {} ({} times since the last such line)", code.message(), failures_);
  silent_until_ = now + kAcceptSilence;
  failures_ = 0;
}

void Listener::take(tcp::socket socket) {
  state_->connections_total.fetch_add(1, std::memory_order_relaxed);
  const bool full = state_->connections_open >= state_->limits.connections;
  if (full && state_->connections_refusing >= kRefusalsAtOnce) {
    state_->refused_total.fetch_add(1, std::memory_order_relaxed);
    return;  // closes the socket
  }
  auto connection = std::make_shared<Connection>(
      std::move(socket), state_, full ? Connection::Role::refuse : Connection::Role::serve);
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) return;
    state_->connections.emplace(connection.get(), connection);
  }
  connection->start();
}

class TcpServer final : public Server {
 public:
  explicit TcpServer(std::shared_ptr<Listener> listener)
      : listener_(std::move(listener)), state_(listener_->state()) {}
  ~TcpServer() override { close(); }

  uint16_t port() const override { return listener_->port(); }

  void stop_accepting() override {
    state_->draining = true;
    listener_->stop();
    for (const auto& connection : connections()) connection->drain();
  }

  void close() override {
    state_->draining = true;
    {
      const std::lock_guard lock(state_->mutex);
      if (state_->closed.exchange(true)) return;
    }
    listener_->stop();
    for (const auto& connection : connections()) connection->abort();
  }

  ServerStats stats() const override {
    ServerStats stats;
    stats.connections_total = state_->connections_total;
    stats.connections_open = state_->connections_open;
    stats.requests_total = state_->requests_total;
    stats.refused_total = state_->refused_total;
    return stats;
  }

 private:
  std::vector<std::shared_ptr<Connection>> connections() const {
    std::vector<std::shared_ptr<Connection>> out;
    const std::lock_guard lock(state_->mutex);
    for (const auto& [key, weak] : state_->connections) {
      if (auto connection = weak.lock()) out.push_back(std::move(connection));
    }
    return out;
  }

  const std::shared_ptr<Listener> listener_;
  const std::shared_ptr<ServerState> state_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(asio::any_io_executor executor,
                                               const std::string& host, uint16_t port,
                                               const Limits& limits, Handler handler,
                                               UnparsedHandler unparsed) {
  CHECK(handler && unparsed);
  CHECK(limits.header_bytes >= 1024);
  Limits kept = limits;
  const uint64_t descriptors = raise_descriptor_limit();
  kept.connections =
      connections_within(limits.connections, descriptors, kOtherDescriptors + kRefusalsAtOnce);
  if (kept.connections < limits.connections) {
    log::warn("the limit of {} open files allows {} connections, not {}: raise `ulimit -n`",
              descriptors, kept.connections, limits.connections);
  }
  std::random_device device;
  const uint64_t random = static_cast<uint64_t>(device()) << 32 | device();
  auto state = std::make_shared<ServerState>(kept, std::move(handler), std::move(unparsed), random);
  auto listener = std::make_shared<Listener>(std::move(executor), std::move(state));
  BATON_TRY(listener->open(host, port));
  listener->start();
  return std::unique_ptr<Server>(std::make_unique<TcpServer>(std::move(listener)));
}

}  // namespace baton::http
