#include "text/added_tokens.h"

#include <algorithm>
#include <iterator>

#include "text/unicode.h"
#include "text/utf8.h"

namespace baton {
namespace {

bool is_space_at(const char* p) {
  return UnicodeTable::get().kind(utf8_next(p)) == CharKind::space;
}

size_t strip_left(std::string_view text, size_t begin, size_t limit) {
  while (begin > limit) {
    size_t previous = begin - 1;
    while (previous > limit && (static_cast<uint8_t>(text[previous]) & 0xC0) == 0x80) --previous;
    if (!is_space_at(text.data() + previous)) break;
    begin = previous;
  }
  return begin;
}

size_t strip_right(std::string_view text, size_t end) {
  const char* p = text.data() + end;
  while (p < text.data() + text.size() && is_space_at(p)) utf8_next(p);
  return static_cast<size_t>(p - text.data());
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::vector<std::string_view> contents;
  for (const AddedToken& token : tokens_) {
    contents.push_back(token.content);
    starts_[static_cast<uint8_t>(token.content[0])] = true;
  }
  if (std::count(std::begin(starts_), std::end(starts_), true) == 1) {
    only_start_ = tokens_[0].content[0];
  }
  auto trie = TokenTrie::create(contents);
  CHECK(trie);  // kMaxAddedTokens × kMaxAddedTokenBytes fit
  trie_ = *std::move(trie);
}

/// The first position from `from` on where a token could begin, or the end of the text.
size_t AddedTokenMatcher::next_start(std::string_view text, size_t from) const {
  if (only_start_) return std::min(text.find(*only_start_, from), text.size());
  while (from < text.size() && !starts_[static_cast<uint8_t>(text[from])]) ++from;
  return from;
}

AddedTokenMatcher::Match AddedTokenMatcher::find(std::string_view text, size_t from) const {
  for (size_t i = next_start(text, from); i < text.size(); i = next_start(text, i + 1)) {
    const uint32_t found = trie_.longest_prefix(text.substr(i));
    if (found == TokenTrie::kNone) continue;
    const AddedToken& token = tokens_[found];
    Match match{i, i + token.content.size(), token.id};
    if (token.lstrip) match.begin = strip_left(text, match.begin, from);
    if (token.rstrip) match.end = strip_right(text, match.end);
    return match;
  }
  return {text.size(), text.size(), -1};
}

}  // namespace baton
