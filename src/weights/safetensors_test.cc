#include "weights/safetensors.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weights/test_files.h"

namespace baton {
namespace {

namespace fs = std::filesystem;

std::string bytes(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + 1);
  return text;
}

std::string padded(std::string header) {
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

/// A well-formed file of four tensors, a scalar and an empty one among them, out of order.
std::string good_image() {
  return safetensors_image(padded(R"({"__metadata__":{"format":"pt","a":"b"},)"
                                  R"("b":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},)"
                                  R"("a":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]},)"
                                  R"("empty":{"dtype":"F16","shape":[0,5],"data_offsets":[32,32]},)"
                                  R"("scalar":{"dtype":"F16","shape":[],"data_offsets":[32,34]}})"),
                           bytes(34));
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

void expect_error(const std::string& header, const std::string& data, Code code,
                  const std::string& part) {
  const auto parsed = parse_image(safetensors_image(padded(header), data));
  ASSERT_FALSE(parsed.ok()) << header;
  EXPECT_EQ(parsed.error().code, code) << header << ": " << parsed.error().message;
  EXPECT_NE(parsed.error().message.find(part), std::string::npos)
      << header << ": " << parsed.error().message;
  EXPECT_EQ(parsed.error().message.rfind("image: ", 0), 0u) << "names the file";
}

/// What a parse must have checked, whatever the file said.
void expect_sound(const std::map<std::string, StoredTensor>& tensors, size_t file_size) {
  uint64_t total = 0;
  for (const auto& [name, tensor] : tensors) {
    uint64_t size = bits_of(tensor.dtype) / 8;
    for (const uint64_t extent : tensor.shape) size *= extent;
    EXPECT_EQ(size, tensor.data.size()) << name;
    total += tensor.data.size();
  }
  EXPECT_LE(total, file_size);
}

TEST(Safetensors, ParsesShapesDtypesAndPlaces) {
  const std::string image = good_image();
  const auto parsed = Safetensors::parse(std::as_bytes(std::span(image)), "image");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  ASSERT_EQ(parsed->size(), 4u);
  const StoredTensor& a = parsed->at("a");
  EXPECT_EQ(a.dtype, DType::bf16);
  EXPECT_EQ(a.shape, std::vector<uint64_t>{4});
  EXPECT_EQ(std::memcmp(a.data.data(), bytes(34).data(), 8), 0);
  const StoredTensor& b = parsed->at("b");
  EXPECT_EQ(b.dtype, DType::fp32);
  EXPECT_EQ(b.shape, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(std::memcmp(b.data.data(), bytes(34).data() + 8, 24), 0);
  EXPECT_TRUE(parsed->at("empty").data.empty());
  EXPECT_EQ(parsed->at("scalar").data.size(), 2u);
}

TEST(Safetensors, EmptyHeaderAndNoTensors) {
  const auto parsed = parse_image(safetensors_image("{}", ""));
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_TRUE(parsed->empty());
  expect_error("{}", "x", Code::data_corrupt, "end at byte 0 of 1");
}

TEST(Safetensors, EveryTruncationIsAnError) {
  const std::string image = good_image();
  for (size_t size = 0; size < image.size(); ++size) {
    const auto parsed = parse_image(std::string_view(image).substr(0, size));
    ASSERT_FALSE(parsed.ok()) << size;
    EXPECT_EQ(parsed.error().code, Code::data_corrupt) << size;
  }
  EXPECT_FALSE(parse_image(image + "x").ok()) << "one byte too many";
}

TEST(Safetensors, EveryFlippedBitGivesAnErrorOrASoundParse) {
  const std::string image = good_image();
  const size_t header_end = image.size() - 34;
  size_t errors = 0;
  for (size_t at = 0; at < header_end; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = image;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      const auto parsed = parse_image(flipped);
      if (parsed.ok()) {
        expect_sound(*parsed, flipped.size());
        EXPECT_EQ(parsed->size(), 4u) << "byte " << at << " bit " << bit;
      } else {
        ++errors;
        EXPECT_TRUE(parsed.error().code == Code::data_corrupt ||
                    parsed.error().code == Code::unsupported)
            << parsed.error().message;
      }
    }
  }
  // Only names, metadata, padding and a BF16 that becomes an F16 of equal size survive a flip.
  EXPECT_GT(errors, header_end * 8 / 2);
}

TEST(Safetensors, HeaderLengthLimits) {
  std::string image = good_image();
  for (const uint64_t length :
       {uint64_t{0}, uint64_t{1}, uint64_t{image.size()}, kSafetensorsHeaderLimitBytes,
        kSafetensorsHeaderLimitBytes + 1, uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 7}) {
    std::memcpy(image.data(), &length, sizeof length);
    const auto parsed = parse_image(image);
    ASSERT_FALSE(parsed.ok()) << length;
    EXPECT_EQ(parsed.error().code, Code::data_corrupt) << length;
  }
}

TEST(Safetensors, HeaderForms) {
  const std::string ok = entry("\"F32\"", "[1]", "[0,4]");
  const std::string data = bytes(4);
  ASSERT_TRUE(parse_image(safetensors_image(padded("{\"t\":" + ok + "}"), data)).ok());
  const auto with_t = [&](const std::string& t) { return "{\"t\":" + t + "}"; };
  expect_error(" {}", "", Code::data_corrupt, "begin with '{'");
  expect_error("[]", "", Code::data_corrupt, "begin with '{'");
  expect_error("{", "", Code::data_corrupt, "not valid JSON");
  expect_error("{}}", "", Code::data_corrupt, "not valid JSON");
  expect_error("{}{}", "", Code::data_corrupt, "not valid JSON");
  expect_error("{\"t\":" + ok + ",}", data, Code::data_corrupt, "not valid JSON");
  expect_error("{\"\xff\":" + ok + "}", data, Code::data_corrupt, "not valid JSON");
  expect_error("{\"t\":" + ok + ",\"t\":" + ok + "}", data, Code::data_corrupt, "is there twice");
  // The same name, once escaped.
  expect_error("{\"t\":" + ok + ",\"\\u0074\":" + ok + "}", data, Code::data_corrupt, "twice");
  expect_error(R"({"__metadata__":{"a":"1","a":"2"}})", "", Code::data_corrupt, "twice");
  expect_error(R"({"__metadata__":{},"__metadata__":{}})", "", Code::data_corrupt, "twice");
  expect_error(R"({"__metadata__":{"a":1}})", "", Code::data_corrupt, "\"a\"");
  expect_error(R"({"__metadata__":{"a":{}}})", "", Code::data_corrupt, "\"a\"");
  expect_error(R"({"__metadata__":"x"})", "", Code::data_corrupt, "__metadata__");
  expect_error(with_t("7"), data, Code::data_corrupt, "\"t\"");
  expect_error(with_t("null"), data, Code::data_corrupt, "\"t\"");
  expect_error(with_t("[]"), data, Code::data_corrupt, "\"t\"");
  expect_error(with_t("\"x\""), data, Code::data_corrupt, "\"t\"");
  expect_error(with_t("{}"), data, Code::data_corrupt, "must have dtype");
  expect_error(with_t(R"({"dtype":"F32","shape":[1]})"), data, Code::data_corrupt, "\"t\"");
  expect_error(with_t(R"({"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]})"), data,
               Code::data_corrupt, "'dtype' twice");
  expect_error(with_t(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1})"), data,
               Code::data_corrupt, "field other than");
  expect_error(with_t(R"({"dtype":["F32"],"shape":[1],"data_offsets":[0,4]})"), data,
               Code::data_corrupt, "list");
  expect_error(with_t(R"({"dtype":{"a":{}},"shape":[1],"data_offsets":[0,4]})"), data,
               Code::data_corrupt, "object");
}

