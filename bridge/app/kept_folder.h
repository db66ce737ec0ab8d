// bridge/app/kept_folder.h: the kept state (bridge/ledger/kept_state.h) as files of a folder that is registryd's own, 0600
// each, named as the state is.
// Threads: any. Errors: file_failed.
#pragma once

#include <string>

#include "bridge/ledger/kept_state.h"

namespace registry::app {

class KeptFolder final : public ledger::KeptState {
 public:
  explicit KeptFolder(std::string folder) : folder_(std::move(folder)) {}
  Result<std::optional<std::string>> Read(const std::string& name) const override;
  Status Write(const std::string& name, std::string_view text) override;

 private:
  std::string PathOf(const std::string& name) const { return folder_ + "/" + name; }
  const std::string folder_;
};

}  // namespace registry::app
