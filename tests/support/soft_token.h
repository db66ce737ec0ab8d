// tests/support/soft_token.h: a real token of SoftHSM 2 in a folder of a test's own, with a PIN in a file. The environment
// says where it is (SOFTHSM2_CONF), so a program has one at a time, and whoever it starts has the same.
#pragma once

#include <stdlib.h>
#include <sys/stat.h>

#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"

namespace registry::test {

class SoftToken {
 public:
  static constexpr char kModule[] = "/usr/lib/softhsm/libsofthsm2.so";

  explicit SoftToken(const std::string& label = "registry") : label_(label) {
    std::filesystem::create_directory(folder_.path() / "tokens");
    folder_.Write("softhsm2.conf", "directories.tokendir = " + folder_.In("tokens") +
                                       "\nobjectstore.backend = file\nlog.level = ERROR\n");
    setenv("SOFTHSM2_CONF", folder_.In("softhsm2.conf").c_str(), 1);
    Initialise(label);
    WritePin("pin", "123456\n");
  }

  void Initialise(const std::string& label) const {
    const Ran made = Shell("softhsm2-util --init-token --free --label '" + label +
                           "' --so-pin 12345678 --pin 123456 2>&1");
    REG_CHECK(made.ok());
  }
  std::string WritePin(const std::string& name, const std::string& pin) const {
    const std::string file = folder_.Write(name, pin);
    REG_CHECK(chmod(file.c_str(), 0600) == 0);
    return file;
  }
  std::string Uri(const std::string& object, const std::string& module = kModule,
                  const std::string& pin = "pin") const {
    return "pkcs11:token=" + label_ + ";object=" + object + "?module-path=" + module +
           "&pin-source=file:" + folder_.In(pin);
  }
  // OpenSC's tool, which shares no code with ours.
  Ran Tool(const std::string& arguments) const {
    return Shell(std::string("pkcs11-tool --module ") + kModule + " --token-label '" + label_ +
                 "' --login --pin 123456 " + arguments + " 2>&1");
  }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  const TemporaryFolder folder_;
  const std::string label_;
};

}  // namespace registry::test
