#include "weights/json_file.h"

#include <cmath>
#include <cstdio>
#include <utility>

#include "base/read_file.h"

namespace baton {
namespace {

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

}  // namespace

std::optional<int64_t> to_integer(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (!value.is_double()) return std::nullopt;  // uint64 here means above the int64 range
  const double number = value.get_double();
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (!(std::fabs(number) < kExact) || number != std::floor(number)) return std::nullopt;
  return static_cast<int64_t>(number);
}

Result<JsonFields> JsonFields::load(const std::filesystem::path& path, uint64_t limit_bytes) {
  BATON_ASSIGN(const std::string text, read_file(path, limit_bytes));
  Result<json::value> parsed = parse_json(text);
  if (!parsed.ok()) {
    return self_error(Code::data_corrupt, path.string() + ": " + parsed.error().message);
  }
  if (!parsed->is_object()) {
    return self_error(Code::data_corrupt, path.string() + ": not a JSON object");
  }
  JsonFields fields;
  fields.file_ = path.string();
  fields.object_ = std::move(parsed->get_object());
  return fields;
}

const json::value* JsonFields::find(std::string_view field) const {
  const json::value* value = object_.if_contains(field);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

Result<std::optional<JsonFields>> JsonFields::child(std::string_view field) const {
  const json::value* value = find(field);
  if (value == nullptr) return std::optional<JsonFields>();
  if (!value->is_object()) return corrupt(field, "must be an object");
  JsonFields fields;
  fields.file_ = file_;
  fields.prefix_ = prefix_ + std::string(field) + ".";
  fields.object_ = value->get_object();
  return std::optional<JsonFields>(std::move(fields));
}

Result<std::optional<int64_t>> JsonFields::integer(std::string_view field, int64_t least,
                                                   int64_t most) const {
  const json::value* value = find(field);
  if (value == nullptr) return std::optional<int64_t>();
  const std::optional<int64_t> number = to_integer(*value);
  if (!number || *number < least || *number > most) {
    return corrupt(
        field, "must be an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

Result<std::optional<double>> JsonFields::number(std::string_view field, double least,
                                                 double most) const {
  const json::value* value = find(field);
  if (value == nullptr) return std::optional<double>();
  if (value->is_number()) {
    const double number = value->to_number<double>();
    // A NaN or an infinity (1e999 parses to one) fails this too.
    if (number >= least && number <= most) return std::optional<double>(number);
  }
  return corrupt(field, "must be a number from " + number_text(least) + " to " + number_text(most));
}

Result<std::optional<bool>> JsonFields::boolean(std::string_view field) const {
  const json::value* value = find(field);
  if (value == nullptr) return std::optional<bool>();
  if (!value->is_bool()) return corrupt(field, "must be true or false");
  return std::optional<bool>(value->get_bool());
}

Result<std::optional<std::string>> JsonFields::string(std::string_view field) const {
  const json::value* value = find(field);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return corrupt(field, "must be a string");
  const json::string& text = value->get_string();
  return std::optional<std::string>(std::string(text.data(), text.size()));
}

std::string JsonFields::describe(std::string_view field, std::string_view problem) const {
  return file_ + ": field '" + prefix_ + std::string(field) + "' " + std::string(problem);
}

Error JsonFields::corrupt(std::string_view field, std::string_view problem) const {
  return self_error(Code::data_corrupt, describe(field, problem));
}

Error JsonFields::unsupported(std::string_view field, std::string_view problem) const {
  return self_error(Code::unsupported, describe(field, problem));
}

}  // namespace baton
