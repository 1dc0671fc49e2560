// The rules of the house that a machine can check, over the text of one file at a time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace baton {

/// Room → rooms whose headers it may include (itself and base included).
using RoomTable = std::map<std::string, std::set<std::string>>;

/// Reads the baton_room(NAME ROOMS …) lines of the top CMakeLists.txt. A room that is used before
/// its own line is reported in `problems`: the table must be free of cycles.
RoomTable parse_room_table(std::string_view cmake, std::vector<std::string>& problems);

/// Checks one source file of the tree. `path` is relative to the root, with '/'. Returns one line
/// "PATH:LINE: what is wrong" per finding.
std::vector<std::string> check_source(const std::string& path, std::string_view text,
                                      const RoomTable& rooms);

}  // namespace baton
