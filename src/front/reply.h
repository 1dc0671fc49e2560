// The answering side of one request together with what is noted of it for the access log.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "http/server.h"
#include "ops/access_log.h"

namespace baton {

/// JSON and error answers. Status and bytes are noted from the exchange when the request is over.
class Reply {
 public:
  Reply(http::Exchange& exchange, ops::AccessRecord& record)
      : exchange_(exchange), record_(record) {}

  boost::asio::awaitable<Result<void>> send_json(std::string body);
  boost::asio::awaitable<Result<void>> send_error(const Error& error);

  http::Exchange& exchange() { return exchange_; }
  ops::AccessRecord& record() { return record_; }

 private:
  http::Exchange& exchange_;
  ops::AccessRecord& record_;
};

}  // namespace baton
