// Small JSON files of a model folder, read within limits; errors name the file and the field.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace baton {

/// One JSON object with checked access to its fields. `null` counts as absent everywhere, as it
/// does for the Python side that writes these files.
class JsonFields {
 public:
  /// Reads the file; data_corrupt unless it is one JSON object.
  static Result<JsonFields> load(const std::filesystem::path& path, uint64_t limit_bytes);

  /// nullptr if absent or null.
  const json::value* find(std::string_view field) const;
  const json::object& object() const { return object_; }

  /// The sub-object `field`; data_corrupt if it is something else; nothing if absent.
  Result<std::optional<JsonFields>> child(std::string_view field) const;

  /// An integer within [least, most]; a float of integral value counts as the integer it is.
  Result<std::optional<int64_t>> integer(std::string_view field, int64_t least, int64_t most) const;
  /// A finite number within [least, most].
  Result<std::optional<double>> number(std::string_view field, double least, double most) const;
  Result<std::optional<bool>> boolean(std::string_view field) const;
  Result<std::optional<std::string>> string(std::string_view field) const;

  /// data_corrupt: "FILE: field 'FIELD' PROBLEM".
  Error corrupt(std::string_view field, std::string_view problem) const;
  /// unsupported: "FILE: field 'FIELD' PROBLEM".
  Error unsupported(std::string_view field, std::string_view problem) const;

 private:
  std::string describe(std::string_view field, std::string_view problem) const;

  std::string file_;    // for messages
  std::string prefix_;  // "rope_parameters." inside a child
  json::object object_;
};

/// The integer that a JSON number stands for, if it is one and fits; floats only when integral and
/// below 2^53.
std::optional<int64_t> to_integer(const json::value& value);

}  // namespace baton
