// tokenizer.json → the parts that a tokenizer is made of. Everything that Baton does not do is
// refused by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/bpe.h"
#include "token/token.h"

namespace baton {

struct AddedToken {
  Token id = 0;
  std::string content;
  bool lstrip = false;      // takes the white space before it along
  bool rstrip = false;      // … and after it
  bool normalized = false;  // matched in the normalised text, not in the raw one
  bool special = false;     // dropped by skip_special
};

struct TokenizerSpec {
  BpeSpec bpe;
  std::vector<AddedToken> added;
  bool normalize_nfc = false;
  std::vector<Token> prefix;  // what the post-processor puts before a single text
};

/// Limits of one file; above them: too_large.
inline constexpr size_t kMaxTokenizerFileBytes = size_t{64} << 20;
inline constexpr size_t kMaxTokenId = (size_t{1} << 22) - 1;
inline constexpr size_t kMaxTokenBytes = 1024;
inline constexpr size_t kMaxAddedTokens = 4096;
inline constexpr size_t kMaxAddedTokenBytes = 256;

/// Reads the text of a tokenizer.json. data_corrupt if it breaks its own format, unsupported (with
/// the name of the part) if it asks for what Baton does not do, too_large above a limit. The
/// messages do not name the file.
Result<TokenizerSpec> parse_tokenizer_json(std::string_view text);

}  // namespace baton
