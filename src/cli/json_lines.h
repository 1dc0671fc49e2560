// One JSON object a line in, one out.
#pragma once

#include <cstddef>
#include <functional>
#include <istream>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace baton::cli {

inline constexpr size_t kJsonLineBytesMax = 16u << 20;

/// Opens a file, or standard input for "-".
Result<std::unique_ptr<std::istream>> open_lines(const std::string& path);

/// Calls `take` for every non-empty line with the object or the error of that line (too long, not
/// JSON, not an object). Stops where `take` returns false.
void for_each_json_line(std::istream& input, const std::function<bool(Result<json::object>)>& take);

/// `{"error":{"message":…,"param":…}}`
json::object error_line(const Error& error);

/// Writes one line to standard output and flushes it.
void print_line(const json::object& line);

}  // namespace baton::cli
