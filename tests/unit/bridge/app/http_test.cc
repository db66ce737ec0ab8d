#include "bridge/app/http.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include <deque>
#include <future>

#include "bridge/app/http_message.h"
#include "bridge/zone/socket.h"
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

// A connection that says `words` and nothing more.
zone::Socket Peer(std::uint16_t port, const std::string& words) {
  zone::Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(socket.fd(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  EXPECT_EQ(send(socket.fd(), words.data(), words.size(), MSG_NOSIGNAL), static_cast<ssize_t>(words.size()));
  return socket;
}

TEST_F(HttpTest, ProbesAreAnsweredBesideIdleAndSlowConnections) {
  std::deque<zone::Socket> peers;
  for (int i = 0; i < 100; ++i) {
    peers.push_back(Peer(server_->port(), ""));
    peers.push_back(Peer(server_->port(), "GET /healthz HTTP/1.1\r\nHo"));
    peers.push_back(Peer(server_->port(), "GET /metrics HTTP/1.1\r\n\r\n"));  // and never reads the answer
    if (i % 20 == 0) {
      EXPECT_TRUE(HttpGet(server_->port(), "/healthz").starts_with("HTTP/1.1 503 ")) << i;
    }
  }
  EXPECT_TRUE(HttpGet(server_->port(), "/metrics").starts_with("HTTP/1.1 200 "));
}

TEST(HttpPages, OneThatWaitsKeepsNoOtherWaiting) {
  std::promise<void> disk;
  std::shared_future<void> answers = disk.get_future().share();
  HttpServer::Pages pages;
  pages["/metrics"] = [answers] {
    answers.wait();
    return Page{200, "text/plain", "a 1\n"};
  };
  pages["/healthz"] = [] { return Page{503, "application/json", "{}\n"}; };
  auto server = HttpServer::Start("127.0.0.1", 0, std::move(pages));
  ASSERT_TRUE(server.ok());
  auto asked = std::async(std::launch::async, [&] { return HttpGet((*server)->port(), "/metrics"); });
  EXPECT_TRUE(HttpGet((*server)->port(), "/healthz").starts_with("HTTP/1.1 503 "));
  disk.set_value();
  EXPECT_TRUE(asked.get().ends_with("a 1\n"));
}

TEST(HttpDescriptors, TheirEndIsSaidAndTheServerGoesOn) {
  std::promise<std::string> said;
  auto server = HttpServer::Start("127.0.0.1", 0,
                                  {{"/healthz",
                                    [] {
                                      return Page{200, "text/plain", "ok\n"};
                                    }}},
                                  [&](int level, const std::string& line) {
                                    EXPECT_EQ(level, 3);
                                    said.set_value(line);  // throws when it is said twice
                                  });
  ASSERT_TRUE(server.ok());
  const zone::Socket late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{64, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  std::deque<zone::Socket> taken;
  for (int fd = 0; (fd = dup(late.fd())) >= 0;) taken.emplace_back(fd);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons((*server)->port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(late.fd(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  auto line = said.get_future();
  const bool heard = line.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  taken.clear();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(heard);
  EXPECT_EQ(line.get(), "a connection cannot be taken: Too many open files");
  const std::string request = "GET /healthz HTTP/1.1\r\n\r\n";
  ASSERT_EQ(send(late.fd(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  pollfd polled{late.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&polled, 1, 20000), 1) << "it was taken after all";
}

TEST(HttpMessage, WhatIsNoRequestIsRefused) {
  EXPECT_FALSE(ReadHttpRequest("GET / HTTP/1.1\r\nHost: x\r\n").has_value());
  EXPECT_EQ(ReadHttpRequest("GET /a?b=c HTTP/1.1\r\n\r\n")->path, "/a");
  EXPECT_EQ(ReadHttpRequest("GET /a HTTP/1.0\n\n")->status, 200);
  EXPECT_EQ(ReadHttpRequest("DELETE /a HTTP/1.1\r\n\r\n")->status, 405);
  for (const char* wrong : {"\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n",
                            "GET a HTTP/1.1\r\n\r\n", "GET / HTTP/2\r\n\r\n", " / HTTP/1.1\r\n\r\n"}) {
    EXPECT_EQ(ReadHttpRequest(wrong)->status, 400) << wrong;
  }
  EXPECT_EQ(ReadHttpRequest(std::string(kHeadMax + 1, 'x'))->status, 431);
}

TEST_F(HttpTest, ATakenPortIsAnError) {
  auto second = HttpServer::Start("127.0.0.1", server_->port(), {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().symbol, "http_failed");
}

}  // namespace
}  // namespace registry::app
