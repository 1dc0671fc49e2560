// The answering side of one request over a Transport.
#pragma once

#include <string>
#include <string_view>

#include "http/response_head.h"
#include "http/server.h"
#include "http/server_state.h"
#include "http/transport.h"

namespace baton::http {

class Answer final : public Exchange {
 public:
  struct Options {
    std::string id;
    bool head_only = false;  // a HEAD request: the body is counted, not sent
    bool http_1_0 = false;
    bool keep_alive = true;
  };
  /// Both must outlive the answer.
  Answer(Transport& transport, const ServerState& state, Options options)
      : transport_(transport), state_(state), options_(std::move(options)) {}

  boost::asio::awaitable<Result<void>> respond(Response response) override;
  boost::asio::awaitable<Result<void>> begin(Response head) override;
  boost::asio::awaitable<Result<void>> write(std::string_view chunk) override;
  boost::asio::awaitable<Result<void>> end() override;
  bool answered() const override { return phase_ != Phase::none; }
  int status() const override { return status_; }
  uint64_t bytes_sent() const override { return bytes_sent_; }

  /// The whole answer is written.
  bool complete() const { return phase_ == Phase::ended && !broken_; }
  /// And the connection may carry another request.
  bool reusable() const { return complete() && options_.keep_alive; }

 private:
  enum class Phase : uint8_t { none, streaming, ended };
  std::string head_text(const Response& response, Framing framing, uint64_t length);
  boost::asio::awaitable<Result<void>> send(std::string_view a, std::string_view b,
                                            std::string_view c);

  Transport& transport_;
  const ServerState& state_;
  Options options_;
  Phase phase_ = Phase::none;
  Framing framing_ = Framing::length;
  bool bodiless_ = false;
  bool broken_ = false;
  int status_ = 0;
  uint64_t bytes_sent_ = 0;
};

}  // namespace baton::http
