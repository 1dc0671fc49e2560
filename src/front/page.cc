#include "front/page.h"

#include <algorithm>

namespace baton {
namespace {

// {{name}} marks what is filled in. The script talks to this server only.
constexpr std::string_view kPage = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{model}} · Baton</title>
<style nonce="{{nonce}}">
:root { color-scheme: light dark; --dim: #6b7280; --line: #d1d5db; --accent: #2563eb; }
@media (prefers-color-scheme: dark) {
  :root { --dim: #9ca3af; --line: #374151; --accent: #60a5fa; }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p.sub { color: var(--dim); margin: .2rem 0 1.5rem; }
textarea { width: 100%; box-sizing: border-box; font: inherit; padding: .6rem; border-radius: .4rem;
  border: 1px solid var(--line); resize: vertical; min-height: 4.5rem; }
button { font: inherit; padding: .4rem 1.2rem; border-radius: .4rem; border: 0; cursor: pointer;
  background: var(--accent); color: #fff; margin: .5rem .5rem .5rem 0; }
button:disabled { opacity: .4; cursor: default; }
#answer, #thought { white-space: pre-wrap; overflow-wrap: anywhere; }
#thought { color: var(--dim); font-size: .92rem; border-left: 3px solid var(--line);
  padding-left: .8rem; margin: .5rem 0; }
#note { color: var(--dim); font-size: .85rem; }
pre { border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; overflow-x: auto;
  font-size: .85rem; }
table { border-collapse: collapse; } td { padding: .15rem 1rem .15rem 0; vertical-align: top; }
td:first-child { color: var(--dim); white-space: nowrap; } td { overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>{{model}}</h1>
<p class="sub">served by Baton {{version}}</p>
<form id="form">
<label for="question">Ask</label>
<textarea id="question" required>What is 17 * 24?</textarea>
<button id="ask">Ask</button><button id="stop" type="button" disabled>Stop</button>
<span id="note" role="status"></span>
</form>
<div id="thought" hidden></div>
<div id="answer" aria-live="polite"></div>
<h2>What runs</h2>
<table>
<tr><td>model</td><td>{{names}}</td></tr>
<tr><td>numeric class</td><td>{{class}}</td></tr>
<tr><td>device</td><td>{{device}}</td></tr>
<tr><td>context</td><td>{{context}} tokens, answer included</td></tr>
<tr><td>vocabulary</td><td>{{vocabulary}}</td></tr>
<tr><td>answer</td><td>{{max_tokens}} tokens unless the request says more</td></tr>
</table>
<h2>curl</h2>
<pre>curl -N http://{{host}}/v1/chat/completions -H 'content-type: application/json' \
  -d '{"model": "{{model}}", "stream": true,
       "messages": [{"role": "user", "content": "What is 17 * 24?"}]}'</pre>
<h2>Python</h2>
<pre>from openai import OpenAI
client = OpenAI(base_url="http://{{host}}/v1", api_key="none")
answer = client.chat.completions.create(
    model="{{model}}", messages=[{"role": "user", "content": "What is 17 * 24?"}])
print(answer.choices[0].message.content)</pre>
<p class="sub"><a href="/v1/models">/v1/models</a> · <a href="/readyz">/readyz</a> ·
<a href="/metrics">/metrics</a> · POST /v1/completions, /tokenize, /detokenize</p>
<script nonce="{{nonce}}">
"use strict";
const $ = (id) => document.getElementById(id);
let controller = null;
function show(event) {
  if (event.error) throw new Error(event.error.message);
  const choice = event.choices[0];
  if (!choice) return;
  const thought = choice.delta.reasoning_content ?? choice.delta.reasoning ?? "";
  if (thought) { $("thought").hidden = false; $("thought").textContent += thought; }
  $("answer").textContent += choice.delta.content ?? "";
  if (choice.finish_reason) $("note").textContent = "ended: " + choice.finish_reason;
}
async function ask(question) {
  const response = await fetch("/v1/chat/completions", {
    method: "POST", signal: controller.signal, headers: {"content-type": "application/json"},
    body: JSON.stringify({stream: true, messages: [{role: "user", content: question}]})});
  if (!response.ok) throw new Error((await response.json()).error.message);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      if (event.startsWith("data: {")) show(JSON.parse(event.slice(6)));
    }
  }
}
$("stop").onclick = () => controller.abort();
$("form").onsubmit = async (event) => {
  event.preventDefault();
  controller = new AbortController();
  $("thought").textContent = $("answer").textContent = "";
  $("thought").hidden = true;
  $("note").textContent = "…";
  $("ask").disabled = true;
  $("stop").disabled = false;
  try {
    await ask($("question").value);
  } catch (error) {
    $("note").textContent = error.name === "AbortError" ? "stopped" : error.message;
  }
  $("ask").disabled = false;
  $("stop").disabled = true;
};
</script>
</body>
</html>
)html";

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string printable_host(std::string_view host) {
  constexpr std::string_view kPunctuation = ".:-[]";
  const bool plain =
      !host.empty() && host.size() <= 255 && std::all_of(host.begin(), host.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               kPunctuation.find(c) != std::string_view::npos;
      });
  return plain ? std::string(host) : "127.0.0.1";
}

using Values = std::vector<std::pair<std::string_view, std::string>>;

std::string fill(std::string_view page, const Values& values) {
  std::string out;
  while (true) {
    const size_t open = page.find("{{");
    out += page.substr(0, open);
    if (open == std::string_view::npos) return out;
    const size_t close = page.find("}}", open);
    const std::string_view name = page.substr(open + 2, close - open - 2);
    const auto found = std::find_if(values.begin(), values.end(),
                                    [&](const auto& value) { return value.first == name; });
    CHECK(found != values.end());
    out += escape_html(found->second);
    page.remove_prefix(close + 2);
  }
}

}  // namespace

http::Response render_page(const FrontContext& context, std::string_view host) {
  const FrontOptions& options = context.options;
  const SourceInfo info = context.source.info();
  const std::string nonce = context.random_id();
  std::string names;
  for (const std::string& name : options.model_names) names += (names.empty() ? "" : ", ") + name;
  std::string device = options.device;
  if (!options.dtype.empty()) device += (device.empty() ? "" : ", ") + options.dtype;

  http::Response response;
  response.content_type = "text/html; charset=utf-8";
  response.headers = {{"content-security-policy",
                       "default-src 'none'; connect-src 'self'; img-src 'self'; style-src 'nonce-" +
                           nonce + "'; script-src 'nonce-" + nonce +
                           "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
                      {"x-content-type-options", "nosniff"},
                      {"referrer-policy", "no-referrer"},
                      {"cache-control", "no-store"}};
  response.body = fill(kPage, {{"model", options.model_names.front()},
                               {"names", names},
                               {"version", options.version},
                               {"class", to_string(info.klass)},
                               {"device", device.empty() ? "not stated" : device},
                               {"context", std::to_string(info.context_tokens)},
                               {"vocabulary", std::to_string(info.vocab_size)},
                               {"max_tokens", std::to_string(options.max_tokens)},
                               {"host", printable_host(host)},
                               {"nonce", nonce}});
  return response;
}

}  // namespace baton
