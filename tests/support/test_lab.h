// tests/support/test_lab.h: a lab (simulators/lab/lab.h) of this build's own programs, as every test of a lab begins it, and
// registryctl over its registry.
// Errors: what does not start fails the test with its reason, and the pointer is null.
// A folder that the lab chose itself is removed when the program ends and no test of it has failed.
// Threads: one that lives as long as the test (lab.h).
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "simulators/lab/lab.h"

namespace registry::test {

// Nothing runs yet, so that its files can still be changed. The folder of broker configuration is filled in, and that of
// programs where none is given.
std::unique_ptr<lab::Lab> NewLab(lab::LabOptions options);
// With its servers.
std::unique_ptr<lab::Lab> NewLabOfServers(lab::LabOptions options);
// With its simulators too, so that provisioning begins.
std::unique_ptr<lab::Lab> NewWholeLab(lab::LabOptions options);

// What `registryctl WORDS --json` says with the lab's configuration. A failure of it fails the test, and is no value.
// `program_folder`: of another registryctl than this build's.
nlohmann::json Registryctl(const lab::Lab& lab, std::vector<std::string> words,
                           const std::string& program_folder = {});

// How many lines of a program's log, of all its runs, have this.
std::ptrdiff_t LinesWith(const lab::Lab& lab, const std::string& program, const std::regex& part);

}  // namespace registry::test
