// tests/security/interface_lab.h: one lab for every test of what the interface refuses: real broker, real registry.
// Owns the lab from the first test to the last. Ask and NewId from any thread, the rest from the test's own.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "simulators/lab/lab.h"
#include "tests/support/raw_mqtt.h"

namespace registry::test {

class Interface : public ::testing::Test {
 protected:
  friend class InterfaceLab;  // starts the lab before the first test, stops it after the last
  static RawOptions As(const std::string& party, const std::string& suffix = "-raw");
  static std::string Command(const std::string& party, const std::string& command, const nlohmann::json& data,
                             const std::string& id);
  static std::string NewId();

  // One command and its reply, over a connection of its own.
  struct Answer {
    bool accepted = false;
    nlohmann::json data;
    std::string symbol() const { return data.value("symbol", ""); }
  };
  static Answer Ask(const std::string& party, const std::string& command, const nlohmann::json& data);
  static Answer Ask(const RawOptions& as, const std::string& party, const std::string& command,
                    const nlohmann::json& data);

  static nlohmann::json NewEsim();
  // What an operator sees: `registryctl <words> --json` beside the running registry.
  static nlohmann::json Ctl(const std::string& words);

  static lab::Lab* lab_;
};

}  // namespace registry::test
