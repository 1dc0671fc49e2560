#include "front/reply.h"

#include "api/error_body.h"

namespace baton {

namespace asio = boost::asio;

asio::awaitable<Result<void>> Reply::send_json(std::string body) {
  http::Response response;
  response.body = std::move(body);
  co_return co_await exchange_.respond(std::move(response));
}

asio::awaitable<Result<void>> Reply::send_error(const Error& error) {
  api::ErrorReply rendered = api::render_error(error);
  record_.error = rendered.code;
  http::Response response;
  response.status = rendered.status;
  response.body = std::move(rendered.body);
  response.headers = std::move(rendered.headers);
  co_return co_await exchange_.respond(std::move(response));
}

}  // namespace baton
