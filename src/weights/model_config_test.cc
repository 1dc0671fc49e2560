#include "weights/model_config.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <string>

#include "base/json.h"
#include "weights/test_files.h"

namespace baton {
namespace {

constexpr const char* kSmall = R"({
  "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_act": "silu",
  "vocab_size": 1000, "hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 3,
  "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 4096,
  "rms_norm_eps": 1e-05, "rope_theta": 1000000.0, "tie_word_embeddings": true,
  "torch_dtype": "bfloat16", "eos_token_id": 7, "sliding_window": 4096,
  "use_sliding_window": false})";

/// kSmall with one field set to the JSON text `value`; "" removes it.
std::string with(const std::string& field, const std::string& value) {
  json::value document = *parse_json(kSmall);
  if (value.empty()) {
    document.get_object().erase(field);
    return json::serialize(document);
  }
  // By text: values like 1e999 must reach the reader as they are.
  document.get_object().erase(field);
  std::string text = json::serialize(document);
  text.insert(1, "\"" + field + "\":" + value + ",");
  return text;
}

Result<ModelConfig> load(const std::string& text) {
  const TempDir dir;
  dir.write("config.json", text);
  return ModelConfig::load(dir.path());
}

Result<GenerationConfig> load_generation(const std::string& generation,
                                         const std::string& config = kSmall) {
  const TempDir dir;
  dir.write("config.json", config);
  if (!generation.empty()) dir.write("generation_config.json", generation);
  return GenerationConfig::load(dir.path());
}

TEST(ModelConfig, ReadsEveryField) {
  const auto config = load(kSmall);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->vocab_size, 1000u);
  EXPECT_EQ(config->hidden_size, 256u);
  EXPECT_EQ(config->intermediate_size, 704u);
  EXPECT_EQ(config->layers, 3u);
  EXPECT_EQ(config->heads, 4u);
  EXPECT_EQ(config->kv_heads, 2u);
  EXPECT_EQ(config->head_dim, 64u);
  EXPECT_EQ(config->context_tokens, 4096u);
  EXPECT_EQ(config->rms_norm_eps, 1e-5f);
  EXPECT_EQ(config->rope_theta, 1e6);
  EXPECT_TRUE(config->tied_embeddings);
  EXPECT_EQ(config->dtype, "bfloat16");
}

TEST(ModelConfig, AbsentFieldsHaveTransformersDefaults) {
  std::string text = with("rope_theta", "");
  for (const char* field : {"rms_norm_eps", "tie_word_embeddings", "torch_dtype", "hidden_act",
                            "num_key_value_heads", "use_sliding_window"}) {
    json::value document = *parse_json(text);
    document.get_object().erase(field);
    text = json::serialize(document);
  }
  const auto config = load(text);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->rope_theta, 10000.0);
  EXPECT_EQ(config->rms_norm_eps, 1e-6f);
  EXPECT_FALSE(config->tied_embeddings);
  EXPECT_EQ(config->dtype, "float32");
  EXPECT_EQ(config->kv_heads, 4u);
}

TEST(ModelConfig, RopeParametersOfTransformers5) {
  auto config =
      load(with("rope_parameters", R"({"rope_theta": 500000.0, "rope_type": "default"})"));
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->rope_theta, 500000.0);
  config = load(with("rope_scaling", R"({"type": "default"})"));
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->rope_theta, 1e6);
  EXPECT_TRUE(load(with("rope_scaling", "null")).ok());
}

TEST(ModelConfig, HeadDimMayBeStated) {
  const auto config = load(with("head_dim", "128"));
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->head_dim, 128u);
}

TEST(ModelConfig, NewDtypeFieldWins) {
  const auto config = load(with("dtype", R"("float16")"));
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->dtype, "float16");
}

struct BadField {
  const char* field;
  const char* value;  // "" = removed
  Code code;
};

