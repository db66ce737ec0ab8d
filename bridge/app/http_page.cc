#include "bridge/app/http_page.h"

#include "bridge/thread_name.h"

namespace registry::app {

PageMaker::PageMaker(std::function<Page()> make, std::function<void()> made)
    : make_(std::move(make)), made_(std::move(made)), thread_(UnderName("http-page", [this] { Run(); })) {}

PageMaker::~PageMaker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

PageMaker::Ticket PageMaker::Ask() {
  const std::lock_guard lock(mutex_);
  wake_.notify_all();
  return ++asked_;
}

std::shared_ptr<const Page> PageMaker::MadeFor(Ticket ticket) const {
  const std::lock_guard lock(mutex_);
  return ready_ >= ticket ? page_ : nullptr;
}

void PageMaker::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || asked_ > ready_; });
    if (stopping_) return;
    const Ticket for_whom = asked_;
    lock.unlock();
    auto page = std::make_shared<const Page>(make_());
    lock.lock();
    page_ = std::move(page);
    ready_ = for_whom;
    lock.unlock();
    made_();
    lock.lock();
  }
}

}  // namespace registry::app
