#include "text/tokenizer_json.h"

#include <gtest/gtest.h>

#include <functional>

#include "text/small_tokenizer.h"

namespace baton {
namespace {

struct Broken {
  const char* what;
  Code code;
  const char* message;  // part of it
  std::function<void(json::object&)> edit;
};

json::object& pre_tokenizer(json::object& document, size_t index) {
  return document["pre_tokenizer"].as_object()["pretokenizers"].as_array()[index].as_object();
}

json::object& model(json::object& document) {
  return document["model"].as_object();
}

json::object& added(json::object& document) {
  return document["added_tokens"].as_array()[0].as_object();
}

TEST(TokenizerJson, ReadsTheSmallOne) {
  const auto spec = parse_tokenizer_json(json::serialize(small_tokenizer_json()));
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->bpe.tokens.size(), 266u);
  EXPECT_EQ(spec->bpe.tokens[' '], " ");
  EXPECT_EQ(spec->bpe.merges.size(), 10u);
  EXPECT_EQ(spec->added.size(), 8u);
  EXPECT_TRUE(spec->normalize_nfc);
  EXPECT_EQ(spec->prefix, std::vector<Token>{266});
}

TEST(TokenizerJson, ReadsMergesAsPairsAndMissingStages) {
  json::object document = small_tokenizer_json();
  json::array pairs;
  for (const json::value& merge : model(document)["merges"].as_array()) {
    const std::string text(merge.as_string().data(), merge.as_string().size());
    const size_t space = text.find(' ');
    pairs.push_back(json::array{text.substr(0, space), text.substr(space + 1)});
  }
  model(document)["merges"] = pairs;
  document["normalizer"] = nullptr;
  document["post_processor"] = nullptr;
  document.erase("added_tokens");
  const auto spec = parse_tokenizer_json(json::serialize(document));
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->bpe.merges.size(), 10u);
  EXPECT_FALSE(spec->normalize_nfc);
  EXPECT_TRUE(spec->prefix.empty());
}

TEST(TokenizerJson, RefusesWhatItDoesNotDoByName) {
  const Code no = Code::unsupported;
  const std::vector<Broken> cases = {
      {"model", no, "WordPiece", [](auto& d) { model(d)["type"] = "WordPiece"; }},
      {"dropout", no, "dropout", [](auto& d) { model(d)["dropout"] = 0.1; }},
      {"fallback", no, "byte_fallback", [](auto& d) { model(d)["byte_fallback"] = true; }},
      {"ignore", no, "ignore_merges", [](auto& d) { model(d)["ignore_merges"] = true; }},
      {"suffix", no, "end_of_word_suffix",
       [](auto& d) { model(d)["end_of_word_suffix"] = "</w>"; }},
      {"regex", no, "split pattern",
       [](auto& d) {
         pre_tokenizer(d, 0)["pattern"] = json::object{{"Regex", "\\w+"}};
       }},
      {"behavior", no, "Isolated", [](auto& d) { pre_tokenizer(d, 0)["behavior"] = "Removed"; }},
      {"invert", no, "Isolated", [](auto& d) { pre_tokenizer(d, 0)["invert"] = true; }},
      {"space", no, "add_prefix_space",
       [](auto& d) { pre_tokenizer(d, 1)["add_prefix_space"] = true; }},
      {"use_regex", no, "use_regex", [](auto& d) { pre_tokenizer(d, 1).erase("use_regex"); }},
      {"no pre_tokenizer", no, "pre_tokenizer", [](auto& d) { d.erase("pre_tokenizer"); }},
      {"normalizer", no, "Lowercase",
       [](auto& d) {
         d["normalizer"] = json::object{{"type", "Lowercase"}};
       }},
      {"decoder", no, "decoder",
       [](auto& d) {
         d["decoder"] = json::object{{"type", "WordPiece"}};
       }},
      {"processor", no, "BertProcessing",
       [](auto& d) {
         d["post_processor"] = json::object{{"type", "BertProcessing"}};
       }},
      {"single_word", no, "single_word", [](auto& d) { added(d)["single_word"] = true; }},
  };
  for (const Broken& test : cases) {
    json::object document = small_tokenizer_json();
    test.edit(document);
    const auto parsed = Tokenizer::parse(json::serialize(document));
    ASSERT_FALSE(parsed.ok()) << test.what;
    EXPECT_EQ(parsed.error().code, test.code) << test.what << ": " << parsed.error().message;
    EXPECT_NE(parsed.error().message.find(test.message), std::string::npos)
        << parsed.error().message;
  }
}

