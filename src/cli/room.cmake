target_precompile_headers(baton_cli PRIVATE <CLI/CLI.hpp> <functional> <memory> <string> <vector>
                          "${CMAKE_SOURCE_DIR}/src/base/json.h"
                          "${CMAKE_SOURCE_DIR}/src/engine/engine.h")
