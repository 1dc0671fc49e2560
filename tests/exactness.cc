// Exactness by bytes: the same requests under every arrangement of the work give the same tokens
// and the same logprob bits.
//
//   exactness [--requests 200] [--plain-requests 24] [--dtype bf16|fp32] [--seed 1]
//
// The model is a small one with random weights and ragged sizes. The reference runs each request
// alone, its prompt in one step, without prefix cache, on one thread. Prompt lengths straddle every
// block (32), attention split (256) and chunk border, up to 3,000 tokens.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "engine/engine.h"
#include "model/cpu_model.h"

namespace baton {
namespace {

constexpr uint32_t kVocabulary = 1031;
constexpr uint32_t kContext = 4096;

struct Arguments {
  size_t requests = 200;
  size_t plain_requests = 24;  // the plain path is slow: its share is smaller and shorter
  DType dtype = DType::bf16;
  uint64_t seed = 1;
};

/// How one run arranges the work.
struct Arrangement {
  std::string name;
  CpuIsa isa = CpuIsa::plain;
  uint32_t threads = 1;
  uint32_t batch_max = 1;
  uint32_t step_tokens = kContext;
  bool prefix_cache = false;
  uint64_t kv_tokens = 64 * 1024;
  size_t rounds = 1;      // how often the whole list is sent (a second time hits the cache)
  bool resume = false;    // send the second half with the first half's answer as `emitted`
  bool displace = false;  // each request arrives in the middle of the one before and displaces it
};

struct Answer {
  std::vector<Token> tokens;
  std::vector<float> logprobs;
  std::vector<TopLogprob> top;
  Finish finish = Finish::error;
  bool complete = false;

  bool operator==(const Answer& other) const {
    return tokens == other.tokens && finish == other.finish &&
           logprobs.size() == other.logprobs.size() && top.size() == other.top.size() &&
           std::memcmp(logprobs.data(), other.logprobs.data(), logprobs.size() * sizeof(float)) ==
               0 &&
           std::memcmp(top.data(), other.top.data(), top.size() * sizeof(TopLogprob)) == 0;
  }
};

std::filesystem::path write_config() {
  char folder[] = "/tmp/baton-exactness-XXXXXX";
  if (mkdtemp(folder) == nullptr) std::abort();
  std::ofstream(std::filesystem::path(folder) / "config.json")
      << R"({"architectures":["Qwen2ForCausalLM"],"model_type":"qwen2","vocab_size":)"
      << kVocabulary << R"(,"hidden_size":192,"intermediate_size":304,"num_hidden_layers":2,)"
      << R"("num_attention_heads":6,"num_key_value_heads":2,"head_dim":64,"rms_norm_eps":1e-6,)"
      << R"("rope_theta":10000.0,"max_position_embeddings":)" << kContext
      << R"(,"hidden_act":"silu","tie_word_embeddings":false,"torch_dtype":"bfloat16",)"
      << R"("eos_token_id":0})";
  return folder;
}

std::vector<TokenRequest> make_requests(size_t count, uint64_t seed, uint32_t longest) {
  static const uint32_t kBorders[] = {1,   32,  64,  96,   128,  256, 512,
                                      768, 100, 700, 1024, 2048, 3000};
  std::mt19937_64 random(seed);
  auto below = [&](uint64_t n) { return random() % n; };
  std::vector<Token> shared(kContext);  // prompts share prefixes, so that the cache has work
  for (Token& token : shared) token = static_cast<Token>(below(kVocabulary));
  std::vector<TokenRequest> requests(count);
  for (size_t i = 0; i < count; ++i) {
    TokenRequest& request = requests[i];
    const uint32_t border = kBorders[below(std::size(kBorders))];
    const uint32_t length = static_cast<uint32_t>(std::clamp<int64_t>(
        static_cast<int64_t>(border) + static_cast<int64_t>(below(5)) - 2, 1, longest));
    const uint32_t common = static_cast<uint32_t>(below(length + 1));
    request.prompt.assign(shared.begin(), shared.begin() + common);
    while (request.prompt.size() < length) {
      request.prompt.push_back(static_cast<Token>(below(kVocabulary)));
    }
    request.stream = i;
    request.seed = random();
    request.choice = static_cast<uint32_t>(below(3));
    request.max_tokens = static_cast<uint32_t>(2 + below(below(4) == 0 ? 200 : 40));
    request.priority = static_cast<int32_t>(below(3));
    Sampling& sampling = request.sampling;
    sampling.logprobs = 5;
    sampling.ignore_eos = below(2) == 0;
    sampling.eos_tokens = {0};
    sampling.temperature = below(2) == 0 ? 0.0f : 0.8f;
    if (below(3) == 0) sampling.top_p = 0.9f;
    if (below(4) == 0) sampling.top_k = 40;
    if (below(4) == 0) sampling.repetition_penalty = 1.2f;
    if (below(4) == 0) sampling.frequency_penalty = 0.5f;
  }
  return requests;
}

/// Waits for the next events and appends them.
void read_events(Mailbox& mailbox, Answer& answer) {
  for (const TokenEvent& event : mailbox.wait()) {
    if (event.token >= 0) {
      answer.tokens.push_back(event.token);
      answer.logprobs.push_back(event.logprob);
      answer.top.insert(answer.top.end(), event.top.begin(), event.top.end());
    }
    if (event.ending) {
      answer.finish = event.ending->finish;
      answer.complete = true;
    }
  }
}

/// With `resume`: what a replica does that takes over in the middle. The first half of the known
/// answer is given as emitted; the answer is that half and what the engine adds.
void give_first_half(TokenRequest& request, const Answer& known) {
  request.emitted.assign(known.tokens.begin(),
                         known.tokens.begin() + static_cast<ptrdiff_t>(known.tokens.size() / 2));
}

Answer with_first_half(const Answer& known, Answer rest) {
  const size_t half = known.tokens.size() / 2;
  const size_t top = half == 0 ? 0 : known.top.size() / known.tokens.size() * half;
  Answer whole = known;
  whole.tokens.resize(half);
  whole.logprobs.resize(half);
  whole.top.resize(top);
  whole.tokens.insert(whole.tokens.end(), rest.tokens.begin(), rest.tokens.end());
  whole.logprobs.insert(whole.logprobs.end(), rest.logprobs.begin(), rest.logprobs.end());
  whole.top.insert(whole.top.end(), rest.top.begin(), rest.top.end());
  whole.finish = rest.finish;
  return whole;
}

class Runner {
 public:
  Runner(std::filesystem::path folder, const Arguments& arguments)
      : folder_(std::move(folder)), arguments_(arguments) {}

