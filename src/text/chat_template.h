// Messages → the prompt that the model was trained on.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"

namespace baton {

struct Message {
  std::string role;  // "system", "user", "assistant" or "tool"
  std::string content;
};

/// The native renderer of the templates we know. A model file contributes no code: the template text
/// only selects which of them applies.
class ChatTemplate {
 public:
  enum class Kind : uint8_t { deepseek_r1, chatml };

  /// Recognises the template of `model_dir` (tokenizer_config.json or chat_template.jinja).
  /// not_found if the model has none, unsupported if it is not one that we know.
  static Result<ChatTemplate> load(const std::filesystem::path& model_dir,
                                   const Tokenizer& tokenizer);

  /// The prompt as text, BOS included, as the model's own template renders it.
  std::string render(std::span<const Message> messages, bool add_generation_prompt) const;

  /// The prompt as ids: no second BOS. With Markers::escape only the template's own markers become
  /// control tokens.
  std::vector<Token> encode(const Tokenizer& tokenizer, std::span<const Message> messages,
                            bool add_generation_prompt, Markers content_markers) const;

  /// True if the generation prompt opens a thought (`<think>\n`), so the answer begins inside it.
  bool starts_in_reasoning() const { return kind_ == Kind::deepseek_r1; }

  Kind kind() const { return kind_; }

 private:
  struct Piece;  // literal template text (markers count) or message content
  std::vector<Piece> pieces(std::span<const Message> messages, bool add_generation_prompt) const;

  Kind kind_ = Kind::deepseek_r1;
  std::string bos_;
};

}  // namespace baton
