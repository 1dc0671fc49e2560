// One row per option: command line, configuration file, help text and documentation come from it.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace baton {

/// One option bound to a field of a typed struct.
struct OptionRow {
  std::string name;      // "kv-tokens": `--kv-tokens` and, in the file, `kv_tokens`
  std::string value;     // what stands for the value in help: "N", "DIR", "on|off"
  std::string fallback;  // the default as text
  std::string range;     // "1…65535", "bf16|fp32" or ""
  std::string help;
  bool hot = false;  // takes effect on reload; cold options need a restart
  std::function<Result<void>(std::string_view)> set;
  std::function<std::string()> get;
};

class OptionTable {
 public:
  /// An integer in [min, max]. `target` holds the default and must outlive the table.
  template <std::integral T>
  requires(!std::same_as<T, bool>) void add(std::string name, T* target, T min, T max,
                                            std::string help) {
    add_integer(
        std::move(name), static_cast<int64_t>(min), static_cast<int64_t>(max), std::move(help),
        [target] { return static_cast<int64_t>(*target); },
        [target](int64_t v) { *target = static_cast<T>(v); });
  }
  void add(std::string name, std::string* target, std::string value, std::string help);
  void add(std::string name, bool* target, std::string help);
  /// One of `choices`.
  void add_choice(std::string name, std::string* target, std::vector<std::string> choices,
                  std::string help);

  const std::vector<OptionRow>& rows() const { return rows_; }

  /// Sets an option by name ('-' and '_' are the same). invalid_argument names option and range.
  Result<void> set(std::string_view name, std::string_view value);

 private:
  void add_integer(std::string name, int64_t min, int64_t max, std::string help,
                   std::function<int64_t()> get, std::function<void(int64_t)> set);
  void add_row(OptionRow row);

  std::vector<OptionRow> rows_;
};

}  // namespace baton
