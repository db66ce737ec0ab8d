// bridge/app/http_page.h: makes pages on threads of their own, so that a page that has to wait (for a disk that does not
// answer, say) keeps no other connection waiting.
// PageMaker: one page that is the same for all: however many ask meanwhile, it is made once for all.
// EachMaker: a page for each who asks, one after the other, so that many who ask read no more of the ledger than one does.
//   What nobody waits for any more is not made.
// Owns: one thread each. Ask, MadeFor and Forget from the server's thread; `make` and `made` are called on the maker's.
// Limits of EachMaker: a connection asks once, so kHttpConnectionsMax.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "bridge/app/http.h"
#include "schemas/base/mutex.h"
#include "schemas/base/own_thread.h"

namespace registry::app {

class Maker {
 public:
  using Ticket = std::uint64_t;
  virtual ~Maker() = default;
  // Begun after the ticket was given; null until it is there.
  virtual std::shared_ptr<const Page> MadeFor(Ticket ticket) const = 0;
  // Who asked has its page, or has gone.
  virtual void Forget(Ticket) {}
};

class PageMaker : public Maker {
 public:
  PageMaker(std::function<Page()> make, std::function<void()> made);
  Ticket Ask();
  std::shared_ptr<const Page> MadeFor(Ticket ticket) const override;

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

class EachMaker : public Maker {
 public:
  EachMaker(HttpSite::Asked make, std::function<void()> made);
  Ticket Ask(HttpRequest request);
  std::shared_ptr<const Page> MadeFor(Ticket ticket) const override;
  void Forget(Ticket ticket) override;

 private:
  void Run();

  const HttpSite::Asked make_;
  const std::function<void()> made_;
  mutable Mutex mutex_;
  CondVar wake_;
  Ticket asked_ GUARDED_BY(mutex_) = 0;
  std::map<Ticket, HttpRequest> waiting_ GUARDED_BY(mutex_);
  std::map<Ticket, std::shared_ptr<const Page>> ready_ GUARDED_BY(mutex_);  // null: being made
  OwnThread thread_{mutex_, wake_};
};

}  // namespace registry::app
