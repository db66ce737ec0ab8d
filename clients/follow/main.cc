// registry-follow CONFIG.json: prints each notification of a party, one CloudEvent a line, at least once and without a gap
// (README.md beside this file). The number is stored when the line is written and flushed. Ends with 0 after SIGINT or
// SIGTERM, with 1 when following cannot go on, with 2 when it could not begin.
#include <pthread.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "clients/follow/follower.h"
#include "schemas/base/own_thread.h"
#include "schemas/base/standard_descriptors.h"
#include "schemas/base/wrong_command.h"

namespace {

using registry::OwnThread;
using registry::follow::Follower;
using registry::follow::Notification;
using registry::follow::Options;

Options OptionsIn(const std::string& file) {
  std::ifstream text(file);
  if (!text) throw std::runtime_error("it cannot be read");
  const auto json = nlohmann::json::parse(text);
  Options options;
  options.host = json.at("host");
  options.port = json.at("port");
  options.ca_file = json.at("ca_file");
  options.cert_file = json.at("cert_file");
  options.key_file = json.at("key_file");
  options.party = json.at("party");
  options.position_file = json.at("position_file");
  options.acknowledge = json.value("acknowledge", true);
  options.reply_seconds = json.value("reply_seconds", 10);
  return options;
}

bool Print(const Notification& notification) {
  std::cout << notification.envelope << std::endl;
  return std::cout.good();
}

// Signals come to one thread alone, and end Run in another.
int Follow(const Options& options) {
  sigset_t ends{};
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  Follower follower(options, {Print, {}, [](const std::string& text) { std::cerr << text << std::endl; }});
  OwnThread signals;
  signals.Start("signals", [&signals, &follower, &ends] {
    const timespec look{0, 100'000'000};
    while (!signals.stopping()) {
      if (sigtimedwait(&ends, nullptr, &look) > 0) follower.Stop();
    }
  });
  const std::string why = follower.Run();
  if (!why.empty()) std::cerr << "registry-follow: " << why << std::endl;
  return why.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  registry::OpenStandardDescriptors();
  CLI::App program("prints each notification of a party, at least once and without a gap", "registry-follow");
  std::string config;
  program.add_option("config", config, "host, port, ca_file, cert_file, key_file, party, position_file")
      ->required();
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    const std::string known = wrong.get_exit_code() != 0 ? registry::WrongCommand(program) : "";
    if (!known.empty()) std::cerr << known << "\n";
    return known.empty() ? (program.exit(wrong) == 0 ? 0 : 2) : 2;
  }
  try {
    return Follow(OptionsIn(config));
  } catch (const std::exception& fault) {
    std::cerr << "registry-follow: " << config << ": " << fault.what() << "\n";
    return 2;
  }
}
