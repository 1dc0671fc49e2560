#include "base/options.h"

#include <algorithm>
#include <charconv>

namespace baton {
namespace {

Error bad_value(const std::string& name, std::string_view value, const std::string& range) {
  return client_error(
      Code::invalid_argument,
      "--" + name + ": '" + std::string(value) + "' is not allowed; expected " + range, name);
}

}  // namespace

void OptionTable::add_row(OptionRow row) {
  row.fallback = row.get();
  rows_.push_back(std::move(row));
}

void OptionTable::add_integer(std::string name, int64_t min, int64_t max, std::string help,
                              std::function<int64_t()> get, std::function<void(int64_t)> set) {
  OptionRow row;
  row.name = name;
  row.value = "N";
  row.range = std::to_string(min) + "…" + std::to_string(max);
  row.help = std::move(help);
  row.get = [get] { return std::to_string(get()); };
  row.set = [name, min, max, range = row.range, set](std::string_view text) -> Result<void> {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < min || value > max) {
      return bad_value(name, text, "an integer in " + range);
    }
    set(value);
    return {};
  };
  add_row(std::move(row));
}

void OptionTable::add(std::string name, std::string* target, std::string value, std::string help) {
  OptionRow row;
  row.name = std::move(name);
  row.value = std::move(value);
  row.help = std::move(help);
  row.get = [target] { return *target; };
  row.set = [target](std::string_view text) -> Result<void> {
    *target = text;
    return {};
  };
  add_row(std::move(row));
}

void OptionTable::add(std::string name, bool* target, std::string help) {
  OptionRow row;
  row.name = name;
  row.value = "on|off";
  row.range = "on|off";
  row.help = std::move(help);
  row.get = [target] { return std::string(*target ? "on" : "off"); };
  row.set = [name, target](std::string_view text) -> Result<void> {
    if (text == "on" || text == "true") {
      *target = true;
    } else if (text == "off" || text == "false") {
      *target = false;
    } else {
      return bad_value(name, text, "on or off");
    }
    return {};
  };
  add_row(std::move(row));
}

void OptionTable::add_choice(std::string name, std::string* target,
                             std::vector<std::string> choices, std::string help) {
  OptionRow row;
  row.name = name;
  for (const std::string& choice : choices) row.range += (row.range.empty() ? "" : "|") + choice;
  row.value = row.range;
  row.help = std::move(help);
  row.get = [target] { return *target; };
  row.set = [name, target, choices, range = row.range](std::string_view text) -> Result<void> {
    if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
      return bad_value(name, text, "one of " + range);
    }
    *target = text;
    return {};
  };
  add_row(std::move(row));
}

Result<void> OptionTable::set(std::string_view name, std::string_view value) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), '_', '-');
  for (const OptionRow& row : rows_) {
    if (row.name == wanted) return row.set(value);
  }
  return client_error(Code::invalid_argument, "there is no option '" + std::string(name) + "'",
                      std::string(name));
}

}  // namespace baton
