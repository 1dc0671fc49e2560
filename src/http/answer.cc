#include "http/answer.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "base/check.h"

namespace baton::http {

namespace asio = boost::asio;

std::string Answer::head_text(const Response& response, Framing framing, uint64_t length) {
  if (framing == Framing::close || state_.draining) options_.keep_alive = false;
  framing_ = framing;
  status_ = response.status;
  bodiless_ = options_.head_only || !status_has_body(response.status);
  const std::string date = http_date(std::time(nullptr));
  HeadOptions head;
  head.request_id = options_.id;
  head.date = date;
  head.framing = framing;
  head.content_length = length;
  head.http_1_0 = options_.http_1_0;
  head.keep_alive = options_.keep_alive;
  return render_head(response, head);
}

asio::awaitable<Result<void>> Answer::send(std::string_view a, std::string_view b,
                                           std::string_view c) {
  std::array<asio::const_buffer, 3> parts = {asio::buffer(a), asio::buffer(b), asio::buffer(c)};
  Result<void> sent = co_await transport_.write_all(parts, state_.limits.write_timeout_ms);
  if (sent.ok()) {
    bytes_sent_ += a.size() + b.size() + c.size();
  } else {
    broken_ = true;
  }
  co_return sent;
}

asio::awaitable<Result<void>> Answer::respond(Response response) {
  CHECK(phase_ == Phase::none);
  phase_ = Phase::ended;
  const std::string head = head_text(response, Framing::length, response.body.size());
  const std::string_view body = bodiless_ ? std::string_view() : std::string_view(response.body);
  co_return co_await send(head, body, {});
}

asio::awaitable<Result<void>> Answer::begin(Response response) {
  CHECK(phase_ == Phase::none);
  phase_ = Phase::streaming;
  const std::string head =
      head_text(response, options_.http_1_0 ? Framing::close : Framing::chunked, 0);
  co_return co_await send(head, {}, {});
}

asio::awaitable<Result<void>> Answer::write(std::string_view chunk) {
  CHECK(phase_ == Phase::streaming);
  if (broken_) co_return self_error(Code::io, "the connection is broken");
  if (bodiless_ || chunk.empty()) co_return Result<void>();  // an empty chunk would end the body
  if (framing_ == Framing::close) co_return co_await send(chunk, {}, {});
  char size[24];
  const int digits = std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
  co_return co_await send(std::string_view(size, static_cast<size_t>(digits)), chunk, "\r\n");
}

asio::awaitable<Result<void>> Answer::end() {
  CHECK(phase_ == Phase::streaming);
  phase_ = Phase::ended;
  if (broken_) co_return self_error(Code::io, "the connection is broken");
  if (bodiless_ || framing_ == Framing::close) co_return Result<void>();
  co_return co_await send("0\r\n\r\n", {}, {});
}

}  // namespace baton::http
