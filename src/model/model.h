// The engine's one virtual boundary: a forward pass over a batch of slices, crossed once a step.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "token/token.h"

namespace baton {

/// What the engine must know of a model.
struct ModelInfo {
  uint32_t vocab_size = 0;
  uint32_t context_tokens = 0;   // prompt + answer, at most
  uint32_t block_count = 0;      // KV blocks in the pool; BlockId < block_count
  uint32_t step_tokens_max = 0;  // most tokens that one launch() accepts, over all slices
  uint32_t step_slices_max = 0;  // most slices that one launch() accepts
  ClassId klass;
  std::string device;  // "cpu (avx512, 2 threads)"
  std::string dtype;   // "bf16"
};

/// Bytes, so that nobody is surprised.
struct MemoryPlan {
  uint64_t weight_bytes = 0;
  uint64_t kv_bytes = 0;
  uint64_t scratch_bytes = 0;
};

/// What the sampler needs to draw the token that follows a slice. Spans outlive the step.
struct SampleSpec {
  const Sampling* sampling = nullptr;
  uint64_t seed = 0;
  uint32_t choice = 0;
  std::span<const Token> prompt;     // the whole prompt
  std::span<const Token> generated;  // all generated tokens so far; its size is the draw's position
};

/// The tokens of one sequence in a step: positions [start, start + tokens.size()).
/// `blocks[p / kBlockTokens]` holds position p; the table covers start + tokens.size() positions.
/// A token is drawn only where `sample.sampling` is set: then the slice ends at the last known
/// token.
struct Slice {
  SequenceId sequence = 0;
  uint32_t start = 0;
  std::span<const Token> tokens;
  std::span<const BlockId> blocks;
  SampleSpec sample;
};

/// The draw that follows one slice. `valid` is false where the logits were not finite: such a token
/// must never leave the engine.
struct Sampled {
  SequenceId sequence = 0;
  Token token = -1;
  bool valid = false;
  float logprob = 0.0f;
  std::vector<TopLogprob> top;
};

class Model {
 public:
  virtual ~Model() = default;
  virtual const ModelInfo& info() const = 0;
  virtual MemoryPlan memory() const = 0;

  /// Starts one step. `fresh` lists blocks that changed hands since the last step: their KV is
  /// zeroed before use (0 · NaN is NaN). Spans stay valid until collect() returns.
  virtual void launch(std::span<const Slice> slices, std::span<const BlockId> fresh) = 0;

  /// Waits for the step; one Sampled per slice that asked for one, in slice order. An error means
  /// the device is lost: the process should end its streams honestly and exit.
  virtual Result<std::span<const Sampled>> collect() = 0;
};

}  // namespace baton
