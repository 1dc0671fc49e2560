// The two ends of one stream's events, and the inbox through which everybody reaches the engine's
// thread. Internal to the room.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "token/token.h"

namespace baton {

/// Events from the engine's thread to one reader. Bounded by the stream: one event a token and at
/// most one more for the ending.
class Channel {
 public:
  void push(TokenEvent event);  // engine's side

  std::vector<TokenEvent> take();
  std::vector<TokenEvent> wait();
  void on_events(std::function<void()> notify);
  bool ended() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<TokenEvent> events_;
  bool ended_ = false;
  std::mutex notify_mutex_;  // held during a call, so that removing the notifier waits for it
  std::function<void()> notify_;
};

struct Submission {
  SequenceId id = 0;
  TokenRequest request;
  Nanos arrival = 0;
  std::shared_ptr<Channel> channel;
};

/// What the engine's thread has to do besides the next step.
struct Work {
  std::vector<Submission> submissions;
  std::vector<SequenceId> cancels;
  std::optional<Error> finish_all;
  bool stop = false;
};

/// Outlives the engine where readers do, so that dropping a mailbox is always safe.
class Inbox {
 public:
  /// `held_max`: sequences that the engine holds at once, running, waiting or on their way.
  explicit Inbox(uint64_t held_max) : held_max_(held_max) {}

  /// All or none. resource_exhausted if there are not enough free places now; invalid_argument if
  /// there never are; unavailable when draining, failed or stopped.
  Result<void> submit(std::vector<Submission> submissions);
  void cancel(SequenceId id);
  void drain();
  void finish_all(const Error& why);
  void stop();

  /// For the engine's thread. take() waits for something to do unless `busy`.
  Work take(bool busy);
  void publish_load(uint64_t held, uint32_t retry_after_ms);
  void fail(const Error& why);

  bool draining() const;

 private:
  const uint64_t held_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Work work_;
  uint64_t held_ = 0;  // taken and not known to be over
  uint32_t retry_after_ms_ = 1000;
  bool draining_ = false;
  std::optional<Error> failure_;
};

/// Cancels its sequence when dropped before the ending.
class StreamMailbox final : public Mailbox {
 public:
  StreamMailbox(std::shared_ptr<Channel> channel, std::shared_ptr<Inbox> inbox, SequenceId id)
      : channel_(std::move(channel)), inbox_(std::move(inbox)), id_(id) {}
  ~StreamMailbox() override;
  std::vector<TokenEvent> take() override { return channel_->take(); }
  std::vector<TokenEvent> wait() override { return channel_->wait(); }
  void on_events(std::function<void()> notify) override { channel_->on_events(std::move(notify)); }

 private:
  std::shared_ptr<Channel> channel_;
  std::shared_ptr<Inbox> inbox_;
  SequenceId id_;
};

}  // namespace baton
