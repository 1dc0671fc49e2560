#include "cli/json_lines.h"

#include <boost/json/serialize.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace baton::cli {
namespace {

/// Like std::getline, but keeps at most kJsonLineBytesMax + 1 bytes of a line.
bool bounded_line(std::istream& input, std::string& line) {
  line.clear();
  std::streambuf* bytes = input.rdbuf();
  for (int c = bytes->sbumpc();; c = bytes->sbumpc()) {
    if (c == std::char_traits<char>::eof()) return !line.empty();
    if (c == '\n') return true;
    if (line.size() <= kJsonLineBytesMax) line.push_back(static_cast<char>(c));
  }
}

Result<json::object> parse_line(const std::string& line) {
  if (line.size() > kJsonLineBytesMax) {
    return client_error(Code::too_large, "a line may have at most 16 MiB");
  }
  BATON_ASSIGN(json::value value, parse_json(line));
  if (!value.is_object()) {
    return client_error(Code::invalid_argument, "each line must be a JSON object");
  }
  return std::move(value.as_object());
}

}  // namespace

Result<std::unique_ptr<std::istream>> open_lines(const std::string& path) {
  if (path == "-") return std::unique_ptr<std::istream>(new std::istream(std::cin.rdbuf()));
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return client_error(Code::io, path + " is a folder; expected a file of JSON lines");
  }
  auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*file) {
    return client_error(Code::io, "cannot read " + path + ": does the file exist?");
  }
  return std::unique_ptr<std::istream>(std::move(file));
}

void for_each_json_line(std::istream& input,
                        const std::function<bool(Result<json::object>)>& take) {
  std::string line;
  while (bounded_line(input, line)) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (!take(parse_line(line))) return;
  }
}

json::object error_line(const Error& error) {
  json::object body{{"message", error.message}};
  if (!error.param.empty()) body["param"] = error.param;
  if (!error.reason.empty()) body["code"] = error.reason;
  return {{"error", std::move(body)}};
}

void print_line(const json::object& line) {
  const std::string text = json::serialize(line) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace baton::cli
