// A blocking HTTP client for tests: plain sockets, so that tests can send what no proper client
// would. Every wait is bounded; a timeout shows as a missing answer.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::http {

struct TestResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;                                          // dechunked
  std::string header(std::string_view lower_name) const {
    for (const auto& [name, value] : headers) {
      if (name == lower_name) return value;
    }
    return {};
  }
};

class TestClient {
 public:
  explicit TestClient(uint16_t port, int receive_buffer_bytes = 0) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer_bytes > 0) {
      setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(int));
    }
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~TestClient() { close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool connected() const { return connected_; }

  /// Sends all of it; false if the server closed the connection meanwhile.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  bool get(const std::string& path, const std::string& headers = {}) {
    return send("GET " + path + " HTTP/1.1\r\nHost: test\r\n" + headers + "\r\n");
  }
  bool post(const std::string& path, std::string_view body, const std::string& headers = {}) {
    return send("POST " + path + " HTTP/1.1\r\nHost: test\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n" + headers + "\r\n" + std::string(body));
  }

  /// The next answer's status and headers; body as far as read_response() or read_some() get it.
  std::optional<TestResponse> read_head() {
    size_t end = 0;
    while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return std::nullopt;
    }
    TestResponse response;
    std::string_view head = std::string_view(input_).substr(0, end + 2);
    response.status = std::atoi(std::string(head.substr(9, 3)).c_str());
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.empty()) {
      const std::string_view line = head.substr(0, head.find("\r\n"));
      const size_t colon = line.find(": ");
      std::string name(line.substr(0, colon));
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      response.headers.emplace_back(std::move(name), line.substr(colon + 2));
      head.remove_prefix(line.size() + 2);
    }
    input_.erase(0, end + 4);
    return response;
  }

  /// One whole answer (100 Continue skipped); none if it is cut off or late. `head_only`: to HEAD.
  std::optional<TestResponse> read_response(bool head_only = false) {
    std::optional<TestResponse> response = read_head();
    while (response && response->status == 100) response = read_head();
    if (!response || head_only) return response;
    if (response->header("transfer-encoding") == "chunked") {
      while (auto chunk = read_chunk()) {
        if (chunk->empty()) return response;
        response->body += *chunk;
      }
      return std::nullopt;
    }
    const std::string length = response->header("content-length");
    const size_t bytes = length.empty() ? SIZE_MAX : std::strtoull(length.c_str(), nullptr, 10);
    while (input_.size() < bytes) {
      if (!fill()) break;
    }
    if (!length.empty() && input_.size() < bytes) return std::nullopt;
    response->body = input_.substr(0, bytes);
    input_.erase(0, bytes);
    return response;
  }

  /// One chunk of a chunked body; empty at the end, none if cut off.
  std::optional<std::string> read_chunk() {
    size_t line = 0;
    while ((line = input_.find("\r\n")) == std::string::npos) {
      if (!fill()) return std::nullopt;
    }
    const size_t bytes = std::strtoull(input_.c_str(), nullptr, 16);
    while (input_.size() < line + 2 + bytes + 2) {
      if (!fill()) return std::nullopt;
    }
    std::string chunk = input_.substr(line + 2, bytes);
    input_.erase(0, line + 2 + bytes + 2);
    return chunk;
  }

  /// True once the server has closed the connection and everything was read.
  bool at_end() {
    while (fill()) {
    }
    return ended_;
  }

  std::string& unread() { return input_; }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  /// Closes with a TCP reset, as a crashed client's machine does.
  void reset() {
    const linger hard = {1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }

  int timeout_ms = 10'000;

 private:
  bool fill() {
    pollfd waiting = {socket_, POLLIN, 0};
    if (ended_ || ::poll(&waiting, 1, timeout_ms) <= 0) return false;
    char bytes[16 * 1024];
    const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
    if (got <= 0) {
      ended_ = true;
      return false;
    }
    input_.append(bytes, static_cast<size_t>(got));
    return true;
  }

  int socket_ = -1;
  bool connected_ = false;
  bool ended_ = false;
  std::string input_;
};

}  // namespace baton::http
