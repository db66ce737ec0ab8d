#include "tests/support/built_lab.h"

#include <filesystem>

namespace registry::test {

lab::LabOptions BuiltLab() {
  lab::LabOptions options;
  options.program_folder = std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
  options.broker_config_folder = REGISTRY_BROKER_CONFIG;
  return options;
}

}  // namespace registry::test
