#include "model/cpu_model.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "base/hash.h"
#include "kernels/cpu/gemm.h"
#include "model/benchmark.h"
#include "model/cpu_model_impl.h"
#include "weights/test_files.h"

namespace baton {
namespace {

/// Ragged on purpose: widths that are no multiples of 32 or 16, three query heads to a key head.
constexpr const char* kConfig = R"({"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2",
  "hidden_act": "silu", "hidden_size": 84, "intermediate_size": 170, "num_hidden_layers": 2,
  "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 64, "vocab_size": 301,
  "max_position_embeddings": 1024, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
  "tie_word_embeddings": TIED, "torch_dtype": "bfloat16", "eos_token_id": 0})";

std::string config_text(bool tied) {
  std::string text = kConfig;
  return text.replace(text.find("TIED"), 4, tied ? "true" : "false");
}

CpuModelOptions small_options(CpuIsa isa, uint32_t threads, DType dtype) {
  CpuModelOptions options;
  options.dtype = dtype;
  options.threads = threads;
  options.isa = isa;
  options.kv_tokens = 4096;
  return options;
}

class CpuModelTest : public testing::Test {
 protected:
  CpuModelTest() { dir_.write("config.json", config_text(true)); }

  std::unique_ptr<CpuModel> make(const CpuModelOptions& options, uint64_t seed = 7) const {
    auto model = random_cpu_model(dir_.path(), seed, options);
    if (!model.ok()) {
      ADD_FAILURE() << model.error().message;
      return nullptr;
    }
    return std::unique_ptr<CpuModel>(static_cast<CpuModel*>(model->release()));
  }

  TempDir dir_;
};

/// One sequence of a test: its tokens grow by what the model draws.
struct Sequence {
  std::vector<Token> tokens;
  std::vector<BlockId> blocks;
  std::vector<Sampled> drawn;
  uint32_t done = 0;
};

/// Takes each prompt in, `chunk` tokens a step, and draws `draws` tokens; all sequences whose turn
/// it is share a step if `together`.
class Generation {
 public:
  Generation(CpuModel& model, const std::vector<uint32_t>& prompts, uint32_t draws)
      : model_(model), draws_(draws) {
    sampling_.temperature = 0.8f;
    sampling_.logprobs = kMaxTopLogprobs;
    BlockId next = 0;
    for (uint32_t length : prompts) {
      Sequence& sequence = sequences_.emplace_back();
      for (uint32_t i = 0; i < length; ++i) {
        sequence.tokens.push_back(static_cast<Token>((i * 37u + length * 11u) % 301u));
      }
      for (uint32_t i = 0; i < (length + draws) / kBlockTokens + 1; ++i) {
        sequence.blocks.push_back(next++);
      }
      prompt_sizes_.push_back(length);
    }
  }

  std::vector<Sequence> run(bool together, uint32_t chunk) {
    if (together) {
      while (step(0, sequences_.size(), chunk)) {
      }
    } else {
      for (size_t i = 0; i < sequences_.size(); ++i) {
        while (step(i, i + 1, chunk)) {
        }
      }
    }
    return sequences_;
  }

 private:
  bool step(size_t begin, size_t end, uint32_t chunk) {
    std::vector<Slice> slices;
    std::vector<size_t> owners, sampling;
    for (size_t i = begin; i < end; ++i) {
      Sequence& sequence = sequences_[i];
      if (sequence.drawn.size() == draws_) continue;
      const auto left = static_cast<uint32_t>(sequence.tokens.size()) - sequence.done;
      const uint32_t tokens = std::min(left, chunk);
      Slice slice;
      slice.sequence = i;
      slice.start = sequence.done;
      slice.tokens = std::span(sequence.tokens).subspan(sequence.done, tokens);
      slice.blocks = sequence.blocks;
      if (tokens == left) {
        const std::span<const Token> all(sequence.tokens);
        slice.sample = {&sampling_, 99, 0, all.first(prompt_sizes_[i]),
                        all.subspan(prompt_sizes_[i])};
        sampling.push_back(i);
      }
      sequence.done += tokens;
      slices.push_back(slice);
    }
    if (slices.empty()) return false;
    model_.launch(slices, {});
    const std::span<const Sampled> results = model_.collect().value();
    EXPECT_EQ(results.size(), sampling.size());
    for (size_t i = 0; i < results.size(); ++i) {
      EXPECT_EQ(results[i].sequence, sampling[i]);
      EXPECT_TRUE(results[i].valid);
      sequences_[sampling[i]].drawn.push_back(results[i]);
      sequences_[sampling[i]].tokens.push_back(results[i].token);
    }
    return true;
  }

