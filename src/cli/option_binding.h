// Joins an OptionTable to the command line and to a configuration file.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/options.h"
#include "cli/commands.h"

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

/// Adds the subcommand `name` whose options are those that Options::add_to() lists. When chosen,
/// the options are filled and `run` gives the exit code.
template <class Options>
void add_command(CLI::App& app, const char* name, const char* help, int& exit_code,
                 std::function<int(Options&)> run) {
  struct Command {
    Options options;
    OptionTable table;
    std::unique_ptr<OptionBinding> binding;
  };
  auto command = std::make_shared<Command>();
  command->options.add_to(command->table);
  CLI::App* subcommand = app.add_subcommand(name, help);
  command->binding = std::make_unique<OptionBinding>(*subcommand, command->table);
  subcommand->callback([command, run = std::move(run), &exit_code] {
    const Result<void> applied = command->binding->apply();
    exit_code = applied ? run(command->options) : fail(applied.error());
  });
}

/// A decimal number in [min, max]; invalid_argument names the option.
Result<double> parse_number(const std::string& option, const std::string& text, double min,
                            double max);

}  // namespace baton::cli
