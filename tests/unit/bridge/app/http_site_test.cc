// What the console asks of the HTTP server: pages made for each who asks, requests that are refused, streams.
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <deque>

#include "bridge/app/http.h"
#include "bridge/app/http_message.h"
#include "bridge/app/http_tls.h"
#include "bridge/zone/socket.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/bridge/app/http_get.h"

namespace registry::app {
namespace {

using test::HttpExchange;
using test::HttpGet;

class HttpSiteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    HttpSite site;
    site.asked = [](const HttpRequest& request) {
      return Page{200, "text/plain", request.path + "|" + QueryValue(request.query, "a"), "X-Own: 1\r\n"};
    };
    site.refuse = [this](const HttpRequest& request) -> std::optional<Page> {
      if (!refuses_ && request.host == "x" && request.peer.empty() && !request.in_tls) return std::nullopt;
      return Page{421, "text/plain", "no\n"};
    };
    site.stream = "/events";
    auto server = HttpServer::Serve("127.0.0.1", 0, std::move(site));
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
  }
  zone::Socket Watcher() const {
    zone::Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server_->port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const std::string words = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_EQ(connect(socket.fd(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    EXPECT_EQ(send(socket.fd(), words.data(), words.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(words.size()));
    return socket;
  }
  // What comes until `wanted` has come, or the peer's end, or 10 s have passed.
  static std::string Heard(const zone::Socket& socket, const std::string& wanted) {
    std::string all;
    char part[4096];
    pollfd polled{socket.fd(), POLLIN, 0};
    while (all.find(wanted) == std::string::npos && poll(&polled, 1, 10'000) > 0) {
      const ssize_t size = recv(socket.fd(), part, sizeof part, 0);
      if (size <= 0) break;
      all.append(part, static_cast<std::size_t>(size));
    }
    return all;
  }
  std::atomic<bool> refuses_{false};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpSiteTest, EachWhoAsksGetsItsOwn) {
  const std::string one = HttpGet(server_->port(), "/device?b=2&a=x%20y%2b");
  EXPECT_TRUE(one.ends_with("/device|x y+")) << one;
  EXPECT_NE(one.find("X-Own: 1\r\n"), std::string::npos);
  EXPECT_TRUE(HttpGet(server_->port(), "/device").ends_with("/device|"));
}

TEST_F(HttpSiteTest, WhatIsRefusedReachesNoPage) {
  EXPECT_TRUE(
      HttpExchange(server_->port(), "GET / HTTP/1.1\r\nHost: evil\r\n\r\n").starts_with("HTTP/1.1 421 "));
  EXPECT_TRUE(HttpExchange(server_->port(), "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 421 "));
  EXPECT_TRUE(HttpExchange(server_->port(), "GET /events HTTP/1.1\r\nHost: evil\r\n\r\n")
                  .starts_with("HTTP/1.1 421 "));
}

TEST_F(HttpSiteTest, AStreamHearsWhatIsSaidFromThenOn) {
  const zone::Socket first = Watcher(), second = Watcher();
  for (const auto* watcher : {&first, &second})
    EXPECT_NE(Heard(*watcher, "\r\n\r\n").find("Content-Type: text/event-stream\r\n"), std::string::npos);
  server_->Say("data: 1\n\n");
  server_->Say("data: 2\n\n");
  for (const auto* watcher : {&first, &second})
    EXPECT_EQ(Heard(*watcher, "data: 2\n\n"), "data: 1\n\ndata: 2\n\n");
}

TEST_F(HttpSiteTest, AStreamThatWouldBeRefusedNowEnds) {
  const zone::Socket watcher = Watcher();
  ASSERT_NE(Heard(watcher, "text/event-stream").find("200 OK"), std::string::npos);
  refuses_ = true;
  Heard(watcher, "nothing says this");  // to its end
  char none = 0;
  EXPECT_EQ(recv(watcher.fd(), &none, 1, MSG_DONTWAIT), 0) << "the connection is closed";
}

TEST_F(HttpSiteTest, StreamsAreBoundedAndLeaveRoomForPages) {
  std::deque<zone::Socket> watchers;
  for (std::size_t i = 0; i < kHttpStreamsMax; ++i) {
    watchers.push_back(Watcher());
    EXPECT_NE(Heard(watchers.back(), "\r\n\r\n").find(" 200 "), std::string::npos) << i;
  }
  EXPECT_NE(Heard(Watcher(), "\r\n\r\n").find(" 503 "), std::string::npos);
  EXPECT_TRUE(HttpGet(server_->port(), "/a").ends_with("/a|"));
  watchers.pop_front();  // its place is free again once the server has seen its end
  std::string answer;
  for (int i = 0; i < 1000 && answer.find(" 200 ") == std::string::npos; ++i)
    answer = Heard(Watcher(), "\r\n\r\n");
  EXPECT_NE(answer.find(" 200 "), std::string::npos);
}

TEST_F(HttpSiteTest, AStreamWhosePeerTakesNothingEnds) {
  const zone::Socket idle = Watcher();
  EXPECT_NE(Heard(idle, "\r\n\r\n").find(" 200 "), std::string::npos);
  const std::string large = "data: " + std::string(1 << 18, 'x') + "\n\n";
  // More than any socket's buffers and what a server keeps for one who is behind.
  for (int i = 0; i < 64; ++i) {
    server_->Say(large);
    ASSERT_TRUE(HttpGet(server_->port(), "/a").ends_with("/a|"));
  }
  std::string end = Heard(idle, "never");
  EXPECT_LT(end.size(), 64 * large.size()) << "it was ended before it could take all";
}

TEST(HttpTlsTest, AFileThatCannotBeUsedIsNamed) {
  const test::TemporaryFolder folder;
  folder.Write("broken.pem", "no certificate\n");
  for (const char* file : {"none.pem", "broken.pem"}) {
    const auto loaded = HttpTls::Load({folder.In(file), folder.In("none.key"), folder.In("none.pem"), ""});
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().symbol, "tls_files");
    EXPECT_NE(loaded.error().message.find(folder.In(file)), std::string::npos) << loaded.error().message;
  }
}

TEST(HttpQuery, IsDecodedAndNothingElse) {
  EXPECT_EQ(QueryValue("a=1&b=2", "b"), "2");
  EXPECT_EQ(QueryValue("ab=1&b=%41%zz%4", "b"), "A%zz%4") << "what is no escape stays";
  EXPECT_EQ(QueryValue("a", "a"), "");
  EXPECT_EQ(QueryValue("", "a"), "");
}

}  // namespace
}  // namespace registry::app
