#include "engine/local_source.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "base/check.h"

namespace baton {
namespace {

namespace asio = boost::asio;

// One place is enough: a signal says "look into the mailbox", however often it was given.
using Signal = asio::experimental::concurrent_channel<void(boost::system::error_code)>;

/// Silences all streams of an execution context when it begins to shut down: Asio's own services
/// drop their operations without a lock then, and a post from the engine's thread would race with
/// that. Services are shut down newest first, so this one must be made after the channel's.
class OpenStreams final : public asio::execution_context::service {
 public:
  using key_type = OpenStreams;
  inline static asio::execution_context::id id;

  explicit OpenStreams(asio::execution_context& context)
      : asio::execution_context::service(context) {}

  void add(Mailbox& mailbox) {
    const std::lock_guard lock(mutex_);
    mailboxes_.insert(&mailbox);
  }
  void remove(Mailbox& mailbox) {
    const std::lock_guard lock(mutex_);
    mailboxes_.erase(&mailbox);
  }
  void shutdown() override {
    const std::lock_guard lock(mutex_);
    for (Mailbox* mailbox : mailboxes_) mailbox->on_events({});
  }

 private:
  std::mutex mutex_;
  std::unordered_set<Mailbox*> mailboxes_;
};

class LocalStream final : public TokenStream {
 public:
  LocalStream(const asio::any_io_executor& executor, std::shared_ptr<Mailbox> mailbox)
      : signal_(executor, 1),
        mailbox_(std::move(mailbox)),
        open_streams_(
            asio::use_service<OpenStreams>(asio::query(executor, asio::execution::context))) {
    open_streams_.add(*mailbox_);
    // Runs on the engine's thread; a waiting receiver is resumed by a post to its executor.
    mailbox_->on_events([this] { signal_.try_send(boost::system::error_code{}); });
  }

  ~LocalStream() override {
    open_streams_.remove(*mailbox_);
    mailbox_->on_events({});  // no call is in progress after this
  }

  asio::awaitable<std::vector<TokenEvent>> next() override {
    CHECK(!ended_);
    for (;;) {
      std::vector<TokenEvent> events = mailbox_->take();
      if (!events.empty()) {
        ended_ = events.back().ending.has_value();
        co_return events;
      }
      const auto [error] = co_await signal_.async_receive(asio::as_tuple(asio::use_awaitable));
      // Channels have a cancellation code of their own; TokenStream promises asio's.
      if (error) throw boost::system::system_error(asio::error::operation_aborted);
    }
  }

 private:
  Signal signal_;
  std::shared_ptr<Mailbox> mailbox_;
  OpenStreams& open_streams_;
  bool ended_ = false;
};

class LocalSource final : public TokenSource {
 public:
  explicit LocalSource(Engine& engine) : engine_(engine) {}

  SourceInfo info() const override {
    const ModelInfo& model = engine_.model_info();
    return {model.vocab_size, model.context_tokens, model.klass};
  }

  SourceLoad load() const override {
    const EngineStats stats = engine_.stats();
    SourceLoad load;
    load.ready = stats.ready;
    load.draining = stats.draining;
    load.failed = stats.failed;
    load.running = stats.running;
    load.waiting = stats.waiting;
    load.blocks_total = stats.blocks_total;
    load.blocks_free = stats.blocks_free;
    return load;
  }

  asio::awaitable<Result<std::vector<std::unique_ptr<TokenStream>>>> start(
      std::vector<TokenRequest> requests) override {
    const auto executor = co_await asio::this_coro::executor;
    Result<std::vector<std::shared_ptr<Mailbox>>> mailboxes =
        engine_.submit_all(std::move(requests));
    if (!mailboxes.ok()) co_return std::move(mailboxes).error();
    std::vector<std::unique_ptr<TokenStream>> streams;
    for (std::shared_ptr<Mailbox>& mailbox : *mailboxes) {
      streams.push_back(std::make_unique<LocalStream>(executor, std::move(mailbox)));
    }
    co_return streams;
  }

 private:
  Engine& engine_;
};

}  // namespace

std::unique_ptr<TokenSource> make_local_source(Engine& engine) {
  return std::make_unique<LocalSource>(engine);
}

}  // namespace baton