TEST(ModelConfig, RefusesEachWrongFieldByName) {
  const BadField kBad[] = {
      {"architectures", R"(["LlamaForCausalLM"])", Code::unsupported},
      {"architectures", R"([])", Code::data_corrupt},
      {"architectures", R"("Qwen2ForCausalLM")", Code::data_corrupt},
      {"architectures", R"([1])", Code::data_corrupt},
      {"model_type", R"("qwen3")", Code::unsupported},
      {"model_type", "3", Code::data_corrupt},
      {"hidden_act", R"("gelu")", Code::unsupported},
      {"use_sliding_window", "true", Code::unsupported},
      {"use_sliding_window", "\"no\"", Code::data_corrupt},
      {"use_mrope", "true", Code::unsupported},
      {"quantization_config", R"({"bits": 4})", Code::unsupported},
      {"layer_types", R"(["full_attention", "sliding_attention"])", Code::unsupported},
      {"layer_types", R"([4])", Code::data_corrupt},
      {"layer_types", "{}", Code::data_corrupt},
      {"rope_type", R"({"rope_type": "yarn", "factor": 4.0})", Code::unsupported},
      {"type", R"({"type": "linear", "factor": 2.0})", Code::unsupported},
      {"rope_scaling", "[]", Code::data_corrupt},
      {"rope_parameters", "7", Code::data_corrupt},
      {"full_attention", R"({"full_attention": {"rope_theta": 1e6}})", Code::unsupported},
      {"partial_rotary_factor", R"({"partial_rotary_factor": 0.5})", Code::unsupported},
      {"vocab_size", "", Code::data_corrupt},
      {"vocab_size", "null", Code::data_corrupt},
      {"vocab_size", "0", Code::data_corrupt},
      {"vocab_size", "-5", Code::data_corrupt},
      {"vocab_size", "1000.5", Code::data_corrupt},
      {"vocab_size", "1e300", Code::data_corrupt},
      {"vocab_size", "1e999", Code::data_corrupt},
      {"vocab_size", "18446744073709551615", Code::data_corrupt},
      {"vocab_size", "9223372036854775807", Code::data_corrupt},
      {"vocab_size", "99999999999999999999999999", Code::data_corrupt},
      {"vocab_size", R"("1000")", Code::data_corrupt},
      {"vocab_size", "true", Code::data_corrupt},
      {"vocab_size", "[1000]", Code::data_corrupt},
      {"hidden_size", "4294967297", Code::data_corrupt},
      {"intermediate_size", "-1", Code::data_corrupt},
      {"num_hidden_layers", "4096", Code::data_corrupt},
      {"num_attention_heads", "0", Code::data_corrupt},
      {"num_attention_heads", "6", Code::data_corrupt},
      {"num_key_value_heads", "3", Code::data_corrupt},
      {"num_key_value_heads", "8", Code::data_corrupt},
      {"head_dim", "96", Code::unsupported},
      {"head_dim", "0", Code::data_corrupt},
      {"max_position_embeddings", "4294967296", Code::data_corrupt},
      {"rms_norm_eps", "-1e-6", Code::data_corrupt},
      {"rms_norm_eps", R"("small")", Code::data_corrupt},
      {"rms_norm_eps", "1e999", Code::data_corrupt},
      {"rope_theta", "0", Code::data_corrupt},
      {"rope_theta", "-10000", Code::data_corrupt},
      {"rope_theta", "1e999", Code::data_corrupt},
      {"tie_word_embeddings", "1", Code::data_corrupt},
      {"torch_dtype", R"("float64")", Code::unsupported},
      {"dtype", "16", Code::data_corrupt},
  };
  for (const BadField& bad : kBad) {
    const std::string field = bad.field;
    const bool in_scaling = field == "rope_type" || field == "type";
    const bool in_parameters = field == "full_attention" || field == "partial_rotary_factor";
    const std::string where = in_scaling      ? "rope_scaling"
                              : in_parameters ? "rope_parameters"
                                              : field;
    const auto config = load(with(where, bad.value));
    ASSERT_FALSE(config.ok()) << field << " = " << bad.value;
    EXPECT_EQ(config.error().code, bad.code) << config.error().message;
    EXPECT_NE(config.error().message.find("config.json"), std::string::npos)
        << config.error().message;
    EXPECT_NE(config.error().message.find(field + "'"), std::string::npos)
        << field << " = " << bad.value << ": " << config.error().message;
  }
}

