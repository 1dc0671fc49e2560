// A tokenizer.json small enough to write down, for tests and fuzz targets.
#pragma once

#include <boost/json/serialize.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/json.h"
#include "text/byte_level.h"
#include "text/split.h"
#include "text/tokenizer.h"

namespace baton {

/// Ids 0…255 are the bytes, then come the merges, then the added tokens. The document is a value so
/// that a test can break it.
inline json::object small_tokenizer_json() {
  const auto spell = [](std::string_view bytes) { return byte_level_of_bytes(bytes); };
  const std::vector<std::pair<std::string, std::string>> merges = {
      {"h", "e"}, {"l", "l"},   {"he", "ll"}, {"hell", "o"},    {" ", "w"},
      {"a", "a"}, {"aa", "aa"}, {" ", " "},   {"\xE4", "\xB8"}, {"\xE4\xB8", "\xAD"},
  };
  json::object vocab;
  int64_t id = 0;
  for (int byte = 0; byte < 256; ++byte) {
    vocab[spell(std::string(1, static_cast<char>(byte)))] = id++;
  }
  json::array merge_list;
  for (const auto& [left, right] : merges) {
    vocab[spell(left + right)] = id++;
    merge_list.push_back(json::value(spell(left) + " " + spell(right)));
  }

  json::array added;
  for (const auto& [content, special] :
       std::vector<std::pair<std::string, bool>>{{"<｜begin▁of▁sentence｜>", true},
                                                 {"<｜end▁of▁sentence｜>", true},
                                                 {"<｜User｜>", false},
                                                 {"<｜Assistant｜>", false},
                                                 {"<think>", false},
                                                 {"</think>", false},
                                                 {"<|im_start|>", true},
                                                 {"<|im_end|>", true}}) {
    added.push_back(json::object{{"id", id++},
                                 {"content", content},
                                 {"single_word", false},
                                 {"lstrip", false},
                                 {"rstrip", false},
                                 {"normalized", false},
                                 {"special", special}});
  }
  const int64_t bos = added[0].at("id").as_int64();
  const json::object bos_token = {{"id", "<bos>"}, {"ids", json::array{bos}}};
  return {
      {"added_tokens", added},
      {"normalizer", json::object{{"type", "NFC"}}},
      {"pre_tokenizer",
       json::object{
           {"type", "Sequence"},
           {"pretokenizers",
            json::array{
                json::object{{"type", "Split"},
                             {"pattern", json::object{{"Regex", kQwen2SplitPattern}}},
                             {"behavior", "Isolated"},
                             {"invert", false}},
                json::object{
                    {"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}}},
      {"post_processor",
       json::object{
           {"type", "TemplateProcessing"},
           {"single", json::array{json::object{{"SpecialToken", json::object{{"id", "<bos>"}}}},
                                  json::object{{"Sequence", json::object{{"id", "A"}}}}}},
           {"special_tokens", json::object{{"<bos>", bos_token}}}}},
      {"decoder", json::object{{"type", "ByteLevel"}}},
      {"model",
       json::object{
           {"type", "BPE"}, {"dropout", nullptr}, {"vocab", vocab}, {"merges", merge_list}}},
  };
}

inline std::shared_ptr<const Tokenizer> small_tokenizer() {
  auto parsed = Tokenizer::parse(json::serialize(small_tokenizer_json()));
  CHECK(parsed.ok());
  return *std::move(parsed);
}

}  // namespace baton
