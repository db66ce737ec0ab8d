#include "tests/crash/node_clock.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "schemas/base/check.h"

namespace registry::test {

namespace fs = std::filesystem;

Status MakeSteppedPrograms(const std::string& built, const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  for (const auto& entry : fs::directory_iterator(built, error)) {
    const std::string name = entry.path().filename();
    if (name != "registryd") fs::create_symlink(entry.path(), fs::path(folder) / name, error);
    if (error) break;
  }
  const std::string file = folder + "/registryd";
  std::ofstream(file) << "#!/bin/sh\n"
                      << "exec env LD_PRELOAD=" << built
                      << "/stepped-clock.so REGISTRY_CLOCK_FILE=\"${2%/*}/clock\" " << built
                      << "/registryd \"$@\"\n";
  if (!error) fs::permissions(file, fs::perms::owner_all, error);
  return error ? Status(Error::Make(Code::kFailed, "lab_failed", folder + ": " + error.message()))
               : Status(Done{});
}

NodeClock::NodeClock(const std::string& node_folder) {
  const std::string file = node_folder + "/clock";
  const int opened = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  REG_CHECK(opened >= 0);
  REG_CHECK(::ftruncate(opened, sizeof *step_) == 0);
  void* const mapped = ::mmap(nullptr, sizeof *step_, PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
  ::close(opened);
  REG_CHECK(mapped != MAP_FAILED);
  step_ = static_cast<volatile std::int64_t*>(mapped);
  *step_ = 0;
}

NodeClock::~NodeClock() { ::munmap(const_cast<std::int64_t*>(step_), sizeof *step_); }

void NodeClock::Set(std::int64_t seconds) { *step_ = seconds; }

}  // namespace registry::test
