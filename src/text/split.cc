#include "text/split.h"

#include "text/utf8.h"

namespace baton {

const std::string_view kQwen2SplitPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

namespace {

bool is_newline(char c) {
  return c == '\n' || c == '\r';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

}  // namespace

inline Splitter::Char Splitter::read(const char* p) const {
  const uint32_t c = utf8_next(p);
  return {table_.kind(c), p};
}

inline const char* Splitter::skip(const char* p, CharKind kind) const {
  while (p < end_) {
    const Char c = read(p);
    if (c.kind != kind) break;
    p = c.next;
  }
  return p;
}

inline const char* Splitter::contraction(const char* p) const {
  if (p == end_) return nullptr;
  switch (lower(*p)) {
    case 's':
    case 't':
    case 'm':
    case 'd':
      return p + 1;
    case 'r':
    case 'v':
      return end_ - p >= 2 && lower(p[1]) == 'e' ? p + 2 : nullptr;
    case 'l':
      return end_ - p >= 2 && lower(p[1]) == 'l' ? p + 2 : nullptr;
    case '\xC5':  // U+017F, the long s, folds to s
      return p[1] == '\xBF' ? p + 2 : nullptr;
    default:
      return nullptr;
  }
}

inline const char* Splitter::symbols(const char* p) const {
  p = skip(p, CharKind::other);
  while (p < end_ && is_newline(*p)) ++p;
  return p;
}

inline const char* Splitter::spaces(const char* start) const {
  const char* after_newline = nullptr;
  const char* last = start;  // where the last white space of the run begins
  const char* p = start;
  while (p < end_) {
    const Char c = read(p);
    if (c.kind != CharKind::space) break;
    if (is_newline(*p)) after_newline = c.next;
    last = p;
    p = c.next;
  }
  if (after_newline != nullptr) return after_newline;  // \s*[\r\n]+
  if (p == end_ || last == start) return p;            // \s+(?!\S) at the end, or \s+
  return last;  // \s+(?!\S) leaves the last one to what follows
}

const char* Splitter::piece_end(const char* start) const {
  const Char first = read(start);
  if (first.kind == CharKind::letter) return skip(first.next, CharKind::letter);
  if (first.kind == CharKind::number) return first.next;
  if (*start == '\'') {
    if (const char* end = contraction(start + 1)) return end;
  }
  if (first.next < end_ && !is_newline(*start)) {
    const Char second = read(first.next);
    if (second.kind == CharKind::letter) return skip(second.next, CharKind::letter);
    if (*start == ' ' && second.kind == CharKind::other) return symbols(second.next);
  }
  return first.kind == CharKind::other ? symbols(first.next) : spaces(start);
}

std::string_view Splitter::next() {
  if (p_ == end_) return {};
  const char* const start = p_;
  p_ = piece_end(start);
  return {start, static_cast<size_t>(p_ - start)};
}

}  // namespace baton
