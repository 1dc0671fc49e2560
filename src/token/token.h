// The words that every layer speaks. Text never appears here: tokens are ids.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"

namespace baton {

/// A vocabulary index. Negative values are never valid.
using Token = int32_t;

/// One answer being generated, inside one engine.
using SequenceId = uint64_t;

/// A fixed run of KV positions in the pool of one model.
using BlockId = uint32_t;

/// A sequence as the gateway sees it.
using StreamId = uint64_t;

/// Positions per KV block. One value for all models: splits, chunks and the prefix index are cut at
/// multiples of it, and it is the depth of one matrix tile of V (see docs/engine-contract.md).
inline constexpr uint32_t kBlockTokens = 32;

/// Most alternatives a client may ask for at each position.
inline constexpr int kMaxTopLogprobs = 20;

/// What the engine takes in the fields of Sampling; a request and a generation_config.json are held
/// to the same. Doubles, so that a number from JSON compares as it was written.
inline constexpr double kTemperatureMost = 100;
inline constexpr double kTopPLeast = 1e-9;
inline constexpr double kRepetitionPenaltyLeast = 0.01;
inline constexpr double kRepetitionPenaltyMost = 100;

/// The numeric class: two models of equal ClassId give the same bits.
struct ClassId {
  uint64_t value = 0;
  bool operator==(const ClassId&) const = default;
};

/// "fp_" and 16 hex digits: the form in responses and logs.
std::string to_string(ClassId klass);

/// How the next token is drawn. The sampler applies, in this order: penalties, bias, temperature,
/// top-k, top-p, min-p over (logit descending, id ascending); the draw is counter-based.
struct Sampling {
  float temperature = 1.0f;         // below 1e-5: greedy
  float top_p = 1.0f;               // [kTopPLeast, 1]; 1 = off
  int32_t top_k = 0;                // 0 = off
  float min_p = 0.0f;               // [0, 1]; 0 = off
  float repetition_penalty = 1.0f;  // > 0; 1 = off; over prompt and generated tokens
  float presence_penalty = 0.0f;    // over generated tokens
  float frequency_penalty = 0.0f;   // over generated tokens
  std::vector<std::pair<Token, float>> logit_bias = {};
  uint32_t min_tokens = 0;              // stop tokens are masked before this many are generated
  bool ignore_eos = false;              // go on past `eos_tokens` without masking them
  std::vector<Token> eos_tokens = {};   // the model's own; end the sequence unless ignore_eos
  std::vector<Token> stop_tokens = {};  // the request's; always end the sequence
  int32_t logprobs = -1;  // -1: none; 0…kMaxTopLogprobs: the chosen token's and that many best
};

/// One request for one sequence, complete and replayable: the tokens that follow are a pure
/// function of (class, prompt, sampling, seed, choice).
struct TokenRequest {
  StreamId stream = 0;
  uint32_t epoch = 0;
  uint32_t choice = 0;         // index among the n answers of one request; keys the random draw
  std::vector<Token> prompt;   // at least one
  std::vector<Token> emitted;  // generated earlier (failover): continued, not repeated
  Sampling sampling;
  uint64_t seed = 0;
  uint64_t cache_salt = 0;  // prefix blocks are shared only between equal salts
  uint32_t max_tokens = 0;  // of the whole answer, `emitted` included
  int32_t priority = 0;     // larger goes first
  Deadline deadline;
};

enum class Finish : uint8_t {
  stop,       // an EOS or stop token
  length,     // max_tokens or the context is full
  cancelled,  // the reader left
  deadline,   // the request's time is over
  error,      // see Ending::error
};

/// "stop", "length", "cancelled", "deadline" or "error".
const char* to_string(Finish finish);

struct TopLogprob {
  Token token;
  float logprob;
  bool operator==(const TopLogprob&) const = default;
};

/// How a stream ended. Exactly one a stream.
struct Ending {
  Finish finish = Finish::stop;
  Token stop_token = -1;       // the EOS or stop token that completed it, if any
  uint32_t cached_tokens = 0;  // prompt tokens that came from the prefix cache
  uint32_t migrations = 0;
  ClassId klass;
  std::optional<Error> error;  // set for Finish::error
};

/// The next thing a stream says: a token, an ending, or both (stop and length end with their last
/// token; a cancel, deadline or error has no token: token = -1).
struct TokenEvent {
  uint32_t epoch = 0;
  uint32_t position = 0;  // of generated tokens, from 0, `emitted` included
  Token token = -1;
  float logprob = 0.0f;         // natural log, of the unmodified logits; 0 if not asked for
  std::vector<TopLogprob> top;  // best first, ties by lower id
  std::optional<Ending> ending;
  uint32_t cached_tokens = 0;  // as in Ending, for a reader that drops the stream at a stop string
};

}  // namespace baton