TEST(Safetensors, ShapesAndOffsets) {
  const auto with = [](const std::string& dtype, const std::string& shape,
                       const std::string& offsets) {
    return "{\"t\":" + entry(dtype, shape, offsets) + "}";
  };
  const std::string data = bytes(4);
  const Code corrupt = Code::data_corrupt;
  expect_error(with("32", "[1]", "[0,4]"), data, corrupt, "\"t\"");
  expect_error(with("\"F31\"", "[1]", "[0,4]"), data, Code::unsupported, "F31");
  expect_error(with("\"I64\"", "[1]", "[0,4]"), data, Code::unsupported, "I64");
  expect_error(with("\"F32\"", "1", "[0,4]"), data, corrupt, "\"t\"");
  expect_error(with("\"F32\"", "[-1]", "[0,4]"), data, corrupt, "negative");
  expect_error(with("\"F32\"", "[1.0]", "[0,4]"), data, corrupt, "unsigned");
  expect_error(with("\"F32\"", "[1e0]", "[0,4]"), data, corrupt, "unsigned");
  expect_error(with("\"F32\"", "[\"1\"]", "[0,4]"), data, corrupt, "string");
  expect_error(with("\"F32\"", "[true]", "[0,4]"), data, corrupt, "boolean");
  expect_error(with("\"F32\"", "[[1]]", "[0,4]"), data, corrupt, "image: ");
  expect_error(with("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), data, corrupt, "array");
  expect_error(with("\"F32\"", "[18446744073709551616]", "[0,4]"), data, corrupt, "unsigned");
  expect_error(with("\"F32\"", "[4294967296,4294967296]", "[0,0]"), "", corrupt, "shape");
  expect_error(with("\"F32\"", "[4611686018427387904]", "[0,0]"), "", corrupt, "shape");
  expect_error(with("\"F32\"", "[4611686018427387905]", "[0,4]"), data, corrupt, "shape");
  expect_error(with("\"F32\"", "[2]", "[0,4]"), data, corrupt, "shape");
  expect_error(with("\"F32\"", "[1]", "[0,5]"), data, corrupt, "offsets");
  expect_error(with("\"F32\"", "[1]", "[4,0]"), data, corrupt, "offsets");
  expect_error(with("\"F32\"", "[1]", "[0]"), data, corrupt, "two data_offsets");
  expect_error(with("\"F32\"", "[1]", "[0,4,4]"), data, corrupt, "number");
  expect_error(with("\"F32\"", "[1]", "[]"), data, corrupt, "two data_offsets");
  expect_error(with("\"F32\"", "[1]", "[0,18446744073709551615]"), data, corrupt, "offsets");
  expect_error(with("\"F32\"", "[0]", "[18446744073709551615,18446744073709551615]"), data, corrupt,
               "offsets");
  expect_error(with("\"F32\"", "[1]", "[4,8]"), bytes(8), corrupt, "begins at byte 4");
  expect_error(with("\"F32\"", "[1]", "[0,4]"), bytes(8), corrupt, "end at byte 4 of 8");
}

TEST(Safetensors, OverlapsHolesAndAlignment) {
  const auto two = [](const std::string& first, const std::string& second) {
    return "{\"a\":" + first + ",\"b\":" + second + "}";
  };
  const std::string a = entry("\"F16\"", "[4]", "[0,8]");
  expect_error(two(a, entry("\"F16\"", "[4]", "[6,14]")), bytes(14), Code::data_corrupt, "inside");
  expect_error(two(a, a), bytes(8), Code::data_corrupt, "inside");
  expect_error(two(a, entry("\"F16\"", "[4]", "[10,18]")), bytes(18), Code::data_corrupt,
               "not at the end");
  expect_error(two(entry("\"F16\"", "[1]", "[0,2]"), entry("\"F32\"", "[1]", "[2,6]")), bytes(6),
               Code::unsupported, "not aligned");
}

TEST(Safetensors, TensorCountLimit) {
  std::string header = "{";
  for (size_t i = 0; i <= kSafetensorsTensorLimit + 1; ++i) {
    if (i != 0) header += ',';
    header += "\"t" + std::to_string(i) + "\":" + entry("\"F32\"", "[0]", "[0,0]");
  }
  expect_error(header + "}", "", Code::data_corrupt, "object");
}

TEST(Safetensors, NameLengthLimit) {
  const std::string ok = entry("\"F32\"", "[0]", "[0,0]");
  const std::string longest(kSafetensorsNameLimitBytes, 'n');
  EXPECT_TRUE(parse_image(safetensors_image("{\"" + longest + "\":" + ok + "}", "")).ok());
  expect_error("{\"" + longest + "n\":" + ok + "}", "", Code::data_corrupt, "key");
}

TEST(SafetensorsFiles, OpensOneFileAndKeepsDataReadableAfterRelease) {
  const TempDir dir;
  const size_t count = 64 * 1024;
  const std::string data = bytes(count * 2);
  dir.write("model.safetensors",
            safetensors_image(padded("{\"w\":" + entry("\"BF16\"", "[65536]", "[0,131072]") + "}"),
                              data));
  const auto weights = Safetensors::open(dir.path());
  ASSERT_TRUE(weights.ok()) << weights.error().message;
  const StoredTensor* tensor = (*weights)->find("w");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ((*weights)->find("v"), nullptr);
  EXPECT_EQ((*weights)->total_bytes(), count * 2);
  EXPECT_EQ(std::memcmp(tensor->data.data(), data.data(), data.size()), 0);
  (*weights)->release_pages(*tensor);
  EXPECT_EQ(std::memcmp(tensor->data.data(), data.data(), data.size()), 0);
}

TEST(SafetensorsFiles, FollowsCacheSymlinks) {
  const TempDir dir;
  dir.write("blobs/abc", good_image());
  fs::create_directories(dir.path() / "snapshots/1");
  fs::create_symlink("../../blobs/abc", dir.path() / "snapshots/1/model.safetensors");
  EXPECT_TRUE(Safetensors::open(dir.path() / "snapshots/1").ok());
  fs::remove(dir.path() / "blobs/abc");
  const auto dangling = Safetensors::open(dir.path() / "snapshots/1");
  ASSERT_FALSE(dangling.ok());
  EXPECT_EQ(dangling.error().code, Code::not_found);
  EXPECT_NE(dangling.error().message.find("incomplete"), std::string::npos);
}

TEST(SafetensorsFiles, ErrorsNameTheFile) {
  const TempDir dir;
  const auto expect = [&](Code code, const std::string& part) {
    const auto weights = Safetensors::open(dir.path());
    ASSERT_FALSE(weights.ok()) << part;
    EXPECT_EQ(weights.error().code, code) << weights.error().message;
    EXPECT_NE(weights.error().message.find(part), std::string::npos) << weights.error().message;
    EXPECT_NE(weights.error().message.find(dir.path().string()), std::string::npos);
  };
  expect(Code::not_found, "no weights here");
  dir.write("model.safetensors", "");
  expect(Code::data_corrupt, "is empty");
  dir.write("model.safetensors", "1234567");
  expect(Code::data_corrupt, "shorter than");
  const std::string image = good_image();
  dir.write("model.safetensors", image.substr(0, image.size() - 1));
  expect(Code::data_corrupt, "tensor \"scalar\"");
  fs::remove(dir.path() / "model.safetensors");
  fs::create_directory(dir.path() / "model.safetensors");
  expect(Code::data_corrupt, "not a regular file");
}

class SafetensorsShards : public ::testing::Test {
 protected:
  void SetUp() override {
    write_shard("s1.safetensors", {{"a", 1}, {"b", 2}});
    write_shard("s2.safetensors", {{"c", 3}});
  }
  void write_shard(const std::string& file, const std::vector<std::pair<std::string, int>>& list) {
    std::string header = "{";
    uint64_t at = 0;
    for (const auto& [name, count] : list) {
      const uint64_t end = at + static_cast<uint64_t>(count) * 4;
      if (at != 0) header += ',';
      header += "\"" + name + "\":" +
                entry("\"F32\"", "[" + std::to_string(count) + "]",
                      "[" + std::to_string(at) + "," + std::to_string(end) + "]");
      at = end;
    }
    dir_.write(file, safetensors_image(padded(header + "}"), bytes(at)));
  }
  Result<std::unique_ptr<Safetensors>> open_with(const std::string& index) {
    dir_.write("model.safetensors.index.json", index);
    return Safetensors::open(dir_.path());
  }
  void expect_refused(const std::string& index, Code code, const std::string& part) {
    const auto weights = open_with(index);
    ASSERT_FALSE(weights.ok()) << index;
    EXPECT_EQ(weights.error().code, code) << weights.error().message;
    EXPECT_NE(weights.error().message.find(part), std::string::npos)
        << index << ": " << weights.error().message;
  }
  static std::string map(const std::string& body) { return "{\"weight_map\":{" + body + "}}"; }

  TempDir dir_;
  const std::string good_ = R"("a":"s1.safetensors","b":"s1.safetensors","c":"s2.safetensors")";
};

TEST_F(SafetensorsShards, OpensAllOfThem) {
  for (const std::string& metadata :
       {std::string(), std::string(R"("metadata":{"total_size":24},)"),
        std::string(R"("metadata":{"total_size":24.0,"total_parameters":6},)")}) {
    const auto weights = open_with("{" + metadata + "\"weight_map\":{" + good_ + "}}");
    ASSERT_TRUE(weights.ok()) << weights.error().message;
    EXPECT_EQ((*weights)->tensors().size(), 3u);
    EXPECT_EQ((*weights)->total_bytes(), 24u);
    EXPECT_EQ((*weights)->find("c")->data.size(), 12u);
  }
}

TEST_F(SafetensorsShards, DisagreementsAreNamed) {
  const Code corrupt = Code::data_corrupt;
  expect_refused(map(good_ + R"(,"d":"s2.safetensors")"), corrupt, "has no tensor \"d\"");
  expect_refused(map(good_ + R"(,"d":"s3.safetensors")"), Code::not_found, "s3.safetensors");
  expect_refused(map(R"("a":"s1.safetensors","b":"s2.safetensors","c":"s2.safetensors")"), corrupt,
                 "places in \"s2.safetensors\"");
  expect_refused(map(R"("a":"s1.safetensors","c":"s2.safetensors")"), corrupt, "does not list");
  expect_refused("{\"metadata\":{\"total_size\":25},\"weight_map\":{" + good_ + "}}", corrupt,
                 "total_size");
  expect_refused("{\"metadata\":{\"total_size\":-1},\"weight_map\":{" + good_ + "}}", corrupt,
                 "total_size");
  expect_refused("{\"metadata\":7,\"weight_map\":{" + good_ + "}}", corrupt, "metadata");
  // The same tensor in two shards: whichever the index means, the other one is refused.
  write_shard("s2.safetensors", {{"c", 3}, {"a", 1}});
  expect_refused(map(good_), corrupt, "tensor \"a\"");
}

TEST_F(SafetensorsShards, HostileIndex) {
  const Code corrupt = Code::data_corrupt;
  expect_refused("{}", corrupt, "weight_map");
  expect_refused("[]", corrupt, "index.json");
  expect_refused("{", corrupt, "index.json");
  expect_refused(map(""), corrupt, "weight_map");
  expect_refused(R"({"weight_map":[]})", corrupt, "weight_map");
  expect_refused(map(R"("a":1)"), corrupt, "weight_map.a");
  for (const std::string& name :
       {std::string("../s1.safetensors"), std::string("/etc/passwd"), std::string("x/s1"),
        std::string(".."), std::string("."), std::string(), std::string("s1.safetensors\\u0000"),
        std::string(300, 'x')}) {
    expect_refused(map("\"a\":\"" + name + "\""), corrupt, "plain file name");
  }
}

TEST_F(SafetensorsShards, CorruptShardIsNamed) {
  dir_.write("s2.safetensors", good_image().substr(0, 50));
  expect_refused(map(good_), Code::data_corrupt, "s2.safetensors");
}

TEST(SafetensorsFiles, OpensTheReferenceCheckpoints) {
  const fs::path reference = fs::path(BATON_SOURCE_DIR) / "../shared/reference";
  if (!fs::exists(reference)) GTEST_SKIP() << "no reference data beside here";
  const auto one = Safetensors::open(reference / "a_hd64_tied_bf16");
  ASSERT_TRUE(one.ok()) << one.error().message;
  const StoredTensor* embedding = (*one)->find("model.embed_tokens.weight");
  ASSERT_NE(embedding, nullptr);
  EXPECT_EQ(embedding->dtype, DType::bf16);
  EXPECT_EQ(embedding->shape, (std::vector<uint64_t>{2048, 256}));
  EXPECT_EQ((*one)->find("lm_head.weight"), nullptr) << "tied";

  const auto sharded = Safetensors::open(reference / "c_sharded_fp16");
  ASSERT_TRUE(sharded.ok()) << sharded.error().message;
  EXPECT_EQ((*sharded)->total_bytes(), 4076032u);
  const StoredTensor* head = (*sharded)->find("lm_head.weight");
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->dtype, DType::fp16);
  EXPECT_EQ(head->shape, (std::vector<uint64_t>{1031, 256}));
}

}  // namespace
}  // namespace baton
