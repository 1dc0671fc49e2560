#pragma once

namespace baton::cli {

/// As in CMakeLists.txt; a test holds the two together.
inline constexpr const char* kVersion = "0.1.0";

}  // namespace baton::cli
