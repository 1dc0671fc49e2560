#include "weights/safetensors_header.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <set>
#include <utility>

#include "weights/safetensors.h"

namespace baton {
namespace {

namespace json = boost::json;

/// Receives Boost.JSON's events. (Its DOM keeps the last of two equal keys, silently: a checker
/// and a reader could then see different tensors.)
class HeaderHandler {
 public:
  // Limits that the parser enforces by itself.
  static constexpr std::size_t max_object_size = kSafetensorsTensorLimit + 1;
  static constexpr std::size_t max_array_size = kSafetensorsRankLimit;
  static constexpr std::size_t max_key_size = kSafetensorsNameLimitBytes;
  static constexpr std::size_t max_string_size = 1u << 24;  // metadata may hold a training recipe

  std::vector<SafetensorsEntry> take_entries() { return std::move(entries_); }
  /// What this handler objected to; empty if the JSON itself was at fault.
  const std::string& problem() const { return problem_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code& error) {
    switch (place_) {
      case Place::document:
        place_ = Place::root;
        return true;
      case Place::root:
        if (key_ == "__metadata__") {
          place_ = Place::metadata;
        } else {
          place_ = Place::tensor;
          fields_seen_ = 0;
          entries_.push_back({});
          entries_.back().name = key_;
        }
        return true;
      default:
        return fail(error, "holds an object where none belongs");
    }
  }

  bool on_object_end(std::size_t, json::error_code& error) {
    if (place_ == Place::root) {
      place_ = Place::document;
      return true;
    }
    if (place_ == Place::tensor && fields_seen_ != (kDtype | kShape | kOffsets)) {
      return fail(error, "must have dtype, shape and data_offsets");
    }
    place_ = Place::root;
    return true;
  }

  bool on_array_begin(json::error_code& error) {
    if (place_ == Place::tensor && key_ == "shape") {
      place_ = Place::shape;
      return true;
    }
    if (place_ == Place::tensor && key_ == "data_offsets") {
      place_ = Place::offsets;
      offsets_read_ = 0;
      return true;
    }
    return fail(error, "holds a list where none belongs");
  }

  bool on_array_end(std::size_t, json::error_code& error) {
    if (place_ == Place::offsets && offsets_read_ != 2) {
      return fail(error, "must have two data_offsets");
    }
    place_ = Place::tensor;
    return true;
  }

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    pending_.append(part.data(), part.size());
    return true;
  }

  bool on_key(json::string_view part, std::size_t, json::error_code& error) {
    pending_.append(part.data(), part.size());
    key_ = std::exchange(pending_, {});
    if (place_ == Place::tensor) return on_tensor_key(error);
    std::set<std::string>& seen = place_ == Place::root ? names_ : metadata_keys_;
    if (!seen.insert(key_).second) return fail(error, "is there twice");
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    pending_.append(part.data(), part.size());
    return true;
  }

  bool on_string(json::string_view part, std::size_t, json::error_code& error) {
    pending_.append(part.data(), part.size());
    std::string text = std::exchange(pending_, {});
    if (place_ == Place::metadata) return true;
    if (place_ != Place::tensor || key_ != "dtype") {
      return fail(error, "holds a string where none belongs");
    }
    entries_.back().dtype = std::move(text);
    return true;
  }

  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(int64_t number, json::string_view, json::error_code& error) {
    if (number < 0) return fail(error, "holds a negative number");
    return on_uint64(static_cast<uint64_t>(number), {}, error);
  }
  bool on_uint64(uint64_t number, json::string_view, json::error_code& error) {
    if (place_ == Place::shape) {
      entries_.back().shape.push_back(number);
      return true;
    }
    if (place_ == Place::offsets && offsets_read_ < 2) {
      (offsets_read_++ == 0 ? entries_.back().begin : entries_.back().end) = number;
      return true;
    }
    return fail(error, "holds a number where none belongs");
  }
  bool on_double(double, json::string_view, json::error_code& error) {
    return fail(error, "holds a number that is no 64-bit unsigned integer");
  }
  bool on_bool(bool, json::error_code& error) {
    return fail(error, "holds a boolean where none belongs");
  }
  bool on_null(json::error_code& error) { return fail(error, "holds null where none belongs"); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  enum class Place : uint8_t { document, root, metadata, tensor, shape, offsets };
  static constexpr unsigned kDtype = 1, kShape = 2, kOffsets = 4;

  bool on_tensor_key(json::error_code& error) {
    const unsigned field = key_ == "dtype"          ? kDtype
                           : key_ == "shape"        ? kShape
                           : key_ == "data_offsets" ? kOffsets
                                                    : 0;
    if (field == 0) return fail(error, "has a field other than dtype, shape and data_offsets");
    if ((fields_seen_ & field) != 0) return fail(error, "states '" + key_ + "' twice");
    fields_seen_ |= field;
    return true;
  }

  bool fail(json::error_code& error, const std::string& what) {
    error = json::error::syntax;
    const bool inside =
        place_ == Place::tensor || place_ == Place::shape || place_ == Place::offsets;
    if (place_ == Place::document) {
      problem_ = "the header is not a JSON object";
    } else if (place_ == Place::metadata) {
      problem_ = "'__metadata__': entry " + quoted_tensor_name(key_) + " " + what;
    } else {
      problem_ = "tensor " + quoted_tensor_name(inside ? entries_.back().name : key_) + " " + what;
    }
    return false;
  }

  Place place_ = Place::document;
  std::string pending_;  // a key or string that came in parts
  std::string key_;      // the last key
  unsigned fields_seen_ = 0;
  unsigned offsets_read_ = 0;
  std::set<std::string> names_, metadata_keys_;
  std::vector<SafetensorsEntry> entries_;
  std::string problem_;
};

}  // namespace

std::string quoted_tensor_name(std::string_view name) {
  return json::serialize(json::string(name.data(), name.size()));
}

Result<std::vector<SafetensorsEntry>> parse_safetensors_header(std::string_view text,
                                                               const std::string& file) {
  json::parse_options options;
  options.max_depth = 3;  // header, tensor, list
  json::basic_parser<HeaderHandler> parser(options);
  json::error_code error;
  const size_t consumed = parser.write_some(false, text.data(), text.size(), error);
  if (!error && consumed < text.size()) error = json::error::extra_data;
  if (error) {
    const std::string& problem = parser.handler().problem();
    return self_error(Code::data_corrupt,
                      file + ": " +
                          (problem.empty() ? "header is not valid JSON at byte " +
                                                 std::to_string(consumed) + ": " + error.message()
                                           : problem));
  }
  return parser.handler().take_entries();
}

}  // namespace baton
