// Known parameters that Baton does not do. They are refused by name, so that nobody takes a plain
// answer for a tool call or for schema-checked JSON; their null, empty and default values pass.
#pragma once

#include <boost/json/object.hpp>

#include "api/fields.h"

namespace baton::api {

void refuse_unsupported(const json::object& object, Fields& fields);

/// An `unsupported` error with reason "unsupported_parameter".
Error unsupported_parameter(const std::string& path, const std::string& message);

}  // namespace baton::api
