// Reading typed fields of a JSON object that a client sent. Absent and null are the same: the field
// keeps its default. Unknown fields are never looked at.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "token/token.h"

namespace baton::api {

/// Collects the first thing that is wrong; every read after it does nothing. Errors are
/// invalid_argument with `param` naming the field and OpenAI's words as `reason` ("invalid_type",
/// "integer_above_max_value" …).
class Fields {
 public:
  /// `prefix` leads the names in errors: "messages[3]." for a nested object.
  explicit Fields(const json::object& object, std::string prefix = {})
      : object_(object), prefix_(std::move(prefix)) {}

  /// The field's value, or nullptr if it is absent or null.
  const json::value* find(std::string_view name) const;
  std::string path(std::string_view name) const { return prefix_ + std::string(name); }

  // Each writes `out` only if the field is there and right. Ranges are closed.
  void integer(std::string_view name, int64_t min, int64_t max, std::optional<int64_t>& out);
  void number(std::string_view name, double min, double max, std::optional<double>& out);
  void boolean(std::string_view name, bool& out);
  void string(std::string_view name, size_t max_bytes, std::optional<std::string>& out);
  /// An array of at most `max_count` ids, each 0…2³¹−1.
  void tokens(std::string_view name, size_t max_count, std::optional<std::vector<Token>>& out);

  /// Records an error unless there is one already.
  void fail(std::string_view name, std::string reason, std::string message);
  void fail(Error error);
  void wrong_type(std::string_view name, const char* expected, const json::value& got);

  bool ok() const { return !error_.has_value(); }
  Result<void> result() const { return error_ ? Result<void>(*error_) : Result<void>(); }

 private:
  const json::object& object_;
  std::string prefix_;
  std::optional<Error> error_;
};

/// "a string", "an array" …: what a person would call the type of `value`.
const char* type_name(const json::value& value);

/// An integer that JSON may also have spelled as 16.0; nothing if it is none or beyond 2⁵³ as such.
std::optional<int64_t> as_integer(const json::value& value);

/// An array of ids, as a prompt or a stop list states them. Errors name `path`.
Result<std::vector<Token>> parse_tokens(const json::value& value, const std::string& path,
                                        size_t max_count);

/// The body as an object, within the JSON limits. Errors: invalid_argument, reason "invalid_json".
Result<json::object> parse_body(std::string_view body);

}  // namespace baton::api
