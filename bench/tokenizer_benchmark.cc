// How fast is the tokenizer, and is it linear on hostile text?
//
//   ninja -C build tokenizer_benchmark
//   build/tokenizer_benchmark MODEL_DIR /usr/lib/python3.11/*.py
//
// One JSON object a row, CPU time of one thread, the best of several runs: the given files
// together, Chinese made of random words of the vocabulary, and 1 MB of each kind of text that
// quadratic tokenizers choke on.
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "text/tokenizer.h"
#include "text/utf8.h"

namespace {

using namespace baton;

constexpr size_t kMegabyte = 1'000'000;

/// CPU time of this thread: what other processes take does not count.
double seconds_now() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::string repeated(std::string_view unit, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

/// Words of the vocabulary that are all Han characters.
std::vector<std::string_view> han_words(const Tokenizer& tokenizer) {
  std::vector<std::string_view> words;
  for (Token id = 0; id < static_cast<Token>(tokenizer.size()); ++id) {
    const std::string_view word = tokenizer.bytes(id);
    if (word.empty() || !utf8_valid(word)) continue;
    bool han = true;
    for (const char* p = word.data(); han && p < word.data() + word.size();) {
      const uint32_t c = utf8_next(p);
      han = c >= 0x4E00 && c <= 0x9FFF;
    }
    if (han) words.push_back(word);
  }
  return words;
}

/// Random words, with punctuation every dozen words or none. `natural`: as frequent as Zipf's law
/// has it for their place in the vocabulary; otherwise all alike, which no text is and no cache
/// likes.
std::string chinese(const Tokenizer& tokenizer, size_t bytes, bool natural, bool punctuation) {
  const std::vector<std::string_view> words = han_words(tokenizer);
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform;
  std::string text;
  while (!words.empty() && text.size() < bytes) {
    const double u = uniform(random), count = static_cast<double>(words.size());
    const double at = natural ? std::pow(count, u) - 1 : u * count;
    text += words[static_cast<size_t>(at) % words.size()];
    if (punctuation && random() % 12 == 0) text += random() % 4 == 0 ? "。\n" : "，";
  }
  return text;
}

void row(const Tokenizer& tokenizer, const char* name, const std::string& text, int runs) {
  double best = 1e9;
  size_t tokens = 0;
  for (int run = 0; run < runs; ++run) {
    const double start = seconds_now();
    tokens = tokenizer.encode(text, Markers::allow).size();
    best = std::min(best, seconds_now() - start);
  }
  std::printf("{\"text\":\"%s\",\"bytes\":%zu,\"tokens\":%zu,\"ms\":%.2f,\"MB/s\":%.1f}\n", name,
              text.size(), tokens, best * 1e3, static_cast<double>(text.size()) / best / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s MODEL_DIR [FILE…]\n", argv[0]);
    return 2;
  }
  const double start = seconds_now();
  auto loaded = Tokenizer::load(argv[1]);
  if (!loaded.ok()) {
    std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
    return 1;
  }
  std::printf("{\"load_ms\":%.1f}\n", (seconds_now() - start) * 1e3);
  const Tokenizer& tokenizer = **loaded;

  std::string files;
  for (int i = 2; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    files.append(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  if (!files.empty()) row(tokenizer, "files", files, 10);
  row(tokenizer, "chinese", chinese(tokenizer, 8 * kMegabyte, true, true), 10);
  row(tokenizer, "chinese, all words alike", chinese(tokenizer, 8 * kMegabyte, false, true), 10);
  row(tokenizer, "chinese, one run", chinese(tokenizer, kMegabyte, true, false), 10);
  row(tokenizer, "one letter", std::string(kMegabyte, 'a'), 5);
  row(tokenizer, "spaces", std::string(kMegabyte, ' '), 5);
  row(tokenizer, "newlines", std::string(kMegabyte, '\n'), 5);
  row(tokenizer, "apostrophes", std::string(kMegabyte, '\''), 5);
  row(tokenizer, "one ideograph", repeated("的", kMegabyte), 5);
  row(tokenizer, "rare ideograph", repeated("\xF0\xA0\x80\x80", kMegabyte), 5);
  row(tokenizer, "combining marks", repeated("\xCC\x81\xCC\xA3", kMegabyte), 5);
  row(tokenizer, "hangul jamo", repeated("\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8", kMegabyte), 5);
  row(tokenizer, "marker begins", repeated("<", kMegabyte), 5);
  row(tokenizer, "markers", repeated("<think>", kMegabyte), 5);
  return 0;
}