// Such a model has no room for an answer; the scheduler aborted on it.
TEST(ModelConfig, AContextOfOneTokenIsRefused) {
  const auto config = load(with("max_position_embeddings", "1"));
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().code, Code::data_corrupt);
  EXPECT_NE(config.error().message.find("config.json"), std::string::npos);
  EXPECT_NE(config.error().message.find("'max_position_embeddings'"), std::string::npos);
  const auto least = load(with("max_position_embeddings", "2"));
  ASSERT_TRUE(least.ok()) << least.error().message;
  EXPECT_EQ(least->context_tokens, 2u);
}

TEST(ModelConfig, RefusesWhatIsNoJsonObject) {
  const std::string deep = std::string(1'000'000, '[');
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{"), std::string(kSmall) + "x",
        std::string(R"({"vocab_size": NaN})"), std::string("\xff{}"), deep}) {
    const auto config = load(text);
    ASSERT_FALSE(config.ok()) << text.substr(0, 40);
    EXPECT_EQ(config.error().code, Code::data_corrupt);
    EXPECT_NE(config.error().message.find("config.json"), std::string::npos);
  }
}

TEST(ModelConfig, MissingHugeAndOddFiles) {
  const TempDir dir;
  EXPECT_EQ(ModelConfig::load(dir.path()).error().code, Code::not_found);
  dir.write("config.json", std::string(5u << 20, ' '));
  EXPECT_EQ(ModelConfig::load(dir.path()).error().code, Code::too_large);
  std::filesystem::remove(dir.path() / "config.json");
  std::filesystem::create_directory(dir.path() / "config.json");
  EXPECT_EQ(ModelConfig::load(dir.path()).error().code, Code::io);
}

TEST(ModelConfig, EveryTruncationIsAnError) {
  const std::string text = kSmall;
  for (size_t size = 0; size < text.size(); ++size) {
    const auto config = load(text.substr(0, size));
    ASSERT_FALSE(config.ok()) << size;
    EXPECT_EQ(config.error().code, Code::data_corrupt) << size;
  }
}

TEST(GenerationConfig, AbsentFileMeansOffAndTheModelsEos) {
  const auto config = load_generation("");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_TRUE(config->do_sample);
  EXPECT_FALSE(config->temperature || config->top_p || config->top_k || config->min_p ||
               config->repetition_penalty);
  EXPECT_EQ(config->eos_tokens, std::vector<Token>{7});
}

TEST(GenerationConfig, ReadsEveryField) {
  const auto config = load_generation(
      R"({"do_sample": false, "temperature": 0.6, "top_p": 0.95, "top_k": 20, "min_p": 0.05,
          "repetition_penalty": 1.05, "eos_token_id": [3, 4], "other": {"a": 1}})");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_FALSE(config->do_sample);
  EXPECT_EQ(config->temperature, 0.6f);
  EXPECT_EQ(config->top_p, 0.95f);
  EXPECT_EQ(config->top_k, 20);
  EXPECT_EQ(config->min_p, 0.05f);
  EXPECT_EQ(config->repetition_penalty, 1.05f);
  EXPECT_EQ(config->eos_tokens, (std::vector<Token>{3, 4}));
}

TEST(GenerationConfig, NullIsAbsent) {
  const auto config = load_generation(R"({"top_k": null, "eos_token_id": null, "top_p": null})");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_FALSE(config->top_k || config->top_p);
  EXPECT_EQ(config->eos_tokens, std::vector<Token>{7});
  EXPECT_TRUE(load_generation("{}", with("eos_token_id", "null"))->eos_tokens.empty());
}

