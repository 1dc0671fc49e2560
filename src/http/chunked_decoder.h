// The chunked transfer coding (RFC 9112, 7.1), decoded without I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace baton::http {

/// Extensions and trailer fields are checked and dropped; together they may take kMaxExtraBytes.
class ChunkedDecoder {
 public:
  static constexpr size_t kMaxExtraBytes = 16 * 1024;
  enum class State : uint8_t { more, done, too_large, bad };

  explicit ChunkedDecoder(uint64_t body_limit) : body_limit_(body_limit) {}

  /// Takes bytes off the front of `input` and appends what they carry to `body`. After done,
  /// `input` is what follows the body; after too_large or bad the connection is of no more use.
  State feed(std::string_view& input, std::string& body);

 private:
  enum class Step : uint8_t {
    size_first,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,
    trailer_name,
    trailer_value,
    trailer_lf,
    last_lf,
  };
  State take(char c, uint64_t body_bytes);
  State size_digit(char c, uint64_t body_bytes);

  uint64_t body_limit_;
  Step step_ = Step::size_first;
  uint64_t chunk_bytes_ = 0;  // left of this chunk
  uint32_t size_digits_ = 0;
  size_t extra_bytes_ = 0;
};

}  // namespace baton::http
