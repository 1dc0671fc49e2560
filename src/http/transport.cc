#include "http/transport.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>

namespace baton::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

Error failure(const error_code& code, bool timed_out) {
  if (timed_out) return self_error(Code::deadline_exceeded, "the peer took too long");
  if (code == asio::error::operation_aborted) return self_error(Code::cancelled, "interrupted");
  return self_error(Code::io, code.message());
}

std::string peer_name(const asio::ip::tcp::socket& socket) {
  error_code code;
  const auto endpoint = socket.remote_endpoint(code);
  if (code) return "unknown";
  const std::string port = std::to_string(endpoint.port());
  const std::string address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

}  // namespace

Transport::Transport(asio::ip::tcp::socket socket)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), peer_(peer_name(socket_)) {}

void Transport::configure(uint32_t send_buffer_bytes, uint32_t write_timeout_ms) {
  error_code ignored;  // a connection without one of these still works
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  socket_.set_option(asio::socket_base::send_buffer_size(static_cast<int>(send_buffer_bytes)),
                     ignored);
  const unsigned int timeout = write_timeout_ms;
  setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
  fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
}

void Transport::expire_after(uint32_t timeout_ms) {
  timed_out_ = false;
  ++expiry_;
  timer_.expires_after(std::chrono::milliseconds(timeout_ms));
  timer_.async_wait([weak = weak_from_this(), expiry = expiry_](const error_code& code) {
    const auto self = weak.lock();
    if (code || !self || self->expiry_ != expiry) return;
    self->timed_out_ = true;
    error_code ignored;
    self->socket_.cancel(ignored);
  });
}

void Transport::no_expiry() {
  ++expiry_;
  timer_.cancel();
}

asio::awaitable<Result<void>> Transport::read_some(std::string& into, size_t most) {
  const size_t before = into.size();
  into.resize(before + most);
  error_code code;
  size_t got = socket_.read_some(asio::buffer(into.data() + before, most), code);
  if (code == asio::error::would_block && !timed_out_) {
    std::tie(code, got) =
        co_await socket_.async_read_some(asio::buffer(into.data() + before, most), kTuple);
  }
  into.resize(before + got);
  if (!code) co_return Result<void>();
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return failure(code, timed_out_);
}

asio::awaitable<Result<void>> Transport::write_all(std::span<asio::const_buffer> parts,
                                                   uint32_t timeout_ms) {
  while (!parts.empty()) {
    error_code code;
    size_t taken = socket_.write_some(parts, code);
    if (code == asio::error::would_block) {
      expire_after(timeout_ms);
      std::tie(code, taken) = co_await socket_.async_write_some(parts, kTuple);
      const auto cancellation = co_await asio::this_coro::cancellation_state;
      if (cancellation.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
      }
      if (!code) no_expiry();
    }
    if (code) co_return failure(code, timed_out_);
    while (!parts.empty() && taken >= parts.front().size()) {
      taken -= parts.front().size();
      parts = parts.subspan(1);
    }
    if (taken > 0) parts.front() += taken;
  }
  co_return Result<void>();
}

void Transport::interrupt() {
  error_code ignored;
  socket_.cancel(ignored);
}

bool Transport::has_input() {
  error_code code;
  const size_t bytes = socket_.available(code);
  return !code && bytes > 0;
}

bool Transport::is_established() {
  tcp_info info = {};
  socklen_t size = sizeof info;
  if (getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  return info.tcpi_state == TCP_ESTABLISHED;
}

void Transport::finish_sending() {
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void Transport::close() {
  no_expiry();
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace baton::http