  CpuModel& model_;
  Sampling sampling_;
  uint32_t draws_;
  std::vector<Sequence> sequences_;
  std::vector<uint32_t> prompt_sizes_;
};

void expect_same_bits(const std::vector<Sequence>& a, const std::vector<Sequence>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].tokens, b[i].tokens) << "sequence " << i;
    for (size_t d = 0; d < a[i].drawn.size(); ++d) {
      EXPECT_EQ(std::memcmp(&a[i].drawn[d].logprob, &b[i].drawn[d].logprob, sizeof(float)), 0);
      ASSERT_EQ(a[i].drawn[d].top.size(), b[i].drawn[d].top.size());
      for (size_t t = 0; t < a[i].drawn[d].top.size(); ++t) {
        EXPECT_EQ(a[i].drawn[d].top[t].token, b[i].drawn[d].top[t].token);
        EXPECT_EQ(std::memcmp(&a[i].drawn[d].top[t].logprob, &b[i].drawn[d].top[t].logprob,
                              sizeof(float)),
                  0);
      }
    }
  }
}

TEST_F(CpuModelTest, bits_do_not_depend_on_batch_chunks_threads_or_isa) {
  const std::vector<uint32_t> prompts = {1, 31, 33, 70, 255, 258};
  for (DType dtype : {DType::bf16, DType::fp32}) {
    auto reference_model = make(small_options(best_isa(), 1, dtype));
    ASSERT_NE(reference_model, nullptr);
    const std::vector<Sequence> reference =
        Generation(*reference_model, prompts, 4).run(false, 512);
    for (CpuIsa isa : available_isas()) {
      for (uint32_t threads : {1u, 3u}) {
        if (isa == CpuIsa::plain && threads == 1) continue;  // slow, and the same code
        auto model = make(small_options(isa, threads, dtype));
        ASSERT_NE(model, nullptr);
        EXPECT_EQ(model->info().klass, reference_model->info().klass);
        SCOPED_TRACE(model->info().device + " " + model->info().dtype);
        expect_same_bits(Generation(*model, prompts, 4).run(true, 67), reference);
        if (isa == CpuIsa::plain) continue;
        expect_same_bits(Generation(*model, prompts, 4).run(threads == 1, threads == 1 ? 17 : 1),
                         reference);
      }
    }
  }
}

TEST_F(CpuModelTest, many_sampling_rows_go_through_the_head_in_groups) {
  CpuModelOptions options = small_options(best_isa(), 2, DType::bf16);
  options.kv_tokens = 32 * 100;
  auto model = make(options);
  ASSERT_NE(model, nullptr);
  const std::vector<uint32_t> prompts(Qwen2Forward::kLogitRows + 7, 3);
  const auto together = Generation(*model, prompts, 2).run(true, 8);
  const auto alone = Generation(*model, {3}, 2).run(false, 8);
  for (const Sequence& sequence : together) EXPECT_EQ(sequence.tokens, alone[0].tokens);
}

