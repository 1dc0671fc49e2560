#include "engine/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <random>
#include <thread>

#include "engine/fake_model.h"

namespace baton {
namespace {

using namespace std::chrono_literals;

class TestClock final : public Clock {
 public:
  Nanos now() const override { return now_.load(); }
  void advance(Nanos by) { now_ += by; }

 private:
  std::atomic<Nanos> now_{seconds(1)};
};

TokenRequest make_request(std::vector<Token> prompt, uint32_t max_tokens, uint64_t seed = 0) {
  TokenRequest request;
  request.prompt = std::move(prompt);
  request.max_tokens = max_tokens;
  request.seed = seed;
  return request;
}

std::vector<Token> solo(const TokenRequest& request) {
  std::vector<Token> out;
  while (out.size() < request.max_tokens) {
    out.push_back(FakeModel::next_token(request.prompt, out, request.seed, request.choice));
    const auto& ends = request.sampling.stop_tokens;
    if (std::find(ends.begin(), ends.end(), out.back()) != ends.end()) break;
  }
  return out;
}

struct Answer {
  std::vector<Token> tokens;
  std::vector<TokenEvent> events;
  Ending ending;
};

// Reads to the end and checks that positions have no gap and that there is one ending, at the end.
Answer read_all(Mailbox& mailbox, uint32_t first_position = 0) {
  Answer answer;
  uint32_t position = first_position;
  for (;;) {
    for (TokenEvent& event : mailbox.wait()) {
      EXPECT_FALSE(!answer.events.empty() && answer.events.back().ending) << "after the ending";
      EXPECT_EQ(event.position, position);
      if (event.token >= 0) {
        ++position;
        answer.tokens.push_back(event.token);
      }
      answer.events.push_back(std::move(event));
    }
    if (answer.events.back().ending) break;
  }
  answer.ending = *answer.events.back().ending;
  return answer;
}

/// Holds the engine's thread inside a step until opened; counts the steps.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++steps_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_ || tickets_ > 0; });
    if (!open_) --tickets_;
  }
  void let_one() {
    const std::lock_guard lock(mutex_);
    ++tickets_;
    changed_.notify_all();
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait_for_step(int n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return steps_ >= n; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int steps_ = 0;
  int tickets_ = 0;
  bool open_ = false;
};

class EngineTest : public ::testing::Test {
 protected:
  void start(EngineOptions options = {}, bool gated = false, uint32_t blocks = 64) {
    auto model = std::make_unique<FakeModel>(blocks);
    if (gated) model->on_step = [this] { gate_.pass(); };
    engine_ = Engine::start(std::move(model), options, clock_);
  }

  std::shared_ptr<Mailbox> submit(TokenRequest request) {
    auto result = engine_->submit(std::move(request));
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
    return result.ok() ? *result : nullptr;
  }

  // Statistics follow the events within the same step.
  void wait_until(const std::function<bool(const EngineStats&)>& holds) {
    for (int i = 0; i < 5000; ++i) {
      if (holds(engine_->stats())) return;
      std::this_thread::sleep_for(1ms);
    }
    FAIL() << "the engine did not get there";
  }

  TestClock clock_;
  Gate gate_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, AnAnswerIsTheSoloAnswer) {
  start();
  TokenRequest request = make_request({10, 20, 30}, 50, 7);
  request.choice = 2;
  request.epoch = 5;
  request.sampling.logprobs = 1;
  const std::vector<Token> expected = solo(request);
  const Answer answer = read_all(*submit(request));
  EXPECT_EQ(answer.tokens, expected);
  EXPECT_EQ(answer.ending.finish, Finish::length);
  EXPECT_EQ(answer.ending.stop_token, -1);
  EXPECT_EQ(answer.ending.klass, ClassId{0xfa4e});
  EXPECT_EQ(answer.events.size(), expected.size()) << "the ending comes with the last token";
  for (const TokenEvent& event : answer.events) {
    EXPECT_EQ(event.epoch, 5u);
    EXPECT_EQ(event.logprob, -0.5f);
    EXPECT_EQ(event.top.size(), 1u);
  }
}

TEST_F(EngineTest, ManyThreadsSubmitAndEachGetsItsOwnAnswer) {
  start({.batch_max = 8, .step_tokens = 64, .queue_max = 1000}, false, 24);
  constexpr int kThreads = 4;
  constexpr int kEach = 60;
  std::vector<std::thread> threads;
  std::atomic<int> cancelled{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<uint64_t>(t));
      std::vector<std::pair<TokenRequest, std::shared_ptr<Mailbox>>> open;
      for (int i = 0; i < kEach; ++i) {
        std::vector<Token> prompt(1 + random() % 100);
        for (Token& token : prompt) token = static_cast<Token>(100 + random() % 3);
        TokenRequest request = make_request(prompt, 1 + random() % 60, random() % 2);
        request.sampling.stop_tokens = {static_cast<Token>(random() % 1000)};
        open.emplace_back(request, submit(request));
        if (random() % 4 == 0) {
          open.erase(open.begin() + static_cast<ptrdiff_t>(random() % open.size()));
          ++cancelled;
        }
      }
      for (auto& [request, mailbox] : open) {
        EXPECT_EQ(read_all(*mailbox).tokens, solo(request));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  wait_until([](const EngineStats& s) { return s.running + s.waiting == 0; });
  const EngineStats stats = engine_->stats();
  uint64_t finished = 0;
  for (uint64_t n : stats.finished) finished += n;
  EXPECT_EQ(finished, static_cast<uint64_t>(kThreads * kEach));
  EXPECT_LE(stats.finished[static_cast<size_t>(Finish::cancelled)],
            static_cast<uint64_t>(cancelled));
  EXPECT_EQ(stats.blocks_free, stats.blocks_total);
  EXPECT_GT(stats.batch_largest, 1u);
}

TEST_F(EngineTest, DroppingTheMailboxFreesTheSequenceWithinOneStep) {
  start({}, true);
  auto leaving = submit(make_request({10}, 400));
  auto staying = submit(make_request({11}, 400));
  gate_.wait_for_step(1);
  gate_.let_one();
  gate_.wait_for_step(2);  // a step is under way
  leaving.reset();
  gate_.let_one();
  gate_.wait_for_step(3);  // the next one is without it
  gate_.let_one();
  wait_until([](const EngineStats& s) {
    return s.running == 1 && s.finished[static_cast<size_t>(Finish::cancelled)] == 1;
  });
  EXPECT_LE(engine_->stats().steps, 3u);
  gate_.open();
}

TEST_F(EngineTest, DrainRefusesNewWorkAndFinishesTheOld) {
  start({}, true);
  const TokenRequest request = make_request({10}, 20);
  auto mailbox = submit(request);
  engine_->drain();
  const auto refused = engine_->submit(request);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::unavailable);
  EXPECT_TRUE(refused.error().retry_safe);
  EXPECT_TRUE(engine_->stats().draining);
  gate_.open();
  EXPECT_EQ(read_all(*mailbox).tokens, solo(request));
}

TEST_F(EngineTest, FinishAllEndsWhatIsLeftWithTheGivenError) {
  start({.batch_max = 1}, true);
  auto running = submit(make_request({10}, 400));
  gate_.wait_for_step(1);
  auto waiting = submit(make_request({11}, 400));
  engine_->finish_all(self_error(Code::unavailable, "going away"));
  gate_.open();
  for (auto& mailbox : {running, waiting}) {
    const Answer answer = read_all(*mailbox);
    EXPECT_EQ(answer.ending.finish, Finish::error);
    ASSERT_TRUE(answer.ending.error.has_value());
    EXPECT_EQ(answer.ending.error->message, "going away");
  }
}

TEST_F(EngineTest, ALostDeviceEndsEveryStreamAndRefusesTheRest) {
  start({.batch_max = 2}, true);
  auto healthy = submit(make_request({10}, 400));
  gate_.wait_for_step(1);
  auto fatal = submit(make_request({FakeModel::kDeviceLost}, 400));
  auto waiting = submit(make_request({11}, 400));
  gate_.open();
  for (auto& mailbox : {healthy, fatal, waiting}) {
    const Answer answer = read_all(*mailbox);
    EXPECT_EQ(answer.ending.finish, Finish::error);
    ASSERT_TRUE(answer.ending.error.has_value());
    EXPECT_EQ(answer.ending.error->code, Code::unavailable);
  }
  wait_until([](const EngineStats& s) { return s.failed; });
  EXPECT_FALSE(engine_->stats().ready);
  EXPECT_EQ(engine_->stats().running, 0u);
  const auto refused = engine_->submit(make_request({10}, 1));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::unavailable);
}

TEST_F(EngineTest, AnInvalidDrawEndsItsOwnStreamOnly) {
  start();
  const TokenRequest good = make_request({10}, 100);
  auto fine = submit(good);
  for (Token bad : {FakeModel::kNaN, FakeModel::kOutside}) {
    const Answer answer = read_all(*submit(make_request({bad}, 100)));
    EXPECT_TRUE(answer.tokens.empty());
    EXPECT_EQ(answer.ending.finish, Finish::error);
    ASSERT_TRUE(answer.ending.error.has_value());
    EXPECT_EQ(answer.ending.error->code, Code::internal);
  }
  EXPECT_EQ(read_all(*fine).tokens, solo(good));
}

TEST_F(EngineTest, AContinuationGoesOnAtEveryPosition) {
  start();
  TokenRequest request = make_request({10, 11}, 40, 3);
  const std::vector<Token> whole = solo(request);
  for (uint32_t cut = 0; cut < whole.size(); ++cut) {
    request.emitted.assign(whole.begin(), whole.begin() + cut);
    const Answer answer = read_all(*submit(request), cut);
    EXPECT_EQ(answer.tokens, std::vector<Token>(whole.begin() + cut, whole.end()));
  }
}

TEST_F(EngineTest, AReplayThatLostOnlyItsEndingGetsIt) {
  start();
  TokenRequest request = make_request({10}, 5);
  request.emitted = solo(request);
  Answer answer = read_all(*submit(request), 5);
  EXPECT_TRUE(answer.tokens.empty());
  EXPECT_EQ(answer.ending.finish, Finish::length);

  request.max_tokens = 50;
  request.sampling.stop_tokens = {request.emitted.back()};
  answer = read_all(*submit(request), 5);
  EXPECT_TRUE(answer.tokens.empty());
  EXPECT_EQ(answer.ending.finish, Finish::stop);
  EXPECT_EQ(answer.ending.stop_token, request.emitted.back());
}

TEST_F(EngineTest, StopBeatsLengthAndIgnoreEosGoesOn) {
  start();
  TokenRequest request = make_request({10}, 6);
  const std::vector<Token> whole = solo(request);
  request.sampling.eos_tokens = {whole.back()};
  Answer answer = read_all(*submit(request));
  EXPECT_EQ(answer.tokens.size(), 6u);
  EXPECT_EQ(answer.ending.finish, Finish::stop);
  EXPECT_EQ(answer.ending.stop_token, whole.back());

  request.sampling.eos_tokens = {whole[2]};
  EXPECT_EQ(read_all(*submit(request)).tokens.size(), 3u);
  request.sampling.ignore_eos = true;
  answer = read_all(*submit(request));
  EXPECT_EQ(answer.tokens.size(), 6u);
  EXPECT_EQ(answer.ending.finish, Finish::length);
}

TEST_F(EngineTest, TheAnswerIsClippedToTheContext) {
  start({}, false, 64);
  const Answer answer = read_all(*submit(make_request(std::vector<Token>(500, 9), 1000)));
  EXPECT_EQ(answer.tokens.size(), 12u);
  EXPECT_EQ(answer.ending.finish, Finish::length);
}

TEST_F(EngineTest, APassedDeadlineEndsTheStream) {
  start({}, true);
  TokenRequest request = make_request({10}, 400);
  request.deadline = Deadline::at(clock_.now() + milliseconds(5));
  auto mailbox = submit(request);
  gate_.wait_for_step(1);
  clock_.advance(milliseconds(10));
  gate_.open();
  const Answer answer = read_all(*mailbox);
  EXPECT_EQ(answer.ending.finish, Finish::deadline);
  EXPECT_EQ(answer.tokens.size(), 1u);
  const auto late = engine_->submit(request);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Code::deadline_exceeded);
}

