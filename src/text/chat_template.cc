#include "text/chat_template.h"

#include <array>

#include "base/json.h"
#include "base/read_file.h"

namespace baton {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{16} << 20;

constexpr std::string_view kUser = "<｜User｜>";
constexpr std::string_view kAssistant = "<｜Assistant｜>";
constexpr std::string_view kEnd = "<｜end▁of▁sentence｜>";
constexpr std::string_view kToolOutputsBegin = "<｜tool▁outputs▁begin｜>";
constexpr std::string_view kToolOutputsEnd = "<｜tool▁outputs▁end｜>";
constexpr std::string_view kToolOutputBegin = "<｜tool▁output▁begin｜>";
constexpr std::string_view kToolOutputEnd = "<｜tool▁output▁end｜>";
constexpr std::string_view kThinkOpen = "<think>";
constexpr std::string_view kThinkClose = "</think>";
constexpr std::string_view kTurnBegin = "<|im_start|>";
constexpr std::string_view kTurnEnd = "<|im_end|>";

// What a template must say to be DeepSeek-R1-Distill's: the last system message wins, a thought is
// cut from earlier answers, markers around the turns.
constexpr std::array<std::string_view, 5> kDeepSeekSigns = {
    "{% set ns.system_prompt = message['content'] %}",
    "{{bos_token}}{{ns.system_prompt}}",
    "'<｜User｜>' + message['content']",
    "content.split('</think>')[-1]",
    "'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'",
};
constexpr std::string_view kDeepSeekThought = R"({{'<｜Assistant｜><think>\n'}})";
constexpr std::string_view kDeepSeekNoThought = "{{'<｜Assistant｜>'}}";

// ChatML, as Qwen1.5 and Qwen2 write it and as Qwen2.5 does.
constexpr std::array<std::string_view, 3> kChatmlSigns = {
    R"({{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}})",
    R"({{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }})",
    R"({{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }})",
};
constexpr std::string_view kChatmlPrompt = R"('<|im_start|>assistant\n')";
constexpr std::string_view kChatmlSystem = R"('<|im_start|>system\n)";

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The system prompt that a ChatML template says by itself; empty if none.
std::string default_system(std::string_view text) {
  for (size_t at = text.find(kChatmlSystem); at != std::string_view::npos;
       at = text.find(kChatmlSystem, at + 1)) {
    const std::string_view rest = text.substr(at + kChatmlSystem.size());
    // `…system\n' + …` goes on with a message; anything else is the prompt itself.
    const size_t end = rest.find_first_of("'\\{<");
    if (end == 0 || end == std::string_view::npos) continue;
    if (rest.substr(end).starts_with(kTurnEnd)) return std::string(rest.substr(0, end));
  }
  return {};
}

std::string string_of(const json::value* value) {
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string().data(), value->get_string().size());
}

/// A token of tokenizer_config.json: a string, or an object with its content.
std::string token_content(const json::object& config, std::string_view name) {
  const json::value* value = config.if_contains(name);
  if (value != nullptr && value->is_object()) value = value->get_object().if_contains("content");
  return string_of(value);
}

/// The chat_template of tokenizer_config.json: a string, or a list of named ones with a "default".
std::string template_text(const json::object& config) {
  const json::value* value = config.if_contains("chat_template");
  if (value == nullptr || !value->is_array()) return string_of(value);
  for (const json::value& item : value->get_array()) {
    if (!item.is_object()) continue;
    if (string_of(item.get_object().if_contains("name")) == "default") {
      return string_of(item.get_object().if_contains("template"));
    }
  }
  return {};
}

Result<void> require_markers(const Tokenizer& tokenizer,
                             std::initializer_list<std::string_view> markers) {
  for (const std::string_view marker : markers) {
    if (!marker.empty() && !tokenizer.marker(marker)) {
      return self_error(Code::data_corrupt, "the chat template uses " + std::string(marker) +
                                                ", which tokenizer.json does not have among its "
                                                "added tokens");
    }
  }
  return {};
}

}  // namespace

