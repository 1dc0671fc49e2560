#include "text/tokenizer_json.h"

#include <bit>

#include "base/hash.h"
#include "base/json.h"
#include "text/byte_level.h"
#include "text/split.h"

namespace baton {
namespace {

/// Ids by the spelling of tokenizer.json, whose strings must outlive it. One flat table: half of
/// the time of loading goes into these look-ups.
class Vocabulary {
 public:
  explicit Vocabulary(size_t count) : slots_(std::bit_ceil(2 * count + 2)) {}

  void add(std::string_view spelling, Token id) {
    CHECK(2 * (entries_.size() + 1) <= slots_.size());
    const uint64_t hash = hash_string(spelling);
    size_t i = hash & (slots_.size() - 1);
    while (slots_[i].entry != 0) i = (i + 1) & (slots_.size() - 1);
    entries_.push_back({spelling, id});
    slots_[i] = {static_cast<uint32_t>(hash >> 32), static_cast<uint32_t>(entries_.size())};
  }

  /// The id, or -1.
  Token find(std::string_view spelling) const {
    const uint64_t hash = hash_string(spelling);
    for (size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      const Slot slot = slots_[i];
      if (slot.entry == 0) return -1;
      const Entry& entry = entries_[slot.entry - 1];
      if (slot.tag == static_cast<uint32_t>(hash >> 32) && entry.spelling == spelling) {
        return entry.id;
      }
    }
  }

 private:
  struct Entry {
    std::string_view spelling;
    Token id;
  };
  struct Slot {
    uint32_t tag = 0;    // the upper half of the hash
    uint32_t entry = 0;  // from 1; 0: free
  };
  std::vector<Slot> slots_;
  std::vector<Entry> entries_;
};

Error corrupt(std::string what) {
  return self_error(Code::data_corrupt, std::move(what));
}

Error unsupported(std::string what) {
  return self_error(
      Code::unsupported,
      std::move(what) + " is not supported; Baton reads byte-level BPE of the Qwen2 family");
}

Error too_large(std::string what) {
  return self_error(Code::too_large, std::move(what));
}

std::string_view view(const json::string& s) {
  return {s.data(), s.size()};
}

/// The member `name` of `object`; null if absent or JSON's null.
const json::value* member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string_view string_member(const json::object& object, std::string_view name) {
  const json::value* value = member(object, name);
  return value != nullptr && value->is_string() ? view(value->get_string()) : std::string_view();
}

bool bool_member(const json::object& object, std::string_view name, bool otherwise = false) {
  const json::value* value = member(object, name);
  return value != nullptr && value->is_bool() ? value->get_bool() : otherwise;
}

Result<Token> token_id(const json::value* value, std::string_view what) {
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0) {
    return corrupt("the id of \"" + std::string(what) + "\" is not a number from 0");
  }
  if (static_cast<uint64_t>(value->get_int64()) > kMaxTokenId) {
    return too_large("the id of \"" + std::string(what) + "\" is above " +
                     std::to_string(kMaxTokenId));
  }
  return static_cast<Token>(value->get_int64());
}

// ---- model ----

Result<void> check_model_options(const json::object& model) {
  const std::string_view type = string_member(model, "type");
  if (type != "BPE" && !(type.empty() && member(model, "merges") != nullptr)) {
    return unsupported("a model of type \"" + std::string(type) + "\"");
  }
  if (member(model, "dropout") != nullptr) return unsupported("model.dropout");
  for (const char* name : {"byte_fallback", "ignore_merges"}) {
    if (bool_member(model, name)) return unsupported("model." + std::string(name));
  }
  for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!string_member(model, name).empty()) return unsupported("model." + std::string(name));
  }
  return {};
}

Result<Vocabulary> read_vocabulary(const json::object& model, BpeSpec& bpe) {
  const json::value* vocab = member(model, "vocab");
  if (vocab == nullptr || !vocab->is_object()) return corrupt("model.vocab is not an object");
  Vocabulary ids(vocab->get_object().size());
  for (const auto& entry : vocab->get_object()) {
    const std::string_view spelling(entry.key().data(), entry.key().size());
    BATON_ASSIGN(const Token id, token_id(&entry.value(), spelling));
    const auto index = static_cast<size_t>(id);
    std::optional<std::string> bytes = bytes_of_byte_level(spelling);
    // An entry outside the alphabet can only be an added token that is listed here too.
    if (!bytes) continue;
    if (bytes->empty()) return corrupt("model.vocab has an empty token");
    if (bytes->size() > kMaxTokenBytes) {
      return too_large("token " + std::to_string(id) + " is longer than " +
                       std::to_string(kMaxTokenBytes) + " bytes");
    }
    if (index >= bpe.tokens.size()) bpe.tokens.resize(index + 1);
    if (!bpe.tokens[index].empty()) {
      return corrupt("two tokens have id " + std::to_string(id));
    }
    bpe.tokens[index] = *std::move(bytes);
    ids.add(spelling, id);
  }
  return ids;
}

