#include "bridge/app/http.h"

#include <gtest/gtest.h>

#include "tests/unit/bridge/app/http_get.h"

namespace registry::app {
namespace {

using test::HttpExchange;
using test::HttpGet;

class HttpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = HttpServer::Start("127.0.0.1", 0,
                                    {{"/healthz",
                                      [] {
                                        return Page{503, "application/json", "{}\n"};
                                      }},
                                     {"/metrics", [] {
                                        return Page{200, "text/plain", "a 1\n"};
                                      }}});
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
  }
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpTest, ServesItsPages) {
  const std::string metrics = HttpGet(server_->port(), "/metrics");
  EXPECT_TRUE(metrics.starts_with("HTTP/1.1 200 ")) << metrics;
  EXPECT_NE(metrics.find("Content-Type: text/plain\r\n"), std::string::npos);
  EXPECT_TRUE(metrics.ends_with("\r\n\r\na 1\n"));
  EXPECT_TRUE(HttpGet(server_->port(), "/healthz").starts_with("HTTP/1.1 503 "));
}

TEST_F(HttpTest, NothingElseIsThere) {
  for (const char* path : {"/", "/metrics/x", "/etc/passwd", "/../../etc/passwd"}) {
    EXPECT_TRUE(HttpGet(server_->port(), path).starts_with("HTTP/1.1 4")) << path;
  }
  EXPECT_TRUE(HttpExchange(server_->port(), "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                  .starts_with("HTTP/1.1 405 "));
}

TEST_F(HttpTest, HeadHasNoBody) {
  const std::string head = HttpExchange(server_->port(), "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST_F(HttpTest, ATakenPortIsAnError) {
  auto second = HttpServer::Start("127.0.0.1", server_->port(), {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().symbol, "http_failed");
}

}  // namespace
}  // namespace registry::app
