// Boost.JSON behind stated limits: depth, size and strict UTF-8.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace baton {

namespace json = boost::json;

struct JsonLimits {
  size_t depth = 64;
};

/// Parses one whole document; invalid_argument errors say where it broke ("at byte 17: …").
Result<json::value> parse_json(std::string_view text, const JsonLimits& limits = {});

}  // namespace baton
