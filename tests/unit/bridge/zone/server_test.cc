// The transfer server over real sockets: pipelining, half requests, peers that do not read, too many connections.
#include "bridge/zone/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <mutex>

#include "bridge/zone/apex.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {
namespace {

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  bool connected() const { return connected_; }
  void Send(const Bytes& octets) {
    ASSERT_EQ(send(socket_.fd(), octets.data(), octets.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(octets.size()));
  }
  // One message; empty when the server has closed or says nothing for two seconds.
  Bytes Receive() {
    Bytes size = Exactly(2);
    return size.empty() ? size : Exactly(static_cast<std::size_t>(size[0]) << 8 | size[1]);
  }
  bool ClosedWithin(int milliseconds) {
    pollfd polled{socket_.fd(), POLLIN, 0};
    std::uint8_t octet = 0;
    return poll(&polled, 1, milliseconds) == 1 && recv(socket_.fd(), &octet, 1, 0) <= 0;
  }

 private:
  Bytes Exactly(std::size_t size) {
    Bytes octets(size);
    for (std::size_t got = 0; got < size;) {
      pollfd polled{socket_.fd(), POLLIN, 0};
      if (poll(&polled, 1, 2000) != 1) return {};
      const ssize_t part = recv(socket_.fd(), octets.data() + got, size - got, 0);
      if (part <= 0) return {};
      got += static_cast<std::size_t>(part);
    }
    return octets;
  }
  Socket socket_;
  bool connected_ = false;
};

class TransferServerTest : public ::testing::Test {
 protected:
  TransferServerTest() {
    std::vector<domain::ZoneChange> changes;
    for (std::uint64_t n = 0; n < 2000; ++n) changes.push_back(Published(n));
    store_.Load(changes, clock_.Now());
    store_.FinishLoad(7, clock_.Now());
    EXPECT_TRUE(server_.Start("127.0.0.1", 0).ok());
  }
  Bytes Framed(std::uint16_t type, std::uint16_t id) const {
    Bytes query = StartMessage(id, 0, *NameFromText(kZone), type);
    SignRequest(query, key_, clock_.Now());
    Bytes framed;
    PutU16(framed, static_cast<std::uint16_t>(query.size()));
    Put(framed, query);
    return framed;
  }
  static int IdOf(const Bytes& message) { return message.size() < 2 ? -1 : message[0] << 8 | message[1]; }

