#include "bridge/app/http_page.h"

namespace registry::app {

PageMaker::PageMaker(std::function<Page()> make, std::function<void()> made)
    : make_(std::move(make)), made_(std::move(made)) {
  thread_.Start("http-page", [this] { Run(); });
}

Maker::Ticket PageMaker::Ask() {
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

EachMaker::EachMaker(HttpSite::Asked make, std::function<void()> made)
    : make_(std::move(make)), made_(std::move(made)) {
  thread_.Start("http-each", [this] { Run(); });
}

Maker::Ticket EachMaker::Ask(HttpRequest request) {
  const MutexLock lock(mutex_);
  waiting_.emplace(++asked_, std::move(request));
  wake_.NotifyAll();
  return asked_;
}

std::shared_ptr<const Page> EachMaker::MadeFor(Ticket ticket) const {
  const MutexLock lock(mutex_);
  const auto ready = ready_.find(ticket);
  return ready == ready_.end() ? nullptr : ready->second;
}

void EachMaker::Forget(Ticket ticket) {
  const MutexLock lock(mutex_);
  waiting_.erase(ticket);
  ready_.erase(ticket);
}

void EachMaker::Run() {
  MutexLock lock(mutex_);
  while (true) {
    thread_.Wait(lock, [this]() REQUIRES(mutex_) { return !waiting_.empty(); });
    if (thread_.stopping()) return;
    const auto next = waiting_.extract(waiting_.begin());
    ready_.emplace(next.key(), nullptr);
    lock.Unlock();
    auto page = std::make_shared<const Page>(make_(next.mapped()));
    lock.Lock();
    // Who has gone meanwhile has taken its place along.
    if (const auto place = ready_.find(next.key()); place != ready_.end()) place->second = std::move(page);
    lock.Unlock();
    made_();
    lock.Lock();
  }
}

}  // namespace registry::app
