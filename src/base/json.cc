#include "base/json.h"

#include <boost/json/stream_parser.hpp>
#include <string>

namespace baton {

Result<json::value> parse_json(std::string_view text, const JsonLimits& limits) {
  json::parse_options options;
  options.max_depth = limits.depth;
  json::stream_parser parser({}, options);
  json::error_code error;
  const size_t consumed = parser.write_some(text.data(), text.size(), error);
  if (!error && consumed < text.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (error) {
    return client_error(
        Code::invalid_argument,
        "not valid JSON at byte " + std::to_string(consumed) + ": " + error.message());
  }
  return parser.release();
}

}  // namespace baton