TEST_F(CpuModelTest, recycled_blocks_are_zeroed) {
  auto model = make(small_options(best_isa(), 2, DType::bf16));
  ASSERT_NE(model, nullptr);
  const auto clean = Generation(*model, {40}, 2).run(false, 64);

  std::memset(model->kv_for_test().data(), 0xff, model->kv_for_test().size());  // NaN everywhere
  Sampling sampling;
  const Slice slice{.sequence = 1,
                    .start = 0,
                    .tokens = std::span(clean[0].tokens).first(40),
                    .blocks = clean[0].blocks,
                    .sample = {&sampling, 99, 0, {}, {}}};
  model->launch({&slice, 1}, {});
  EXPECT_FALSE(model->collect().value()[0].valid);  // 0 · NaN

  model->launch({}, clean[0].blocks);
  EXPECT_TRUE(model->collect().value().empty());
  expect_same_bits(Generation(*model, {40}, 2).run(false, 64), clean);
}

TEST_F(CpuModelTest, the_class_names_everything_that_decides_bits) {
  const CpuModelOptions options = small_options(best_isa(), 1, DType::bf16);
  std::map<uint64_t, std::string> seen;
  auto add = [&](const std::string& what, const CpuModelOptions& changed, uint64_t seed) {
    auto model = make(changed, seed);
    ASSERT_NE(model, nullptr);
    EXPECT_TRUE(seen.emplace(model->info().klass.value, what).second) << what;
  };
  add("base", options, 7);
  add("other weights", options, 8);
  CpuModelOptions fp32 = options, rope = options;
  fp32.dtype = DType::fp32;
  add("fp32", fp32, 7);
  rope.rope_frequencies = DType::bf16;
  add("rounded frequencies", rope, 7);
  std::string longer = config_text(true);
  longer.replace(longer.find("1024"), 4, "2048");
  dir_.write("config.json", longer);
  add("longer context", options, 7);
  dir_.write("config.json", config_text(false));
  add("untied", options, 7);
}

TEST_F(CpuModelTest, the_class_does_not_name_what_decides_no_bit) {
  CpuModelOptions options = small_options(best_isa(), 1, DType::bf16);
  const auto reference = make(options);
  ASSERT_NE(reference, nullptr);
  for (uint32_t step_tokens : {1u, 7u, 19u, 20u, 21u}) {
    options.step_tokens_max = step_tokens;
    options.kv_tokens = 64 * step_tokens;
    const auto model = make(options);
    ASSERT_NE(model, nullptr);
    EXPECT_EQ(model->info().klass, reference->info().klass) << step_tokens << " tokens a step";
  }
}

/// fp32 weights that no bf16 can hold; the head's are those of the embedding.
class FineSource final : public WeightSource {
 public:
  Result<StoredTensor> fetch(const std::string& name, const std::vector<uint64_t>& shape) override {
    const std::string like = name == "lm_head.weight" ? "model.embed_tokens.weight" : name;
    const float offset = name.find("norm") != std::string::npos ? 1.0f : 0.0f;
    uint64_t bits = hash_string(like, 3), count = 1;
    for (uint64_t size : shape) count *= size;
    std::vector<float>& values = tensors_[name];
    for (uint64_t i = 0; i < count; ++i) {
      bits = hash_mix(bits);
      values.push_back(static_cast<float>(static_cast<int32_t>(bits)) * 3e-11f + offset);
    }
    return StoredTensor{DType::fp32, shape, std::as_bytes(std::span(values)), "fine"};
  }
  void release(const std::string& name, const StoredTensor&, bool still_read) override {
    if (!still_read) tensors_.erase(name);
  }

 private:
  std::map<std::string, std::vector<float>> tensors_;
};

