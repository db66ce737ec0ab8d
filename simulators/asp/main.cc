// asp-sim --config FILE: see README.md. Ends with exit code 0 when its input ends or on SIGTERM.
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include "simulators/asp/asp.h"

namespace {

using registry::Bytes;
using registry::Error;
using registry::Result;
using registry::sim::Asp;
using registry::sim::AspConfig;
using registry::sim::AspReport;
using registry::sim::ClientCheck;
using registry::sim::TlsServer;
using registry::sim::TlsSession;

// Blocked here, before any thread starts, so that only the descriptor hears them.
int SignalDescriptor() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

void TakeLines(std::string& pending, Asp& asp) {
  for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
    const auto command = nlohmann::json::parse(pending.substr(0, end), nullptr, false);
    pending.erase(0, end + 1);
    if (command.is_object()) asp.Control(command);
  }
}

void ServeInput(int signals, Asp& asp) {
  pollfd fds[2] = {{signals, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  std::string pending;
  char part[4096];
  while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
    if (fds[0].revents != 0) return;
    if (fds[1].revents == 0) continue;
    const ssize_t size = read(STDIN_FILENO, part, sizeof part);
    if (size <= 0) return;
    pending.append(part, static_cast<std::size_t>(size));
    TakeLines(pending, asp);
  }
}

void PrintLine(const nlohmann::json& event) {
  const std::string line = event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

Bytes DerFile(const std::string& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return registry::FromPem("CERTIFICATE", text.str()).value_or(Bytes{});
}

Result<std::unique_ptr<ClientCheck>> MakeCheck(const AspConfig& config) {
  auto resolver = registry::sim::DaneResolver::Create(config.resolver);
  if (!resolver) return resolver.error();
  return ClientCheck::Create({DerFile(config.root_file), DerFile(config.issuing_file), config.zone},
                             *resolver);
}

void ReportSession(AspReport& report, const TlsSession& session) {
  report.Step(session.name.substr(0, session.name.find('.')), "asp_check", session.begun, session.reason);
}

int Fail(const Error& error, int code) {
  std::cerr << "asp-sim: " << error.message << "\n";
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "--config") != 0) {
    std::cerr << "usage: asp-sim --config FILE\n";
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  const int signals = SignalDescriptor();
  const auto config = registry::sim::ReadAspConfig(argv[2]);
  if (!config) return Fail(config.error(), 2);
  AspReport report(PrintLine);
  const auto check = MakeCheck(*config);
  if (!check) return Fail(check.error(), 1);
  const auto server = TlsServer::Start(config->tls, **check,
                                       [&](const TlsSession& session) { ReportSession(report, session); });
  if (!server) return Fail(server.error(), 1);
  const auto asp = Asp::Start(*config, report);
  if (!asp) return Fail(asp.error(), 1);
  report.Say({{"event", "ready"}, {"program", "asp-sim"}, {"party", config->mqtt.party}});
  ServeInput(signals, **asp);
  return 0;
}
