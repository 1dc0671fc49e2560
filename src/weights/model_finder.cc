#include "weights/model_finder.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/read_file.h"

namespace baton {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSpecLimitBytes = 4096;
constexpr size_t kSnapshotsMost = 1000;  // directory entries looked at
constexpr uint64_t kRefLimitBytes = 256;

struct ModelName {
  std::string org, name, revision;  // revision may be empty: the default
};

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// One component of a path that stays where it is put: letters, digits, '.', '_' and '-'.
bool is_component(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= 200 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), allowed);
}

/// A branch may hold slashes ("refs/pr/1"); each part is a component.
bool is_revision(std::string_view text) {
  while (true) {
    const size_t slash = text.find('/');
    if (!is_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

std::optional<ModelName> parse_name(std::string_view spec) {
  ModelName model;
  if (const size_t at = spec.find('@'); at != std::string_view::npos) {
    model.revision = spec.substr(at + 1);
    if (!is_revision(model.revision)) return std::nullopt;
    spec = spec.substr(0, at);
  }
  const size_t slash = spec.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  model.org = spec.substr(0, slash);
  model.name = replaced(std::string(spec.substr(slash + 1)), "___", ".");
  if (!is_component(model.org) || !is_component(model.name)) return std::nullopt;
  return model;
}

/// Looks into one place after the other and remembers them for the error message.
class Search {
 public:
  /// A folder that is the model itself.
  std::optional<fs::path> folder(const fs::path& dir) {
    std::error_code ignored;
    if (fs::is_regular_file(dir / "config.json", ignored)) return dir;
    note(dir, fs::is_directory(dir, ignored) ? "has no config.json" : "");
    return std::nullopt;
  }

  /// A cache entry: `dir`/refs/REVISION names the commit, `dir`/snapshots/COMMIT is the model.
  std::optional<fs::path> snapshots(const fs::path& dir, const std::string& revision) {
    std::error_code ignored;
    if (!fs::is_directory(dir / "snapshots", ignored)) {
      note(dir, "");
      return std::nullopt;
    }
    const std::vector<std::string> wanted =
        revision.empty() ? std::vector<std::string>{"main", "master"} : std::vector{revision};
    for (const std::string& name : wanted) {
      const Result<std::string> ref = read_file(dir / "refs" / name, kRefLimitBytes);
      if (ref.ok()) {
        const std::string commit = ref->substr(0, ref->find_last_not_of(" \t\r\n") + 1);
        if (is_component(commit)) return folder(dir / "snapshots" / commit);
        note(dir / "refs" / name, "does not hold a commit");
        return std::nullopt;
      }
      if (fs::is_directory(dir / "snapshots" / name, ignored)) {
        return folder(dir / "snapshots" / name);
      }
    }
    if (!revision.empty()) {
      note(dir, "has no revision '" + revision + "'");
      return std::nullopt;
    }
    return only_snapshot(dir);
  }

  Error not_found(const std::string& spec) const {
    std::string message = "model '" + spec + "' is not on this machine. Searched:";
    for (const std::string& place : places_) message += "\n  " + place;
    message +=
        "\nGive the folder that holds its config.json, or point HF_HOME, HF_HUB_CACHE or "
        "MODELSCOPE_CACHE at the cache that has it.";
    return self_error(Code::not_found, std::move(message));
  }

 private:
  std::optional<fs::path> only_snapshot(const fs::path& dir) {
    std::error_code error;
    std::vector<fs::path> found;
    size_t looked_at = 0;
    for (fs::directory_iterator entry(dir / "snapshots", error), end;
         !error && entry != end && looked_at < kSnapshotsMost; entry.increment(error)) {
      ++looked_at;
      std::error_code ignored;
      if (entry->is_directory(ignored)) found.push_back(entry->path());
    }
    if (found.size() == 1) return folder(found.front());
    note(dir, found.empty() ? "has no snapshot"
                            : "has several snapshots and no refs/main: say which, org/name@COMMIT");
    return std::nullopt;
  }

  void note(const fs::path& place, const std::string& why) {
    std::string line = place.string();
    if (!why.empty()) line += " (" + why + ")";
    if (std::find(places_.begin(), places_.end(), line) == places_.end()) {
      places_.push_back(std::move(line));
    }
  }

  std::vector<std::string> places_;
};

/// The caches of this user; a variable that is set but empty counts as not set.
class Caches {
 public:
  explicit Caches(const Environment& environment) : environment_(environment) {}

  /// huggingface_hub's one cache folder (its constants.py, 1.29).
  std::optional<fs::path> hugging_face() const {
    if (auto cache = variable("HF_HUB_CACHE")) return cache;
    if (auto cache = variable("HUGGINGFACE_HUB_CACHE")) return cache;
    if (auto home = variable("HF_HOME")) return *home / "hub";
    if (auto cache = user_cache()) return *cache / "huggingface" / "hub";
    return std::nullopt;
  }

  /// ModelScope's folders, old and new; both are searched, since packages differ in the "hub".
  std::vector<fs::path> modelscope() const {
    if (auto cache = variable("MODELSCOPE_CACHE")) return {*cache, *cache / "hub"};
    // ModelScope does not follow XDG_CACHE_HOME.
    if (auto home = variable("HOME")) {
      return {*home / ".cache/modelscope/hub", *home / ".cache/modelscope"};
    }
    return {};
  }

 private:
  std::optional<fs::path> user_cache() const {
    if (auto cache = variable("XDG_CACHE_HOME")) return cache;
    if (auto home = variable("HOME")) return *home / ".cache";
    return std::nullopt;
  }

  std::optional<fs::path> variable(const std::string& name) const {
    std::optional<std::string> value = environment_(name);
    if (!value || value->empty()) return std::nullopt;
    if (value->starts_with("~/")) {
      if (const std::optional<std::string> home = environment_("HOME")) {
        value->replace(0, 1, *home);
      }
    }
    return fs::path(*value);
  }

  const Environment& environment_;
};

/// ROOT/org/name as a plain folder, in both spellings of the name.
std::optional<fs::path> plain_folder(Search& search, const fs::path& root, const ModelName& model) {
  if (!model.revision.empty()) return std::nullopt;
  const std::string escaped = replaced(model.name, ".", "___");
  if (auto found = search.folder(root / model.org / escaped)) return found;
  if (escaped == model.name) return std::nullopt;
  return search.folder(root / model.org / model.name);
}

std::optional<fs::path> find_in_caches(Search& search, const Caches& caches,
                                       const ModelName& model) {
  const std::string joined = model.org + "--" + model.name;
  if (const std::optional<fs::path> hub = caches.hugging_face()) {
    if (auto found = search.snapshots(*hub / ("models--" + joined), model.revision)) return found;
    // Folders that someone copied there by hand, as deployment guides say.
    if (auto found = plain_folder(search, *hub, model)) return found;
    if (hub->filename() == "hub") {
      if (auto found = plain_folder(search, hub->parent_path(), model)) return found;
    }
  }
  for (const fs::path& root : caches.modelscope()) {
    if (auto found = plain_folder(search, root / "models", model)) return found;
    if (auto found = plain_folder(search, root, model)) return found;
    if (auto found = search.snapshots(root / "models" / joined, model.revision)) return found;
  }
  return std::nullopt;
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  };
}

Result<fs::path> find_model(const std::string& spec, const Environment& environment) {
  if (spec.empty() || spec.size() > kSpecLimitBytes || spec.find('\0') != std::string::npos) {
    return self_error(Code::invalid_argument,
                      "a model is a folder or org/name[@revision], up to 4,096 bytes");
  }
  Search search;
  if (auto found = search.folder(spec)) return *std::move(found);
  const std::optional<ModelName> model = parse_name(spec);
  if (!model) {
    std::error_code ignored;
    if (fs::exists(spec, ignored)) return search.not_found(spec);
    return self_error(
        Code::invalid_argument,
        "model '" + spec + "' is neither a folder with a config.json nor org/name[@revision]");
  }
  if (auto found = find_in_caches(search, Caches(environment), *model)) return *std::move(found);
  return search.not_found(spec);
}

}  // namespace baton
