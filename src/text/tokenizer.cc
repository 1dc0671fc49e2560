#include "text/tokenizer.h"

#include <unordered_map>
#include <unordered_set>

#include "base/read_file.h"
#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/byte_level.h"
#include "text/nfc.h"
#include "text/split.h"
#include "text/tokenizer_json.h"
#include "text/utf8.h"

namespace baton {
namespace {

class BpeTokenizer final : public Tokenizer {
 public:
  static Result<std::shared_ptr<const Tokenizer>> create(TokenizerSpec spec);

  std::vector<Token> encode(std::string_view text, Markers markers) const override;
  std::string decode(std::span<const Token> ids, bool skip_special) const override;
  std::string_view bytes(Token id) const override;
  std::optional<Token> marker(std::string_view content) const override;
  bool is_special(Token id) const override { return flags(id) & kSpecial; }
  bool is_added(Token id) const override { return flags(id) & kAdded; }
  std::span<const Token> prefix() const override { return prefix_; }
  uint32_t size() const override { return static_cast<uint32_t>(flags_.size()); }

 private:
  enum Flag : uint8_t { kAdded = 1, kSpecial = 2 };

  explicit BpeTokenizer(Bpe bpe) : bpe_(std::move(bpe)) {}

  uint8_t flags(Token id) const {
    return id >= 0 && static_cast<size_t>(id) < flags_.size() ? flags_[static_cast<size_t>(id)]
                                                              : uint8_t{0};
  }

  /// Calls `plain(stretch)` for what lies between the matches and appends the matches' ids.
  template <class Plain>
  static void cut(const AddedTokenMatcher& matcher, std::string_view text, std::vector<Token>& out,
                  Plain plain);
  void encode_raw(std::string_view text, Markers markers, std::vector<Token>& out) const;
  void encode_normalized(std::string_view text, std::vector<Token>& out) const;

  Bpe bpe_;
  bool normalize_nfc_ = false;
  AddedTokenMatcher raw_markers_;         // matched before normalisation
  AddedTokenMatcher normalized_markers_;  // … and after it
  std::unordered_map<std::string, Token> markers_;
  std::vector<Token> prefix_;
  std::string bytes_;              // of all ids, one after another
  std::vector<uint32_t> offsets_;  // [size + 1] into bytes_
  std::vector<uint8_t> flags_;     // [size]
};

Result<std::shared_ptr<const Tokenizer>> BpeTokenizer::create(TokenizerSpec spec) {
  auto bpe = Bpe::create(spec.bpe);
  if (!bpe.ok()) {
    return self_error(Code::data_corrupt, bpe.error().message);
  }
  std::shared_ptr<BpeTokenizer> tokenizer(new BpeTokenizer(*std::move(bpe)));
  tokenizer->normalize_nfc_ = spec.normalize_nfc;
  tokenizer->prefix_ = std::move(spec.prefix);

  std::vector<std::string>& tokens = spec.bpe.tokens;
  std::vector<AddedToken> raw, normalized;
  std::unordered_set<std::string> normalized_contents;
  std::string storage;
  for (AddedToken& added : spec.added) {
    const auto index = static_cast<size_t>(added.id);
    if (index >= tokens.size()) tokens.resize(index + 1);
    tokenizer->flags_.resize(tokens.size());
    tokenizer->flags_[index] = added.special ? kAdded | kSpecial : kAdded;
    tokens[index] = bytes_of_byte_level(added.content).value_or(added.content);
    if (!tokenizer->markers_.emplace(added.content, added.id).second) {
      return self_error(Code::data_corrupt,
                        "the added token \"" + added.content + "\" is listed twice");
    }
    if (added.normalized && spec.normalize_nfc) {
      // Contents that differ may be equal once they are normalised, as the text is.
      std::string content(nfc(added.content, storage));
      if (!normalized_contents.insert(content).second) {
        return self_error(Code::data_corrupt,
                          "the added token \"" + added.content + "\" equals another one after NFC");
      }
      added.content = std::move(content);
    }
    (added.normalized ? normalized : raw).push_back(std::move(added));
  }
  tokenizer->raw_markers_ = AddedTokenMatcher(std::move(raw));
  tokenizer->normalized_markers_ = AddedTokenMatcher(std::move(normalized));

  tokenizer->flags_.resize(tokens.size());
  tokenizer->offsets_.reserve(tokens.size() + 1);
  tokenizer->offsets_.push_back(0);
  for (const std::string& token : tokens) {
    tokenizer->bytes_ += token;
    tokenizer->offsets_.push_back(static_cast<uint32_t>(tokenizer->bytes_.size()));
  }
  return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

std::vector<Token> BpeTokenizer::encode(std::string_view text, Markers markers) const {
  std::vector<Token> out;
  if (utf8_valid(text)) {
    encode_raw(text, markers, out);
  } else {
    encode_raw(utf8_lossy(text), markers, out);
  }
  return out;
}

template <class Plain>
void BpeTokenizer::cut(const AddedTokenMatcher& matcher, std::string_view text,
                       std::vector<Token>& out, Plain plain) {
  for (size_t from = 0; from < text.size();) {
    const AddedTokenMatcher::Match match = matcher.find(text, from);
    if (match.begin > from) plain(text.substr(from, match.begin - from));
    if (match.id >= 0) out.push_back(match.id);
    from = match.end;
  }
}

void BpeTokenizer::encode_raw(std::string_view text, Markers markers,
                              std::vector<Token>& out) const {
  out.reserve(text.size() / 3 + 16);
  std::string storage;
  const auto normalize = [&](std::string_view stretch) {
    return normalize_nfc_ ? nfc(stretch, storage) : stretch;
  };
  if (markers == Markers::escape) {
    encode_normalized(normalize(text), out);
    return;
  }
  cut(raw_markers_, text, out, [&](std::string_view stretch) {
    cut(normalized_markers_, normalize(stretch), out,
        [&](std::string_view plain) { encode_normalized(plain, out); });
  });
}

void BpeTokenizer::encode_normalized(std::string_view text, std::vector<Token>& out) const {
  Splitter splitter(text);
  for (std::string_view piece = splitter.next(); !piece.empty(); piece = splitter.next()) {
    bpe_.encode(piece, out);
  }
}

std::string BpeTokenizer::decode(std::span<const Token> ids, bool skip_special) const {
  std::string raw;
  for (const Token id : ids) {
    if (skip_special && is_special(id)) continue;
    raw += bytes(id);
  }
  return utf8_valid(raw) ? raw : utf8_lossy(raw);
}

std::string_view BpeTokenizer::bytes(Token id) const {
  if (id < 0 || static_cast<size_t>(id) >= flags_.size()) return {};
  const auto index = static_cast<size_t>(id);
  return std::string_view(bytes_).substr(offsets_[index], offsets_[index + 1] - offsets_[index]);
}

std::optional<Token> BpeTokenizer::marker(std::string_view content) const {
  const auto it = markers_.find(std::string(content));
  return it == markers_.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> Tokenizer::load(const std::filesystem::path& model_dir) {
  const std::filesystem::path path = model_dir / "tokenizer.json";
  BATON_ASSIGN(const std::string text, read_file(path, kMaxTokenizerFileBytes));
  auto tokenizer = parse(text);
  if (!tokenizer.ok()) {
    tokenizer.error().message = path.string() + ": " + tokenizer.error().message;
  }
  return tokenizer;
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::parse(std::string_view tokenizer_json) {
  BATON_ASSIGN(TokenizerSpec spec, parse_tokenizer_json(tokenizer_json));
  return BpeTokenizer::create(std::move(spec));
}

}  // namespace baton
