#include "http/descriptors.h"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <sstream>

#include "http/server_fixture.h"

namespace baton::http {
namespace {

rlimit descriptor_limit() {
  rlimit limit = {};
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  return limit;
}

void set_soft_limit(rlim_t soft) {
  rlimit limit = descriptor_limit();
  limit.rlim_cur = soft;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

TEST(Descriptors, ConnectionsThatDoNotFitAreCut) {
  EXPECT_EQ(connections_within(4096, UINT64_MAX, 128), 4096u);
  EXPECT_EQ(connections_within(4096, 4096 + 128, 128), 4096u);
  EXPECT_EQ(connections_within(4096, 4096 + 127, 128), 4095u);
  EXPECT_EQ(connections_within(4096, 1024, 128), 896u);
  EXPECT_EQ(connections_within(4096, 129, 128), 1u);
  EXPECT_EQ(connections_within(4096, 128, 128), 1u);
  EXPECT_EQ(connections_within(4096, 0, 128), 1u);
  EXPECT_EQ(connections_within(4, 1024, 128), 4u);
}

class DescriptorsTest : public ServerFixture {
 protected:
  void SetUp() override {
    const auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(log_);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("captured", sink));
  }
  void TearDown() override {
    set_soft_limit(soft_before_);
    ServerFixture::TearDown();
    spdlog::set_default_logger(logger_before_);
  }

  const rlim_t soft_before_ = descriptor_limit().rlim_cur;
  const std::shared_ptr<spdlog::logger> logger_before_ = spdlog::default_logger();
  std::ostringstream log_;  // read once the server's threads have ended
};

// The usual soft limit of 1,024 did not hold the 4,096 connections that are allowed by default.
TEST_F(DescriptorsTest, ListeningRaisesTheSoftLimit) {
  set_soft_limit(std::min<rlim_t>(descriptor_limit().rlim_max, 300));
  start();
  EXPECT_EQ(descriptor_limit().rlim_cur, descriptor_limit().rlim_max);
}

// Each failed accept wrote a line, twenty a second for as long as there were no descriptors.
TEST_F(DescriptorsTest, WithoutDescriptorsAcceptingWaitsAndSaysSoOnce) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizers themselves need descriptors: they probe memory through a pipe";
#endif
  start();
  const int lowest_free = ::dup(0);
  ASSERT_GE(lowest_free, 0);
  ::close(lowest_free);
  set_soft_limit(static_cast<rlim_t>(lowest_free) + 1);
  TestClient client(port());  // takes the last
  ASSERT_TRUE(client.connected());
  client.get("/echo");
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(server_->stats().connections_total, 0u);
  set_soft_limit(soft_before_);
  const auto response = client.read_response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  server_->close();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  const std::string log = log_.str();
  const size_t first = log.find("accept: ");
  EXPECT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find("accept: ", first + 1), std::string::npos) << log;
}

}  // namespace
}  // namespace baton::http
