// A model for tests: the next token is a hash of all tokens so far, of the seed and of the choice,
// so every answer can be computed alone. Special prompts make it misbehave.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "model/model.h"

namespace baton {

class FakeModel final : public Model {
 public:
  // First tokens of prompts that misbehave.
  static constexpr Token kNaN = 1;         // the draw is invalid
  static constexpr Token kOutside = 2;     // the draw is outside the vocabulary
  static constexpr Token kDeviceLost = 3;  // collect() fails

  explicit FakeModel(uint32_t block_count = 64, uint32_t context_tokens = 512) {
    info_.vocab_size = 1000;
    info_.context_tokens = context_tokens;
    info_.block_count = block_count;
    info_.step_tokens_max = 256;
    info_.step_slices_max = 16;
    info_.klass = ClassId{0xfa4e};
    info_.device = "fake";
    info_.dtype = "none";
  }

  static Token next_token(std::span<const Token> prompt, std::span<const Token> generated,
                          uint64_t seed, uint32_t choice) {
    uint64_t h = hash_combine(seed, choice);
    for (Token t : prompt) h = hash_combine(h, static_cast<uint64_t>(t));
    for (Token t : generated) h = hash_combine(h, static_cast<uint64_t>(t));
    return static_cast<Token>(h % 1000);
  }

  /// Called at the start of each collect(), on the engine's thread.
  std::function<void()> on_step;

  const ModelInfo& info() const override { return info_; }
  MemoryPlan memory() const override { return {}; }

  void launch(std::span<const Slice> slices, std::span<const BlockId> fresh) override {
    for (BlockId block : fresh) CHECK(block < info_.block_count);
    sampled_.clear();
    lost_ = false;
    for (const Slice& slice : slices) {
      CHECK(!slice.tokens.empty());
      CHECK(slice.blocks.size() * kBlockTokens >= slice.start + slice.tokens.size());
      if (slice.sample.sampling == nullptr) continue;
      const SampleSpec& spec = slice.sample;
      const Token behaviour = spec.prompt.front();
      Sampled s;
      s.sequence = slice.sequence;
      s.token = next_token(spec.prompt, spec.generated, spec.seed, spec.choice);
      s.valid = behaviour != kNaN;
      if (behaviour == kOutside) s.token = 1000;
      if (spec.sampling->logprobs >= 0) {
        s.logprob = -0.5f;
        s.top = {{s.token, -0.5f}};
      }
      lost_ = lost_ || behaviour == kDeviceLost;
      sampled_.push_back(s);
    }
  }

  Result<std::span<const Sampled>> collect() override {
    if (on_step) on_step();
    if (lost_) return self_error(Code::unavailable, "the fake device fell off the bus");
    return std::span<const Sampled>(sampled_);
  }

 private:
  ModelInfo info_;
  std::vector<Sampled> sampled_;
  bool lost_ = false;
};

}  // namespace baton
