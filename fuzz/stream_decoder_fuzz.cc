// Random tokens through the stream decoder: deltas are valid UTF-8, join to the decoded text where
// nothing is split or stopped, and never hold a stop string.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "text/small_tokenizer.h"
#include "text/stream_decoder.h"
#include "text/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace baton;
  static const auto tokenizer = small_tokenizer();
  if (size < 2) return 0;
  StreamDecoderOptions options;
  options.skip_special = data[0] & 1;
  options.split_reasoning = data[0] & 2;
  options.starts_in_reasoning = data[0] & 4;
  options.min_tokens = data[1] >> 3;
  const size_t stop_bytes = std::min<size_t>(data[1] % 8, size - 2);
  const std::string stop(reinterpret_cast<const char*>(data) + 2, stop_bytes);
  if (!stop.empty()) options.stop.push_back(stop);

  StreamDecoder decoder(tokenizer, options);
  std::vector<Token> ids;
  std::string content, reasoning;
  const auto take = [&](const StreamDecoder::Delta& delta) {
    CHECK(utf8_valid(delta.content) && utf8_valid(delta.reasoning));
    content += delta.content;
    reasoning += delta.reasoning;
    return delta.stopped;
  };
  bool stopped = false;
  for (size_t i = 2 + stop_bytes; i < size && !stopped; ++i) {
    // Bytes of text are their own tokens; the control characters stand for the tokens above 255.
    ids.push_back(data[i] < 0x20 && data[i] != '\n' ? 250 + data[i] : data[i]);
    stopped = take(decoder.push(ids.back()));
  }
  take(decoder.finish());
  const std::string whole = tokenizer->decode(ids, options.skip_special);
  if (!options.split_reasoning) {
    CHECK(reasoning.empty());
    CHECK(stop.empty() ? content == whole : whole.starts_with(content));
    if (!stop.empty() && options.min_tokens == 0) {
      CHECK(content.find(utf8_lossy(stop)) == std::string::npos);
    }
    CHECK(!stopped || ids.size() >= options.min_tokens);
  }
  return 0;
}
