#include "engine/channel.h"

#include <iterator>
#include <string>
#include <utility>

#include "base/check.h"

namespace baton {

void Channel::push(TokenEvent event) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(!ended_);
    ended_ = event.ending.has_value();
    events_.push_back(std::move(event));
  }
  arrived_.notify_all();
  const std::lock_guard lock(notify_mutex_);
  if (notify_) notify_();
}

std::vector<TokenEvent> Channel::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

std::vector<TokenEvent> Channel::wait() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [&] { return !events_.empty() || ended_; });
  return std::exchange(events_, {});
}

void Channel::on_events(std::function<void()> notify) {
  const std::lock_guard lock(notify_mutex_);
  notify_ = std::move(notify);
  if (!notify_) return;
  bool some;
  {
    const std::lock_guard events_lock(mutex_);
    some = !events_.empty();
  }
  if (some) notify_();
}

bool Channel::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

namespace {

Error refusal(Code code, std::string message, uint32_t retry_after_ms) {
  Error error = self_error(code, std::move(message));
  error.retry_safe = true;
  error.retry_after_ms = retry_after_ms;
  return error;
}

}  // namespace

Result<void> Inbox::submit(std::vector<Submission> submissions) {
  {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    if (draining_ || work_.stop) {
      return refusal(Code::unavailable, "this replica takes no new work", retry_after_ms_);
    }
    if (submissions.size() > held_max_) {
      Error error = client_error(
          Code::invalid_argument,
          std::to_string(submissions.size()) +
              " answers at once are more than this server ever holds: " + std::to_string(held_max_),
          "n");
      error.reason = "too_many_answers";
      return error;
    }
    if (held_ + work_.submissions.size() + submissions.size() > held_max_) {
      return refusal(
          Code::resource_exhausted,
          "the queue is full (at most " + std::to_string(held_max_) + " answers run or wait)",
          retry_after_ms_);
    }
    std::move(submissions.begin(), submissions.end(), std::back_inserter(work_.submissions));
  }
  changed_.notify_one();
  return {};
}

void Inbox::cancel(SequenceId id) {
  {
    const std::lock_guard lock(mutex_);
    if (work_.stop) return;  // nobody takes it any more
    work_.cancels.push_back(id);
  }
  changed_.notify_one();
}

void Inbox::drain() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
}

void Inbox::finish_all(const Error& why) {
  {
    const std::lock_guard lock(mutex_);
    if (!work_.finish_all) work_.finish_all = why;
  }
  changed_.notify_one();
}

void Inbox::stop() {
  {
    const std::lock_guard lock(mutex_);
    work_.stop = true;
  }
  changed_.notify_one();
}

Work Inbox::take(bool busy) {
  std::unique_lock lock(mutex_);
  const auto something = [&] {
    return work_.stop || work_.finish_all || !work_.submissions.empty() || !work_.cancels.empty();
  };
  if (!busy) changed_.wait(lock, something);
  Work taken = std::exchange(work_, {});
  work_.stop = taken.stop;
  held_ += taken.submissions.size();  // until the next publish_load()
  return taken;
}

void Inbox::publish_load(uint64_t held, uint32_t retry_after_ms) {
  const std::lock_guard lock(mutex_);
  held_ = held;
  retry_after_ms_ = retry_after_ms;
}

void Inbox::fail(const Error& why) {
  const std::lock_guard lock(mutex_);
  failure_ = why;
}

bool Inbox::draining() const {
  const std::lock_guard lock(mutex_);
  return draining_;
}

StreamMailbox::~StreamMailbox() {
  channel_->on_events({});
  if (!channel_->ended()) inbox_->cancel(id_);
}

}  // namespace baton
