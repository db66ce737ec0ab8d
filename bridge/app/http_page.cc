#include "bridge/app/http_page.h"

namespace registry::app {

PageMaker::PageMaker(std::function<Page()> make, std::function<void()> made)
    : make_(std::move(make)), made_(std::move(made)) {
  thread_.Start("http-page", [this] { Run(); });
}

PageMaker::Ticket PageMaker::Ask() {
  const MutexLock lock(mutex_);
  wake_.NotifyAll();
  return ++asked_;
}

std::shared_ptr<const Page> PageMaker::MadeFor(Ticket ticket) const {
  const MutexLock lock(mutex_);
  return ready_ >= ticket ? page_ : nullptr;
}

void PageMaker::Run() {
  MutexLock lock(mutex_);
  while (true) {
    thread_.Wait(lock, [this]() REQUIRES(mutex_) { return asked_ > ready_; });
    if (thread_.stopping()) return;
    const Ticket for_whom = asked_;
    lock.Unlock();
    auto page = std::make_shared<const Page>(make_());
    lock.Lock();
    page_ = std::move(page);
    ready_ = for_whom;
    lock.Unlock();
    made_();
    lock.Lock();
  }
}

}  // namespace registry::app
