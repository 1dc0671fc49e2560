// The border between the front and what makes tokens: the local engine, or a fleet of replicas.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "token/token.h"

namespace baton {

/// One stream being read. Destroying it cancels the work behind it. Use from one executor only.
class TokenStream {
 public:
  virtual ~TokenStream() = default;

  /// Waits until there is something to say and returns all of it, in order, at least one event.
  /// The last event of a stream has an ending; calling next() after it is a programmer error.
  /// Honours asio cancellation (operation_aborted is thrown through the coroutine).
  virtual boost::asio::awaitable<std::vector<TokenEvent>> next() = 0;
};

/// What a source can do, for validation at the front before any token is made.
struct SourceInfo {
  uint32_t vocab_size = 0;
  uint32_t context_tokens = 0;
  ClassId klass;
};

/// Now, for health and metrics.
struct SourceLoad {
  bool ready = false;
  bool draining = false;
  bool failed = false;  // beyond repair: only a restart helps
  uint32_t running = 0;
  uint32_t waiting = 0;
  uint32_t blocks_total = 0;
  uint32_t blocks_free = 0;
};

class TokenSource {
 public:
  virtual ~TokenSource() = default;
  virtual SourceInfo info() const = 0;
  virtual SourceLoad load() const = 0;

  /// Accepts all of `requests` (at least one: the answers that one client asked for at once) or
  /// refuses them all at once: resource_exhausted with a retry hint, invalid_argument (also when
  /// they are more than can ever be held), unavailable. One stream a request, in their order; an
  /// accepted stream ends in exactly one ending.
  virtual boost::asio::awaitable<Result<std::vector<std::unique_ptr<TokenStream>>>> start(
      std::vector<TokenRequest> requests) = 0;
};

}  // namespace baton
