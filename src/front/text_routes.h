// POST /tokenize and /detokenize.
#pragma once

#include <string>
#include <string_view>

#include "front/context.h"

namespace baton {

Result<std::string> answer_tokenize(const FrontContext& context, std::string_view body);
Result<std::string> answer_detokenize(const FrontContext& context, std::string_view body);

}  // namespace baton
