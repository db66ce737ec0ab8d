#include "bridge/keys/token_module.h"

#include <p11-kit/p11-kit.h>

#include <map>

namespace registry::keys {
namespace {

constexpr std::chrono::seconds kQuietWithin{5};  // for calls that are under way when it is to begin anew

Error ModuleError(const std::string& why) { return Error::Make(Code::kFailed, "token_module", why); }

// PKCS#11 counts initialisations by process, so there is one TokenModule for a path.
struct Loaded {
  Mutex mutex;
  std::map<std::string, std::weak_ptr<TokenModule>> modules GUARDED_BY(mutex);
};
Loaded& AllModules() {
  static Loaded* const all = new Loaded;  // NOLINT: outlives whoever is destroyed at the end
  return *all;
}

}  // namespace

TokenModule::TokenModule(std::string path) : path_(std::move(path)) {}

TokenModule::~TokenModule() {
  if (functions_ == nullptr) return;
  if (initialised_) functions_->C_Finalize(nullptr);
  p11_kit_module_release(functions_);
}

Result<std::shared_ptr<TokenModule>> TokenModule::Open(const std::string& path) {
  Loaded& all = AllModules();
  const MutexLock lock(all.mutex);
  if (auto loaded = all.modules[path].lock()) return loaded;
  auto module = std::make_shared<TokenModule>(path);
  if (auto ready = module->Load(); !ready) return ready.error();
  all.modules[path] = module;
  return module;
}

// Unmanaged: p11-kit's own layer would keep the module initialised for its other users, and with it a lost connection.
Status TokenModule::Load() {
  functions_ = p11_kit_module_load(path_.c_str(), P11_KIT_MODULE_UNMANAGED | P11_KIT_MODULE_CRITICAL);
  if (functions_ == nullptr) {
    const char* const why = p11_kit_message();
    return ModuleError(path_ + " cannot be loaded as a PKCS#11 module" +
                       (why == nullptr ? "" : std::string(": ") + why));
  }
  return Initialise();
}

// Many threads will call, so it has to lock (PKCS#11 §5.4); p11-kit's own initialisation does not ask that of an unmanaged
// one, and SoftHSM then locks nothing.
Status TokenModule::Initialise() {
  CK_C_INITIALIZE_ARGS locking{};
  locking.flags = CKF_OS_LOCKING_OK;
  const CK_RV initialised = functions_->C_Initialize(&locking);
  initialised_ = initialised == CKR_OK;
  if (initialised_) return Done{};
  return ModuleError(path_ + " does not begin: " + p11_kit_strerror(initialised));
}

std::optional<TokenModule::Use> TokenModule::Enter() {
  const MutexLock lock(mutex_);
  if (restarting_) return std::nullopt;
  ++uses_;
  return Use(this, generation_);
}

void TokenModule::Leave() {
  const MutexLock lock(mutex_);
  if (--uses_ == 0) left_.NotifyAll();
}

Status TokenModule::Restart(std::uint64_t generation) {
  MutexLock lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  const bool lately = restarted_.time_since_epoch().count() != 0 && now - restarted_ < kRestartPause;
  if (generation != generation_ || restarting_ || lately) return Done{};
  restarting_ = true;
  restarted_ = now;
  const bool quiet = left_.WaitFor(lock, kQuietWithin, [this]() REQUIRES(mutex_) { return uses_ == 0; });
  Status begun = Done{};
  if (quiet) {
    lock.Unlock();  // nobody enters meanwhile
    if (initialised_) functions_->C_Finalize(nullptr);
    begun = Initialise();
    lock.Lock();
    ++generation_;
  } else {
    begun = ModuleError(path_ + " has a call under way that does not end");
  }
  restarting_ = false;
  return begun;
}

}  // namespace registry::keys