struct ChatTemplate::Piece {
  std::string_view text;  // of a constant, the template or a message
  bool is_marker = false;
};

Result<ChatTemplate> ChatTemplate::load(const std::filesystem::path& model_dir,
                                        const Tokenizer& tokenizer) {
  const std::filesystem::path config_path = model_dir / "tokenizer_config.json";
  std::string bos, text;
  if (auto config_text = read_file(config_path, kMaxConfigBytes); config_text.ok()) {
    auto config = parse_json(*config_text);
    if (!config.ok() || !config->is_object()) {
      return self_error(
          Code::data_corrupt,
          config_path.string() + ": " + (config.ok() ? "not an object" : config.error().message));
    }
    bos = token_content(config->get_object(), "bos_token");
    text = template_text(config->get_object());
  } else if (config_text.error().code != Code::not_found) {
    return std::move(config_text).error();
  }
  const std::filesystem::path jinja_path = model_dir / "chat_template.jinja";
  std::filesystem::path path = config_path;  // of the template
  if (auto jinja = read_file(jinja_path, kMaxConfigBytes); jinja.ok()) {
    path = jinja_path;
    text = *std::move(jinja);
  } else if (jinja.error().code != Code::not_found) {
    return std::move(jinja).error();
  }
  if (text.empty()) {
    return self_error(Code::not_found, model_dir.string() +
                                           " has no chat template (chat_template.jinja, or "
                                           "chat_template in tokenizer_config.json)");
  }
  auto chat = recognise(text, bos, tokenizer);
  if (!chat.ok()) chat.error().message = path.string() + ": " + chat.error().message;
  return chat;
}

Result<ChatTemplate> ChatTemplate::recognise(std::string_view text, std::string_view bos,
                                             const Tokenizer& tokenizer) {
  ChatTemplate out;
  bool deepseek = true;
  for (const std::string_view sign : kDeepSeekSigns) deepseek = deepseek && contains(text, sign);
  const bool thought = contains(text, kDeepSeekThought);
  if (deepseek && (thought || contains(text, kDeepSeekNoThought))) {
    out.kind_ = Kind::deepseek_r1;
    out.bos_ = bos;
    out.opens_thought_ = thought;
    BATON_TRY(require_markers(tokenizer, {kUser, kAssistant, kEnd, bos}));
    return out;
  }
  bool chatml = false;
  for (const std::string_view sign : kChatmlSigns) chatml = chatml || contains(text, sign);
  if (chatml && contains(text, kChatmlPrompt) && !contains(text, kThinkClose)) {
    out.kind_ = Kind::chatml;
    out.default_system_ = default_system(text);
    out.tool_responses_ = contains(text, "<tool_response>");
    BATON_TRY(require_markers(tokenizer, {kTurnBegin, kTurnEnd}));
    return out;
  }
  return self_error(
      Code::unsupported,
      "the model's chat template is neither DeepSeek-R1-Distill's nor Qwen2's ChatML; "
      "ask /v1/completions with a prompt that is rendered already");
}

ChatTemplate::Pieces ChatTemplate::pieces(std::span<const Message> messages,
                                          bool add_generation_prompt) const {
  return kind_ == Kind::deepseek_r1 ? deepseek_pieces(messages, add_generation_prompt)
                                    : chatml_pieces(messages, add_generation_prompt);
}

ChatTemplate::Pieces ChatTemplate::deepseek_pieces(std::span<const Message> messages,
                                                   bool add_generation_prompt) const {
  std::string_view system;
  for (const Message& message : messages) {
    if (message.role == "system") system = message.content;
  }
  Pieces out = {{bos_, true}, {system}};
  const auto add = [&out](std::initializer_list<Piece> list) {
    out.insert(out.end(), list.begin(), list.end());
  };
  bool after_tool = false, first_output = true;
  for (const Message& message : messages) {
    std::string_view content = message.content;
    if (message.role == "user") {
      add({{kUser, true}, {content}});
      after_tool = false;
    } else if (message.role == "assistant" && after_tool) {
      add({{kToolOutputsEnd, true}, {content}, {kEnd, true}});
      after_tool = false;
    } else if (message.role == "assistant") {
      if (const size_t at = content.rfind(kThinkClose); at != std::string_view::npos) {
        content.remove_prefix(at + kThinkClose.size());
      }
      add({{kAssistant, true}, {content}, {kEnd, true}});
    } else if (message.role == "tool") {
      if (first_output) {
        add({{kToolOutputsBegin, true}});
      } else {
        add({{"\n"}});
      }
      add({{kToolOutputBegin, true}, {content}, {kToolOutputEnd, true}});
      first_output = false;
      after_tool = true;
    }
  }
  if (after_tool) {
    add({{kToolOutputsEnd, true}});
  } else if (add_generation_prompt) {
    add({{kAssistant, true}});
    if (opens_thought_) add({{kThinkOpen, true}, {"\n"}});
  }
  return out;
}

