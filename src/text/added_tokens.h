// Finding added tokens in a text, leftmost and longest first, as Hugging Face does.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "text/token_trie.h"
#include "text/tokenizer_json.h"

namespace baton {

class AddedTokenMatcher {
 public:
  AddedTokenMatcher() = default;
  explicit AddedTokenMatcher(std::vector<AddedToken> tokens);  // no two of equal content

  struct Match {
    size_t begin = 0, end = 0;  // in the text, stripped white space included
    Token id = -1;              // -1: no match up to the end of the text
  };

  /// The first match at or after `from`. Valid UTF-8 only.
  Match find(std::string_view text, size_t from) const;

  bool empty() const { return tokens_.empty(); }

 private:
  size_t next_start(std::string_view text, size_t from) const;

  std::vector<AddedToken> tokens_;
  TokenTrie trie_;
  bool starts_[256] = {};           // bytes that some token begins with
  std::optional<char> only_start_;  // if all begin with the same: memchr is faster
};

}  // namespace baton
