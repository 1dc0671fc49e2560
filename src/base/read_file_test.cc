#include "base/read_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

#include "base/check.h"

namespace baton {
namespace {

class ReadFile : public testing::Test {
 protected:
  ReadFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "baton-test-XXXXXX").string();
    CHECK(::mkdtemp(pattern.data()) != nullptr);
    dir_ = pattern;
  }
  ~ReadFile() override {
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
  }

  /// The code of the error, which names the file.
  Code code(const char* name, uint64_t limit_bytes) {
    const auto text = read_file(dir_ / name, limit_bytes);
    EXPECT_FALSE(text.ok());
    if (text.ok()) return Code::internal;
    EXPECT_NE(text.error().message.find((dir_ / name).string()), std::string::npos);
    return text.error().code;
  }

  std::filesystem::path dir_;
};

TEST_F(ReadFile, GivesTheWholeFileUpToItsLimit) {
  const std::string content("a\0b\n", 4);
  std::ofstream(dir_ / "file", std::ios::binary) << content;
  std::ofstream(dir_ / "empty");
  std::filesystem::create_symlink("file", dir_ / "link");
  EXPECT_EQ(*read_file(dir_ / "file", 4), content);
  EXPECT_EQ(*read_file(dir_ / "link", 4), content);
  EXPECT_EQ(*read_file(dir_ / "empty", 0), "");
  EXPECT_EQ(code("file", 3), Code::too_large);
}

TEST_F(ReadFile, MissingAndOddFiles) {
  std::ofstream(dir_ / "file") << "x";
  std::filesystem::create_directory(dir_ / "folder");
  EXPECT_EQ(code("none", 10), Code::not_found);
  EXPECT_EQ(code("file/none", 10), Code::not_found);
  EXPECT_EQ(code("folder", 10), Code::io);
}

TEST_F(ReadFile, AFifoIsRefusedWithoutWaitingForItsWriter) {
  ASSERT_EQ(::mkfifo((dir_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(code("pipe", 10), Code::io);
}

}  // namespace
}  // namespace baton
