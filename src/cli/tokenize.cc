// baton tokenize, baton detokenize: texts and conversations to ids and back, a JSON object a line.
#include <cstdint>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/json_lines.h"
#include "cli/model_setup.h"
#include "cli/option_binding.h"

namespace baton::cli {
namespace {

struct DetokenizeOptions {
  std::string model;
  std::string requests = "-";

  void add_to(OptionTable& table) {
    table.add("model", &model, "DIR|org/name",
              "Model folder or cached name; the demo model if none");
    table.add("requests", &requests, "FILE", "JSON lines; - reads standard input");
  }
};

struct TokenizeOptions : DetokenizeOptions {
  std::string special_tokens = "auto";

  void add_to(OptionTable& table) {
    DetokenizeOptions::add_to(table);
    table.add_choice("special-tokens", &special_tokens, {"auto", "allow", "escape"},
                     "Whether markers inside a text become control tokens; auto: in \"text\" yes, "
                     "in message content no");
  }
};

Result<std::vector<Message>> parse_messages(const json::value& value) {
  const auto* array = value.if_array();
  if (array == nullptr) {
    return client_error(Code::invalid_argument, "messages must be an array", "messages");
  }
  std::vector<Message> messages;
  for (const json::value& item : *array) {
    const auto* object = item.if_object();
    const json::value* role = object ? object->if_contains("role") : nullptr;
    const json::value* content = object ? object->if_contains("content") : nullptr;
    if (role == nullptr || !role->is_string() || content == nullptr || !content->is_string()) {
      return client_error(Code::invalid_argument,
                          "each message needs a role and a content, both strings", "messages");
    }
    messages.push_back({std::string(role->as_string()), std::string(content->as_string())});
  }
  return messages;
}

json::array to_json(std::span<const Token> ids) {
  json::array array;
  array.reserve(ids.size());
  for (const Token id : ids) array.push_back(id);
  return array;
}

/// Raw text follows Hugging Face (added tokens match); message content is a user's and does not.
Result<json::object> tokenize_line(const ModelFolder& folder, const json::object& line,
                                   const std::string& special_tokens) {
  const Markers in_text = special_tokens == "escape" ? Markers::escape : Markers::allow;
  const Markers in_content = special_tokens == "allow" ? Markers::allow : Markers::escape;
  if (const json::value* text = line.if_contains("text")) {
    if (!text->is_string()) {
      return client_error(Code::invalid_argument, "text must be a string", "text");
    }
    return json::object{{"ids", to_json(folder.tokenizer->encode(text->as_string(), in_text))}};
  }
  if (const json::value* value = line.if_contains("messages")) {
    if (!folder.chat_template) {
      return client_error(Code::unsupported, "this model has no chat template", "messages");
    }
    BATON_ASSIGN(const std::vector<Message> messages, parse_messages(*value));
    const ChatTemplate& chat = *folder.chat_template;
    return json::object{
        {"prompt", chat.render(messages, true)},
        {"ids", to_json(chat.encode(*folder.tokenizer, messages, true, in_content))}};
  }
  return client_error(Code::invalid_argument, "a line needs \"text\" or \"messages\"");
}

Result<json::object> detokenize_line(const ModelFolder& folder, const json::object& line) {
  const json::value* value = line.if_contains("ids");
  if (value == nullptr || !value->is_array()) {
    return client_error(Code::invalid_argument, "a line needs \"ids\", an array of integers",
                        "ids");
  }
  std::vector<Token> ids;
  for (const json::value& item : value->as_array()) {
    if (!item.is_int64() || item.as_int64() < 0 || item.as_int64() > INT32_MAX) {
      return client_error(Code::invalid_argument, "ids must be integers from 0 to 2147483647",
                          "ids");
    }
    ids.push_back(static_cast<Token>(item.as_int64()));
  }
  return json::object{{"text", folder.tokenizer->decode(ids, false)}};
}

using LineFunction = std::function<Result<json::object>(const ModelFolder&, const json::object&)>;

int run_lines(const DetokenizeOptions& options, const LineFunction& function) {
  auto folder = open_texts(options.model);
  if (!folder) return fail(folder.error());
  if (!folder->tokenizer) {
    return fail(self_error(Code::not_found, folder->path.string() + " has no tokenizer.json"));
  }
  auto input = open_lines(options.requests);
  if (!input) return fail(input.error());
  bool all_good = true;
  for_each_json_line(**input, [&](Result<json::object> line) {
    auto answer = line ? function(*folder, *line) : Result<json::object>(line.error());
    all_good = all_good && answer.ok();
    print_line(answer ? *answer : error_line(answer.error()));
    return true;
  });
  return all_good ? 0 : 1;
}

}  // namespace

void add_tokenize(CLI::App& app, int& exit_code) {
  add_command<TokenizeOptions>(
      app, "tokenize", "Ids of texts and conversations: {\"text\":…} or {\"messages\":[…]} a line",
      exit_code, [](TokenizeOptions& options) {
        return run_lines(options, [&](const ModelFolder& folder, const json::object& line) {
          return tokenize_line(folder, line, options.special_tokens);
        });
      });
}

void add_detokenize(CLI::App& app, int& exit_code) {
  add_command<DetokenizeOptions>(
      app, "detokenize", "Text of ids: {\"ids\":[…]} a line gives {\"text\":…}", exit_code,
      [](DetokenizeOptions& options) { return run_lines(options, detokenize_line); });
}

}  // namespace baton::cli
