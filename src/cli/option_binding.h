// Joins an OptionTable to the command line and to a configuration file.
#pragma once

#include <CLI/App.hpp>
#include <map>
#include <memory>
#include <string>

#include "base/options.h"

namespace baton::cli {

/// Adds every row as `--name` to `app`, and `--config FILE` for the same names in TOML.
/// Call apply() after parsing: defaults < file < command line. Both arguments must outlive it.
class OptionBinding {
 public:
  OptionBinding(CLI::App& app, OptionTable& table);

  /// Reads the file, if one was named, then the command line. Errors name option and range, or file
  /// and line.
  Result<void> apply();

 private:
  Result<void> apply_file();

  OptionTable& table_;
  std::string config_path_;
  std::map<std::string, std::string> given_;  // by option name; map nodes keep their addresses
  std::map<std::string, CLI::Option*> options_;
};

/// A decimal number in [min, max]; invalid_argument names the option.
Result<double> parse_number(const std::string& option, const std::string& text, double min,
                            double max);

}  // namespace baton::cli
