// Result<T>: a value or an Error. Expected failures travel as values; no library throws across its
// border.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace baton {

/// What went wrong. The HTTP status and the client's retry follow from it in one table
/// (`api/error_body.h`).
enum class Code : uint8_t {
  invalid_argument,    // the request is wrong and will be wrong again
  unsupported,         // known, but Baton does not do it (yet)
  unauthorized,        // no or wrong credentials
  forbidden,           // known, but not allowed
  not_found,           // no such model, file, route or id
  method_not_allowed,  // the route exists, the method does not
  too_large,           // body, header or prompt above a stated limit
  resource_exhausted,  // queue, quota or memory is full: try again later
  deadline_exceeded,   // the caller's time is over
  cancelled,           // the caller left
  unavailable,         // not ready, draining, or the replica is lost
  data_corrupt,        // a file or a peer's message breaks its own format
  io,                  // the operating system said no
  internal,            // our own fault
};

/// Who caused it: the one who asked, another process of the service, or this process.
enum class Origin : uint8_t { client, peer, self };

struct Error {
  Code code = Code::internal;
  std::string message;  // one sentence for a person: what is wrong and what to do
  Origin origin = Origin::self;
  bool retry_safe = false;      // nothing was done yet: the same request may be sent again
  std::string param = {};       // the request field it concerns, if any
  std::string reason = {};      // machine-readable detail (OpenAI's error "code"), if any
  uint32_t retry_after_ms = 0;  // a hint for resource_exhausted and unavailable; 0 = none
};

/// Shorthand for errors that a client's input causes.
inline Error client_error(Code code, std::string message, std::string param = {}) {
  return Error{code, std::move(message), Origin::client, false, std::move(param), {}, 0};
}

/// Shorthand for errors of this process or its machine.
inline Error self_error(Code code, std::string message) {
  return Error{code, std::move(message), Origin::self, false, {}, {}, 0};
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    CHECK(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    CHECK(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    CHECK(ok());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & {
    CHECK(!ok());
    return std::get<1>(state_);
  }
  const Error& error() const& {
    CHECK(!ok());
    return std::get<1>(state_);
  }
  Error&& error() && {
    CHECK(!ok());
    return std::get<1>(std::move(state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  Error& error() & {
    CHECK(!ok());
    return *error_;
  }
  const Error& error() const& {
    CHECK(!ok());
    return *error_;
  }
  Error&& error() && {
    CHECK(!ok());
    return *std::move(error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace baton

/// Leaves the function with the error if `expression` (a Result) failed. Not for coroutines.
#define BATON_TRY(expression)                         \
  do {                                                \
    if (auto result_ = (expression); !result_.ok()) { \
      return std::move(result_).error();              \
    }                                                 \
  } while (false)

#define BATON_JOIN_(a, b) a##b
#define BATON_JOIN(a, b) BATON_JOIN_(a, b)

/// `BATON_ASSIGN(auto x, f())`: declares x from f()'s value or leaves with its error.
#define BATON_ASSIGN(declaration, expression)                \
  auto BATON_JOIN(result_, __LINE__) = (expression);         \
  if (!BATON_JOIN(result_, __LINE__).ok()) {                 \
    return std::move(BATON_JOIN(result_, __LINE__)).error(); \
  }                                                          \
  declaration = std::move(BATON_JOIN(result_, __LINE__)).value()
