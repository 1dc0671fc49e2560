// Ids of one answer → text to send, token by token. A pure function of the token list: replaying
// the same ids gives the same deltas.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace baton {

struct StreamDecoderOptions {
  std::vector<std::string> stop = {};  // up to 16 strings, none empty
  bool include_stop = false;           // keep the stop string in the text
  uint32_t min_tokens = 0;             // stop strings that an earlier token completes are text
  bool skip_special = true;
  bool split_reasoning = true;       // false: everything is content, `</think>` included
  bool starts_in_reasoning = false;  // the prompt ended inside a thought
};

/// Never emits half a UTF-8 character, nor text that may yet become part of a stop string; splits
/// reasoning from content at `</think>` by its id.
///
/// - Without a stop string and without a split, the contents of all deltas joined are decode() of
///   all ids.
/// - Stop strings are sought in that text, thought and `</think>` included. The match that ends
///   first wins; of those that end together, the one that begins first. So, min_tokens apart, the
///   result depends on the text only, not on how tokens cut it.
/// - With a split, `</think>` belongs to neither part, nor do the newlines before it and up to two
///   newlines directly after it. A `<think>` opens a thought only as the very first token.
class StreamDecoder {
 public:
  struct Delta {
    std::string reasoning;
    std::string content;
    bool stopped = false;  // a stop string is complete: the answer ends with this token
    bool empty() const { return reasoning.empty() && content.empty(); }
  };

  /// Without a tokenizer all text is empty.
  StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, StreamDecoderOptions options);

  /// Takes the next token. After a delta with `stopped` no more tokens may be pushed.
  Delta push(Token token);

  /// The stream ended: gives out what was held back (an incomplete character as U+FFFD).
  Delta finish();

  /// Tokens up to and including `</think>`; all so far if the thought has not ended.
  uint32_t reasoning_tokens() const { return reasoning_tokens_; }
  bool in_reasoning() const { return in_reasoning_; }
  const std::string& stop_string() const { return stop_string_; }

 private:
  /// A stop string and how much of it the text so far ends with (Knuth, Morris and Pratt).
  struct Stop {
    std::string text;
    std::vector<uint32_t> fallback;  // by matched length: the next shorter match
    uint32_t matched = 0;
  };
  /// A `<think>` or `</think>` inside `held_`: not text, but a change of part.
  struct Switch {
    size_t begin, end;
    bool to_reasoning;
  };

  static Stop make_stop(std::string text);
  static bool advance(Stop& stop, char c);  // true: complete
  bool observe(Token token);                // counts the token; true: it switches parts
  void add_bytes(std::string_view bytes);   // → whole characters in `held_`
  void scan(Delta& delta);                  // stop strings in the new part of `held_`
  void release(size_t count, Delta& delta);
  void emit(std::string_view text, Delta& delta);

  std::shared_ptr<const Tokenizer> tokenizer_;
  StreamDecoderOptions options_;
  std::optional<Token> think_open_, think_close_;
  std::vector<Stop> stops_;
  std::string stop_string_;

  // Of the tokens pushed.
  uint32_t tokens_ = 0, reasoning_tokens_ = 0;
  bool in_reasoning_ = false;

  // Of the text on its way out: partial_ → held_ → a delta.
  std::string partial_;           // the first bytes of an incomplete character
  std::string held_;              // characters that may be part of a stop string
  size_t scanned_ = 0;            // of held_
  std::vector<Switch> switches_;  // in held_, at most two a stream
  size_t to_skip_ = 0;            // bytes of a switch's own text that are yet to come
  bool emit_reasoning_ = false;   // the part that held_ begins in
  size_t newlines_ = 0;           // held back at the end of the thought
  size_t newlines_to_drop_ = 0;   // at the begin of the content
};

}  // namespace baton
