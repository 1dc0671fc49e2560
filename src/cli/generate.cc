// baton generate: answers from the command line. A whole file of requests is one load of continuous
// batching; the answers come out in the order of the requests.
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "api/chat_request.h"
#include "api/completion_request.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/json_lines.h"
#include "cli/model_setup.h"
#include "cli/option_binding.h"
#include "cli/sampling_defaults.h"
#include "engine/engine.h"
#include "front/generation_job.h"
#include "text/stream_decoder.h"

namespace baton::cli {
namespace {

struct GenerateOptions {
  ModelOptions model;
  EngineOptions engine;
  std::string requests;
  std::string prompt;
  std::string special_tokens = "escape";

  void add_to(OptionTable& table) {
    table.add("requests", &requests, "FILE",
              "JSON lines, one request each; - reads standard input");
    table.add("prompt", &prompt, "TEXT", "One question instead of a file; prints the answer alone");
    table.add_choice("special-tokens", &special_tokens, {"escape", "allow"},
                     "Whether markers inside message content become control tokens");
    model.add_to(table);
    add_engine_options(table, engine);
  }
};

/// One line, ready for the engine.
struct Job {
  TokenRequest request;
  std::vector<std::string> stop;
  bool include_stop = false;
  bool skip_special = true;
};

/// `"logprobs": k` means the same in both forms of a line: the k best beside each token.
std::string as_chat_body(json::object line) {
  if (const json::value* logprobs = line.if_contains("logprobs");
      logprobs != nullptr && logprobs->is_int64()) {
    const int64_t count = logprobs->as_int64();  // a copy: inserting moves the object's values
    line["top_logprobs"] = count;
    line["logprobs"] = true;
  }
  return json::serialize(line);
}

Result<std::vector<Token>> prompt_ids(const ModelFolder& folder, const api::Prompt& prompt,
                                      bool add_special_tokens) {
  if (const auto* ids = std::get_if<std::vector<Token>>(&prompt)) return *ids;
  if (!folder.tokenizer) {
    return client_error(Code::unsupported,
                        "this model has no tokenizer: give the prompt as token ids", "prompt");
  }
  return encode_prompt(*folder.tokenizer, std::get<std::string>(prompt), add_special_tokens);
}

void resolve(const api::Generation& generation, const ModelFolder& folder, Job& job) {
  job.request.sampling = api::resolve_sampling(generation, default_sampling(folder.generation));
  job.request.seed = generation.seed ? static_cast<uint64_t>(*generation.seed) : random_seed();
  job.request.max_tokens = static_cast<uint32_t>(
      std::min<int64_t>(generation.max_tokens.value_or(2048), std::numeric_limits<int32_t>::max()));
  job.request.priority = generation.priority;
  job.stop = generation.stop;
  job.include_stop = generation.include_stop;
  job.skip_special = generation.skip_special;
}

Result<Job> parse_job(const json::object& line, const ModelFolder& folder, Markers markers) {
  Job job;
  api::Generation generation;
  if (line.contains("messages")) {
    if (!folder.tokenizer || !folder.chat_template) {
      return client_error(Code::unsupported, "this model has no chat template", "messages");
    }
    BATON_ASSIGN(api::ChatRequest chat, api::parse_chat_request(as_chat_body(line)));
    job.request.prompt = folder.chat_template->encode(*folder.tokenizer, chat.messages,
                                                      chat.add_generation_prompt, markers);
    generation = std::move(chat.generation);
  } else {
    BATON_ASSIGN(api::CompletionRequest completion,
                 api::parse_completion_request(json::serialize(line)));
    if (completion.prompts.size() != 1) {
      return client_error(Code::invalid_argument, "one prompt a line", "prompt");
    }
    BATON_ASSIGN(job.request.prompt,
                 prompt_ids(folder, completion.prompts[0], completion.add_special_tokens));
    generation = std::move(completion.generation);
  }
  if (generation.choices != 1) {
    return client_error(Code::invalid_argument, "one answer a line: n must be 1", "n");
  }
  resolve(generation, folder, job);
  if (!job.stop.empty() && !folder.tokenizer) {
    return client_error(Code::unsupported, "stop strings need a tokenizer; this model has none",
                        "stop");
  }
  return job;
}

/// An answer being collected.
class Answer {
 public:
  Answer(Job job, const std::shared_ptr<const Tokenizer>& tokenizer)
      : prompt_(job.request.prompt),
        seed_(job.request.seed),
        logprobs_wanted_(job.request.sampling.logprobs >= 0),
        include_stop_(job.include_stop) {
    if (!tokenizer) return;
    StreamDecoderOptions options;
    options.stop = std::move(job.stop);
    options.include_stop = job.include_stop;
    options.min_tokens = job.request.sampling.min_tokens;
    options.skip_special = job.skip_special;
    options.split_reasoning = false;
    decoder_ = std::make_unique<StreamDecoder>(tokenizer, std::move(options));
  }

