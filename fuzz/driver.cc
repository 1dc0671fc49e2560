// Drives a fuzz target without libFuzzer: the corpus, then seeded mutations of it.
//
//   NAME_fuzz CORPUS_DIR [--mutations N] [--seed S]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Bytes = std::vector<uint8_t>;

std::vector<Bytes> read_corpus(const std::filesystem::path& dir) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Bytes> corpus;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

Bytes mutate(Bytes input, const std::vector<Bytes>& corpus, std::mt19937_64& random) {
  auto below = [&](size_t n) { return n == 0 ? 0 : random() % n; };
  const int edits = 1 + static_cast<int>(below(8));
  for (int i = 0; i < edits; ++i) {
    const size_t at = below(input.size() + 1);
    switch (below(6)) {
      case 0:  // flip a bit
        if (!input.empty()) input[below(input.size())] ^= static_cast<uint8_t>(1u << below(8));
        break;
      case 1:  // a random byte
        if (!input.empty()) input[below(input.size())] = static_cast<uint8_t>(random());
        break;
      case 2:  // truncate
        input.resize(at);
        break;
      case 3: {  // repeat a stretch
        const size_t length = below(input.size() - std::min(at, input.size()) + 1);
        const Bytes part(input.begin() + static_cast<ptrdiff_t>(at),
                         input.begin() + static_cast<ptrdiff_t>(at + length));
        if (input.size() < (1u << 20)) {
          input.insert(input.begin() + static_cast<ptrdiff_t>(at), part.begin(), part.end());
        }
        break;
      }
      case 4: {  // splice in a stretch of another seed
        const Bytes& other = corpus[below(corpus.size())];
        const size_t from = below(other.size() + 1);
        const size_t length = below(other.size() - from + 1);
        if (input.size() < (1u << 20)) {
          input.insert(input.begin() + static_cast<ptrdiff_t>(at),
                       other.begin() + static_cast<ptrdiff_t>(from),
                       other.begin() + static_cast<ptrdiff_t>(from + length));
        }
        break;
      }
      default: {  // an interesting number
        static const char* const kNumbers[] = {"-1", "0", "18446744073709551615", "1e308", "NaN"};
        const char* number = kNumbers[below(std::size(kNumbers))];
        input.insert(input.begin() + static_cast<ptrdiff_t>(at), number,
                     number + std::strlen(number));
      }
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t mutations = 2000;
  uint64_t seed = 1;
  std::string dir;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--mutations") == 0 && i + 1 < argc) {
      mutations = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      dir = argv[i];
    }
  }
  const std::vector<Bytes> corpus = read_corpus(dir);
  if (corpus.empty()) {
    std::fprintf(stderr, "no corpus in %s\n", dir.c_str());
    return 2;
  }
  for (const Bytes& input : corpus) LLVMFuzzerTestOneInput(input.data(), input.size());
  std::mt19937_64 random(seed);
  for (uint64_t i = 0; i < mutations; ++i) {
    const Bytes input = mutate(corpus[random() % corpus.size()], corpus, random);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%zu corpus files and %llu mutations (seed %llu): no crash\n", corpus.size(),
              static_cast<unsigned long long>(mutations), static_cast<unsigned long long>(seed));
  return 0;
}