/// A merge is "left right" (older files) or ["left", "right"].
bool split_merge(const json::value& merge, std::string_view& left, std::string_view& right) {
  if (merge.is_string()) {
    const std::string_view text = view(merge.get_string());
    const size_t space = text.find(' ');
    if (space == std::string_view::npos) return false;
    left = text.substr(0, space);
    right = text.substr(space + 1);
    return true;
  }
  if (!merge.is_array() || merge.get_array().size() != 2) return false;
  const json::array& pair = merge.get_array();
  if (!pair[0].is_string() || !pair[1].is_string()) return false;
  left = view(pair[0].get_string());
  right = view(pair[1].get_string());
  return true;
}

Result<void> read_merges(const json::object& model, const Vocabulary& ids, BpeSpec& bpe) {
  const json::value* merges = member(model, "merges");
  if (merges == nullptr || !merges->is_array()) return corrupt("model.merges is not an array");
  bpe.merges.reserve(merges->get_array().size());
  std::string joined;
  for (const json::value& merge : merges->get_array()) {
    const auto rank = [&] { return "merge " + std::to_string(bpe.merges.size()); };
    std::string_view left, right;
    if (!split_merge(merge, left, right)) return corrupt(rank() + " is not a pair of tokens");
    joined.assign(left).append(right);
    const Token a = ids.find(left), b = ids.find(right), merged = ids.find(joined);
    if (a < 0 || b < 0 || merged < 0) {
      return corrupt(rank() + " names a token that is not in the vocabulary");
    }
    bpe.merges.push_back({a, b, merged});
  }
  return {};
}

// ---- the stages around the model ----

/// The parts of a stage that may be one object or a Sequence of them under `list`.
Result<std::vector<const json::object*>> stages(const json::value* stage, const char* name,
                                                const char* list) {
  std::vector<const json::object*> out;
  if (stage == nullptr) return out;
  if (!stage->is_object()) return corrupt(std::string(name) + " is not an object");
  const json::object& object = stage->get_object();
  if (string_member(object, "type") != "Sequence") {
    out.push_back(&object);
    return out;
  }
  const json::value* parts = member(object, list);
  if (parts == nullptr || !parts->is_array()) {
    return corrupt(std::string(name) + "." + list + " is not an array");
  }
  for (const json::value& part : parts->get_array()) {
    if (!part.is_object()) return corrupt(std::string(name) + " has a part that is not an object");
    out.push_back(&part.get_object());
  }
  return out;
}

Result<bool> read_normalizer(const json::object& root) {
  BATON_ASSIGN(const auto parts, stages(member(root, "normalizer"), "normalizer", "normalizers"));
  for (const json::object* part : parts) {
    const std::string_view type = string_member(*part, "type");
    if (type != "NFC") return unsupported("a normalizer of type \"" + std::string(type) + "\"");
  }
  return !parts.empty();
}

Result<void> check_pre_tokenizer(const json::object& root) {
  BATON_ASSIGN(const auto parts,
               stages(member(root, "pre_tokenizer"), "pre_tokenizer", "pretokenizers"));
  if (parts.size() != 2 || string_member(*parts[0], "type") != "Split" ||
      string_member(*parts[1], "type") != "ByteLevel") {
    return unsupported("a pre_tokenizer that is not Split, then ByteLevel");
  }
  const json::value* pattern = member(*parts[0], "pattern");
  const std::string_view regex = pattern != nullptr && pattern->is_object()
                                     ? string_member(pattern->get_object(), "Regex")
                                     : std::string_view();
  if (regex != kQwen2SplitPattern) {
    return unsupported("the split pattern \"" + std::string(regex.substr(0, 200)) + "\"");
  }
  if (string_member(*parts[0], "behavior") != "Isolated" || bool_member(*parts[0], "invert")) {
    return unsupported("a Split that is not \"Isolated\"");
  }
  if (bool_member(*parts[1], "add_prefix_space", true)) return unsupported("add_prefix_space");
  if (bool_member(*parts[1], "use_regex", true)) return unsupported("ByteLevel.use_regex");
  return {};
}

Result<void> check_decoder(const json::object& root) {
  BATON_ASSIGN(const auto parts, stages(member(root, "decoder"), "decoder", "decoders"));
  if (parts.size() != 1 || string_member(*parts[0], "type") != "ByteLevel") {
    return unsupported("a decoder that is not ByteLevel");
  }
  return {};
}