TEST_F(EngineTest, AFullQueueRefusesWithAHint) {
  start({.batch_max = 1, .queue_max = 2}, true);
  std::vector<std::shared_ptr<Mailbox>> open;
  open.push_back(submit(make_request({10}, 400)));
  gate_.wait_for_step(1);
  open.push_back(submit(make_request({10}, 400)));
  open.push_back(submit(make_request({10}, 400)));
  const auto refused = engine_->submit(make_request({10}, 400));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  EXPECT_TRUE(refused.error().retry_safe);
  EXPECT_GT(refused.error().retry_after_ms, 0u);
  gate_.open();
}

std::vector<TokenRequest> copies(uint32_t n) {
  std::vector<TokenRequest> out(n, make_request({10, 20}, 5));
  for (uint32_t i = 0; i < n; ++i) out[i].choice = i;
  return out;
}

// Sixteen answers went in one by one, faster than the engine could say that it had started some.
TEST_F(EngineTest, AnIdleEngineTakesMoreAnswersThanItsQueueIsLong) {
  start({.batch_max = 16, .queue_max = 8});
  for (int round = 0; round < 20; ++round) {
    const auto mailboxes = engine_->submit_all(copies(16));
    ASSERT_TRUE(mailboxes.ok()) << mailboxes.error().message;
    ASSERT_EQ(mailboxes->size(), 16u);
    for (uint32_t i = 0; i < 16; ++i) {
      EXPECT_EQ(read_all(*(*mailboxes)[i]).tokens, solo(copies(16)[i]));
    }
    wait_until([](const EngineStats& s) { return s.running + s.waiting == 0; });
  }
}