  std::vector<Answer> run(const Arrangement& how, const std::vector<TokenRequest>& requests,
                          const std::vector<Answer>& known) {
    CpuModelOptions options;
    options.dtype = arguments_.dtype;
    options.isa = how.isa;
    options.threads = how.threads;
    options.kv_tokens = how.kv_tokens;
    options.step_tokens_max = how.step_tokens;
    options.step_slices_max = how.batch_max;
    auto model = random_cpu_model(folder_, 7, options);
    if (!model) {
      std::fprintf(stderr, "%s: %s\n", how.name.c_str(), model.error().message.c_str());
      std::exit(1);
    }
    EngineOptions engine_options;
    engine_options.batch_max = how.batch_max;
    engine_options.step_tokens = how.step_tokens;
    engine_options.queue_max = static_cast<uint32_t>(requests.size());
    engine_options.prefix_cache = how.prefix_cache;
    const auto engine = Engine::start(std::move(model).value(), engine_options, clock_);

    std::vector<Answer> answers;
    for (size_t round = 0; round < how.rounds; ++round) {
      answers.clear();
      std::vector<std::shared_ptr<Mailbox>> mailboxes;
      answers.resize(requests.size());
      for (size_t i = 0; i < requests.size(); ++i) {
        TokenRequest request = requests[i];
        if (how.resume) give_first_half(request, known[i]);
        if (how.displace) request.priority = static_cast<int32_t>(i);
        auto mailbox = engine->submit(std::move(request));
        if (!mailbox) {
          std::fprintf(stderr, "%s: %s\n", how.name.c_str(), mailbox.error().message.c_str());
          std::exit(1);
        }
        mailboxes.push_back(std::move(mailbox).value());
        if (how.displace) read_events(*mailboxes.back(), answers[i]);
      }
      for (size_t i = 0; i < mailboxes.size(); ++i) {
        while (!answers[i].complete) read_events(*mailboxes[i], answers[i]);
      }
    }
    if (how.resume) {
      for (size_t i = 0; i < answers.size(); ++i) {
        answers[i] = with_first_half(known[i], std::move(answers[i]));
      }
    }
    stats_ = engine->stats();
    return answers;
  }

  const EngineStats& stats() const { return stats_; }

