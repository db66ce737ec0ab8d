// tests/integration/zone/secondary_process.h: a real name server as secondary of the zone under test, on a free
// loopback port, in a folder of its own; stopped and waited for by pid. NSD runs with xfrd-reload-timeout 0 and its
// own rate limit, Knot with the whole zone in its journal, BIND as it comes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {

enum class Software { kNsd, kKnot, kBind };

std::uint16_t FreePort();                         // free for TCP and UDP when asked
std::string RunCommand(const std::string& line);  // standard output and error together
// What a configuration of Knot begins with; like every other one here it has %PORT%, %DIR%, %KEY%, %SECRET% to be filled.
extern const char* const kKnotBasics;
// `text` with each %NAME% replaced by its value.
std::string Filled(std::string text, const std::vector<std::pair<std::string, std::string>>& values);
// Asks `done` again and again until it says yes or the time is up; false then.
bool Eventually(const std::function<bool()>& done,
                std::chrono::milliseconds limit = std::chrono::seconds(20));

class SecondaryProcess {
 public:
  SecondaryProcess(Software software, const ZoneFiles& files, const std::string& name,
                   std::uint16_t primary_port, std::uint16_t port = 0);
  ~SecondaryProcess() { Stop(); }
  SecondaryProcess(const SecondaryProcess&) = delete;
  SecondaryProcess& operator=(const SecondaryProcess&) = delete;

  // From the next start on, instead of the test zone's.
  void GiveKey(const std::string& name, const std::string& secret);
  void Start();
  void Stop();  // SIGTERM, then SIGKILL
  void Kill();  // SIGKILL
  // SIGSTOP, and SIGCONT: its ports stay open, and nothing answers.
  void Freeze() const;
  void Thaw() const;

  std::uint16_t port() const { return port_; }
  SecondaryAddress address() const { return {name_, "127.0.0.1", port_}; }
  std::string Log() const;
  std::string TransferLog() const;  // the file alone that it says transfers in, which only grows
  // The zone as it serves it, one record per line, by AXFR with dig.
  std::string Dump() const;
  std::string Dig(const std::string& arguments) const;

 private:
  void End(int signal);
  std::string Configure() const;

  Software software_;
  std::string name_, folder_, config_;
  std::uint16_t port_, primary_port_;
  std::string key_name_ = kTsigName, secret_ = kTsigSecret;
  pid_t pid_ = -1;
};

}  // namespace registry::zone::testing