TEST_F(EngineTest, WhatDoesNotFitNowIsRefusedWholeWithAHint) {
  start({.batch_max = 2, .queue_max = 3}, true);
  const auto first = engine_->submit_all(copies(3));
  ASSERT_TRUE(first.ok());
  gate_.wait_for_step(1);
  const auto refused = engine_->submit_all(copies(3));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  EXPECT_GT(refused.error().retry_after_ms, 0u);
  const auto fits = engine_->submit_all(copies(2));
  EXPECT_TRUE(fits.ok()) << "the refusal must hold no place";
  gate_.open();
  for (const auto& mailbox : *first) read_all(*mailbox);
  for (const auto& mailbox : *fits) read_all(*mailbox);
  wait_until([](const EngineStats& s) { return s.running + s.waiting == 0; });
  EXPECT_EQ(engine_->stats().finished[static_cast<size_t>(Finish::length)], 5u);
}

TEST_F(EngineTest, WhatNeverFitsIsRefusedWithoutAHint) {
  start({.batch_max = 2, .queue_max = 3});
  const auto refused = engine_->submit_all(copies(6));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_EQ(refused.error().param, "n");
  EXPECT_FALSE(refused.error().retry_safe);
  EXPECT_EQ(refused.error().retry_after_ms, 0u);
  EXPECT_NE(refused.error().message.find("holds: 5"), std::string::npos) << refused.error().message;
}