ChatTemplate::Pieces ChatTemplate::chatml_pieces(std::span<const Message> messages,
                                                 bool add_generation_prompt) const {
  Pieces out;
  const auto turn = [&out](std::string_view role, std::string_view content) {
    out.insert(out.end(),
               {{kTurnBegin, true}, {role}, {"\n"}, {content}, {kTurnEnd, true}, {"\n"}});
  };
  if (!default_system_.empty() && !messages.empty() && messages[0].role != "system") {
    turn("system", default_system_);
  }
  for (size_t i = 0; i < messages.size(); ++i) {
    const Message& message = messages[i];
    if (!tool_responses_ || message.role == "system" || message.role == "user" ||
        message.role == "assistant") {
      turn(message.role, message.content);
    } else if (message.role == "tool") {  // a run of tool messages makes one user turn
      if (i == 0 || messages[i - 1].role != "tool") {
        out.insert(out.end(), {{kTurnBegin, true}, {"user"}});
      }
      out.insert(out.end(), {{"\n"},
                             {"<tool_response>", true},
                             {"\n"},
                             {message.content},
                             {"\n"},
                             {"</tool_response>", true}});
      if (i + 1 == messages.size() || messages[i + 1].role != "tool") {
        out.insert(out.end(), {{kTurnEnd, true}, {"\n"}});
      }
    }
  }
  if (add_generation_prompt) {
    out.insert(out.end(), {{kTurnBegin, true}, {"assistant"}, {"\n"}});
  }
  return out;
}

std::string ChatTemplate::render(std::span<const Message> messages,
                                 bool add_generation_prompt) const {
  std::string out;
  for (const Piece& piece : pieces(messages, add_generation_prompt)) out += piece.text;
  return out;
}

std::vector<Token> ChatTemplate::encode(const Tokenizer& tokenizer,
                                        std::span<const Message> messages,
                                        bool add_generation_prompt, Markers content_markers) const {
  if (content_markers == Markers::allow) {
    return tokenizer.encode(render(messages, add_generation_prompt), Markers::allow);
  }
  // Text between two markers is encoded as one stretch, as it is when markers are matched in the
  // rendered prompt; so both ways give the same ids for innocent contents.
  std::vector<Token> out;
  std::string text;
  const auto flush = [&] {
    const std::vector<Token> ids = tokenizer.encode(text, Markers::escape);
    out.insert(out.end(), ids.begin(), ids.end());
    text.clear();
  };
  for (const Piece& piece : pieces(messages, add_generation_prompt)) {
    const std::optional<Token> marker =
        piece.is_marker ? tokenizer.marker(piece.text) : std::nullopt;
    if (!marker) {
      text += piece.text;
      continue;
    }
    flush();
    out.push_back(*marker);
  }
  flush();
  return out;
}

bool ends_inside_thought(const Tokenizer& tokenizer, std::span<const Token> prompt) {
  const std::optional<Token> open = tokenizer.marker(kThinkOpen);
  for (auto token = prompt.rbegin(); open && token != prompt.rend(); ++token) {
    if (*token == *open) return true;
    const std::string_view bytes = tokenizer.bytes(*token);
    if (bytes.find_first_not_of('\n') != std::string_view::npos) return false;
  }
  return false;
}

}  // namespace baton
