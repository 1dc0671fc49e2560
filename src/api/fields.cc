#include "api/fields.h"

#include <cmath>
#include <limits>

namespace baton::api {
namespace {

constexpr double kExactDouble = 9007199254740992.0;  // 2⁵³

Error invalid(std::string param, std::string reason, std::string message) {
  Error error = client_error(Code::invalid_argument, std::move(message), std::move(param));
  error.reason = std::move(reason);
  return error;
}

std::string spelled(double value) {
  if (value == std::floor(value) && std::fabs(value) < kExactDouble) {
    return std::to_string(static_cast<int64_t>(value));
  }
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

}  // namespace

const char* type_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "an integer";
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

std::optional<int64_t> as_integer(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_double()) {
    const double number = value.get_double();
    if (std::fabs(number) <= kExactDouble && number == std::floor(number)) {
      return static_cast<int64_t>(number);
    }
  }
  return std::nullopt;  // uint64 only holds what int64 cannot
}

const json::value* Fields::find(std::string_view name) const {
  const json::value* value = object_.if_contains(name);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

void Fields::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

void Fields::fail(std::string_view name, std::string reason, std::string message) {
  fail(invalid(path(name), std::move(reason), std::move(message)));
}

void Fields::wrong_type(std::string_view name, const char* expected, const json::value& got) {
  fail(name, "invalid_type",
       "Invalid type for '" + path(name) + "': expected " + expected + ", but got " +
           type_name(got) + ".");
}

void Fields::integer(std::string_view name, int64_t min, int64_t max, std::optional<int64_t>& out) {
  const json::value* value = find(name);
  if (!ok() || value == nullptr) return;
  if (!value->is_number()) return wrong_type(name, "an integer", *value);
  const std::optional<int64_t> integer = as_integer(*value);
  const double number = value->to_number<double>();
  if (!integer && std::fabs(number) < kExactDouble) return wrong_type(name, "an integer", *value);
  if (integer ? *integer < min : number < 0) {
    return fail(name, "integer_below_min_value",
                "'" + path(name) + "' must be at least " + std::to_string(min) + ".");
  }
  if (!integer || *integer > max) {
    return fail(name, "integer_above_max_value",
                "'" + path(name) + "' must be at most " + std::to_string(max) + ".");
  }
  out = *integer;
}

void Fields::number(std::string_view name, double min, double max, std::optional<double>& out) {
  const json::value* value = find(name);
  if (!ok() || value == nullptr) return;
  if (!value->is_number()) return wrong_type(name, "a number", *value);
  const double number = value->to_number<double>();
  if (number < min) {
    return fail(name, "decimal_below_min_value",
                "'" + path(name) + "' must be at least " + spelled(min) + ".");
  }
  if (!(number <= max)) {
    return fail(name, "decimal_above_max_value",
                "'" + path(name) + "' must be at most " + spelled(max) + ".");
  }
  out = number;
}

void Fields::boolean(std::string_view name, bool& out) {
  const json::value* value = find(name);
  if (!ok() || value == nullptr) return;
  if (!value->is_bool()) return wrong_type(name, "a boolean", *value);
  out = value->get_bool();
}

void Fields::string(std::string_view name, size_t max_bytes, std::optional<std::string>& out) {
  const json::value* value = find(name);
  if (!ok() || value == nullptr) return;
  if (!value->is_string()) return wrong_type(name, "a string", *value);
  if (value->get_string().size() > max_bytes) {
    return fail(name, "string_above_max_length",
                "'" + path(name) + "' may have at most " + std::to_string(max_bytes) + " bytes.");
  }
  out = std::string(value->get_string());
}

void Fields::tokens(std::string_view name, size_t max_count,
                    std::optional<std::vector<Token>>& out) {
  const json::value* value = find(name);
  if (!ok() || value == nullptr) return;
  Result<std::vector<Token>> tokens = parse_tokens(*value, path(name), max_count);
  if (!tokens.ok()) return fail(std::move(tokens).error());
  out = std::move(tokens).value();
}

Result<std::vector<Token>> parse_tokens(const json::value& value, const std::string& path,
                                        size_t max_count) {
  if (!value.is_array()) {
    return invalid(path, "invalid_type",
                   "Invalid type for '" + path + "': expected an array of token ids, but got " +
                       type_name(value) + ".");
  }
  const json::array& array = value.get_array();
  if (array.size() > max_count) {
    return invalid(path, "array_above_max_length",
                   "'" + path + "' may have at most " + std::to_string(max_count) + " entries.");
  }
  std::vector<Token> tokens;
  tokens.reserve(array.size());
  for (size_t i = 0; i < array.size(); ++i) {
    const std::optional<int64_t> id = as_integer(array[i]);
    if (!id || *id < 0 || *id > std::numeric_limits<Token>::max()) {
      return invalid(path + "[" + std::to_string(i) + "]",
                     array[i].is_number() ? "invalid_value" : "invalid_type",
                     "'" + path + "[" + std::to_string(i) + "]' is not a token id.");
    }
    tokens.push_back(static_cast<Token>(*id));
  }
  return tokens;
}

Result<json::object> parse_body(std::string_view body) {
  Result<json::value> parsed = parse_json(body);
  if (!parsed.ok()) {
    return invalid("", "invalid_json", "The body is " + parsed.error().message + ".");
  }
  if (!parsed->is_object()) {
    return invalid(
        "", "invalid_json",
        std::string("The body must be a JSON object, but is ") + type_name(*parsed) + ".");
  }
  return std::move(parsed->get_object());
}

}  // namespace baton::api
