// What all connections of one server share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "http/server.h"

namespace baton::http {

class Connection;

struct ServerState {
  ServerState(const Limits& server_limits, Handler request_handler,
              Server::UnparsedHandler unparsed_handler, uint64_t random)
      : limits(server_limits),
        handler(std::move(request_handler)),
        unparsed(std::move(unparsed_handler)),
        id_seed(random) {}

  const Limits limits;
  const Handler handler;
  const Server::UnparsedHandler unparsed;

  std::atomic<bool> draining{false};  // no keep-alive any more
  std::atomic<bool> closed{false};

  std::atomic<uint64_t> connections_total{0};
  std::atomic<uint64_t> connections_open{0};      // being served
  std::atomic<uint64_t> connections_refusing{0};  // being told that there are too many
  std::atomic<uint64_t> requests_total{0};
  std::atomic<uint64_t> refused_total{0};
  std::atomic<uint64_t> bodies_bytes{0};  // held by all requests now

  std::mutex mutex;
  std::unordered_map<const Connection*, std::weak_ptr<Connection>> connections;  // under mutex

  /// Unique in the process, hard to guess between processes.
  std::string make_request_id();

 private:
  const uint64_t id_seed;
  std::atomic<uint64_t> id_count_{0};
};

/// One request's share of Limits::bodies_bytes; given back when it dies.
class BodyShare {
 public:
  explicit BodyShare(ServerState& state) : state_(state) {}
  ~BodyShare() { state_.bodies_bytes.fetch_sub(held_, std::memory_order_relaxed); }
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;

  /// False when all bodies together would pass the limit; then nothing changes.
  bool grow_to(uint64_t bytes);

 private:
  ServerState& state_;
  uint64_t held_ = 0;
};

}  // namespace baton::http