TEST(GenerationConfig, RefusesEachWrongFieldByName) {
  const std::pair<const char*, const char*> kBad[] = {
      {"temperature", "-0.1"},
      {"temperature", "1e999"},
      {"temperature", "\"hot\""},
      {"top_p", "0"},
      {"top_p", "1.01"},
      {"top_p", "-1"},
      {"top_k", "2.5"},
      {"top_k", "-2"},
      {"top_k", "99999999999"},
      {"min_p", "2"},
      {"repetition_penalty", "0"},
      {"repetition_penalty", "[]"},
      {"do_sample", "\"yes\""},
      {"eos_token_id", "-1"},
      {"eos_token_id", "1000"},
      {"eos_token_id", "[1, [2]]"},
      {"eos_token_id", "\"</s>\""},
      {"eos_token_id", "1.5"},
  };
  for (const auto& [field, value] : kBad) {
    const auto config = load_generation("{\"" + std::string(field) + "\": " + value + "}");
    ASSERT_FALSE(config.ok()) << field << " = " << value;
    EXPECT_EQ(config.error().code, Code::data_corrupt);
    EXPECT_NE(config.error().message.find("generation_config.json"), std::string::npos);
    EXPECT_NE(config.error().message.find(field), std::string::npos) << config.error().message;
  }
  EXPECT_FALSE(load_generation("{").ok()) << "a broken file is no absent file";
}

// They loaded, and then each request that left the field to its default was refused as its fault.
TEST(GenerationConfig, ValuesThatTheEngineRefusesAreTheFilesError) {
  const std::pair<const char*, const char*> kBad[] = {{"temperature", "100.5"},
                                                      {"top_p", "1e-10"},
                                                      {"repetition_penalty", "0.001"},
                                                      {"repetition_penalty", "101"}};
  for (const auto& [field, value] : kBad) {
    const auto config = load_generation("{\"" + std::string(field) + "\": " + value + "}");
    ASSERT_FALSE(config.ok()) << field << " = " << value;
    EXPECT_EQ(config.error().code, Code::data_corrupt);
    EXPECT_NE(config.error().message.find("generation_config.json"), std::string::npos);
    EXPECT_NE(config.error().message.find(field), std::string::npos) << config.error().message;
  }
  const auto edges =
      load_generation(R"({"temperature": 100, "top_p": 1e-9, "repetition_penalty": 0.01})");
  ASSERT_TRUE(edges.ok()) << edges.error().message;
  EXPECT_EQ(edges->repetition_penalty, static_cast<float>(kRepetitionPenaltyLeast));
  EXPECT_EQ(edges->top_p, static_cast<float>(kTopPLeast));
}

TEST(ModelConfig, ReadsTheReferenceModels) {
  const std::filesystem::path shared = std::filesystem::path(BATON_SOURCE_DIR) / "../shared";
  if (!std::filesystem::exists(shared / "models")) GTEST_SKIP() << "no reference data beside here";
  const std::filesystem::path r1 = shared / "models/deepseek-r1-distill-qwen-1.5b";
  const auto config = ModelConfig::load(r1);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->layers, 28u);
  EXPECT_EQ(config->head_dim, 128u);
  EXPECT_EQ(config->kv_heads, 2u);
  EXPECT_EQ(config->vocab_size, 151936u);
  EXPECT_EQ(config->context_tokens, 131072u);
  EXPECT_EQ(config->rope_theta, 10000.0);
  EXPECT_FALSE(config->tied_embeddings);
  const auto generation = GenerationConfig::load(r1);
  ASSERT_TRUE(generation.ok()) << generation.error().message;
  EXPECT_EQ(generation->temperature, 0.6f);
  EXPECT_EQ(generation->top_p, 0.95f);
  EXPECT_EQ(generation->eos_tokens, std::vector<Token>{151643});

  const auto tied = ModelConfig::load(shared / "reference/a_hd64_tied_bf16");
  ASSERT_TRUE(tied.ok()) << tied.error().message;
  EXPECT_TRUE(tied->tied_embeddings);
  EXPECT_EQ(tied->head_dim, 64u);
  EXPECT_EQ(tied->rope_theta, 1e6);
}

}  // namespace
}  // namespace baton
