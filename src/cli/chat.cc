// baton chat: a conversation in the terminal, answered by an engine in this process.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/model_setup.h"
#include "cli/option_binding.h"
#include "cli/sampling_defaults.h"
#include "engine/engine.h"
#include "text/stream_decoder.h"

namespace baton::cli {
namespace {

struct ChatOptions {
  ModelOptions model;
  std::string system;
  uint32_t max_tokens = 2048;
  std::string temperature;
  int64_t seed = -1;

  void add_to(OptionTable& table) {
    model.add_to(table);
    table.add("system", &system, "TEXT", "A system message before the conversation");
    table.add<uint32_t>("max-tokens", &max_tokens, 1, 1 << 20, "Longest answer");
    table.add("temperature", &temperature, "T", "0 is greedy; by default the model's (0…2)");
    table.add<int64_t>("seed", &seed, -1, (int64_t{1} << 53) - 1,
                       "Same seed, same conversation; -1 draws a new one");
  }
};

std::atomic<bool> interrupted{false};

/// Ctrl-C sets a flag (no SA_RESTART: reading a line ends with it).
void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted.store(true); };
  sigaction(SIGINT, &action, nullptr);
}

class Conversation {
 public:
  Conversation(ModelFolder folder, Engine& engine, const ChatOptions& options, Sampling sampling,
               uint64_t seed)
      : folder_(std::move(folder)),
        engine_(engine),
        options_(options),
        sampling_(std::move(sampling)),
        seed_(seed),
        colours_(isatty(STDOUT_FILENO) == 1) {
    reset();
  }

  void reset() {
    messages_.clear();
    if (!options_.system.empty()) messages_.push_back({"system", options_.system});
  }

  /// Prints the answer as it comes; a refused or broken answer leaves the conversation as it was.
  void ask(std::string question) {
    messages_.push_back({"user", std::move(question)});
    auto answer = stream_answer();
    if (!answer) {
      messages_.pop_back();
      std::fprintf(stderr, "baton: %s\n", answer.error().message.c_str());
      if (messages_.size() > 1) std::fprintf(stderr, "(/reset starts over)\n");
      return;
    }
    messages_.push_back({"assistant", std::move(answer).value()});
  }

 private:
  Result<std::string> stream_answer() {
    TokenRequest request;
    request.prompt =
        folder_.chat_template->encode(*folder_.tokenizer, messages_, true, Markers::escape);
    request.sampling = sampling_;
    request.seed = seed_;
    request.max_tokens = options_.max_tokens;
    StreamDecoderOptions decoding;
    decoding.starts_in_reasoning = ends_inside_thought(*folder_.tokenizer, request.prompt);
    BATON_ASSIGN(std::shared_ptr<Mailbox> mailbox, engine_.submit(std::move(request)));

    StreamDecoder decoder(folder_.tokenizer, decoding);
    std::string content;
    interrupted.store(false);
    while (!interrupted.load()) {
      for (const TokenEvent& event : mailbox->wait()) {
        if (event.token >= 0) show(decoder.push(event.token), content);
        if (!event.ending) continue;
        show(decoder.finish(), content);
        end_line();
        if (event.ending->error) return *event.ending->error;
        if (event.ending->finish == Finish::length) {
          std::fprintf(stderr, "(cut after %u tokens: %s)\n", event.position + 1,
                       event.position + 1 >= options_.max_tokens
                           ? "--max-tokens"
                           : "the context is full; /reset starts over");
        }
        return content;
      }
    }
    show(decoder.finish(), content);
    end_line();
    std::fprintf(stderr, "(stopped)\n");
    return content;
  }

  void show(const StreamDecoder::Delta& delta, std::string& content) {
    set_dim(!delta.reasoning.empty());
    std::fwrite(delta.reasoning.data(), 1, delta.reasoning.size(), stdout);
    if (!delta.content.empty()) {
      if (content.empty() && thought_) std::fputs("\n", stdout);
      set_dim(false);
      std::fwrite(delta.content.data(), 1, delta.content.size(), stdout);
      content += delta.content;
    }
    std::fflush(stdout);
  }

  void set_dim(bool dim) {
    if (dim) thought_ = true;
    if (colours_ && dim != dim_) std::fputs(dim ? "\033[2m" : "\033[0m", stdout);
    dim_ = dim;
  }

  void end_line() {
    set_dim(false);
    thought_ = false;
    std::fputs("\n", stdout);
    std::fflush(stdout);
  }

  ModelFolder folder_;
  Engine& engine_;
  const ChatOptions& options_;
  Sampling sampling_;
  uint64_t seed_;
  std::vector<Message> messages_;
  bool colours_;
  bool dim_ = false;      // what the terminal is set to
  bool thought_ = false;  // this answer has shown some of its thought
};

void converse(Conversation& conversation) {
  const bool terminal = isatty(STDIN_FILENO) == 1;
  if (terminal) {
    std::fprintf(stderr, "Ctrl-C stops an answer, /reset starts over, /exit or Ctrl-D leaves.\n");
  }
  std::string line;
  while (true) {
    if (terminal) std::fputs("> ", stderr);
    interrupted.store(false);
    if (!std::getline(std::cin, line)) {
      if (!interrupted.load()) break;
      std::cin.clear();  // Ctrl-C at the prompt: a fresh one
      std::clearerr(stdin);
      std::fputs("\n", stderr);
      continue;
    }
    if (line == "/exit") break;
    if (line == "/reset") {
      conversation.reset();
    } else if (line.find_first_not_of(" \t\r") != std::string::npos) {
      conversation.ask(line);
    }
  }
}

Result<void> run_chat(const ChatOptions& options) {
  BATON_ASSIGN(ModelFolder folder, ModelFolder::open(options.model.model));
  if (!folder.tokenizer || !folder.chat_template) {
    return client_error(Code::unsupported,
                        folder.path.string() + " has no tokenizer or no chat template");
  }
  Sampling sampling = default_sampling(folder.generation);
  if (!options.temperature.empty()) {
    BATON_ASSIGN(const double temperature, parse_number("temperature", options.temperature, 0, 2));
    sampling.temperature = static_cast<float>(temperature);
  }
  const uint64_t seed = options.seed < 0 ? random_seed() : static_cast<uint64_t>(options.seed);
  const EngineOptions engine_options;
  BATON_ASSIGN(std::unique_ptr<Model> model, load_model(folder, options.model, engine_options));
  const SteadyClock clock;
  const std::unique_ptr<Engine> engine = Engine::start(std::move(model), engine_options, clock);
  catch_interrupts();
  Conversation conversation(std::move(folder), *engine, options, std::move(sampling), seed);
  converse(conversation);
  return {};
}

}  // namespace

void add_chat(CLI::App& app, int& exit_code) {
  add_command<ChatOptions>(app, "chat", "A conversation in the terminal", exit_code,
                           [](ChatOptions& options) {
                             log::init("warn");
                             const Result<void> result = run_chat(options);
                             return result ? 0 : fail(result.error());
                           });
}

}  // namespace baton::cli
