#include "text/bpe.h"

#include <queue>

namespace baton {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

/// A symbol of the piece in a doubly linked list; `token` is -1 once merged into its left
/// neighbour.
struct Symbol {
  Token token;
  uint32_t previous, next;
};

/// A pair that could be merged when it was found; stale if its symbols changed since.
struct Candidate {
  uint32_t rank;
  uint32_t left, right;  // symbol indices
  Token left_token, right_token, merged;
  bool operator>(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : left > other.left;
  }
};

}  // namespace

Result<Bpe> Bpe::create(const BpeSpec& spec) {
  Bpe bpe;
  std::fill(std::begin(bpe.byte_tokens_), std::end(bpe.byte_tokens_), Token{-1});
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    const std::string& token = spec.tokens[id];
    if (token.size() == 1)
      bpe.byte_tokens_[static_cast<uint8_t>(token[0])] = static_cast<Token>(id);
  }
  for (int byte = 0; byte < 256; ++byte) {
    if (bpe.byte_tokens_[byte] < 0) {
      return client_error(Code::invalid_argument,
                          "the vocabulary has no token for byte " + std::to_string(byte));
    }
  }
  bpe.pairs_ = FlatMap<uint64_t, Ranked>(spec.merges.size());
  for (size_t rank = 0; rank < spec.merges.size(); ++rank) {
    const auto& merge = spec.merges[rank];
    const uint64_t key =
        static_cast<uint64_t>(merge.left) << 32 | static_cast<uint32_t>(merge.right);
    if (!bpe.pairs_.insert(key, {static_cast<uint32_t>(rank), merge.merged})) {
      return client_error(Code::invalid_argument,
                          "merge " + std::to_string(rank) + " is listed twice");
    }
  }
  return bpe;
}

void Bpe::encode(std::string_view piece, std::vector<Token>& out) const {
  encode_by_merging(piece, out);
}

void Bpe::encode_by_merging(std::string_view piece, std::vector<Token>& out) const {
  CHECK(piece.size() < kNone);
  const auto count = static_cast<uint32_t>(piece.size());
  std::vector<Symbol> symbols(count);
  for (uint32_t i = 0; i < count; ++i) {
    symbols[i] = {byte_tokens_[static_cast<uint8_t>(piece[i])], i == 0 ? kNone : i - 1,
                  i + 1 == count ? kNone : i + 1};
  }
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto consider = [&](uint32_t left, uint32_t right) {
    if (left == kNone || right == kNone) return;
    const Token a = symbols[left].token, b = symbols[right].token;
    if (const Ranked* ranked = find(a, b)) {
      queue.push({ranked->rank, left, right, a, b, ranked->merged});
    }
  };
  for (uint32_t i = 0; i + 1 < count; ++i) consider(i, i + 1);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.left];
    Symbol& right = symbols[best.right];
    if (left.token != best.left_token || right.token != best.right_token ||
        left.next != best.right) {
      continue;
    }
    left.token = best.merged;
    left.next = right.next;
    right.token = -1;
    if (left.next != kNone) symbols[left.next].previous = best.left;
    consider(left.previous, best.left);
    consider(best.left, left.next);
  }
  for (uint32_t i = 0; i < count && i != kNone; i = symbols[i].next)
    out.push_back(symbols[i].token);
}

}  // namespace baton
