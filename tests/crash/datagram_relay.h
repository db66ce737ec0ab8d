// tests/crash/datagram_relay.h: what stands between a node and a secondary for what they say over UDP, NOTIFY and the
// question for the SOA: datagrams are carried both ways, or lost both ways.
// Owns: the socket that is asked, one to the other end for each who asks, one thread. Threads: SetLost from any.
// Limits: kAskersMax who ask at a time; a further one takes the place of the one that came first. Errors: relay_failed.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>

#include "schemas/base/own_thread.h"
#include "schemas/base/result.h"

namespace registry::test {

class DatagramRelay {
 public:
  static constexpr std::size_t kAskersMax = 32;
  static Result<std::unique_ptr<DatagramRelay>> Open(std::uint16_t port, std::uint16_t to_port);
  ~DatagramRelay();
  DatagramRelay(const DatagramRelay&) = delete;
  DatagramRelay& operator=(const DatagramRelay&) = delete;
  void SetLost(bool lost) { lost_ = lost; }

 private:
  struct Asker {
    std::uint16_t port = 0;  // of the loopback address, in network order
    int onward = -1;
  };
  DatagramRelay(int asked, std::uint16_t to_port) : asked_(asked), to_port_(to_port) {}
  void Loop();
  void TakeAsked();
  void TakeAnswer(const Asker& asker) const;
  int OnwardOf(std::uint16_t port);

  const int asked_;
  const std::uint16_t to_port_;
  std::atomic<bool> lost_{false};
  std::list<Asker> askers_;  // the thread's alone
  OwnThread thread_;
};

}  // namespace registry::test
