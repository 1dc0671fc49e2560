// Byte-level BPE as Hugging Face's `tokenizers` does it for the Qwen2 family (tokenizer.json).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "token/token.h"

namespace baton {

/// Whether marker strings inside a text (`<｜User｜>`, `</think>` …) become control tokens.
enum class Markers : uint8_t {
  allow,   // added tokens are matched in the text, as Hugging Face does
  escape,  // the text is plain text: markers are spelled out byte by byte, nobody can forge a turn
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Reads `tokenizer.json` of `model_dir`. not_found if there is none; otherwise as parse() and
  /// base/read_file.h say. Each error names the file.
  static Result<std::shared_ptr<const Tokenizer>> load(const std::filesystem::path& model_dir);

  /// The same from the text of a tokenizer.json. data_corrupt, unsupported or too_large, as
  /// text/tokenizer_json.h says.
  static Result<std::shared_ptr<const Tokenizer>> parse(std::string_view tokenizer_json);

  /// Ids of `text` (UTF-8; invalid bytes are replaced by U+FFFD). No BOS. Linear time.
  virtual std::vector<Token> encode(std::string_view text, Markers markers) const = 0;

  /// Text of `ids`, invalid UTF-8 replaced by U+FFFD as Hugging Face's decoder does. Unknown ids
  /// are skipped.
  virtual std::string decode(std::span<const Token> ids, bool skip_special) const = 0;

  /// The raw bytes of one token (not necessarily whole characters); empty if unknown.
  virtual std::string_view bytes(Token id) const = 0;

  /// The id of an added token by its exact content, e.g. "</think>".
  virtual std::optional<Token> marker(std::string_view content) const = 0;

  /// True for added tokens that tokenizer.json calls special (dropped by skip_special).
  virtual bool is_special(Token id) const = 0;

  /// True for any added token (special or not).
  virtual bool is_added(Token id) const = 0;

  /// Ids that the post-processor puts before a single text (BOS, or nothing).
  virtual std::span<const Token> prefix() const = 0;

  /// One above the highest id.
  virtual uint32_t size() const = 0;
};

}  // namespace baton