TEST(TokenizerJson, RefusesBrokenFiles) {
  const Code bad = Code::data_corrupt, large = Code::too_large;
  const std::vector<Broken> cases = {
      {"no model", bad, "model", [](auto& d) { d.erase("model"); }},
      {"vocab", bad, "vocab", [](auto& d) { model(d)["vocab"] = 3; }},
      {"missing byte", bad, "byte 65", [](auto& d) { model(d)["vocab"].as_object().erase("A"); }},
      {"negative id", bad, "\"A\"", [](auto& d) { model(d)["vocab"].as_object()["A"] = -1; }},
      {"text id", bad, "\"A\"", [](auto& d) { model(d)["vocab"].as_object()["A"] = "1"; }},
      {"huge id", large, "\"A\"", [](auto& d) { model(d)["vocab"].as_object()["A"] = 1 << 30; }},
      {"same id", bad, "id 66", [](auto& d) { model(d)["vocab"].as_object()["A"] = 66; }},
      {"empty token", bad, "empty", [](auto& d) { model(d)["vocab"].as_object()[""] = 280; }},
      {"long token", large, "longer",
       [](auto& d) { model(d)["vocab"].as_object()[std::string(1025, 'x')] = 280; }},
      {"merges", bad, "merges", [](auto& d) { model(d).erase("merges"); }},
      {"merge", bad, "merge 10", [](auto& d) { model(d)["merges"].as_array().emplace_back("xy"); }},
      {"merge type", bad, "merge 10",
       [](auto& d) { model(d)["merges"].as_array().emplace_back(1); }},
      {"merge of nothing", bad, "merge 10",
       [](auto& d) { model(d)["merges"].as_array().emplace_back("x y"); }},
      {"merge twice", bad, "twice",
       [](auto& d) { model(d)["merges"].as_array().emplace_back("h e"); }},
      {"added", bad, "added", [](auto& d) { d["added_tokens"].as_array().emplace_back(1); }},
      {"added content", bad, "content", [](auto& d) { added(d)["content"] = ""; }},
      {"added long", large, "longer", [](auto& d) { added(d)["content"] = std::string(257, 'x'); }},
      {"added twice", bad, "twice", [](auto& d) { added(d)["content"] = "<think>"; }},
      {"added id", bad, "id", [](auto& d) { added(d)["id"] = 1.5; }},
      {"prefix", bad, "<bos>",
       [](auto& d) { d["post_processor"].as_object()["special_tokens"] = json::object{}; }},
  };
  for (const Broken& test : cases) {
    json::object document = small_tokenizer_json();
    test.edit(document);
    const auto parsed = Tokenizer::parse(json::serialize(document));
    ASSERT_FALSE(parsed.ok()) << test.what;
    EXPECT_EQ(parsed.error().code, test.code) << test.what << ": " << parsed.error().message;
    EXPECT_NE(parsed.error().message.find(test.message), std::string::npos)
        << test.what << ": " << parsed.error().message;
  }
  EXPECT_EQ(parse_tokenizer_json("{").error().code, bad);
  EXPECT_EQ(parse_tokenizer_json("[]").error().code, bad);
  EXPECT_EQ(parse_tokenizer_json("").error().code, bad);
}

}  // namespace
}  // namespace baton