TEST_F(EngineTest, WrongRequestsAreRefusedByField) {
  start();
  const float nan = std::nanf("");
  const float infinity = std::numeric_limits<float>::infinity();
  struct Wrong {
    const char* param;
    std::function<void(TokenRequest&)> spoil;
  };
  const std::vector<Wrong> cases = {
      {"prompt", [](auto& r) { r.prompt.clear(); }},
      {"prompt", [](auto& r) { r.prompt = {-1}; }},
      {"prompt",
       [](auto& r) {
         r.prompt = {5, 1000};
       }},
      {"prompt", [](auto& r) { r.prompt.assign(512, 5); }},
      {"emitted", [](auto& r) { r.emitted = {1000}; }},
      {"emitted", [](auto& r) { r.emitted.assign(11, 5); }},
      {"max_tokens", [](auto& r) { r.max_tokens = 0; }},
      {"temperature", [=](auto& r) { r.sampling.temperature = nan; }},
      {"temperature", [=](auto& r) { r.sampling.temperature = infinity; }},
      {"temperature", [](auto& r) { r.sampling.temperature = -0.1f; }},
      {"top_p", [](auto& r) { r.sampling.top_p = 0.0f; }},
      {"top_p", [](auto& r) { r.sampling.top_p = 1.1f; }},
      {"top_k", [](auto& r) { r.sampling.top_k = -1; }},
      {"min_p", [=](auto& r) { r.sampling.min_p = nan; }},
      {"repetition_penalty", [](auto& r) { r.sampling.repetition_penalty = 0.0f; }},
      {"presence_penalty", [=](auto& r) { r.sampling.presence_penalty = infinity; }},
      {"frequency_penalty", [=](auto& r) { r.sampling.frequency_penalty = nan; }},
      {"logit_bias",
       [](auto& r) {
         r.sampling.logit_bias = {{1000, 1.0f}};
       }},
      {"logit_bias",
       [=](auto& r) {
         r.sampling.logit_bias = {{1, nan}};
       }},
      {"logit_bias",
       [](auto& r) {
         r.sampling.logit_bias.assign(5000, {1, 1.0f});
       }},
      {"logprobs", [](auto& r) { r.sampling.logprobs = kMaxTopLogprobs + 1; }},
      {"stop_token_ids", [](auto& r) { r.sampling.stop_tokens.assign(2000, 1); }},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    TokenRequest request = make_request({10}, 10);
    cases[i].spoil(request);
    const auto refused = engine_->submit(request);
    ASSERT_FALSE(refused.ok()) << "case " << i;
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
    EXPECT_EQ(refused.error().origin, Origin::client);
    EXPECT_EQ(refused.error().param, cases[i].param) << "case " << i;
  }
  EXPECT_TRUE(engine_->submit(make_request({10}, 10)).ok());
}