  /// Returns true when the answer is complete.
  bool take(const TokenEvent& event) {
    if (event.token >= 0) {
      ids_.push_back(event.token);
      if (logprobs_wanted_) logprobs_.push_back(logprob_entry(event));
      if (decoder_ && !is_hidden_stop(event)) {
        const StreamDecoder::Delta delta = decoder_->push(event.token);
        text_ += delta.content;
        if (delta.stopped) {
          finish_ = to_string(Finish::stop);
          return true;
        }
      }
    }
    if (!event.ending) return false;
    if (decoder_) text_ += decoder_->finish().content;
    finish_ = to_string(event.ending->finish);
    error_ = event.ending->error;
    return true;
  }

  bool failed() const { return error_.has_value(); }

  json::object render() {
    if (error_) return error_line(*error_);
    json::object line{{"prompt_ids", json::array(prompt_.begin(), prompt_.end())},
                      {"token_ids", json::array(ids_.begin(), ids_.end())},
                      {"text", text_},
                      {"finish_reason", finish_},
                      {"seed", seed_}};
    if (logprobs_wanted_) line["logprobs"] = std::move(logprobs_);
    return line;
  }

 private:
  /// The stop token completes the answer; its text is not part of it unless asked for.
  bool is_hidden_stop(const TokenEvent& event) const {
    return event.ending && event.ending->stop_token == event.token && !include_stop_;
  }

  static json::object logprob_entry(const TokenEvent& event) {
    json::array top;
    for (const TopLogprob& alternative : event.top) {
      top.push_back(json::array{alternative.token, alternative.logprob});
    }
    return {{"id", event.token}, {"logprob", event.logprob}, {"top", std::move(top)}};
  }

  std::vector<Token> prompt_;
  uint64_t seed_;
  bool logprobs_wanted_;
  bool include_stop_;
  std::unique_ptr<StreamDecoder> decoder_;
  std::vector<Token> ids_;
  json::array logprobs_;
  std::string text_;
  std::string finish_;
  std::optional<Error> error_;
};

/// What happens next: a line was read, an answer has news, or the input has ended. The reader and
/// the engine put, the main thread takes.
class Feed {
 public:
  struct Next {
    std::optional<Result<json::object>> line;
    std::optional<size_t> news;  // the index of an answer
  };

  /// Waits while kLinesMax lines are there already.
  void put_line(Result<json::object> line) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return lines_.size() < kLinesMax; });
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  void end_input() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  void put_news(size_t index) {
    const std::lock_guard lock(mutex_);
    news_.insert(index);
    changed_.notify_all();
  }

  /// News first. Lines only with `accept_lines`. Nothing at all: the input has ended and, as far as
  /// lines are accepted, was taken; the caller knows whether answers are still to come.
  Next wait(bool accept_lines, bool answers_to_come) {
    std::unique_lock lock(mutex_);
    const auto line_ready = [&] { return accept_lines && !lines_.empty(); };
    const auto over = [&] { return ended_ && lines_.empty() && !answers_to_come; };
    changed_.wait(lock, [&] { return !news_.empty() || line_ready() || over(); });
    Next next;
    if (!news_.empty()) {
      next.news = *news_.begin();
      news_.erase(news_.begin());
    } else if (line_ready()) {
      next.line = std::move(lines_.front());
      lines_.pop_front();
      changed_.notify_all();
    }
    return next;
  }

 private:
  static constexpr size_t kLinesMax = 16;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Result<json::object>> lines_;
  std::set<size_t> news_;
  bool ended_ = false;
};

/// Keeps the engine full from a source of lines and prints the answers in their order.
class Load {
 public:
  Load(Engine& engine, const ModelFolder& folder, Markers markers, size_t in_flight_max)
      : engine_(engine), folder_(folder), markers_(markers), in_flight_max_(in_flight_max) {}

  /// Answers while it reads. Returns false if a line failed.
  bool run(std::istream& input) {
    std::thread reader([&] {
      for_each_json_line(input, [this](Result<json::object> line) {
        feed_.put_line(std::move(line));
        return true;
      });
      feed_.end_input();
    });
    while (true) {
      // Answers that wait for an earlier one count too: nothing grows without bound.
      const bool room = in_flight_.size() + done_.size() < in_flight_max_;
      Feed::Next next = feed_.wait(room, !in_flight_.empty());
      if (next.news) {
        advance(*next.news);
      } else if (next.line) {
        submit(std::move(*next.line));
      } else {
        break;
      }
    }
    reader.join();
    return all_good_;
  }

