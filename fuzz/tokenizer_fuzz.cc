// Text through the tokenizer and back, and hostile tokenizer.json files. A document that begins
// with '{' is read as a tokenizer.json; anything else is text for the small tokenizer.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "text/nfc.h"
#include "text/small_tokenizer.h"
#include "text/utf8.h"

namespace {

using namespace baton;

/// Encoding loses nothing but what NFC and the repair of UTF-8 change.
void round_trip(const Tokenizer& tokenizer, std::string_view text) {
  const std::string valid = utf8_lossy(text);
  std::string storage;
  const auto escaped = tokenizer.encode(text, Markers::escape);
  for (const Token id : escaped) CHECK(!tokenizer.is_added(id));
  CHECK(tokenizer.decode(escaped, true) == nfc(valid, storage));
  const auto allowed = tokenizer.encode(text, Markers::allow);
  for (const Token id : allowed) CHECK(!tokenizer.bytes(id).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto tokenizer = small_tokenizer();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!text.starts_with('{')) {
    round_trip(*tokenizer, text);
    return 0;
  }
  auto parsed = Tokenizer::parse(text);
  if (!parsed.ok()) {
    CHECK(!parsed.error().message.empty());
    return 0;
  }
  for (const std::string_view sample : {"hello <think>aaaa 中 e\u0301", "x  \n\n'S"}) {
    (*parsed)->decode((*parsed)->encode(sample, Markers::allow), false);
  }
  return 0;
}
