// CHECK(condition): a programmer error ends the process, in release builds too.
//
// Use it for what the code itself guarantees, never for input: input errors are `Result`s.
#pragma once

namespace baton {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace baton

#define CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::baton::check_failed(#condition, __FILE__, __LINE__))
