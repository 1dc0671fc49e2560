// Ids of one answer → text to send, token by token. A pure function of the token list: replaying the
// same ids gives the same deltas.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace baton {

struct StreamDecoderOptions {
  std::vector<std::string> stop = {};  // up to 16 strings, none empty
  bool include_stop = false;           // keep the stop string in the text
  bool skip_special = true;
  bool split_reasoning = true;         // false: everything is content, `</think>` included
  bool starts_in_reasoning = false;    // the prompt ended inside a thought
};

/// Never emits half a UTF-8 character, nor text that may yet become part of a stop string; splits
/// reasoning from content at `</think>` by its id.
class StreamDecoder {
 public:
  struct Delta {
    std::string reasoning;
    std::string content;
    bool stopped = false;  // a stop string is complete: the answer ends with this token
    bool empty() const { return reasoning.empty() && content.empty(); }
  };

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
  std::shared_ptr<const Tokenizer> tokenizer_;
  StreamDecoderOptions options_;
  std::optional<Token> think_open_, think_close_;
  std::string pending_;  // bytes held back
  std::string stop_string_;
  uint32_t reasoning_tokens_ = 0;
  bool in_reasoning_ = false;
};

}  // namespace baton
