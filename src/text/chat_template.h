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

/// The native renderer of the templates we know. A model file contributes no code: the template
/// text only selects which of them applies.
class ChatTemplate {
 public:
  enum class Kind : uint8_t { deepseek_r1, chatml };

  /// Recognises the template of `model_dir` (chat_template.jinja, else tokenizer_config.json).
  /// not_found if the model has none, unsupported if it is not one that we know. Each error names
  /// the file.
  static Result<ChatTemplate> load(const std::filesystem::path& model_dir,
                                   const Tokenizer& tokenizer);

  /// The same from the template's text; `bos` is the tokenizer_config's bos_token, or empty.
  static Result<ChatTemplate> recognise(std::string_view template_text, std::string_view bos,
                                        const Tokenizer& tokenizer);

  /// The prompt as text, BOS included, as the model's own template renders it. A role that the
  /// template does not know is rendered as the template does it: left out, or as a turn of its own.
  std::string render(std::span<const Message> messages, bool add_generation_prompt) const;

  /// The prompt as ids: no second BOS. With Markers::escape only the template's own markers become
  /// control tokens; without markers in the contents both give the same ids.
  std::vector<Token> encode(const Tokenizer& tokenizer, std::span<const Message> messages,
                            bool add_generation_prompt, Markers content_markers) const;

  Kind kind() const { return kind_; }

 private:
  struct Piece;  // a marker of the template, or text (the template's or a message's)
  using Pieces = std::vector<Piece>;

  Pieces pieces(std::span<const Message> messages, bool add_generation_prompt) const;
  Pieces deepseek_pieces(std::span<const Message> messages, bool add_generation_prompt) const;
  Pieces chatml_pieces(std::span<const Message> messages, bool add_generation_prompt) const;

  Kind kind_ = Kind::deepseek_r1;
  std::string bos_;
  bool opens_thought_ = false;  // the generation prompt ends with `<think>\n`
  std::string default_system_;  // ChatML: said if the first message is not the system's
  bool tool_responses_ =
      false;  // ChatML: tool messages as Qwen2.5 wraps them, other roles left out
};

/// Whether `prompt` leaves a thought open, so that the answer begins inside it: `<think>` by its
/// id, then nothing but newlines. (By id, because message content cannot forge one; not by the
/// template's kind, because it does not open a thought after every last message.)
bool ends_inside_thought(const Tokenizer& tokenizer, std::span<const Token> prompt);

}  // namespace baton
