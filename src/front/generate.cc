#include "front/generate.h"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <utility>

#include "api/error_body.h"
#include "front/task_group.h"

namespace baton {

namespace asio = boost::asio;

namespace {

// Rendered but not yet written: beyond it the streams are not read on.
constexpr size_t kMaxUnwrittenBytes = 256 * 1024;

using Streams = std::vector<std::unique_ptr<TokenStream>>;

/// One answer in the making. Lives on one coroutine's frame; its tasks run on the same strand.
class Generation {
 public:
  Generation(const FrontContext& context, const GenerationJob& job, Reply& reply, Nanos started,
             const asio::any_io_executor& executor);

  asio::awaitable<void> answer_whole(Streams streams);
  asio::awaitable<void> answer_streaming(Streams streams);

 private:
  asio::awaitable<void> read(uint32_t index, std::unique_ptr<TokenStream> stream);
  asio::awaitable<void> read_choice(Choice& choice, TokenStream& stream);
  asio::awaitable<void> write_events();
  void take(Choice& choice, const TokenEvent& event);
  void render_parts(Choice& choice, api::ChoicePart part);
  void fail(Error error);
  api::Usage usage() const;
  api::ChunkUsage chunk_usage() const;
  void note_finish();

  const FrontContext& context_;
  const GenerationJob& job_;
  Reply& reply_;
  const Nanos started_;
  TaskGroup tasks_;
  std::vector<Choice> choices_;
  std::vector<api::ChoicePart> whole_;  // when not streaming
  std::vector<bool> opened_;            // streaming: the choice's first chunk was rendered
  std::string unwritten_;               // streaming: rendered events
  Notice news_;                         // for the writer: events, an error or the end
  Notice room_;                         // for the readers: unwritten_ was taken
  uint32_t open_ = 0;                   // choices that are not over
  std::optional<Error> error_;          // the first of a stream: ends them all
  bool gone_ = false;                   // the client does not read
};

Generation::Generation(const FrontContext& context, const GenerationJob& job, Reply& reply,
                       Nanos started, const asio::any_io_executor& executor)
    : context_(context),
      job_(job),
      reply_(reply),
      started_(started),
      tasks_(executor),
      opened_(job.choices(), false),
      news_(executor),
      room_(executor),
      open_(job.choices()) {
  for (uint32_t i = 0; i < open_; ++i) {
    choices_.emplace_back(i, context.tokenizer, job.choice);
    api::ChoicePart part;
    part.index = i;
    if (job.return_token_ids) part.prompt_token_ids = &job.prompt_of(i);
    whole_.push_back(std::move(part));
  }
}

asio::awaitable<void> Generation::read_choice(Choice& choice, TokenStream& stream) {
  while (!choice.over()) {
    const std::vector<TokenEvent> events = co_await stream.next();
    for (size_t i = 0; i < events.size() && !choice.over(); ++i) {
      while (unwritten_.size() >= kMaxUnwrittenBytes) {
        co_await room_.wait_for(std::chrono::milliseconds(0));
      }
      take(choice, events[i]);
    }
  }
  if (choice.error()) fail(*choice.error());
}

/// Reads one stream to the end of its choice. The stream belongs to this frame: it is gone, and its
/// work cancelled, when the choice is over or this task is.
asio::awaitable<void> Generation::read(uint32_t index, std::unique_ptr<TokenStream> stream) {
  try {
    co_await read_choice(choices_[index], *stream);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    fail(self_error(Code::internal, "The answer could not be completed."));
  } catch (const std::exception&) {
    fail(self_error(Code::internal, "The answer could not be completed."));
  }
  --open_;
  news_.notify();
}

void Generation::take(Choice& choice, const TokenEvent& event) {
  if (event.token >= 0) {
    const Nanos now = context_.clock.now() - started_;
    ops::AccessRecord& record = reply_.record();
    if (record.first_token < 0) record.first_token = now;
    record.last_token = now;
    ++record.generated_tokens;
  }
  if (!job_.stream) return choice.push(event, whole_[choice.index()]);
  api::ChoicePart part;
  part.index = choice.index();
  choice.push(event, part);
  if (!choice.error()) render_parts(choice, std::move(part));
  news_.notify();
}

/// Up to three chunks: the role, what is new, the end.
void Generation::render_parts(Choice& choice, api::ChoicePart part) {
  const uint32_t index = choice.index();
  const std::vector<Token>* prompt = whole_[index].prompt_token_ids;
  if (!opened_[index]) {
    opened_[index] = true;
    if (job_.answer.form == api::Form::chat) {
      api::ChoicePart first;
      first.index = index;
      first.role = true;
      first.content = "";
      first.prompt_token_ids = prompt;
      unwritten_ += api::render_chunk(job_.answer, first, chunk_usage());
    } else {
      part.prompt_token_ids = prompt;
    }
  }
  api::ChoicePart last;
  last.index = index;
  std::swap(last.finish, part.finish);
  std::swap(last.stop_reason, part.stop_reason);
  if (part.content || part.reasoning || part.logprobs || part.token_ids ||
      part.prompt_token_ids != nullptr) {
    unwritten_ += api::render_chunk(job_.answer, part, chunk_usage());
  }
  if (last.finish) {
    whole_[index].finish = last.finish;
    unwritten_ += api::render_chunk(job_.answer, last, chunk_usage());
  }
}

void Generation::fail(Error error) {
  if (error_) return;
  error_ = std::move(error);
  tasks_.cancel();
}

api::Usage Generation::usage() const {
  api::Usage usage;
  for (const std::vector<Token>& prompt : job_.prompts) usage.prompt_tokens += prompt.size();
  for (const Choice& choice : choices_) {
    usage.completion_tokens += choice.tokens();
    if (job_.answer.form == api::Form::chat) usage.reasoning_tokens += choice.reasoning_tokens();
    // A prompt is counted once, whatever n is, and so is what the cache had of it.
    if (choice.index() % job_.choices_per_prompt == 0) {
      usage.cached_tokens += choice.cached_tokens();
    }
  }
  return usage;
}

api::ChunkUsage Generation::chunk_usage() const {
  if (job_.continuous_usage) return usage();
  if (job_.include_usage) return nullptr;
  return std::monostate();
}

void Generation::note_finish() {
  ops::AccessRecord& record = reply_.record();
  record.cached_tokens = usage().cached_tokens;
  if (error_) {
    record.finish = error_->code == Code::deadline_exceeded ? "deadline" : "error";
    record.error = api::error_word(*error_);
    return;
  }
  bool length = false;
  for (const api::ChoicePart& part : whole_) length |= part.finish == Finish::length;
  record.finish = to_string(length ? Finish::length : Finish::stop);
}

asio::awaitable<void> Generation::answer_whole(Streams streams) {
  for (uint32_t i = 0; i < streams.size(); ++i) tasks_.spawn(read(i, std::move(streams[i])));
  co_await tasks_.join();
  note_finish();
  if (error_) {
    (void)co_await reply_.send_error(*error_);  // a client that is gone is the server's business
    co_return;
  }
  for (uint32_t i = 0; i < whole_.size(); ++i) {
    api::ChoicePart& part = whole_[i];
    // An answer cut inside its thought has no content; any other has some, if only "".
    if (!part.content && !choices_[i].in_reasoning()) part.content = "";
  }
  std::string body = api::render_response(job_.answer, whole_, usage());
  (void)co_await reply_.send_json(std::move(body));
}

/// Writes what the readers rendered, and a comment where there is nothing for too long.
asio::awaitable<void> Generation::write_events() {
  const std::chrono::milliseconds keep_alive(context_.options.keep_alive_ms);
  while (true) {
    if (!unwritten_.empty()) {
      const std::string chunk = std::exchange(unwritten_, {});
      room_.notify();
      const Result<void> written = co_await reply_.exchange().write(chunk);
      if (!written.ok()) {
        gone_ = true;
        co_return;
      }
      continue;
    }
    if (error_ || open_ == 0) co_return;
    const bool silent = co_await news_.wait_for(keep_alive);
    if (silent && unwritten_.empty()) unwritten_ = api::kKeepAliveEvent;
  }
}

asio::awaitable<void> Generation::answer_streaming(Streams streams) {
  http::Response head;
  head.content_type = "text/event-stream; charset=utf-8";
  head.headers = {{"cache-control", "no-store"}, {"x-accel-buffering", "no"}};
  const Result<void> begun = co_await reply_.exchange().begin(std::move(head));
  if (!begun.ok()) co_return;
  for (uint32_t i = 0; i < streams.size(); ++i) tasks_.spawn(read(i, std::move(streams[i])));
  co_await tasks_.join_after(write_events());
  if (gone_) co_return;
  note_finish();
  std::string last = std::move(unwritten_);
  if (error_) {
    last += api::render_error_event(*error_);
  } else {
    if (job_.include_usage) last += api::render_usage_chunk(job_.answer, usage());
    last += api::kDoneEvent;
  }
  const Result<void> written = co_await reply_.exchange().write(last);
  if (written.ok()) (void)co_await reply_.exchange().end();
}

}  // namespace

asio::awaitable<void> run_generation(const FrontContext& context, GenerationJob job, Reply& reply,
                                     Nanos started) {
  ops::AccessRecord& record = reply.record();
  record.choices = job.choices();
  record.finish = to_string(Finish::cancelled);  // unless it gets to another ending

  Result<Streams> streams = co_await context.source.start(std::exchange(job.requests, {}));
  if (!streams.ok()) {
    record.finish.clear();
    (void)co_await reply.send_error(streams.error());
    co_return;
  }
  // Only now: what was refused did not start.
  for (const std::vector<Token>& prompt : job.prompts) record.prompt_tokens += prompt.size();
  Generation generation(context, job, reply, started, co_await asio::this_coro::executor);
  if (job.stream) {
    co_await generation.answer_streaming(std::move(*streams));
  } else {
    co_await generation.answer_whole(std::move(*streams));
  }
}

}  // namespace baton
