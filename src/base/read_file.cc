#include "base/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace baton {
namespace {

/// Closes a descriptor at the end of a scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Error system_failure(const std::filesystem::path& path, int error) {
  const Code code = error == ENOENT || error == ENOTDIR ? Code::not_found : Code::io;
  return self_error(code, path.string() + ": " + std::strerror(error));
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, uint64_t limit_bytes) {
  // O_NONBLOCK: opening a FIFO must fail the check below rather than wait for a writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return system_failure(path, errno);
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return system_failure(path, errno);
  if (!S_ISREG(status.st_mode)) {
    return self_error(Code::io, path.string() + ": not a regular file");
  }
  const uint64_t size = static_cast<uint64_t>(status.st_size);
  if (size > limit_bytes) {
    return self_error(Code::too_large, path.string() + ": " + std::to_string(size) +
                                           " bytes, above the limit of " +
                                           std::to_string(limit_bytes));
  }
  std::string text(size, '\0');
  size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure(path, errno);
    if (got == 0) break;  // shrank meanwhile: what is left is judged by its reader
    filled += static_cast<size_t>(got);
  }
  text.resize(filled);
  return text;
}

}  // namespace baton
