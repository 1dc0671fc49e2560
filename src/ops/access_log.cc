#include "ops/access_log.h"

#include <cstdio>
#include <string_view>

#include "base/log.h"

namespace baton::ops {
namespace {

constexpr size_t kMaxValueBytes = 256;

bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=') return false;
  }
  return !text.empty();
}

/// Log lines must stay lines, whatever a client sends: everything unusual becomes \xHH.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      char hex[5];
      std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned char>(c));
      out += hex;
    }
  }
  return out + '"';
}

class Line {
 public:
  void text(const char* key, std::string_view value) {
    if (value.empty()) return;
    const bool cut = value.size() > kMaxValueBytes;
    value = value.substr(0, kMaxValueBytes);
    begin(key);
    out_ += is_plain(value) ? std::string(value) : quoted(value);
    if (cut) out_ += "...";
  }
  void number(const char* key, uint64_t value) {
    begin(key);
    out_ += std::to_string(value);
  }
  void milliseconds(const char* key, Nanos value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.1f", static_cast<double>(value) / 1e6);
    begin(key);
    out_ += digits;
  }
  std::string take() && { return std::move(out_); }

 private:
  void begin(const char* key) {
    if (!out_.empty()) out_ += ' ';
    out_ += key;
    out_ += '=';
  }
  std::string out_;
};

}  // namespace

std::string format_access(const AccessRecord& record) {
  Line line;
  line.text("id", record.id);
  line.text("peer", record.peer);
  line.text("method", record.method);
  line.text("path", record.path);
  line.number("status", static_cast<uint64_t>(record.status == 0 ? 499 : record.status));
  line.milliseconds("ms", record.duration);
  if (record.first_token >= 0) line.milliseconds("ttft_ms", record.first_token);
  if (record.prompt_tokens > 0) {
    line.number("prompt", record.prompt_tokens);
    line.number("cached", record.cached_tokens);
    line.number("generated", record.generated_tokens);
  }
  if (record.choices > 1) line.number("choices", record.choices);
  line.text("finish", record.finish);
  line.text("error", record.error);
  line.number("bytes", record.bytes_out);
  return std::move(line).take();
}

void log_access(const AccessRecord& record) {
  if (record.status >= 500) {
    log::warn("{}", format_access(record));
  } else {
    log::info("{}", format_access(record));
  }
}

}  // namespace baton::ops
