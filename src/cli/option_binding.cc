#include "cli/option_binding.h"

#include <toml++/toml.h>

#include <charconv>
#include <sstream>

namespace baton::cli {

OptionBinding::OptionBinding(CLI::App& app, OptionTable& table) : table_(table) {
  app.add_option("--config", config_path_, "TOML file with these options (kv_tokens = 8192 …)")
      ->type_name("FILE");
  for (const OptionRow& row : table.rows()) {
    std::string help = row.help;
    if (row.value != row.range && !row.range.empty()) help += " (" + row.range + ")";
    options_[row.name] =
        app.add_option("--" + row.name, given_[row.name], help)
            ->type_name(row.value + (row.fallback.empty() ? "" : " [" + row.fallback + "]"));
  }
}

Result<void> OptionBinding::apply() {
  if (!config_path_.empty()) BATON_TRY(apply_file());
  for (const auto& [name, option] : options_) {
    if (option->count() > 0) BATON_TRY(table_.set(name, given_[name]));
  }
  return {};
}

Result<double> parse_number(const std::string& option, const std::string& text, double min,
                            double max) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= min && value <= max)) {
    std::ostringstream message;
    message << "--" << option << ": '" << text << "' is not a number in " << min << "…" << max;
    return client_error(Code::invalid_argument, message.str(), option);
  }
  return value;
}

Result<void> OptionBinding::apply_file() {
  toml::table file;
  try {
    file = toml::parse_file(config_path_);
  } catch (const toml::parse_error& error) {
    std::ostringstream where;
    where << config_path_ << ":";
    if (error.source().begin.line > 0) where << error.source().begin.line << ":";
    where << " " << error.description();
    return client_error(Code::invalid_argument, where.str());
  }
  for (const auto& [key, node] : file) {
    std::string text;
    if (const auto* string = node.as_string()) {
      text = string->get();
    } else if (const auto* integer = node.as_integer()) {
      text = std::to_string(integer->get());
    } else if (const auto* number = node.as_floating_point()) {
      char digits[32];
      const auto written = std::to_chars(digits, digits + sizeof digits, number->get());
      text.assign(digits, written.ptr);
    } else if (const auto* boolean = node.as_boolean()) {
      text = boolean->get() ? "on" : "off";
    } else {
      return client_error(Code::invalid_argument, config_path_ + ": '" + std::string(key.str()) +
                                                      "' must be a string, a number or a boolean");
    }
    if (auto set = table_.set(key.str(), text); !set) {
      return client_error(Code::invalid_argument, config_path_ + ": " + set.error().message);
    }
  }
  return {};
}

}  // namespace baton::cli