 private:
  struct Running {
    std::shared_ptr<Mailbox> mailbox;
    Answer answer;
  };

  void submit(Result<json::object> line) {
    const size_t index = next_++;
    Result<Job> job = line ? parse_job(*line, folder_, markers_) : Result<Job>(line.error());
    if (!job) return complete(index, error_line(job.error()), false);
    Answer answer(*job, folder_.tokenizer);
    auto mailbox = engine_.submit(std::move(job->request));
    if (!mailbox) return complete(index, error_line(mailbox.error()), false);
    const auto running = std::make_shared<Running>(Running{*mailbox, std::move(answer)});
    in_flight_.emplace(index, running);
    (*mailbox)->on_events([this, index] { feed_.put_news(index); });
  }

  void advance(size_t index) {
    const auto found = in_flight_.find(index);
    if (found == in_flight_.end()) return;  // ended by a stop string; late news
    Running& running = *found->second;
    for (const TokenEvent& event : running.mailbox->take()) {
      if (!running.answer.take(event)) continue;
      running.mailbox->on_events({});
      const bool good = !running.answer.failed();
      json::object line = running.answer.render();
      in_flight_.erase(found);
      complete(index, std::move(line), good);
      return;
    }
  }

  void complete(size_t index, json::object line, bool good) {
    all_good_ = all_good_ && good;
    done_.emplace(index, std::move(line));
    while (!done_.empty() && done_.begin()->first == printed_) {
      print_line(done_.begin()->second);
      done_.erase(done_.begin());
      ++printed_;
    }
  }

  Engine& engine_;
  const ModelFolder& folder_;
  const Markers markers_;
  const size_t in_flight_max_;
  Feed feed_;
  std::map<size_t, std::shared_ptr<Running>> in_flight_;
  std::map<size_t, json::object> done_;  // complete, waiting for an earlier one
  size_t next_ = 0;
  size_t printed_ = 0;
  bool all_good_ = true;
};

/// `--prompt`: one question, the answer as plain text.
Result<void> answer_one(Engine& engine, const ModelFolder& folder, const std::string& text,
                        Markers markers) {
  json::object line;
  if (folder.chat_template) {
    line["messages"] = json::array{json::object{{"role", "user"}, {"content", text}}};
  } else {
    line["prompt"] = text;
  }
  BATON_ASSIGN(Job job, parse_job(line, folder, markers));
  StreamDecoderOptions decoding;
  decoding.starts_in_reasoning =
      folder.chat_template && ends_inside_thought(*folder.tokenizer, job.request.prompt);
  StreamDecoder decoder(folder.tokenizer, decoding);
  BATON_ASSIGN(const std::shared_ptr<Mailbox> mailbox, engine.submit(std::move(job.request)));
  const auto show = [](const StreamDecoder::Delta& delta) {
    std::fwrite(delta.content.data(), 1, delta.content.size(), stdout);
    std::fflush(stdout);
  };
  while (true) {
    for (const TokenEvent& event : mailbox->wait()) {
      if (event.token >= 0) show(decoder.push(event.token));
      if (!event.ending) continue;
      show(decoder.finish());
      std::puts("");
      if (event.ending->error) return *event.ending->error;
      if (event.ending->finish == Finish::length) {
        std::fprintf(stderr, "(the answer was cut: no room for more tokens)\n");
      }
      return {};
    }
  }
}

int run_generate(GenerateOptions& options) {
  log::init("warn");
  if (options.requests.empty() == options.prompt.empty()) {
    return fail(
        client_error(Code::invalid_argument, "give either --requests FILE or --prompt TEXT"));
  }
  auto folder = ModelFolder::open(options.model.model);
  if (!folder) return fail(folder.error());
  std::unique_ptr<std::istream> input;
  if (!options.requests.empty()) {
    auto opened = open_lines(options.requests);
    if (!opened) return fail(opened.error());
    input = std::move(opened).value();
  }
  auto model = load_model(*folder, options.model, options.engine);
  if (!model) return fail(model.error());
  const SteadyClock clock;
  const auto engine = Engine::start(std::move(model).value(), options.engine, clock);
  const Markers markers = options.special_tokens == "allow" ? Markers::allow : Markers::escape;
  if (!input) {
    auto answered = answer_one(*engine, *folder, options.prompt, markers);
    return answered ? 0 : fail(answered.error());
  }
  Load load(*engine, *folder, markers, options.engine.queue_max);
  const bool good = load.run(*input);
  std::fprintf(stderr, "largest batch: %u\n", engine->stats().batch_largest);
  return good ? 0 : 1;
}

}  // namespace

void add_generate(CLI::App& app, int& exit_code) {
  add_command<GenerateOptions>(app, "generate", "Answer one question or a file of requests",
                               exit_code, run_generate);
}

}  // namespace baton::cli
