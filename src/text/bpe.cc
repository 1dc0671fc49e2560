#include "text/bpe.h"

#include <array>
#include <queue>

namespace baton {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

/// A symbol of the piece in a doubly linked list; `part` is kNone once merged into its left one.
struct Symbol {
  uint32_t part;
  uint32_t previous, next;
};

/// A pair that could be merged when it was found; stale if its symbols changed since.
struct Candidate {
  uint32_t rank;
  uint32_t left, right;  // indices of symbols
  uint32_t left_part, right_part, merged;
  bool operator>(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : left > other.left;
  }
};

Error wrong(std::string what) {
  return client_error(Code::invalid_argument, std::move(what));
}

}  // namespace

Result<Bpe> Bpe::create(const BpeSpec& spec) {
  Bpe bpe;
  BATON_ASSIGN(const std::vector<Part> part_of, bpe.number_tokens(spec));
  BATON_TRY(bpe.read_merges(spec, part_of));
  if (bpe.ordered_) BATON_TRY(bpe.prepare_search(spec, part_of));
  return bpe;
}

/// Fills ids_ and gives the number of every id.
Result<std::vector<Bpe::Part>> Bpe::number_tokens(const BpeSpec& spec) {
  std::vector<Part> part_of(spec.tokens.size(), kNone);
  ids_.assign(kBytes, -1);
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    const std::string& token = spec.tokens[id];
    if (token.size() != 1) continue;
    const Part byte = static_cast<uint8_t>(token[0]);
    if (ids_[byte] >= 0) return wrong("byte " + std::to_string(byte) + " has two tokens");
    ids_[byte] = static_cast<Token>(id);
    part_of[id] = byte;
  }
  for (Part byte = 0; byte < kBytes; ++byte) {
    if (ids_[byte] < 0) return wrong("no token for byte " + std::to_string(byte));
  }
  for (const BpeSpec::Merge& merge : spec.merges) {
    for (const Token id : {merge.left, merge.right, merge.merged}) {
      if (id < 0 || static_cast<size_t>(id) >= spec.tokens.size()) {
        return wrong("a merge names token " + std::to_string(id) + ", which does not exist");
      }
    }
    Part& part = part_of[static_cast<size_t>(merge.merged)];
    if (part != kNone) continue;
    part = static_cast<Part>(ids_.size());
    ids_.push_back(merge.merged);
  }
  if (ids_.size() >= PackedMap::kMaxPart || spec.merges.size() > PackedMap::kMaxValue) {
    return client_error(Code::too_large, "more than 2^21 merges");
  }
  return part_of;
}

/// Fills ranks_, merged_ and ordered_.
Result<void> Bpe::read_merges(const BpeSpec& spec, const std::vector<Part>& part_of) {
  ranks_ = PackedMap(spec.merges.size());
  ordered_ = ids_.size() == kBytes + spec.merges.size();  // else some token is made twice
  for (size_t rank = 0; rank < spec.merges.size(); ++rank) {
    const BpeSpec::Merge& merge = spec.merges[rank];
    const Part left = part_of[static_cast<size_t>(merge.left)];
    const Part right = part_of[static_cast<size_t>(merge.right)];
    merged_.push_back(part_of[static_cast<size_t>(merge.merged)]);
    if (left == kNone || right == kNone) {  // nothing ever makes its parts
      ordered_ = false;
      continue;
    }
    ordered_ = ordered_ && left < merged_.back() && right < merged_.back();
    if (!ranks_.insert(PackedMap::key(left, right), static_cast<uint32_t>(rank))) {
      return wrong("merge " + std::to_string(rank) + " is listed twice");
    }
  }
  return {};
}

Result<void> Bpe::prepare_search(const BpeSpec& spec, const std::vector<Part>& part_of) {
  made_of_.reserve(ids_.size());
  for (Part byte = 0; byte < kBytes; ++byte) made_of_.push_back({byte, byte});
  for (const BpeSpec::Merge& merge : spec.merges) {
    made_of_.push_back(
        {part_of[static_cast<size_t>(merge.left)], part_of[static_cast<size_t>(merge.right)]});
  }
  // A token whose own bytes encode to something else never comes to be: earlier merges take its
  // bytes apart in every text.
  std::vector<std::string_view> keys(ids_.size());
  for (Part part = 0; part < ids_.size(); ++part) {
    const std::string_view text = spec.tokens[static_cast<size_t>(ids_[part])];
    const Merge merge = made_of_[part];
    const bool exists = part < kBytes || (!keys[merge.left].empty() && !keys[merge.right].empty() &&
                                          stay_apart(merge.left, merge.right, part));
    if (exists) keys[part] = text;
    lengths_.push_back(static_cast<uint16_t>(text.size()));
  }
  auto trie = TokenTrie::create(keys);
  if (!trie) return client_error(Code::too_large, "more than 2^21 prefixes of tokens");
  trie_ = *std::move(trie);
  return {};
}

