// The "byte-level" alphabet of tokenizer.json: every byte is written as one printable character
// (GPT-2's bytes_to_unicode: a space is "Ġ", a newline "Ċ").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton {

/// The bytes that `text` (valid UTF-8) spells; nothing if a character is not of the alphabet.
std::optional<std::string> bytes_of_byte_level(std::string_view text);

/// The spelling of `bytes`.
std::string byte_level_of_bytes(std::string_view bytes);

}  // namespace baton
