// What the front's tests stand on: a tokenizer of bytes and a token source that follows a script.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "stream/token_source.h"
#include "text/tokenizer.h"

namespace baton {

/// Token b is the byte b; above them the markers of DeepSeek's template.
class ByteTokenizer final : public Tokenizer {
 public:
  static constexpr Token kThink = 256, kThinkEnd = 257, kUser = 258, kAssistant = 259, kEos = 260,
                         kBos = 261;
  static constexpr uint32_t kSize = 262;

  std::vector<Token> encode(std::string_view text, Markers markers) const override {
    std::vector<Token> out;
    while (!text.empty()) {
      Token token = static_cast<uint8_t>(text[0]);
      size_t length = 1;
      for (size_t i = 0; markers == Markers::allow && i < kMarkers.size(); ++i) {
        if (!text.starts_with(kMarkers[i])) continue;
        token = static_cast<Token>(kThink + i);
        length = kMarkers[i].size();
      }
      out.push_back(token);
      text.remove_prefix(length);
    }
    return out;
  }
  std::string decode(std::span<const Token> ids, bool skip_special) const override {
    std::string out;
    for (const Token id : ids) {
      if (!skip_special || !is_special(id)) out += bytes(id);
    }
    // Bytes that are no ASCII stand for themselves only in whole strings; tests use one at a time.
    if (ids.size() == 1 && ids[0] >= 128 && ids[0] < 256) return "\xef\xbf\xbd";
    return out;
  }
  std::string_view bytes(Token id) const override {
    static const std::string all = [] {
      std::string out;
      for (int i = 0; i < 256; ++i) out += static_cast<char>(i);
      return out;
    }();
    if (id >= 0 && id < 256) return std::string_view(all).substr(static_cast<size_t>(id), 1);
    if (id >= kThink && id < static_cast<Token>(kSize)) {
      return kMarkers[static_cast<size_t>(id - kThink)];
    }
    return {};
  }
  std::optional<Token> marker(std::string_view content) const override {
    for (size_t i = 0; i < kMarkers.size(); ++i) {
      if (kMarkers[i] == content) return static_cast<Token>(kThink + i);
    }
    return std::nullopt;
  }
  bool is_special(Token id) const override { return id >= kUser; }
  bool is_added(Token id) const override { return id >= kThink; }
  std::span<const Token> prefix() const override { return std::span(&kBosToken, 1); }
  uint32_t size() const override { return kSize; }

 private:
  static constexpr Token kBosToken = kBos;
  static constexpr std::array<std::string_view, 6> kMarkers = {"<think>",
                                                               "</think>",
                                                               "<｜User｜>",
                                                               "<｜Assistant｜>",
                                                               "<｜end▁of▁sentence｜>",
                                                               "<｜begin▁of▁sentence｜>"};
};

/// What DeepSeek-R1-Distill's template is recognised by.
inline constexpr std::string_view kDeepSeekTemplate =
    "{% set ns.system_prompt = message['content'] %}{{bos_token}}{{ns.system_prompt}}"
    "'<｜User｜>' + message['content'] content.split('</think>')[-1]"
    "'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'{{'<｜Assistant｜><think>\\n'}}";

/// A wait, then events, or an exception. A step without either waits for ever.
struct ScriptStep {
  int wait_ms = 0;
  std::vector<TokenEvent> events;
  bool throws = false;
};
using Script = std::vector<ScriptStep>;

/// One step a token, `wait_ms` before each; the last with `finish`, with EOS appended for stop.
inline Script script_of(const std::vector<Token>& tokens, Finish finish = Finish::stop,
                        int wait_ms = 0, uint32_t cached_tokens = 0) {
  Script script;
  std::vector<Token> all = tokens;
  if (finish == Finish::stop) all.push_back(ByteTokenizer::kEos);
  for (size_t i = 0; i < all.size(); ++i) {
    TokenEvent event;
    event.position = static_cast<uint32_t>(i);
    event.token = all[i];
    event.logprob = -0.25f;
    event.cached_tokens = cached_tokens;
    event.top = {{all[i], -0.25f}, {'x', -2.0f}};
    script.push_back({wait_ms, {event}, false});
  }
  Ending ending;
  ending.finish = finish;
  ending.cached_tokens = cached_tokens;
  if (finish == Finish::stop) ending.stop_token = ByteTokenizer::kEos;
  if (finish == Finish::stop || finish == Finish::length) {
    script.back().events.back().ending = ending;
  } else {
    TokenEvent last;
    last.position = static_cast<uint32_t>(all.size());
    last.ending = ending;
    script.push_back({wait_ms, {last}, false});
  }
  return script;
}

inline std::vector<Token> byte_tokens(std::string_view text) {
  return ByteTokenizer().encode(text, Markers::allow);
}

class ScriptedSource final : public TokenSource {
 public:
  /// What a request gets; called on the strand of its connection.
  using Answer = std::function<Result<Script>(const TokenRequest&)>;

  explicit ScriptedSource(Answer answer) : answer_(std::move(answer)) {}

  SourceInfo info() const override { return {ByteTokenizer::kSize, 512, ClassId{0xabc}}; }
  SourceLoad load() const override {
    SourceLoad load;
    load.ready = ready;
    load.draining = draining;
    load.failed = failed;
    load.running = static_cast<uint32_t>(live.load());
    return load;
  }
  boost::asio::awaitable<Result<std::vector<std::unique_ptr<TokenStream>>>> start(
      std::vector<TokenRequest> requests) override {
    std::vector<std::unique_ptr<TokenStream>> streams;
    for (TokenRequest& request : requests) {
      Result<Script> script = answer_(request);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(std::move(request));
      }
      if (!script.ok()) co_return std::move(script).error();
      streams.push_back(std::make_unique<Stream>(*this, std::move(script).value()));
    }
    co_return streams;
  }

  std::vector<TokenRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  std::atomic<int> live{0};   // streams that exist
  std::atomic<int> given{0};  // events handed out
  std::atomic<bool> ready{true}, draining{false}, failed{false};

 private:
  class Stream final : public TokenStream {
   public:
    Stream(ScriptedSource& source, Script script) : source_(source), script_(std::move(script)) {
      ++source_.live;
    }
    ~Stream() override { --source_.live; }
    boost::asio::awaitable<std::vector<TokenEvent>> next() override {
      boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
      ScriptStep& step = script_.at(at_);
      if (step.throws) throw std::runtime_error("a script that throws");
      if (step.events.empty()) {
        timer.expires_at(boost::asio::steady_timer::time_point::max());
      } else {
        timer.expires_after(std::chrono::milliseconds(step.wait_ms));
      }
      co_await timer.async_wait(boost::asio::use_awaitable);
      ++at_;
      source_.given += static_cast<int>(step.events.size());
      co_return step.events;
    }

   private:
    ScriptedSource& source_;
    Script script_;
    size_t at_ = 0;
  };

  Answer answer_;
  mutable std::mutex mutex_;
  std::vector<TokenRequest> requests_;
};

}  // namespace baton
