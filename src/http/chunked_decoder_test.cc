#include "http/chunked_decoder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace baton::http {
namespace {

using State = ChunkedDecoder::State;

struct Outcome {
  State state;
  std::string body, rest;
};

Outcome decode(std::string_view text, uint64_t limit = 1 << 20, size_t step = SIZE_MAX) {
  ChunkedDecoder decoder(limit);
  Outcome out{State::more, {}, {}};
  while (!text.empty() && out.state == State::more) {
    std::string_view part = text.substr(0, step);
    const size_t size = part.size();
    out.state = decoder.feed(part, out.body);
    text.remove_prefix(size - part.size());
  }
  out.rest = text;
  return out;
}

TEST(ChunkedDecoder, DecodesAndLeavesWhatFollows) {
  const std::string text =
      "5\r\nhello\r\n00A;a=b\r\n0123456789\r\n0\r\nX-Sum: 1 2\r\nY:\r\n\r\nGET /";
  for (size_t step = 1; step <= text.size(); ++step) {
    const Outcome out = decode(text, 100, step);
    EXPECT_EQ(out.state, State::done) << step;
    EXPECT_EQ(out.body, "hello0123456789");
    EXPECT_EQ(out.rest, "GET /");
  }
  EXPECT_EQ(decode("0\r\n\r\n").state, State::done);
}

TEST(ChunkedDecoder, RefusesWhatIsNotChunked) {
  for (const char* text : {"g\r\n",       "-2\r\n",         "+2\r\n",
                           " 2\r\n",      "2 \r\n",         "0x2\r\n",
                           "\r\n",        ";a\r\n",         "2\n",
                           "2\r\r",       "2\r\nabc",       "2\r\nab\n",
                           "2\r\nab\r\r", "2;a\n",          "2;a\x01\r\n",
                           "2;a=\"b\r\n", "2; a\r\n",       "0\r\n\n",
                           "0\r\n\r\r",   "0\r\n X: y\r\n", "0\r\nX y: z\r\n",
                           "0\r\nX\r\n",  "0\r\nX: y\n",    "0000000000000001\r\n"}) {
    EXPECT_EQ(decode(text).state, State::bad) << text;
  }
}

TEST(ChunkedDecoder, BodyLimitHoldsBeforeTheDataComes) {
  EXPECT_EQ(decode("a\r\n0123456789\r\n0\r\n\r\n", 10).state, State::done);
  EXPECT_EQ(decode("b\r\n", 10).state, State::too_large);
  EXPECT_EQ(decode("9\r\n123456789\r\n2\r\n", 10).state, State::too_large);
  EXPECT_EQ(decode("fffffffffffffff\r\n").state, State::too_large);
  EXPECT_EQ(decode("ffffffffffffffffffffffff\r\n", UINT64_MAX).state, State::bad);
}

TEST(ChunkedDecoder, ExtensionsAndTrailersAreLimited) {
  const std::string much(ChunkedDecoder::kMaxExtraBytes + 1, 'a');
  EXPECT_EQ(decode("1;" + much + "\r\n").state, State::bad);
  EXPECT_EQ(decode("0\r\nX:" + much + "\r\n\r\n").state, State::bad);
  std::string creeping;
  for (int i = 0; i < 2000; ++i) creeping += "1;aaaaaaaaaaaa\r\nx\r\n";
  EXPECT_EQ(decode(creeping).state, State::bad);
}

TEST(ChunkedDecoder, RandomBodiesRoundTripHoweverTheyAreCut) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 random(seed);
    std::string body, text;
    const size_t chunks = random() % 20;
    for (size_t i = 0; i < chunks; ++i) {
      std::string chunk(1 + random() % 300, '\0');
      for (char& c : chunk) c = static_cast<char>(random());
      char size[32];
      std::snprintf(size, sizeof size, random() % 2 ? "%zx" : "%04zX", chunk.size());
      text += size + std::string("\r\n") + chunk + "\r\n";
      body += chunk;
    }
    text += "0\r\n\r\n";
    const Outcome out = decode(text, body.size(), 1 + random() % 50);
    EXPECT_EQ(out.state, State::done) << "seed " << seed;
    EXPECT_EQ(out.body, body) << "seed " << seed;
  }
}

}  // namespace
}  // namespace baton::http
