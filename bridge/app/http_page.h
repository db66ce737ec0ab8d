// bridge/app/http_page.h: makes one page on a thread of its own, so that a page that has to wait (for a disk that does not
// answer, say) keeps no other page and no connection waiting. However many ask meanwhile, the page is made once for all.
// Owns: one thread. Ask and MadeFor from the server's thread; `make` and `made` are called on the page's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "bridge/app/http.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {

class PageMaker {
 public:
  using Ticket = std::uint64_t;

  PageMaker(std::function<Page()> make, std::function<void()> made);
  Ticket Ask();
  // Begun after the ticket was given; null until it is there.
  std::shared_ptr<const Page> MadeFor(Ticket ticket) const;

 private:
  void Run();

  const std::function<Page()> make_;
  const std::function<void()> made_;
  mutable Mutex mutex_;
  CondVar wake_;
  Ticket asked_ GUARDED_BY(mutex_) = 0, ready_ GUARDED_BY(mutex_) = 0;
  std::shared_ptr<const Page> page_ GUARDED_BY(mutex_);
  OwnThread thread_{mutex_, wake_};  // its end waits for the page that is being made
};

}  // namespace registry::app
