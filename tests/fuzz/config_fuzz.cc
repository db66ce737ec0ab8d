// Attacked: registry.toml. It is its owner's, but registryd and registryctl read it as root where they are run so.
// A fault: a crash, an exception; a file that is refused without a sentence, or under another symbol than the two that the
// documents name; a configuration that is taken and whose numbers are out of what the documents allow.
#include <sys/mman.h>
#include <unistd.h>

#include "bridge/app/config.h"
#include "schemas/base/check.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = memfd_create("registry.toml", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  REG_CHECK(file >= 0 && ftruncate(file, 0) == 0);
  REG_CHECK(pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
  const auto config = registry::app::LoadConfig(path);
  if (!config) {
    const auto& error = config.error();
    REG_CHECK(error.symbol == "config_unreadable" || error.symbol == "config_invalid");
    REG_CHECK(!error.message.empty());
    return 0;
  }
  REG_CHECK(!config->zone.empty() && !config->trust_anchors.empty() && !config->ledger_folder.empty());
  REG_CHECK(config->mqtt.port != 0 && config->resolver.port != 0);
  REG_CHECK(config->lanes > 0 && config->queue_max > 0 && config->retry.usual.attempts_max > 0);
  REG_CHECK(config->mqtt.in_flight > 0 && config->mqtt.receive_maximum > 0);
  REG_CHECK(config->pki.validity_days > 0 && config->pki.crl_days > 0 && config->payload_validity_days > 0);
  return 0;
}