bool Bpe::stay_apart(Part left, Part right, Part limit) const {
  // Undoes merges on both sides of the border, the latest first, and asks at every stage whether
  // the two symbols that then touch would have been merged before the next stage came about.
  for (;;) {
    if (const uint32_t rank = rank_of(left, right); rank != kNoMerge && kBytes + rank < limit) {
      return false;
    }
    // Of equal symbols the left one was made first. Bytes have the lowest numbers: once the greater
    // is a byte, both are.
    if (left > right) {
      if (left < kBytes) return true;
      limit = left;
      left = made_of_[left].right;
    } else {
      if (right < kBytes) return true;
      limit = right + 1;
      right = made_of_[right].left;
    }
  }
}

/// The depth-first search of one piece. Its state is the tokens so far, at the end of `out`.
class Bpe::Search {
 public:
  Search(const Bpe& bpe, std::string_view piece, std::vector<Token>& out)
      : bpe_(bpe), piece_(piece), out_(out), base_(out.size()) {
    if (piece.size() / 64 >= kShortWords) {
      long_dead_.resize(piece.size() / 64 + 1);
      dead_ = long_dead_.data();
    }
  }

  /// `candidate` is the longest token at the begin of the piece.
  void run(Part candidate) {
    for (;;) {
      const size_t end = at_ + bpe_.lengths_[candidate];
      if (!is_dead(end) && fits(candidate)) {
        out_.push_back(static_cast<Token>(candidate));
        at_ = end;
        if (at_ == piece_.size()) break;
        candidate = bpe_.trie_.longest_prefix(piece_.substr(at_));
        continue;
      }
      candidate = bpe_.trie_.shorter(candidate);
      while (candidate == TokenTrie::kNone) candidate = back();
    }
    for (size_t i = base_; i < out_.size(); ++i) {
      out_[i] = bpe_.ids_[static_cast<size_t>(out_[i])];
    }
  }

 private:
  static constexpr size_t kShortWords = 4;  // pieces below 256 bytes need no allocation

  bool fits(Part candidate) const {
    return out_.size() == base_ ||
           bpe_.stay_apart(static_cast<Part>(out_.back()), candidate, UINT32_MAX);
  }

  /// No token leads on from here: takes the last one back and gives the next candidate instead.
  Part back() {
    CHECK(out_.size() > base_);  // every text has an encoding
    dead_[at_ / 64] |= uint64_t{1} << at_ % 64;
    const auto last = static_cast<Part>(out_.back());
    out_.pop_back();
    at_ -= bpe_.lengths_[last];
    return bpe_.trie_.shorter(last);
  }

  bool is_dead(size_t at) const { return dead_[at / 64] >> at % 64 & 1; }

  const Bpe& bpe_;
  const std::string_view piece_;
  std::vector<Token>& out_;
  const size_t base_;
  size_t at_ = 0;
  std::array<uint64_t, kShortWords> short_dead_ = {};
  std::vector<uint64_t> long_dead_;
  uint64_t* dead_ = short_dead_.data();  // bit i: no encoding has a border at byte i
};

void Bpe::encode(std::string_view piece, std::vector<Token>& out) const {
  if (piece.empty()) return;
  if (!ordered_) return encode_by_merging(piece, out);
  const Part longest = trie_.longest_prefix(piece);
  if (lengths_[longest] == piece.size()) {
    out.push_back(ids_[longest]);
  } else {
    Search(*this, piece, out).run(longest);
  }
}

void Bpe::encode_by_merging(std::string_view piece, std::vector<Token>& out) const {
  CHECK(piece.size() < kNone);
  const auto count = static_cast<uint32_t>(piece.size());
  std::vector<Symbol> symbols(count);
  for (uint32_t i = 0; i < count; ++i) {
    symbols[i] = {static_cast<uint8_t>(piece[i]), i == 0 ? kNone : i - 1,
                  i + 1 == count ? kNone : i + 1};
  }
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto consider = [&](uint32_t left, uint32_t right) {
    if (left == kNone || right == kNone) return;
    const Part a = symbols[left].part, b = symbols[right].part;
    if (const uint32_t rank = rank_of(a, b); rank != kNoMerge) {
      queue.push({rank, left, right, a, b, merged_[rank]});
    }
  };
  for (uint32_t i = 0; i + 1 < count; ++i) consider(i, i + 1);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.left];
    Symbol& right = symbols[best.right];
    if (left.part != best.left_part || right.part != best.right_part || left.next != best.right) {
      continue;
    }
    left.part = best.merged;
    left.next = right.next;
    right.part = kNone;
    if (left.next != kNone) symbols[left.next].previous = best.left;
    consider(left.previous, best.left);
    consider(best.left, left.next);
  }
  for (uint32_t i = 0; i < count; i = symbols[i].next) out.push_back(ids_[symbols[i].part]);
}

}  // namespace baton
