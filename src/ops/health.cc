#include "ops/health.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace baton::ops {
namespace {

const char* status_word(const Health& health) {
  if (health.failed) return "failed";
  if (health.draining) return "draining";
  return health.ready ? "ready" : "loading";
}

http::Response answer(const Health& health, bool good) {
  boost::json::object body;
  body["status"] = status_word(health);
  body["running"] = health.running;
  body["waiting"] = health.waiting;
  if (!health.detail.empty()) body["detail"] = health.detail;
  http::Response response;
  response.status = good ? 200 : 503;
  response.body = boost::json::serialize(body) + "\n";
  response.headers = {{"Cache-Control", "no-store"}};
  if (!good) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

http::Response livez(const Health& health) {
  return answer(health, !health.failed);
}

http::Response readyz(const Health& health) {
  return answer(health, health.ready && !health.draining && !health.failed);
}

http::Response metrics_page(const MetricRegistry& registry) {
  http::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = registry.render();
  response.headers = {{"Cache-Control", "no-store"}};
  return response;
}

}  // namespace baton::ops
