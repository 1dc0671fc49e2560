// One connection: reads requests, runs the handler while watching whether the client is still
// there, and decides whether the connection lives on.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include "http/answer.h"
#include "http/request_head.h"
#include "http/server.h"
#include "http/server_state.h"
#include "http/transport.h"

namespace baton::http {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  enum class Role : uint8_t {
    serve,
    refuse,  // an answer of 503, then the end
  };

  /// The socket's executor is a strand of its own.
  Connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<ServerState> state, Role role);
  ~Connection();

  /// The connection owns itself until it is over.
  void start();

  // From any thread.
  void drain();  // closes if idle; a request under way is answered first
  void abort();  // cancels the handler and closes

 private:
  enum class Input : uint8_t { ready, refused, gone };

  boost::asio::awaitable<void> serve();
  boost::asio::awaitable<void> refuse_busy();
  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<Input> read_head(RequestHead& head);
  boost::asio::awaitable<Input> read_body(const RequestHead& head, std::string& body,
                                          BodyShare& share);
  boost::asio::awaitable<Input> read_sized(uint64_t length, std::string& body, BodyShare& share);
  boost::asio::awaitable<Input> read_chunked(std::string& body, BodyShare& share);
  boost::asio::awaitable<bool> answer(const Request& request, Answer::Options options);
  boost::asio::awaitable<void> run_handler(const Request& request, Answer& exchange,
                                           std::exception_ptr& failure);
  boost::asio::awaitable<void> watch_client();
  boost::asio::awaitable<void> refuse(Refusal refusal);
  boost::asio::awaitable<void> linger();
  Input refused(int status, std::string message);
  Input failed_read(const Error& error, const char* what);

  const std::shared_ptr<ServerState> state_;
  const Role role_;
  const std::shared_ptr<Transport> transport_;
  boost::asio::cancellation_signal cancel_;
  std::string input_;  // read but not used yet, at most header_bytes
  Refusal refusal_;    // set when Input::refused
  bool first_ = true;
  bool idle_ = false;  // waiting for a request's first byte
  bool client_left_ = false;
};

}  // namespace baton::http
