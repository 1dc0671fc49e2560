#include "weights/model_finder.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "weights/test_files.h"

namespace baton {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCommit = "6393b7559e403fd1d80bfead361586fd6f630a4d";
constexpr const char* kOther = "ad9f0ae0864d7fbcd1cd905e3c6c5b069cc8b562";
const std::string kModel = "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B";
const std::string kJoined = "deepseek-ai--DeepSeek-R1-Distill-Qwen-1.5B";
const std::string kEscaped = "deepseek-ai/DeepSeek-R1-Distill-Qwen-1___5B";

Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

class ModelFinder : public ::testing::Test {
 protected:
  /// A Hugging Face cache entry as its client makes it: snapshot files link to blobs.
  fs::path add_snapshot(const std::string& cache, const std::string& joined,
                        const std::string& commit) {
    const fs::path entry = root() / cache / ("models--" + joined);
    temp_.write(cache + "/models--" + joined + "/blobs/" + commit, "{}");
    const fs::path snapshot = entry / "snapshots" / commit;
    fs::create_directories(snapshot);
    fs::create_symlink("../../blobs/" + commit, snapshot / "config.json");
    return snapshot;
  }
  void add_ref(const std::string& cache, const std::string& name, const std::string& content) {
    temp_.write(cache + "/models--" + kJoined + "/refs/" + name, content);
  }
  fs::path add_folder(const std::string& dir) {
    temp_.write(dir + "/config.json", "{}");
    return root() / dir;
  }
  const fs::path& root() const { return temp_.path(); }
  std::string at(const std::string& dir) const { return (root() / dir).string(); }
  Environment home() const { return environment({{"HOME", root().string()}}); }

  TempDir temp_;
};

void expect_found(const Result<fs::path>& result, const fs::path& path) {
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(*result, path);
}

TEST_F(ModelFinder, FolderWithConfigWins) {
  const fs::path dir = add_folder("some/model");
  expect_found(find_model(dir.string(), environment({})), dir);
}

TEST_F(ModelFinder, FolderWithoutConfigSaysSo) {
  fs::create_directories(root() / "empty");
  const auto result = find_model(at("empty"), home());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::not_found);
  EXPECT_NE(result.error().message.find(at("empty") + " (has no config.json)"), std::string::npos)
      << result.error().message;
}

TEST_F(ModelFinder, HuggingFaceRootsInTheirOrder) {
  const char* kVariables[] = {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME",
                              "HOME"};
  const std::string kPlaces[] = {"a", "b", "c/hub", "d/huggingface/hub",
                                 "e/.cache/huggingface/hub"};
  const std::string kValues[] = {"a", "b", "c", "d", "e"};
  std::vector<fs::path> snapshots;
  for (const std::string& place : kPlaces) {
    snapshots.push_back(add_snapshot(place, kJoined, kCommit));
    add_ref(place, "main", kCommit);
  }
  for (size_t first = 0; first < std::size(kVariables); ++first) {
    std::map<std::string, std::string> variables;
    for (size_t i = 0; i < first; ++i) variables[kVariables[i]] = "";  // set but empty: not set
    for (size_t i = first; i < std::size(kVariables); ++i)
      variables[kVariables[i]] = at(kValues[i]);
    expect_found(find_model(kModel, environment(variables)), snapshots[first]);
  }
}

TEST_F(ModelFinder, TildeIsHome) {
  const fs::path snapshot = add_snapshot("cache/hub", kJoined, kCommit);
  expect_found(find_model(kModel, environment({{"HOME", root().string()}, {"HF_HOME", "~/cache"}})),
               snapshot);
}

TEST_F(ModelFinder, RevisionIsBranchTagCommitOrPullRequest) {
  const std::string cache = ".cache/huggingface/hub";
  const fs::path first = add_snapshot(cache, kJoined, kCommit);
  const fs::path second = add_snapshot(cache, kJoined, kOther);
  add_ref(cache, "main", kCommit);
  add_ref(cache, "v2", std::string(kOther) + "\n");
  add_ref(cache, "refs/pr/1", kOther);
  expect_found(find_model(kModel, home()), first);
  expect_found(find_model(kModel + "@main", home()), first);
  expect_found(find_model(kModel + "@v2", home()), second);
  expect_found(find_model(kModel + "@refs/pr/1", home()), second);
  expect_found(find_model(kModel + "@" + kOther, home()), second);
  const auto missing = find_model(kModel + "@v3", home());
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("has no revision 'v3'"), std::string::npos)
      << missing.error().message;
}

TEST_F(ModelFinder, WithoutRefsTheOnlySnapshotCounts) {
  const std::string cache = ".cache/huggingface/hub";
  const fs::path first = add_snapshot(cache, kJoined, kCommit);
  expect_found(find_model(kModel, home()), first);
  add_snapshot(cache, kJoined, kOther);
  const auto result = find_model(kModel, home());
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find("several snapshots"), std::string::npos)
      << result.error().message;
}

