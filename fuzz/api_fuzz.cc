// The request parsers: any bytes give a request within its stated limits or a client's error that
// renders as JSON.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/chat_request.h"
#include "api/completion_request.h"
#include "api/error_body.h"
#include "api/tokenize_request.h"
#include "base/check.h"
#include "base/json.h"

namespace {

using namespace baton;
using namespace baton::api;

bool within(const std::optional<double>& value, double min, double max) {
  return !value || (*value >= min && *value <= max);
}

void check_generation(const Generation& g) {
  CHECK(g.choices >= 1 && g.choices <= kMaxChoices);
  CHECK(within(g.temperature, 0, 2) && within(g.top_p, 0, 1) && within(g.min_p, 0, 1));
  CHECK(within(g.repetition_penalty, 0.01, 100));
  CHECK(within(g.presence_penalty, -2, 2) && within(g.frequency_penalty, -2, 2));
  CHECK(!g.max_tokens || *g.max_tokens >= 1);
  CHECK(!g.max_tokens || g.min_tokens <= *g.max_tokens);
  CHECK(g.logprobs >= -1 && g.logprobs <= kMaxTopLogprobs);
  CHECK(g.priority >= -100 && g.priority <= 100);
  CHECK(g.stop.size() <= kMaxStops && g.stop_tokens.size() <= kMaxStopTokens);
  for (const std::string& stop : g.stop) CHECK(!stop.empty() && stop.size() <= kMaxStopBytes);
  for (const Token token : g.stop_tokens) CHECK(token >= 0);
  CHECK(g.logit_bias.size() <= kMaxLogitBias);
  for (size_t i = 0; i < g.logit_bias.size(); ++i) {
    CHECK(g.logit_bias[i].first >= 0 && within(g.logit_bias[i].second, -100, 100));
    CHECK(i == 0 || g.logit_bias[i - 1].first < g.logit_bias[i].first);
  }
  CHECK(g.stream || !g.include_usage);
}

template <class T>
bool accepted(const Result<T>& result) {
  if (result.ok()) return true;
  const Error& error = result.error();
  CHECK(error.code == Code::invalid_argument || error.code == Code::unsupported);
  CHECK(error.origin == Origin::client && !error.message.empty() && !error.reason.empty());
  CHECK(parse_json(render_error(error).body).ok());
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto chat = parse_chat_request(body); accepted(chat)) {
    check_generation(chat->generation);
    CHECK(!chat->messages.empty() && chat->messages.size() <= kMaxMessages);
    for (const Message& message : chat->messages) CHECK(message.role != "developer");
  }
  if (const auto completion = parse_completion_request(body); accepted(completion)) {
    check_generation(completion->generation);
    CHECK(!completion->prompts.empty() && completion->prompts.size() <= kMaxPrompts);
    CHECK(completion->prompts.size() * completion->generation.choices <= kMaxAnswers);
  }
  if (const auto tokenize = parse_tokenize_request(body); accepted(tokenize)) {
    CHECK(tokenize->prompt.has_value() != !tokenize->messages.empty());
  }
  if (const auto detokenize = parse_detokenize_request(body); accepted(detokenize)) {
    CHECK(parse_json(render_tokenized(detokenize->tokens, 1, nullptr)).ok());
  }
  return 0;
}
