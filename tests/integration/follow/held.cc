// held CONFIG HOLD_AT: held.py over clients/follow/follower.h.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "clients/follow/follower.h"

namespace registry::follow {
namespace {

Options OptionsIn(const std::string& file) {
  std::ifstream text(file);
  const auto json = nlohmann::json::parse(text);
  Options options{json.at("host"),     json.at("port"),  json.at("ca_file"),      json.at("cert_file"),
                  json.at("key_file"), json.at("party"), json.at("position_file")};
  options.acknowledge = json.value("acknowledge", true);
  options.reply_seconds = json.at("reply_seconds");
  return options;
}

int Follow(const std::string& config, std::int64_t hold_at) {
  sigset_t ends{};
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  Handlers handlers;
  handlers.handle = [hold_at](const Notification& notification) {
    std::cout << "handled " << notification.seq << ' ' << notification.type << std::endl;
    const auto seq = static_cast<std::int64_t>(notification.seq);
    while (seq == hold_at) ::pause();
    if (seq == -hold_at) throw std::runtime_error("the handler's disk is full");
    return true;
  };
  handlers.lost = [](std::uint64_t first, std::uint64_t last) {
    std::cout << "lost " << first << ' ' << last << std::endl;
  };
  handlers.trouble = [](const std::string& text) { std::cerr << text << std::endl; };
  Follower follower(OptionsIn(config), handlers);
  std::jthread signals([&ends, &follower](const std::stop_token& stop) {
    const timespec look{0, 50'000'000};
    while (!stop.stop_requested()) {
      if (sigtimedwait(&ends, nullptr, &look) > 0) follower.Stop();
    }
  });
  const std::string why = follower.Run();
  if (!why.empty()) std::cerr << "refused: " << why << std::endl;
  return why.empty() ? 0 : 1;
}

}  // namespace
}  // namespace registry::follow

int main(int argc, char** argv) {
  return argc == 3 ? registry::follow::Follow(argv[1], std::strtoll(argv[2], nullptr, 10)) : 2;
}
