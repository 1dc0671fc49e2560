#include "token/token.h"

#include <cstdio>

namespace baton {

std::string to_string(ClassId klass) {
  char text[24];
  std::snprintf(text, sizeof text, "fp_%016llx", static_cast<unsigned long long>(klass.value));
  return text;
}

const char* to_string(Finish finish) {
  switch (finish) {
    case Finish::stop:
      return "stop";
    case Finish::length:
      return "length";
    case Finish::cancelled:
      return "cancelled";
    case Finish::deadline:
      return "deadline";
    case Finish::error:
      return "error";
  }
  return "error";
}

}  // namespace baton
