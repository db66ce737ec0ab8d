// bridge/ingest/fair_queue.h: what several senders want done, handed out in turn, so that nobody stands behind more than
// one turn of each other sender, however much that one wants. Deficit round robin (Shreedhar and Varghese, SIGCOMM 1995):
// a turn is `quantum` of cost; what is dearer waits until its sender's turns have saved up for it.
// One sender's items come out in the order they went in. Not safe from several threads at once.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace registry::ingest {

template <class Item>
class FairQueue {
 public:
  struct Next {
    std::string sender;
    Item item;
  };

  explicit FairQueue(std::size_t quantum) : quantum_(quantum) {}

  void Push(const std::string& sender, std::size_t cost, Item item) {
    Line& line = LineOf(sender);
    line.items.push_back({cost, std::move(item)});
    ++size_;
    Enter(line);
  }

  // Before what the sender wants already.
  void PushFront(const std::string& sender, std::size_t cost, Item item) {
    Line& line = LineOf(sender);
    line.items.push_front({cost, std::move(item)});
    ++size_;
    Enter(line);
  }

  // nullopt when there is nothing, or only of held senders.
  std::optional<Next> Pop() {
    while (!turns_.empty()) {
      Line& line = *turns_.front();
      if (line.saved >= line.items.front().cost) return Take(line);
      line.saved += quantum_;
      turns_.splice(turns_.end(), turns_, turns_.begin());
    }
    return std::nullopt;
  }

  // Nothing of a held sender comes out; its items wait.
  void Hold(const std::string& sender) {
    Line& line = LineOf(sender);
    line.held = true;
    Leave(line);
  }
  void Release(const std::string& sender) {
    Line& line = LineOf(sender);
    line.held = false;
    Enter(line);
    ForgetIfIdle(sender);
  }

  std::size_t size() const { return size_; }
  bool ready() const { return !turns_.empty(); }

 private:
  struct Priced {
    std::size_t cost;
    Item item;
  };
  struct Line {
    std::string sender;
    std::deque<Priced> items;
    std::size_t saved = 0;
    bool held = false, in_turn = false;
  };

  Line& LineOf(const std::string& sender) {
    Line& line = lines_[sender];
    line.sender = sender;
    return line;
  }
  void Enter(Line& line) {
    if (line.in_turn || line.held || line.items.empty()) return;
    turns_.push_back(&line);
    line.in_turn = true;
  }
  void Leave(Line& line) {
    if (line.in_turn) turns_.remove(&line);
    line.in_turn = false;
  }
  Next Take(Line& line) {
    Next next{line.sender, std::move(line.items.front().item)};
    line.saved -= line.items.front().cost;
    line.items.pop_front();
    --size_;
    if (!line.items.empty()) return next;
    // Who wants nothing saves nothing.
    line.saved = 0;
    Leave(line);
    ForgetIfIdle(next.sender);
    return next;
  }
  void ForgetIfIdle(const std::string& sender) {
    const auto line = lines_.find(sender);
    if (line->second.items.empty() && !line->second.held) lines_.erase(line);
  }

  const std::size_t quantum_;
  std::map<std::string, Line> lines_;  // only senders that want something or are held
  std::list<Line*> turns_;             // in turn: whoever has items and is not held
  std::size_t size_ = 0;
};

}  // namespace registry::ingest
