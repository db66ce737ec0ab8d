#include "simulators/lab/revocation_probe.h"

#include "simulators/lab/probe.h"

namespace registry::lab {
namespace {

constexpr std::chrono::milliseconds kBetweenQuestions{10};

}  // namespace

RevocationProbe::RevocationProbe(const Layout& layout, std::string name)
    : name_(std::move(name)), authority_(layout.authority), resolver_(layout.resolver) {
  (void)AskTlsa(kAddress, resolver_, name_);
  begun_ = std::chrono::steady_clock::now();
  thread_.Start("revocation", [this] { Run(); });
}

void RevocationProbe::Run() {
  MutexLock lock(mutex_);
  do {
    const bool served = !unserved_, believed = !disbelieved_;
    lock.Unlock();
    const bool gone = served && AskTlsa(kAddress, authority_, name_).there == false;
    const double gone_ms = elapsed_ms();
    const TlsaAnswer answer = believed ? AskTlsa(kAddress, resolver_, name_) : TlsaAnswer();
    const double forgotten_ms = elapsed_ms();
    lock.Lock();
    if (gone) unserved_ = gone_ms;
    if (answer.there == false && answer.authentic) disbelieved_ = forgotten_ms;
  } while (!(unserved_ && disbelieved_) && thread_.Rest(lock, kBetweenQuestions));
}

std::optional<double> RevocationProbe::unserved_ms() const {
  const MutexLock lock(mutex_);
  return unserved_;
}

std::optional<double> RevocationProbe::disbelieved_ms() const {
  const MutexLock lock(mutex_);
  return disbelieved_;
}

double RevocationProbe::elapsed_ms() const {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun_).count();
}

}  // namespace registry::lab
