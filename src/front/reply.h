// The answering side of one request together with what is noted of it for the access log.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "http/server.h"
#include "ops/access_log.h"

namespace baton {

/// Every answer of the front goes through here, so that status, bytes and error words are on
/// record.
class Reply {
 public:
  Reply(http::Exchange& exchange, ops::AccessRecord& record)
      : exchange_(exchange), record_(record) {}

  boost::asio::awaitable<Result<void>> send(http::Response response);
  boost::asio::awaitable<Result<void>> send_json(std::string body);
  boost::asio::awaitable<Result<void>> send_error(const Error& error);

  boost::asio::awaitable<Result<void>> begin(http::Response head);
  boost::asio::awaitable<Result<void>> write(std::string_view chunk);
  boost::asio::awaitable<Result<void>> end() { return exchange_.end(); }

  ops::AccessRecord& record() { return record_; }

 private:
  http::Exchange& exchange_;
  ops::AccessRecord& record_;
};

}  // namespace baton
