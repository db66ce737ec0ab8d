// The transfer server over real sockets: pipelining, half requests, peers that do not read, too many connections.
#include "bridge/zone/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <mutex>

#include "tests/unit/bridge/zone/served_zone.h"

namespace registry::zone::testing {
namespace {

class Client {
 public:
  // From 127.0.0.`from`, each of which is a peer of its own.
  explicit Client(std::uint16_t port, int from = 1)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{}, own{};
    address.sin_family = own.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    own.sin_addr.s_addr = htonl((127u << 24) + static_cast<std::uint32_t>(from));
    EXPECT_EQ(bind(socket_.fd(), reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
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
  bool SaysNothingFor(int milliseconds) {
    pollfd polled{socket_.fd(), POLLIN, 0};
    return poll(&polled, 1, milliseconds) == 0;
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

class TransferServerTest : public ServedZone {
 protected:
  TransferServerTest() { EXPECT_TRUE(server_.Start("127.0.0.1", 0).ok()); }

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
  ExpectZoneAndAnswer(client);
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

// One connection by a clock of its own, and a peer that takes `each` octets of a whole zone in every second: how many
// seconds it lasts, `limit` at most.
class SlowPeerTest : public TransferServerTest {
 protected:
  int SecondsWith(std::size_t each, int limit) {
    server_.Stop();  // the connection has the responder to itself
    int ends[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    const int held = 32 * 1024;  // far less than the zone
    EXPECT_EQ(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &held, sizeof held), 0);
    const Socket peer(ends[1]);
    Socket own(ends[0]);
    const Steady::time_point begun(std::chrono::hours(1));
    Connection connection(Channel(std::move(own)), begun);
    const Bytes question = Framed(kTypeAxfr, 1);
    EXPECT_EQ(send(peer.fd(), question.data(), question.size(), 0), static_cast<ssize_t>(question.size()));
    Bytes taken(each);
    for (int second = 0; second < limit; ++second) {
      const auto now = begun + std::chrono::seconds(second);
      if (!connection.Turn(POLLIN | POLLOUT, responder_, now)) return second;
      if (connection.waits()) {
        connection.Begin(now);
        EXPECT_TRUE(connection.Turn(POLLOUT, responder_, now));
      }
      EXPECT_GT(recv(peer.fd(), taken.data(), taken.size(), 0), 0) << "second " << second;
    }
    return limit;
  }
};

TEST_F(SlowPeerTest, OneThatDripsIsGivenUp) {
  const int seconds = SecondsWith(8 * 1024, 120);
  EXPECT_GT(seconds, kSlowGrace.count()) << "not for want of progress";
  EXPECT_LT(seconds, 90);
}

TEST_F(SlowPeerTest, OneThatIsSlowIsServed) { EXPECT_EQ(SecondsWith(20 * 1024, 40), 40); }

// So many of each peer as it may have.
int OfPeer(std::size_t connection) { return 2 + static_cast<int>(connection / kPeerConnectionsMax); }

TEST_F(TransferServerTest, IdleConnectionsGiveWayWhenAllAreTaken) {
  std::deque<Client> idle;
  for (std::size_t i = 0; i < kConnectionsMax; ++i) idle.emplace_back(server_.port(), OfPeer(i));
  Client late(server_.port(), 200);
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
    strangers.emplace_back(server_.port(), OfPeer(i));
    strangers.back().Send({0});
  }
  Client late(server_.port(), 200);
  late.Send(Framed(kTypeSoa, 5));
  EXPECT_EQ(IdOf(late.Receive()), 5);
  known.Send(Framed(kTypeSoa, 6));
  EXPECT_EQ(IdOf(known.Receive()), 6) << "older than all the strangers, and it has the key";
  EXPECT_TRUE(strangers.front().ClosedWithin(2000));
}

TEST_F(TransferServerTest, APeerThatTakesAllItsConnectionsEvictsItsOwnOnly) {
  Client other(server_.port(), 2);
  std::deque<Client> many;
  for (std::size_t i = 0; i < kPeerConnectionsMax; ++i) {
    many.emplace_back(server_.port());
    many.back().Send(Framed(kTypeSoa, 1));
    ASSERT_EQ(IdOf(many.back().Receive()), 1) << "all of them have the key";
  }
  Client late(server_.port());
  late.Send(Framed(kTypeSoa, 5));
  EXPECT_EQ(IdOf(late.Receive()), 5);
  EXPECT_TRUE(many.front().ClosedWithin(2000)) << "that which was idle longest";
  other.Send(Framed(kTypeSoa, 6));
  EXPECT_EQ(IdOf(other.Receive()), 6) << "there before all of them, and of another peer";
}

TEST_F(TransferServerTest, TransfersBeyondAPeersShareWaitForOneToEnd) {
  std::deque<Client> silent;
  for (std::size_t i = 0; i < kPeerTransfersMax; ++i) {
    silent.emplace_back(server_.port());
    // Far more than all buffers hold.
    for (int again = 0; again < 12; ++again) silent.back().Send(Framed(kTypeAxfr, 1));
    ASSERT_EQ(IdOf(silent.back().Receive()), 1) << "it is under way, and its client reads no more";
  }
  Client waiting(server_.port());
  waiting.Send(Framed(kTypeAxfr, 2));
  Client asks(server_.port());
  asks.Send(Framed(kTypeSoa, 3));
  EXPECT_EQ(IdOf(asks.Receive()), 3) << "a question is no transfer";
  Client other(server_.port(), 2);
  other.Send(Framed(kTypeAxfr, 4));
  EXPECT_EQ(IdOf(other.Receive()), 4) << "another peer has a share of its own";
  EXPECT_TRUE(waiting.SaysNothingFor(300));
  silent.pop_front();
  EXPECT_EQ(IdOf(waiting.Receive()), 2);
}

TEST_F(TransferServerTest, WhoeverAsksWithoutTheKeyIsAnsweredSeldomAndOthersAsBefore) {
  Bytes question = Framed(kTypeSoa, 1);
  question.erase(question.begin(), question.begin() + 2);
  Bytes unsigned_question = StartMessage(7, 0, *NameFromText(kZone), kTypeSoa);
  Socket flood = *ConnectUdp("127.0.0.1", server_.port(), "127.0.0.3");
  Socket known = *ConnectUdp("127.0.0.1", server_.port(), "127.0.0.2");
  const auto answers = [](const Socket& socket, int wait) {
    pollfd polled{socket.fd(), POLLIN, 0};
    std::uint8_t octets[512];
    return poll(&polled, 1, wait) == 1 && recv(socket.fd(), octets, sizeof octets, 0) > 0;
  };
  int answered = 0;
  // One at a time, so that none is lost in a full buffer; the last is followed by a moment of silence.
  for (int i = 0; i < 400; ++i) {
    ASSERT_GT(send(flood.fd(), unsigned_question.data(), unsigned_question.size(), 0), 0);
    ASSERT_GT(send(known.fd(), question.data(), question.size(), 0), 0);
    ASSERT_TRUE(answers(known, 5000)) << i;
    while (answers(flood, 0)) ++answered;
  }
  EXPECT_GE(answered, 50);
  EXPECT_LT(answered, 350) << "a burst of 100, and 20 a second";
  EXPECT_GE(server_.dropped(), 50u);
  Client over_tcp(server_.port(), 3);
  over_tcp.Send(Framed(kTypeSoa, 9));
  EXPECT_EQ(IdOf(over_tcp.Receive()), 9) << "with the key it is answered all the same";
  const std::lock_guard lock(mutex_);
  EXPECT_TRUE(std::ranges::any_of(said_, [](const std::string& line) {
    return line.starts_with("zone: request refused: too many refusals a second, from 127.0.0.3 port ");
  }));
}

TEST_F(TransferServerTest, AConnectionThatAsksWithoutTheKeyAllTheTimeIsEnded) {
  Bytes framed;
  PutFramed(framed, StartMessage(7, 0, *NameFromText(kZone), kTypeSoa));
  Bytes many;
  for (int i = 0; i < 100; ++i) Put(many, framed);
  Client client(server_.port());
  int answered = 0;
  bool ended = false;
  for (int round = 0; round < 50 && !ended; ++round) {
    client.Send(many);
    for (int i = 0; i < 100 && !ended; ++i) {
      ended = client.Receive().empty();
      answered += ended ? 0 : 1;
    }
  }
  EXPECT_TRUE(ended);
  EXPECT_GE(answered, 50);
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
