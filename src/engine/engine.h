// The engine: one thread that joins scheduler and model. Requests come in through a bounded queue,
// events leave through one mailbox per stream; no callback of a user runs on the engine thread
// other than the mailbox's notifier, which must only post.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/model.h"
#include "token/token.h"

namespace baton {

struct EngineOptions {
  uint32_t batch_max = 64;     // sequences in one step
  uint32_t step_tokens = 512;  // tokens in one step, decode and prefill together
  uint32_t queue_max = 256;    // sequences beyond batch_max; more are refused with a retry hint
  bool prefix_cache = true;
};

/// Counters since start and gauges of now. Taken without stopping the engine.
struct EngineStats {
  bool ready = false;
  bool draining = false;
  bool failed = false;  // the device is lost; nothing more will be answered
  uint32_t running = 0, waiting = 0;
  uint32_t blocks_total = 0, blocks_free = 0;  // free includes cached blocks that can be evicted
  uint64_t steps = 0;
  uint32_t batch_largest = 0;  // most sequences in one step so far
  uint64_t prompt_tokens = 0, generated_tokens = 0;
  uint64_t prefix_query_tokens = 0, prefix_hit_tokens = 0;
  uint64_t preemptions = 0;
  uint64_t finished[5] = {};  // by Finish
};

/// Reader's end of one stream. Thread-safe. Dropping the last reference cancels the sequence: it
/// leaves the batch within one step.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  /// All events that are there now, in order; may be empty.
  virtual std::vector<TokenEvent> take() = 0;
  /// Blocks until there is at least one event, then as take().
  virtual std::vector<TokenEvent> wait() = 0;
  /// `notify` is called (on any thread) whenever events become available; at once if some are.
  /// An empty function removes it: after that returns no call is in progress.
  virtual void on_events(std::function<void()> notify) = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;  // cancels what is left, joins the thread

  static std::unique_ptr<Engine> start(std::unique_ptr<Model> model, const EngineOptions& options,
                                       const Clock& clock);

  /// Thread-safe. Refusals: invalid_argument (ids, lengths), resource_exhausted (queue full),
  /// unavailable (draining or failed), deadline_exceeded.
  Result<std::shared_ptr<Mailbox>> submit(TokenRequest request);

  /// All of them or none; mailboxes in the order of `requests`, of which there is at least one.
  /// Refusals as above; invalid_argument also when they are more than batch_max and queue_max
  /// together, so that an idle engine refuses no number that it would ever take.
  virtual Result<std::vector<std::shared_ptr<Mailbox>>> submit_all(
      std::vector<TokenRequest> requests) = 0;

  /// No new work; what runs goes on. finish_all: ends what is left with typed errors.
  virtual void drain() = 0;
  virtual void finish_all(const Error& why) = 0;

  virtual EngineStats stats() const = 0;
  virtual const ModelInfo& model_info() const = 0;
  virtual MemoryPlan memory() const = 0;
};

}  // namespace baton
