// clients/follow/follower.h: follows a party's notifications: each at least once, in order, without a gap (README.md beside
// this file; schemas/README.md, "Notifications"). Installed as <registry/follow.hpp>; it needs the standard library only.
// Owns: the connection to the broker, one at a time, and the position file while Run runs. Nobody else may write that file.
// Threads: Run does its work in the thread that calls it, and calls the handlers there. Stop from any thread, also before
//   Run; not from a signal handler. Run once for each object. Paho has threads of its own, which never call the handlers.
// Waiting: Run returns within a second after Stop, and after a handler that runs has returned.
// Errors: what repeating mends (no connection, no reply) is told to `trouble`, and Run goes on, with longer and longer
//   pauses up to 30 s. What repeating does not mend ends Run with its reason.
// Limits: 2,000 notifications wait for a gap to be filled, and 16 MiB of messages for the handler. What comes beyond is
//   dropped and asked for again.
// Spec: MQTT 5.0 §3.1.2.11.2 (session), §3.14.2.1 (taken over); CloudEvents JSON format 1.0.1.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace registry::follow {

struct Options {
  std::string host;
  int port = 8883;
  std::string ca_file, cert_file, key_file;  // PEM: the interface CA, the party's certificate and key
  std::string party;
  std::string position_file;  // made when it is not there; its folder must exist. 0600
  // False: another program of the party says feed.ack, and this one only listens.
  bool acknowledge = true;
  int reply_seconds = 10;  // after which a command without a reply is asked again
};

struct Notification {
  std::uint64_t seq = 0;
  std::string type;      // "device.activated"
  std::string envelope;  // the whole CloudEvent as JSON
  std::string data;      // its data as JSON
};

struct Handlers {
  // True: it is dealt with for good, and its number will be stored. False, or an exception, ends Run; the notification comes
  // again with the next Run. So it does when the process ends before the number is stored: the same `seq` may come twice.
  std::function<bool(const Notification&)> handle;
  // These are gone for good: the party acknowledged them once, or another program of it did. Ask the registry what holds
  // (device.list). They count as handled when it returns. May be empty.
  std::function<void(std::uint64_t first, std::uint64_t last)> lost;
  std::function<void(const std::string& text)> trouble;  // for a log; may be empty
};

class __attribute__((visibility("default"))) Follower {
 public:
  Follower(Options options, Handlers handlers);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  std::string Run();  // empty after Stop, else why it ended
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace registry::follow
