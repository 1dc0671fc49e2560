// The page at `/`: what runs, how to ask, and a small form that streams an answer.
#pragma once

#include <string_view>

#include "front/context.h"
#include "http/server.h"

namespace baton {

/// One self-contained document: no external resources, a strict Content-Security-Policy. `host` is
/// the request's Host header, for the examples; anything odd in it is replaced.
http::Response render_page(const FrontContext& context, std::string_view host);

}  // namespace baton