TEST_F(EngineTest, TheNotifierIsCalledForWhatIsThereAndNotAfterRemoval) {
  start({}, true);
  auto mailbox = submit(make_request({10}, 3));
  gate_.let_one();
  gate_.wait_for_step(2);  // the first token was delivered
  std::atomic<int> calls{0};
  mailbox->on_events([&] { ++calls; });
  EXPECT_EQ(calls.load(), 1);
  mailbox->on_events({});
  gate_.open();
  const Answer answer = read_all(*mailbox);
  EXPECT_EQ(answer.tokens.size(), 3u);
  EXPECT_EQ(calls.load(), 1);
}

TEST_F(EngineTest, AMailboxOutlivesTheEngine) {
  start({}, true);
  auto mailbox = submit(make_request({10}, 400));
  gate_.wait_for_step(1);
  std::thread opener([&] {
    std::this_thread::sleep_for(5ms);
    gate_.open();
  });
  engine_.reset();
  opener.join();
  const Answer answer = read_all(*mailbox);
  EXPECT_EQ(answer.ending.finish, Finish::error);
  EXPECT_EQ(answer.ending.error->code, Code::unavailable);
  mailbox.reset();
}

TEST_F(EngineTest, ASecondQuestionFindsThePromptInTheCache) {
  start();
  const TokenRequest request = make_request(std::vector<Token>(100, 9), 5);
  EXPECT_EQ(read_all(*submit(request)).ending.cached_tokens, 0u);
  const Answer second = read_all(*submit(request));
  EXPECT_EQ(second.ending.cached_tokens, 96u);
  for (const TokenEvent& event : second.events) EXPECT_EQ(event.cached_tokens, 96u);
  TokenRequest other = request;
  other.cache_salt = 1;
  EXPECT_EQ(read_all(*submit(other)).ending.cached_tokens, 0u);
  start({.prefix_cache = false});
  EXPECT_EQ(read_all(*submit(request)).ending.cached_tokens, 0u);
  EXPECT_EQ(read_all(*submit(request)).ending.cached_tokens, 0u);
}

}  // namespace
}  // namespace baton