Result<std::vector<AddedToken>> read_added_tokens(const json::object& root) {
  std::vector<AddedToken> added;
  const json::value* list = member(root, "added_tokens");
  if (list == nullptr) return added;
  if (!list->is_array()) return corrupt("added_tokens is not an array");
  if (list->get_array().size() > kMaxAddedTokens) {
    return too_large("more than " + std::to_string(kMaxAddedTokens) + " added tokens");
  }
  for (const json::value& item : list->get_array()) {
    if (!item.is_object()) return corrupt("an added token is not an object");
    const json::object& object = item.get_object();
    AddedToken token;
    token.content = string_member(object, "content");
    if (token.content.empty()) return corrupt("an added token has no content");
    if (token.content.size() > kMaxAddedTokenBytes) {
      return too_large("an added token is longer than " + std::to_string(kMaxAddedTokenBytes) +
                       " bytes");
    }
    BATON_ASSIGN(token.id, token_id(member(object, "id"), token.content));
    if (bool_member(object, "single_word")) {
      return unsupported("single_word of the added token \"" + token.content + "\"");
    }
    token.lstrip = bool_member(object, "lstrip");
    token.rstrip = bool_member(object, "rstrip");
    token.normalized = bool_member(object, "normalized");
    token.special = bool_member(object, "special");
    added.push_back(std::move(token));
  }
  return added;
}

/// Appends the ids that a TemplateProcessing puts before the text; unsupported if it puts any
/// after.
Result<void> read_template(const json::object& processor, std::vector<Token>& prefix) {
  const json::value* single = member(processor, "single");
  const json::value* special = member(processor, "special_tokens");
  if (single == nullptr || !single->is_array()) {
    return corrupt("post_processor.single is not an array");
  }
  bool text_seen = false;
  for (const json::value& item : single->get_array()) {
    if (!item.is_object()) return corrupt("post_processor.single has a part that is not an object");
    if (item.get_object().contains("Sequence")) {
      text_seen = true;
      continue;
    }
    const json::value* token = member(item.get_object(), "SpecialToken");
    if (token == nullptr || !token->is_object()) {
      return corrupt("post_processor.single has an unknown part");
    }
    if (text_seen) return unsupported("a post_processor that adds tokens after the text");
    const std::string_view name = string_member(token->get_object(), "id");
    const json::value* entry =
        special != nullptr && special->is_object() ? member(special->get_object(), name) : nullptr;
    const json::value* ids =
        entry != nullptr && entry->is_object() ? member(entry->get_object(), "ids") : nullptr;
    if (ids == nullptr || !ids->is_array()) {
      return corrupt("post_processor does not say the ids of \"" + std::string(name) + "\"");
    }
    for (const json::value& id : ids->get_array()) {
      BATON_ASSIGN(const Token value, token_id(&id, name));
      prefix.push_back(value);
    }
  }
  return {};
}

Result<std::vector<Token>> read_prefix(const json::object& root) {
  std::vector<Token> prefix;
  BATON_ASSIGN(const auto parts,
               stages(member(root, "post_processor"), "post_processor", "processors"));
  for (const json::object* part : parts) {
    const std::string_view type = string_member(*part, "type");
    if (type == "ByteLevel") continue;  // moves offsets only
    if (type != "TemplateProcessing") {
      return unsupported("a post_processor of type \"" + std::string(type) + "\"");
    }
    BATON_TRY(read_template(*part, prefix));
  }
  return prefix;
}

}  // namespace

Result<TokenizerSpec> parse_tokenizer_json(std::string_view text) {
  if (text.size() > kMaxTokenizerFileBytes) {
    return too_large("larger than " + std::to_string(kMaxTokenizerFileBytes >> 20) + " MiB");
  }
  auto parsed = parse_json(text);
  if (!parsed.ok()) return corrupt(parsed.error().message);
  if (!parsed->is_object()) return corrupt("not an object");
  const json::object& root = parsed->get_object();
  const json::value* model = member(root, "model");
  if (model == nullptr || !model->is_object()) return corrupt("model is not an object");

  TokenizerSpec spec;
  BATON_TRY(check_model_options(model->get_object()));
  BATON_TRY(check_pre_tokenizer(root));
  BATON_TRY(check_decoder(root));
  BATON_ASSIGN(spec.normalize_nfc, read_normalizer(root));
  BATON_ASSIGN(spec.added, read_added_tokens(root));
  BATON_ASSIGN(spec.prefix, read_prefix(root));
  BATON_ASSIGN(const Vocabulary ids, read_vocabulary(model->get_object(), spec.bpe));
  BATON_TRY(read_merges(model->get_object(), ids, spec.bpe));
  return spec;
}

}  // namespace baton