TEST_F(CpuModelTest, a_tied_model_gives_the_bits_of_its_untied_copy_in_less_memory) {
  for (DType dtype : {DType::bf16, DType::fp32}) {
    SCOPED_TRACE(to_string(dtype));
    std::vector<std::vector<Sequence>> drawn;
    for (bool tied : {true, false}) {
      dir_.write("config.json", config_text(tied));
      const CpuModelSource source{
          *ModelConfig::load(dir_.path()), [](ThreadPool&) {
            return Result<std::unique_ptr<WeightSource>>(std::make_unique<FineSource>());
          }};
      auto model = build_cpu_model(source, small_options(best_isa(), 2, dtype));
      ASSERT_TRUE(model.ok()) << model.error().message;
      drawn.push_back(Generation(**model, {5, 70}, 3).run(true, 64));

      const uint64_t layer = 640 * 96 + 96 * 384 + 352 * 96 + 96 * 192;
      const uint64_t matrices = (304 * 96 + 2 * layer) * bits_of(dtype) / 8;
      const uint64_t vectors = (2 * (96 + 640 + 96) + 96) * 4;
      EXPECT_EQ((*model)->memory().weight_bytes,
                matrices + vectors + (tied ? 0 : 301 * 84 * sizeof(float)));
    }
    expect_same_bits(drawn[0], drawn[1]);
  }
}

TEST_F(CpuModelTest, the_plan_before_loading_is_what_loading_takes) {
  for (bool tied : {true, false}) {
    dir_.write("config.json", config_text(tied));
    const auto model = make(small_options(best_isa(), 3, DType::bf16));
    ASSERT_NE(model, nullptr);
    const ModelConfig config = *ModelConfig::load(dir_.path());
    EXPECT_EQ(resident_weight_bytes(config, DType::bf16).value(), model->memory().weight_bytes);
    const uint64_t workers = 3 * kGemmScratchFloats * sizeof(float);
    EXPECT_GE(model->memory().scratch_bytes,
              workers + Qwen2Forward::scratch_bytes(config, model->info().step_tokens_max));
  }
}

TEST_F(CpuModelTest, options_that_cannot_be_met_are_refused) {
  auto refusal = [&](const CpuModelOptions& options) {
    auto model = random_cpu_model(dir_.path(), 1, options);
    return model.ok() ? std::string() : model.error().message;
  };
  CpuModelOptions options = small_options(CpuIsa::plain, 1, DType::int8);
  EXPECT_NE(refusal(options).find("int8"), std::string::npos);
  options.dtype = DType::bf16;
  options.threads = ThreadPool::kThreadsMax + 1;
  EXPECT_NE(refusal(options).find("threads"), std::string::npos);
  options.threads = 1;
  options.kv_tokens = uint64_t{1} << 33;  // 4 TiB
  EXPECT_NE(refusal(options).find("KV pool"), std::string::npos);
  options.kv_tokens = ~uint64_t{0};
  EXPECT_NE(refusal(options).find("too large"), std::string::npos);
  options.kv_tokens = 64;
  options.step_tokens_max = 0;
  EXPECT_NE(refusal(options).find("step"), std::string::npos);
  options.step_tokens_max = 16;
  EXPECT_EQ(refusal(options), "");
  for (CpuIsa isa : {CpuIsa::avx2, CpuIsa::avx512, CpuIsa::amx}) {
    if (isa_available(isa)) continue;
    options.isa = isa;
    EXPECT_NE(refusal(options).find("this processor has no"), std::string::npos);
  }
}

TEST_F(CpuModelTest, a_pool_smaller_than_the_context_shortens_it) {
  CpuModelOptions options = small_options(best_isa(), 1, DType::bf16);
  options.kv_tokens = 100;
  auto model = make(options);
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->info().block_count, 4u);
  EXPECT_EQ(model->info().context_tokens, 128u);
  EXPECT_EQ(model->memory().kv_bytes, 4u * 32 * 2 * 2 * 2 * 64 * 2);
  EXPECT_GT(model->memory().weight_bytes, 0u);
  EXPECT_GT(model->memory().scratch_bytes, 0u);
}

/// A file of one tensor of 4 bytes; the header is padded, so that the data is aligned.
std::string one_tensor(const std::string& name, const std::string& dtype_and_shape) {
  std::string header = "{\"" + name + "\": {" + dtype_and_shape + ", \"data_offsets\": [0, 4]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return safetensors_image(header, std::string(4, '\0'));
}