TEST_F(ModelFinder, IncompleteSnapshotIsNamed) {
  const std::string cache = ".cache/huggingface/hub";
  const fs::path snapshot = add_snapshot(cache, kJoined, kCommit);
  add_ref(cache, "main", kCommit);
  fs::remove(root() / cache / ("models--" + kJoined) / "blobs" / kCommit);  // the link dangles
  const auto result = find_model(kModel, home());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::not_found);
  EXPECT_NE(result.error().message.find(snapshot.string() + " (has no config.json)"),
            std::string::npos)
      << result.error().message;
}

TEST_F(ModelFinder, HostileRefDoesNotLeaveTheCache) {
  const std::string cache = ".cache/huggingface/hub";
  add_snapshot(cache, kJoined, kCommit);
  add_folder("outside");
  add_ref(cache, "main", "../../../../../../outside");
  const auto result = find_model(kModel, home());
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find("does not hold a commit"), std::string::npos)
      << result.error().message;
}

TEST_F(ModelFinder, ModelScopeLayouts) {
  const std::pair<std::string, std::map<std::string, std::string>> kLayouts[] = {
      {".cache/modelscope/hub/models/" + kEscaped, {}},
      {".cache/modelscope/hub/" + kEscaped, {}},
      {".cache/modelscope/models/" + kJoined + "/snapshots/master", {}},
      {".cache/modelscope/hub/models/" + kJoined + "/snapshots/master", {}},
      {"ms/models/" + kEscaped, {{"MODELSCOPE_CACHE", at("ms")}}},
      {"ms/" + kEscaped, {{"MODELSCOPE_CACHE", at("ms")}}},
      {"ms/hub/models/" + kEscaped, {{"MODELSCOPE_CACHE", at("ms")}}},
      {"ms/models/" + kJoined + "/snapshots/master", {{"MODELSCOPE_CACHE", at("ms")}}},
      // Copied by hand into the Hugging Face folder.
      {".cache/huggingface/" + kEscaped, {}},
      {".cache/huggingface/hub/" + kModel, {}},
      {"shared/" + kEscaped, {{"HF_HOME", at("shared")}}},
  };
  for (const auto& [layout, extra] : kLayouts) {
    const fs::path dir = add_folder(layout);
    std::map<std::string, std::string> variables = extra;
    variables["HOME"] = root().string();
    expect_found(find_model(kModel, environment(variables)), dir);
    expect_found(find_model(kEscaped, environment(variables)), dir);
    fs::remove(dir / "config.json");
    EXPECT_FALSE(find_model(kModel, environment(variables)).ok()) << layout;
    fs::remove_all(dir);
  }
}

TEST_F(ModelFinder, ModelScopeRevision) {
  const fs::path dir = add_folder(".cache/modelscope/models/" + kJoined + "/snapshots/v1.0.1");
  expect_found(find_model(kModel + "@v1.0.1", home()), dir);
  expect_found(find_model(kModel, home()), dir);  // the only one
  add_folder(".cache/modelscope/hub/models/" + kEscaped);
  EXPECT_FALSE(find_model(kModel + "@v9", home()).ok()) << "a plain folder has no known revision";
}

TEST_F(ModelFinder, TraversalAndNonsenseAreRefused) {
  add_folder("secret/model");
  fs::create_directories(root() / ".cache/huggingface/hub");
  const std::string kBad[] = {"",
                              "../secret",
                              "a/..",
                              "../..",
                              "./model",
                              "org/name@../../x",
                              "org/name@/etc",
                              "org/name@",
                              "org/name@a//b",
                              "org/",
                              "/name/deeper/nowhere",
                              "one",
                              "a/b/c",
                              "org/na me",
                              "org/na\nme",
                              std::string("org/na\0me", 9),
                              std::string("org/") + std::string(300, 'a'),
                              std::string(5000, 'a')};
  for (const std::string& spec : kBad) {
    const auto result = find_model(spec, home());
    ASSERT_FALSE(result.ok()) << spec;
    EXPECT_TRUE(result.error().code == Code::invalid_argument ||
                result.error().code == Code::not_found)
        << spec;
  }
}

TEST_F(ModelFinder, NotFoundListsEveryPlaceAndWhatToDo) {
  const auto result = find_model(kModel, home());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::not_found);
  const std::string& message = result.error().message;
  for (const std::string& part :
       {"'" + kModel + "'", at(".cache/huggingface/hub/models--" + kJoined),
        at(".cache/modelscope/hub/models/" + kEscaped), at(".cache/modelscope/hub/" + kEscaped),
        at(".cache/modelscope/models/" + kJoined), std::string("HF_HOME"),
        std::string("MODELSCOPE_CACHE")}) {
    EXPECT_NE(message.find(part), std::string::npos) << part << " not in:\n" << message;
  }
}

TEST_F(ModelFinder, NoHomeAtAllIsAnErrorNotACrash) {
  EXPECT_EQ(find_model(kModel, environment({})).error().code, Code::not_found);
}

}  // namespace
}  // namespace baton
