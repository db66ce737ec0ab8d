// tests/support/registry_home.h: the folder of a registry, as `registryctl init` makes it and with a resolver's certificate.
// Needs registry_ctl_init and sim_lab. A step that fails fails the test.
#pragma once

#include <gtest/gtest.h>

#include <regex>

#include "bridge/clock.h"
#include "bridge/ctl/registry_folder.h"
#include "simulators/lab/credential.h"
#include "tests/support/openssl_tool.h"

namespace registry::test {

// Below `folder`, as `name`; the DS of its zone.
inline std::string MakeRegistryHome(const TemporaryFolder& folder, const std::string& name = "r",
                                    const std::string& zone = "iotregistry.test",
                                    UtcTime now = SystemClock().Now()) {
  ctl::NewRegistry options;
  options.folder = folder.In(name);
  options.zone = zone;
  options.now = now;
  const auto created = ctl::CreateFolder(options);
  EXPECT_TRUE(created.ok()) << created.error().message;
  EXPECT_TRUE(lab::MakeCredential(options.folder + "/interface/resolver", "resolver." + zone).ok());
  return created.ok() ? created->ds : "";
}

// For a registryd of its own: free ports, which run.json says, and nobody who listens for MQTT. `more` ends its
// registry.toml.
inline void MakeRunnableHome(const TemporaryFolder& folder, const std::string& more = "") {
  MakeRegistryHome(folder);
  std::string text = folder.Read("r/registry.toml");
  text = std::regex_replace(text, std::regex("port = (5300|9180)"), "port = 0");
  text = std::regex_replace(text, std::regex("port = 8883"), "port = 1");
  folder.Write("r/registry.toml", text + "\n" + more);
}

}  // namespace registry::test
