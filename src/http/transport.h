// The byte stream of one connection: bounded waits, and a write that needs no system call but write
// when the reader keeps up. Use on the connection's strand only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace baton::http {

class Transport : public std::enable_shared_from_this<Transport> {
 public:
  explicit Transport(boost::asio::ip::tcp::socket socket);

  /// Non-blocking, no delay, bounded send buffer, close-on-exec; data that a peer does not
  /// acknowledge for `write_timeout_ms` ends the connection (TCP_USER_TIMEOUT).
  void configure(uint32_t send_buffer_bytes, uint32_t write_timeout_ms);

  /// From now on reads fail (timed_out()) once `timeout_ms` are over, until the next call of
  /// either.
  void expire_after(uint32_t timeout_ms);
  void no_expiry();
  bool timed_out() const { return timed_out_; }

  /// Appends up to `most` bytes to `into`, at least one. Errors: io at the end of the stream or
  /// when broken, deadline_exceeded when expired, cancelled after interrupt(). Throws
  /// operation_aborted when the coroutine is cancelled.
  boost::asio::awaitable<Result<void>> read_some(std::string& into, size_t most);

  /// Writes all of `parts` in order. Errors: deadline_exceeded if nothing is taken for
  /// `timeout_ms`, else io. Throws operation_aborted when the coroutine is cancelled.
  boost::asio::awaitable<Result<void>> write_all(std::span<boost::asio::const_buffer> parts,
                                                 uint32_t timeout_ms);

  void interrupt();       // a read under way ends with `cancelled`
  bool has_input();       // bytes (not the end) are waiting in the kernel
  bool is_established();  // false once the peer sent its end or reset, whatever is still unread
  void finish_sending();  // our end of the stream
  void close();
  std::string peer() const { return peer_; }
  boost::asio::any_io_executor executor() { return socket_.get_executor(); }

 private:
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  uint64_t expiry_ = 0;  // numbers the expiries, so that a late handler of an old one does nothing
  bool timed_out_ = false;
  std::string peer_;
};

}  // namespace baton::http
