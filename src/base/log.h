// Logs go to stderr, results to stdout. One process-wide logger; libraries log through it and never
// print.
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

namespace baton::log {

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

/// Sends all logs to stderr with time and level. `level`: "debug", "info", "warn", "error", "off".
/// Returns false for an unknown level and leaves the logger as it was.
bool init(std::string_view level);

}  // namespace baton::log