 private:
  std::filesystem::path folder_;
  const Arguments& arguments_;
  SteadyClock clock_;
  EngineStats stats_;
};

std::vector<Arrangement> arrangements(CpuIsa isa) {
  std::vector<Arrangement> list;
  auto add = [&](std::string name) -> Arrangement& {
    list.push_back({std::move(name)});
    list.back().isa = isa;
    return list.back();
  };
  {
    Arrangement& a = add("in batches up to 32");
    a.batch_max = 32;
  }
  for (const uint32_t chunk : {33u, 100u, 512u}) {
    Arrangement& a = add("steps of " + std::to_string(chunk) + " tokens, batches up to 8");
    a.step_tokens = chunk;
    a.batch_max = 8;
  }
  {
    Arrangement& a = add("prefix cache, cold then cached");
    a.batch_max = 16;
    a.step_tokens = 1024;
    a.prefix_cache = true;
    a.rounds = 2;
  }
  {
    Arrangement& a = add("small KV pool");
    a.batch_max = 32;
    a.step_tokens = 512;
    a.kv_tokens = 3'200;
  }
  for (const bool cache : {false, true}) {
    Arrangement& a =
        add(std::string("each preempted and resumed") + (cache ? ", prefix cache" : ""));
    a.step_tokens = 512;
    a.prefix_cache = cache;
    a.displace = true;
  }
  {
    Arrangement& a = add("small KV pool with prefix cache");
    a.batch_max = 32;
    a.step_tokens = 512;
    a.kv_tokens = 3'200;
    a.prefix_cache = true;
  }
  {
    Arrangement& a = add("continued from half of the answer");
    a.batch_max = 16;
    a.step_tokens = 700;
    a.resume = true;
  }
  for (const uint32_t threads : {2u, 3u}) {
    Arrangement& a = add(std::to_string(threads) + " threads");
    a.threads = threads;
    a.batch_max = 12;
    a.step_tokens = 640;
  }
  return list;
}

/// An arrangement that did not do what it is there for proves nothing.
std::string why_pointless(const Arrangement& how, const EngineStats& stats, size_t requests) {
  if (how.displace && stats.preemptions < requests * 3 / 4) return ", but few were preempted";
  if (how.prefix_cache && stats.prefix_hit_tokens == 0) return ", but nothing was cached";
  if (how.batch_max > 1 && stats.batch_largest < 2) return ", but nothing ran side by side";
  return {};
}

struct Tally {
  size_t runs = 0;
  size_t failed = 0;
};

void report(Tally& tally, const std::string& name, const std::vector<Answer>& answers,
            const std::vector<Answer>& reference, const std::string& pointless = {}) {
  size_t equal = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    if (answers[i] == reference[i]) {
      ++equal;
    } else {
      std::printf("  request %zu differs\n", i);
    }
  }
  const bool good = equal == answers.size() && pointless.empty();
  ++tally.runs;
  tally.failed += good ? 0 : 1;
  std::printf("%-52s %zu/%zu equal%s%s\n", name.c_str(), equal, answers.size(), pointless.c_str(),
              good ? "" : "  FAILED");
  std::fflush(stdout);
}

int run(const Arguments& arguments) {
  const auto folder = write_config();
  Runner runner(folder, arguments);
  const CpuIsa best = best_isa();
  const auto requests = make_requests(arguments.requests, arguments.seed, 3000);
  Arrangement alone;
  alone.isa = best;
  const std::vector<Answer> reference = runner.run(alone, requests, {});
  size_t tokens = 0;
  for (const Answer& answer : reference) {
    const bool ended = answer.finish == Finish::stop || answer.finish == Finish::length;
    if (!ended || answer.tokens.empty()) {
      std::printf("the reference itself has no answer: nothing to compare with\n");
      return 1;
    }
    tokens += answer.tokens.size();
  }
  std::printf("%zu requests, %zu tokens answered, %s, seed %llu; reference: alone on %s\n",
              requests.size(), tokens, std::string(to_string(arguments.dtype)).c_str(),
              static_cast<unsigned long long>(arguments.seed),
              std::string(to_string(best)).c_str());

  Tally tally;
  for (const Arrangement& how : arrangements(best)) {
    const auto answers = runner.run(how, requests, reference);
    report(tally, how.name, answers, reference,
           why_pointless(how, runner.stats(), requests.size()));
  }
  for (const CpuIsa isa : {CpuIsa::amx, CpuIsa::avx512, CpuIsa::avx2}) {
    const std::string name = "path " + std::string(to_string(isa));
    if (isa == best) continue;
    if (isa > best) {
      std::printf("%-52s skipped: this processor lacks it\n", name.c_str());
      continue;
    }
    Arrangement how = alone;
    how.isa = isa;
    how.batch_max = 16;
    report(tally, name, runner.run(how, requests, reference), reference);
  }
  const auto short_requests = make_requests(arguments.plain_requests, arguments.seed + 1, 300);
  const auto short_reference = runner.run(alone, short_requests, {});
  Arrangement plain = alone;
  plain.isa = CpuIsa::plain;
  plain.threads = 0;
  plain.batch_max = 16;
  report(tally, "path plain, prompts up to 300", runner.run(plain, short_requests, short_reference),
         short_reference);
  std::filesystem::remove_all(folder);
  std::printf("%zu arrangements equal, %zu not\n", tally.runs - tally.failed, tally.failed);
  return tally.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) {
  baton::log::init("warn");
  baton::Arguments arguments;
  const auto wrong = [](const std::string& what) {
    std::fprintf(stderr, "exactness: %s\n", what.c_str());
    return 2;
  };
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) return wrong(name + " needs a value");
    const std::string value = argv[i + 1];
    char* end = nullptr;
    const unsigned long long number = std::strtoull(value.c_str(), &end, 10);
    const bool is_number = end != value.c_str() && *end == '\0' && number > 0 && number <= 100'000;
    if (name == "--dtype" && (value == "fp32" || value == "bf16")) {
      arguments.dtype = value == "fp32" ? baton::DType::fp32 : baton::DType::bf16;
    } else if (name == "--requests" && is_number) {
      arguments.requests = number;
    } else if (name == "--plain-requests" && is_number) {
      arguments.plain_requests = number;
    } else if (name == "--seed" && is_number) {
      arguments.seed = number;
    } else {
      return wrong("wrong option " + name + " " + value);
    }
  }
  return baton::run(arguments);
}
