// A bounded HTTP/1.1 server on Asio. Messages are parsed by our own strict, sans-I/O parsers
// (request_head.h, chunked_decoder.h): what is ambiguous is refused, never repaired.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace baton::http {

struct Limits {
  uint32_t connections = 4096;  // fewer if the limit of open files does not allow them
  uint32_t header_bytes = 16 * 1024;
  uint64_t body_bytes = 4 * 1024 * 1024;
  uint32_t header_timeout_ms = 10'000;  // from the first byte wait to the end of the header
  uint32_t body_timeout_ms = 30'000;
  uint32_t idle_timeout_ms = 75'000;        // keep-alive between requests
  uint32_t write_timeout_ms = 30'000;       // a reader that takes nothing for so long is cut off
  uint32_t send_buffer_bytes = 256 * 1024;  // in the kernel, a connection
  uint64_t bodies_bytes = 1024ull * 1024 * 1024;  // all request bodies in memory together
};

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "GET", "POST" …
  std::string path;    // percent-decoded, always begins with '/', no query
  std::string query;   // raw, without '?'
  Headers headers;     // names in lower case
  std::string body;
  std::string peer;  // "127.0.0.1:54321"
  std::string id;    // x-request-id: the client's if well-formed, else made here
  std::string_view header(std::string_view lower_name) const;  // "" if absent
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers;
};

/// The answering side of one request. x-request-id is added to every answer.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// A whole answer. At most one of respond() and begin() a request, once.
  virtual boost::asio::awaitable<Result<void>> respond(Response response) = 0;
  /// Starts a chunked answer (status and headers of `head`; its body is ignored).
  virtual boost::asio::awaitable<Result<void>> begin(Response head) = 0;
  virtual boost::asio::awaitable<Result<void>> write(std::string_view chunk) = 0;
  virtual boost::asio::awaitable<Result<void>> end() = 0;
  virtual bool answered() const = 0;        // respond() or begin() was called
  virtual int status() const = 0;           // of the answer; 0 before
  virtual uint64_t bytes_sent() const = 0;  // of the answer, head and framing included
};

/// Runs on the connection's strand; connections run side by side if several threads run the
/// executor. What it refers to must live until those threads have stopped: Server's destructor asks
/// handlers to end but does not wait for them. When the client leaves, the handler's coroutine is
/// cancelled (asio cancellation): its pending awaits throw operation_aborted and its locals are
/// destroyed. A client that closes its sending half (shutdown(SHUT_WR)) after a complete request
/// counts as one that left and gets no answer: over TCP the two look the same until something is
/// written, and a client that is gone must not hold its work.
using Handler = std::function<boost::asio::awaitable<void>(const Request&, Exchange&)>;

struct ServerStats {
  uint64_t connections_total = 0, connections_open = 0, requests_total = 0, refused_total = 0;
};

class Server {
 public:
  virtual ~Server() = default;
  /// Binds and listens; `host` an address or "localhost", port 0 = any. io errors name the address.
  /// Raises the process's soft limit of open files to the hard one.
  /// `unparsed` makes the answer to a request that is not HTTP (status, message → Response).
  using UnparsedHandler = std::function<Response(int status, const std::string& message)>;
  static Result<std::unique_ptr<Server>> listen(boost::asio::any_io_executor executor,
                                                const std::string& host, uint16_t port,
                                                const Limits& limits, Handler handler,
                                                UnparsedHandler unparsed);
  virtual uint16_t port() const = 0;
  /// Stops accepting; open exchanges go on, idle connections close.
  /// stats().connections_open tells when the last is over.
  virtual void stop_accepting() = 0;
  /// Cancels all exchanges and closes everything.
  virtual void close() = 0;
  virtual ServerStats stats() const = 0;
};

}  // namespace baton::http