TEST_F(CpuModelTest, missing_and_misshapen_tensors_are_named) {
  const CpuModelOptions options = small_options(CpuIsa::plain, 1, DType::bf16);
  dir_.write("model.safetensors", one_tensor("other", R"("dtype": "F32", "shape": [1])"));
  auto model = load_cpu_model(dir_.path(), options);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, Code::data_corrupt) << model.error().message;
  EXPECT_NE(model.error().message.find("model.embed_tokens.weight"), std::string::npos);
  EXPECT_NE(model.error().message.find("/model.safetensors:"), std::string::npos);

  dir_.write("model.safetensors",
             one_tensor("model.embed_tokens.weight", R"("dtype": "BF16", "shape": [2, 1])"));
  model = load_cpu_model(dir_.path(), options);
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().message.find("[2, 1]"), std::string::npos) << model.error().message;
  EXPECT_NE(model.error().message.find("[301, 84]"), std::string::npos);
  EXPECT_NE(model.error().message.find("/model.safetensors:"), std::string::npos);
}

TEST_F(CpuModelTest, errors_name_the_shard_or_the_index) {
  const CpuModelOptions options = small_options(CpuIsa::plain, 1, DType::bf16);
  auto write_shard = [&](const std::string& tensor) {
    dir_.write("model-00001-of-00001.safetensors",
               one_tensor(tensor, R"("dtype": "BF16", "shape": [2, 1])"));
    dir_.write("model.safetensors.index.json",
               R"({"weight_map": {")" + tensor + R"(": "model-00001-of-00001.safetensors"}})");
    auto model = load_cpu_model(dir_.path(), options);
    return model.ok() ? std::string() : model.error().message;
  };
  EXPECT_NE(write_shard("model.embed_tokens.weight").find("/model-00001-of-00001.safetensors:"),
            std::string::npos);
  const std::string missing = write_shard("other");
  EXPECT_NE(missing.find("/model.safetensors.index.json:"), std::string::npos) << missing;
  EXPECT_NE(missing.find("model.embed_tokens.weight"), std::string::npos) << missing;
}

TEST_F(CpuModelTest, loading_reports_progress_up_to_one) {
  CpuModelOptions options = small_options(best_isa(), 1, DType::bf16);
  std::vector<double> fractions;
  options.progress = [&](double fraction) { fractions.push_back(fraction); };
  ASSERT_NE(make(options), nullptr);
  ASSERT_FALSE(fractions.empty());
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_EQ(fractions.back(), 1.0);
}

TEST_F(CpuModelTest, the_benchmark_measures_each_row_that_was_asked_for) {
  EngineBenchmarkOptions options;
  options.model = small_options(best_isa(), 2, DType::bf16);
  options.random = true;
  options.batches = {1, 3};
  options.context_tokens = 40;
  options.decode_steps = 2;
  options.prompts = {64};
  options.rounds = 1;
  std::vector<EngineBenchmarkRow> rows;
  auto result = run_engine_benchmark(dir_.path(), options,
                                     [&](const EngineBenchmarkRow& row) { rows.push_back(row); });
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_EQ(rows.size(), 3u);
  for (const EngineBenchmarkRow& row : rows) {
    EXPECT_GT(row.tokens_per_s, 0.0);
    EXPECT_NEAR(row.gb_per_s, row.tokens_per_s * row.bytes_per_token / 1e9, 1e-9);
  }
  EXPECT_EQ(rows[1].batch, 3u);
  EXPECT_EQ(rows[2].prompt, 64u);
  options.prompts = {1025};  // beyond the model's context
  options.model.step_tokens_max = 2048;
  EXPECT_FALSE(run_engine_benchmark(dir_.path(), options, [](const EngineBenchmarkRow&) {}).ok());
  options.prompts = {64};
  options.batches = {0};
  EXPECT_FALSE(run_engine_benchmark(dir_.path(), options, [](const EngineBenchmarkRow&) {}).ok());
}

}  // namespace
}  // namespace baton
