// bridge/keys/token_module.h: a PKCS#11 module (a vendor's shared object) in this process: loaded and initialised once
// however many keys are in it, and begun anew when its tokens are lost for good.
// Whoever calls a function of it holds a Use, so that it is never ended under a call (PKCS#11 §5.4: C_Finalize while
// others call is undefined). Each new beginning is another generation, in which no handle of an earlier one counts.
// Owns: the module; it is finalised and unloaded with its last owner. Threads: any. A call into the module may take as long
// as the module likes; nothing can end it.
// Errors (2400): token_module.
#pragma once

#include <p11-kit/pkcs11.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "schemas/base/mutex.h"
#include "schemas/base/result.h"

namespace registry::keys {

class TokenModule {
 public:
  class Use {
   public:
    Use(Use&& other) noexcept
        : module_(std::exchange(other.module_, nullptr)), generation_(other.generation_) {}
    Use& operator=(Use&&) = delete;
    ~Use() {
      if (module_ != nullptr) module_->Leave();
    }
    CK_FUNCTION_LIST& functions() const { return *module_->functions_; }
    std::uint64_t generation() const { return generation_; }

   private:
    friend class TokenModule;
    Use(TokenModule* module, std::uint64_t generation) : module_(module), generation_(generation) {}
    TokenModule* module_;
    std::uint64_t generation_;
  };

  static Result<std::shared_ptr<TokenModule>> Open(const std::string& path);
  explicit TokenModule(std::string path);  // for Open
  TokenModule(const TokenModule&) = delete;
  TokenModule& operator=(const TokenModule&) = delete;
  ~TokenModule();

  const std::string& path() const { return path_; }
  // Not while it begins anew.
  std::optional<Use> Enter();
  // Finalises and initialises it once every Use is over. It does nothing when somebody has done so since `generation`, or
  // less than kRestartPause ago: other tokens of the module suffer from it.
  static constexpr std::chrono::seconds kRestartPause{5};
  Status Restart(std::uint64_t generation);

 private:
  Status Load();
  Status Initialise();
  void Leave();

  const std::string path_;
  CK_FUNCTION_LIST* functions_ = nullptr;
  bool initialised_ = false;  // by Open, then by the one that restarts
  Mutex mutex_;
  CondVar left_;
  std::uint64_t generation_ GUARDED_BY(mutex_) = 1;
  std::size_t uses_ GUARDED_BY(mutex_) = 0;
  bool restarting_ GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::time_point restarted_ GUARDED_BY(mutex_);
};

}  // namespace registry::keys
