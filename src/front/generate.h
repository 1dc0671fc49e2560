// Runs a generation job: starts its streams, reads them side by side, answers whole or as
// server-sent events.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "front/context.h"
#include "front/generation_job.h"
#include "front/reply.h"

namespace baton {

/// Ends with exactly one honest ending: a whole answer, an error, a stream with finish reasons and
/// [DONE], or a stream that ends in an error event. If the coroutine is cancelled (the client
/// left), all streams are destroyed, which cancels the work behind them.
boost::asio::awaitable<void> run_generation(const FrontContext& context, GenerationJob job,
                                            Reply& reply, Nanos started);

}  // namespace baton
