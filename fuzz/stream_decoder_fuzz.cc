// Random tokens through the stream decoder: deltas are valid UTF-8, the same for the same tokens,
// join to the decoded text where nothing is stopped, markers and newlines around a split apart, and
// never hold a stop string.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "text/small_tokenizer.h"
#include "text/stream_decoder.h"
#include "text/utf8.h"

namespace {

using namespace baton;

std::string without_newlines(std::string text) {
  std::erase(text, '\n');
  return text;
}

/// What a decoder that splits keeps, newlines apart: the text before, between and after the markers
/// that begin and end the thought.
std::string split_text(const Tokenizer& tokenizer, const std::vector<Token>& ids,
                       const StreamDecoderOptions& options) {
  const Token open = tokenizer.marker("<think>").value();
  const Token close = tokenizer.marker("</think>").value();
  std::string out;
  std::vector<Token> run;
  const auto end_run = [&] {
    out += tokenizer.decode(run, options.skip_special);
    run.clear();
  };
  bool inside = options.starts_in_reasoning;
  for (size_t i = 0; i < ids.size(); ++i) {
    const bool opens = i == 0 && ids[i] == open;
    const bool closes = inside && ids[i] == close;
    if (opens) inside = true;
    if (closes) inside = false;
    if (opens || closes) {
      end_run();
    } else {
      run.push_back(ids[i]);
    }
  }
  end_run();
  return without_newlines(out);
}

struct Replay {
  std::vector<StreamDecoder::Delta> deltas;  // one a token, one of the end
  std::string content, reasoning;
  bool stopped = false;
};

/// Stops taking `ids` where the decoder stops.
Replay replay(const std::shared_ptr<const Tokenizer>& tokenizer,
              const StreamDecoderOptions& options, std::vector<Token>& ids) {
  Replay out;
  StreamDecoder decoder(tokenizer, options);
  const auto take = [&](StreamDecoder::Delta delta) {
    CHECK(utf8_valid(delta.content) && utf8_valid(delta.reasoning));
    out.content += delta.content;
    out.reasoning += delta.reasoning;
    out.deltas.push_back(std::move(delta));
  };
  for (size_t i = 0; i < ids.size() && !out.stopped; ++i) {
    take(decoder.push(ids[i]));
    out.stopped = out.deltas.back().stopped;
    if (out.stopped) ids.resize(i + 1);
  }
  take(decoder.finish());
  return out;
}

void check_same(const Replay& a, const Replay& b) {
  CHECK(a.deltas.size() == b.deltas.size());
  for (size_t i = 0; i < a.deltas.size(); ++i) {
    CHECK(a.deltas[i].content == b.deltas[i].content);
    CHECK(a.deltas[i].reasoning == b.deltas[i].reasoning);
    CHECK(a.deltas[i].stopped == b.deltas[i].stopped);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
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

  std::vector<Token> ids;
  for (size_t i = 2 + stop_bytes; i < size; ++i) {
    // Bytes of text are their own tokens; the control characters stand for the tokens above 255.
    ids.push_back(data[i] < 0x20 && data[i] != '\n' ? 250 + data[i] : data[i]);
  }
  const Replay first = replay(tokenizer, options, ids);
  check_same(first, replay(tokenizer, options, ids));

  CHECK(!first.stopped || (!stop.empty() && ids.size() >= options.min_tokens));
  if (options.split_reasoning) {
    if (stop.empty()) {
      CHECK(without_newlines(first.reasoning + first.content) ==
            split_text(*tokenizer, ids, options));
    }
    return 0;
  }
  const std::string whole = tokenizer->decode(ids, options.skip_special);
  CHECK(first.reasoning.empty());
  CHECK(stop.empty() ? first.content == whole : whole.starts_with(first.content));
  if (!stop.empty() && options.min_tokens == 0) {
    CHECK(first.content.find(utf8_lossy(stop)) == std::string::npos);
  }
  return 0;
}
