// Where the text of a thought goes in an answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace baton::api {

/// Clients differ: DeepSeek's API and LangChain read `reasoning_content`, newer vLLM clients read
/// `reasoning`, some parse <think> tags in the content.
enum class ReasoningFormat : uint8_t {
  both,               // `reasoning_content` and `reasoning`, the same text
  reasoning_content,  // DeepSeek's name
  reasoning,          // vLLM's name
  tags,               // in the content, between <think> and </think>
  none,               // left out
};

constexpr std::optional<ReasoningFormat> parse_reasoning_format(std::string_view name) {
  if (name == "both") return ReasoningFormat::both;
  if (name == "reasoning_content") return ReasoningFormat::reasoning_content;
  if (name == "reasoning") return ReasoningFormat::reasoning;
  if (name == "tags") return ReasoningFormat::tags;
  if (name == "none") return ReasoningFormat::none;
  return std::nullopt;
}

}  // namespace baton::api