  ZoneFiles files_;
  SystemClock clock_;
  TsigKey key_ = *LoadTsigKey(kTsigName, files_.path("tsig.secret"));
  ZoneStore store_{*ProfileOf(files_.options()), 1u << 20, 100, clock_.Now()};
  Responder responder_{store_, key_, clock_};
  std::mutex mutex_;
  std::vector<std::string> said_;
  TransferServer server_{responder_, [this](int, const std::string& line) {
                           const std::lock_guard lock(mutex_);
                           said_.push_back(line);
                         }};
};

TEST_F(TransferServerTest, Rfc7766_PipelinedRequestsAreAnsweredInOrder) {
  Client client(server_.port());
  Bytes all;
  for (std::uint16_t id = 1; id <= 20; ++id) Put(all, Framed(kTypeSoa, id));
  client.Send(all);
  for (int id = 1; id <= 20; ++id) EXPECT_EQ(IdOf(client.Receive()), id);
}

TEST_F(TransferServerTest, RequestAfterATransferOnTheSameConnection) {
  Client client(server_.port());
  Bytes both = Framed(kTypeAxfr, 1);
  Put(both, Framed(kTypeSoa, 2));
  client.Send(both);
  std::size_t octets = 0, messages = 0;
  Bytes message = client.Receive();
  for (; IdOf(message) == 1; message = client.Receive()) octets += message.size(), ++messages;
  EXPECT_EQ(IdOf(message), 2);
  EXPECT_GT(messages, 10u);
  EXPECT_GT(octets, 2000u * 400);
}

TEST_F(TransferServerTest, RequestInSingleOctetsIsAnswered) {
  Client client(server_.port());
  for (std::uint8_t octet : Framed(kTypeSoa, 9)) client.Send({octet});
  EXPECT_EQ(IdOf(client.Receive()), 9);
}

TEST_F(TransferServerTest, PeerThatDoesNotReadHoldsUpNobody) {
  std::deque<Client> silent;
  for (int i = 0; i < 8; ++i) {
    silent.emplace_back(server_.port());
    silent.back().Send(Framed(kTypeAxfr, 1));
  }
  Client client(server_.port());
  client.Send(Framed(kTypeSoa, 3));
  EXPECT_EQ(IdOf(client.Receive()), 3);
}

TEST_F(TransferServerTest, IdleConnectionsGiveWayWhenAllAreTaken) {
  std::deque<Client> idle;
  for (std::size_t i = 0; i < kConnectionsMax; ++i) idle.emplace_back(server_.port());
  Client late(server_.port());
  late.Send(Framed(kTypeSoa, 5));
  EXPECT_EQ(IdOf(late.Receive()), 5);
  EXPECT_TRUE(idle.front().ClosedWithin(2000));
}

// RFC 7766 §6.2.2: half a request keeps a connection from being idle, but not from giving way to one that has the key.
TEST_F(TransferServerTest, PeersWithoutTheKeyCannotTakeEveryConnection) {
  Client known(server_.port());
  known.Send(Framed(kTypeSoa, 4));
  ASSERT_EQ(IdOf(known.Receive()), 4);
  std::deque<Client> strangers;
  for (std::size_t i = 0; i < kConnectionsMax; ++i) {
    strangers.emplace_back(server_.port());
    strangers.back().Send({0});
  }
  Client late(server_.port());
  late.Send(Framed(kTypeSoa, 5));
  EXPECT_EQ(IdOf(late.Receive()), 5);
  known.Send(Framed(kTypeSoa, 6));
  EXPECT_EQ(IdOf(known.Receive()), 6) << "older than all the strangers, and it has the key";
  EXPECT_TRUE(strangers.front().ClosedWithin(2000));
}

TEST_F(TransferServerTest, WithoutDescriptorsItRestsAndThenGoesOn) {
  Socket udp = *ConnectUdp("127.0.0.1", server_.port());
  std::deque<Socket> taken;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{64, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  Client client(server_.port());
  client.Send(
      Framed(kTypeSoa, 7));  // answered: the server has its descriptor, and takes none of those counted below
  EXPECT_EQ(IdOf(client.Receive()), 7);
  while (true) {
    Socket one(dup(udp.fd()));
    if (!one) break;
    taken.push_back(std::move(one));
  }
  Socket waiting(std::move(taken.back()));
  taken.pop_back();
  waiting = Socket();
  Client late(server_.port());  // takes the last one, so that the server cannot accept it
  late.Send(Framed(kTypeSoa, 8));
  const auto ask = [&](std::uint16_t id) {
    Bytes query = Framed(kTypeSoa, id);
    query.erase(query.begin(), query.begin() + 2);
    ASSERT_EQ(send(udp.fd(), query.data(), query.size(), 0), static_cast<ssize_t>(query.size()));
    pollfd polled{udp.fd(), POLLIN, 0};
    ASSERT_EQ(poll(&polled, 1, 5000), 1);
    std::uint8_t answer[512];
    ASSERT_GT(recv(udp.fd(), answer, sizeof answer, 0), 0);
  };
  ask(1);  // the server has looked at its sockets since `late` came
  const std::uint64_t turns = server_.turns();
  for (std::uint16_t id = 2; id < 22; ++id) {
    for (int i = 0; i < 1000; ++i) (void)Framed(kTypeSoa, id);  // meanwhile it has nothing to do
    ask(id);
  }
  EXPECT_LE(server_.turns() - turns, 40u) << "a turn or two a question, and none for what it cannot accept";
  taken.clear();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(IdOf(late.Receive()), 8);
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(said_, std::vector<std::string>{"zone: a connection cannot be taken: Too many open files"});
}

TEST_F(TransferServerTest, AnswersAreNotHeldBack) {
  const Socket listener = *ListenTcp("127.0.0.1", 0);
  Client client(LocalPort(listener));
  pollfd polled{listener.fd(), POLLIN, 0};
  ASSERT_EQ(poll(&polled, 1, 2000), 1);
  const Socket accepted = AcceptTcp(listener);
  ASSERT_TRUE(accepted);
  int on = 0;
  socklen_t size = sizeof on;
  ASSERT_EQ(getsockopt(accepted.fd(), IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
  EXPECT_NE(on, 0);
  EXPECT_FALSE(AcceptTcp(listener)) << "there is no second one";
}

TEST_F(TransferServerTest, GarbageEndsTheConnectionOrIsRefusedAndTheServerLives) {
  Client refused(server_.port());
  refused.Send({0, 14, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 0x0c});
  const Bytes answer = refused.Receive();
  ASSERT_EQ(answer.size(), kHeaderSize);
  EXPECT_EQ(answer[3] & 15, static_cast<int>(Rcode::kFormErr));
  Client ended(server_.port());
  ended.Send({0, 1, 0xff});
  EXPECT_TRUE(ended.ClosedWithin(2000));
  Client client(server_.port());
  client.Send(Framed(kTypeSoa, 6));
  EXPECT_EQ(IdOf(client.Receive()), 6);
}

TEST_F(TransferServerTest, TransfersRunWhileVersionsAreMade) {
  for (std::uint32_t serial = 8; serial < 28; ++serial) {
    Client client(server_.port());
    client.Send(Framed(kTypeAxfr, 1));
    const std::vector<domain::ZoneChange> changes{Published(5000 + serial)};
    ASSERT_TRUE(store_.Publish(changes, 0, serial, clock_.Now()).changed);
    Bytes end = Framed(kTypeSoa, 2);
    client.Send(end);
    Bytes message = client.Receive();
    while (IdOf(message) == 1) message = client.Receive();
    EXPECT_EQ(IdOf(message), 2);
  }
}

TEST_F(TransferServerTest, StopsAtOnceAndFreesItsPort) {
  Client client(server_.port());
  client.Send(Framed(kTypeAxfr, 1));
  const std::uint16_t port = server_.port();
  server_.Stop();
  TransferServer again(responder_);
  EXPECT_TRUE(again.Start("127.0.0.1", port).ok());
}

TEST_F(TransferServerTest, TakenPortAndBadAddressAreErrors) {
  TransferServer second(responder_);
  EXPECT_EQ(second.Start("127.0.0.1", server_.port()).error().symbol, "zone_socket_failed");
  EXPECT_EQ(second.Start("localhost", 0).error().symbol, "zone_address_invalid");
}

}  // namespace
}  // namespace registry::zone::testing
