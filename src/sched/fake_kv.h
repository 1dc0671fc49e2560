// A model for tests of the scheduler: its KV cells remember which tokens they were computed from,
// and its next token is a hash of what it reads there. Any stale, missing or foreign cell fails at
// once.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "sched/scheduler.h"

namespace baton {

class FakeKv {
 public:
  explicit FakeKv(uint32_t block_count) : blocks_(block_count) {}

  /// The token after `tokens`, computed alone. Two sequences differ by `seed` only.
  static Token next_token(std::span<const Token> tokens, uint64_t seed, uint32_t vocab) {
    uint64_t content = 0;
    for (Token token : tokens) content = hash_combine(content, static_cast<uint64_t>(token));
    return draw(content, seed, tokens.size(), vocab);
  }

  void zero(std::span<const BlockId> fresh) {
    for (BlockId block : fresh) blocks_.at(block) = {};
  }

  /// Runs one slice. Positions >= `poison_from` come out as NaN would. Returns the draw where the
  /// slice samples; the first broken rule is left in error().
  Draw run(const PlannedSlice& slice, uint64_t salt, uint64_t seed, uint32_t vocab,
           uint32_t poison_from = UINT32_MAX) {
    const uint32_t end = slice.start + static_cast<uint32_t>(slice.tokens.size());
    if (slice.blocks.size() * kBlockTokens < end) fail(slice, 0, "the block table is too short");
    uint64_t content = 0;
    bool poisoned = false;
    for (uint32_t p = 0; p < end && error_.empty(); ++p) {
      content = hash_combine(content, static_cast<uint64_t>(token_at(slice, p)));
      Cell& cell = blocks_.at(slice.blocks[p / kBlockTokens])[p % kBlockTokens];
      if (p < slice.start) {
        if (!cell.written) fail(slice, p, "reads a cell that was never computed");
        if (cell.content != content) fail(slice, p, "reads a cell of other tokens");
        if (cell.salt != salt) fail(slice, p, "reads a cell of another salt");
      } else {
        if (cell.written) fail(slice, p, "writes a cell that is in use or was not zeroed");
        if (slice.tokens[p - slice.start] != token_at(slice, p)) fail(slice, p, "wrong token");
        cell = {true, poisoned || p >= poison_from, salt, content};
      }
      poisoned = poisoned || cell.poisoned;
    }
    if (!slice.samples) return {};
    return {draw(content, seed, end, vocab), !poisoned};
  }

  const std::string& error() const { return error_; }

 private:
  struct Cell {
    bool written = false;
    bool poisoned = false;
    uint64_t salt = 0;
    uint64_t content = 0;  // of all tokens up to here
  };

  static Token draw(uint64_t content, uint64_t seed, uint64_t position, uint32_t vocab) {
    return static_cast<Token>(hash_combine(hash_combine(content, seed), position) % vocab);
  }

  static Token token_at(const PlannedSlice& slice, uint32_t p) {
    return p < slice.prompt.size() ? slice.prompt[p] : slice.generated[p - slice.prompt.size()];
  }

  void fail(const PlannedSlice& slice, uint32_t position, const char* what) {
    if (!error_.empty()) return;
    error_ = "sequence " + std::to_string(slice.sequence) + " at position " +
             std::to_string(position) + " " + what;
  }

  std::vector<std::array<Cell, kBlockTokens>> blocks_;
  std::string error_;
};

}  // namespace baton
