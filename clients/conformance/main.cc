// registry-conformance mno|asp --lab lab.json: see README.md. Exit status 0: nothing failed; 1: something did, or nothing
// could be asked; 2: wrong use.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>

#include "clients/conformance/child.h"
#include "clients/conformance/clauses.h"
#include "clients/conformance/report.h"
#include "clients/conformance/run.h"
#include "schemas/base/standard_descriptors.h"

namespace {

using namespace registry::conformance;

std::atomic<bool> interrupted{false};

void Interrupt(int) { interrupted = true; }

struct Arguments {
  RunOptions run;
  std::vector<std::string> reports;
  std::string serves;
  int timeout_s = 60, quiet_ms = 3000, wait_s = 120;
  bool list = false;
};

void List(const std::string& role) {
  for (const Case& one : CasesOf(role)) {
    std::string clauses;
    for (const std::string& clause : one.clauses) clauses += (clauses.empty() ? "" : ",") + clause;
    std::cout << one.name << std::string(one.name.size() < 22 ? 22 - one.name.size() : 1, ' ') << clauses
              << std::string(clauses.size() < 8 ? 8 - clauses.size() : 1, ' ') << one.about << "\n";
  }
}

int WrongUse(const std::string& what) {
  std::cerr << "registry-conformance: " << what << "\n";
  return 2;
}

// Minutes of work must not end in a report that cannot be written. Empty: it can.
std::string UnwritableOf(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (!std::ofstream(file, std::ios::app)) return file;
  }
  return {};
}

std::string UnknownOf(const RunOptions& options) {
  const auto cases = CasesOf(options.role);
  for (const std::string& name : options.only) {
    if (std::none_of(cases.begin(), cases.end(), [&](const Case& one) { return one.name == name; }))
      return name;
  }
  return {};
}

// 0: it lets the device in; 1: it does not; everything else: that cannot be said.
std::function<std::optional<bool>(const std::string&)> Asking(const std::string& command) {
  if (command.empty()) return nullptr;
  return [command](const std::string& device) -> std::optional<bool> {
    const int status = StatusOfCommand(command, device);
    return status == 0 ? std::optional(true) : status == 1 ? std::optional(false) : std::nullopt;
  };
}

int Run(Arguments& arguments) {
  if (arguments.run.lab_file.empty()) return WrongUse("--lab is missing");
  if (const auto name = UnknownOf(arguments.run); !name.empty())
    return WrongUse("there is no case " + name + " of an " + arguments.run.role + "; --list has them");
  if (const auto file = UnwritableOf(arguments.reports); !file.empty())
    return WrongUse("cannot write to " + file);
  if (arguments.run.party.empty()) arguments.run.party = GuestOf(arguments.run.lab_file, arguments.run.role);
  if (arguments.run.party.empty())
    return WrongUse("the lab has no guest of that role; name a party with --party");
  arguments.run.wait = std::chrono::seconds(arguments.wait_s);
  arguments.run.cases.timeout = std::chrono::seconds(arguments.timeout_s);
  arguments.run.cases.quiet = std::chrono::milliseconds(arguments.quiet_ms);
  arguments.run.cases.serves = Asking(arguments.serves);
  arguments.run.interrupted = &interrupted;
  arguments.run.say = [](const std::string& line) { std::cout << line << std::endl; };
  const auto run = RunConformance(arguments.run);
  if (!run) return WrongUse(run.error().message);
  std::cout << OutcomeOf(*run) << std::endl;
  for (const std::string& file : arguments.reports) {
    const auto written = WriteReport(file, *run);
    if (!written) std::cerr << "registry-conformance: " << written.error().message << "\n";
    if (!written) return 1;
  }
  return run->Good() ? 0 : 1;
}

void AddOptions(CLI::App& command, Arguments& arguments) {
  command.add_option("--lab", arguments.run.lab_file, "lab.json of ./dev up; the lab need not run");
  command.add_option("--party", arguments.run.party, "who is asked; default: the lab's guest of that role");
  command.add_option("--report", arguments.reports, "HTML when it ends in .html, else JSON; may come twice");
  command.add_option("--only", arguments.run.only, "this case, and no other; may come again");
  command.add_option("--port", arguments.run.port, "to which the party connects; default: any free one");
  command.add_option("--wait", arguments.wait_s, "seconds for the party to connect (120)")
      ->check(CLI::Range(1, 3600));
  command.add_option("--timeout", arguments.timeout_s, "seconds for what must come (60)")
      ->check(CLI::Range(1, 3600));
  command.add_option("--quiet-ms", arguments.quiet_ms, "milliseconds for what must not come (3000)")
      ->check(CLI::Range(100, 600000));
  command.add_option("--seed", arguments.run.cases.seed, "of the noise in the case rubbish (1)");
  command.add_flag("--batches", arguments.run.cases.batches, "the party takes batches");
  command.add_flag("--list", arguments.list, "names the cases, and asks none");
}

}  // namespace

int main(int argc, char** argv) {
  registry::OpenStandardDescriptors();
  ::signal(SIGINT, Interrupt);
  ::signal(SIGTERM, Interrupt);
  Arguments arguments;
  CLI::App app(
      "Plays the registry to a party's own implementation, and says by clause of the contract what it keeps",
      "registry-conformance");
  app.require_subcommand(1);
  CLI::App* mno = app.add_subcommand("mno", "asks an MNO");
  AddOptions(*mno, arguments);
  CLI::App* asp = app.add_subcommand("asp", "asks an ASP");
  AddOptions(*asp, arguments);
  asp->add_option(
      "--serves", arguments.serves,
      "shell command, the device's id is its $1: exit status 0 when the ASP lets the device in, 1 when not");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // CLI11's only way to say so; it ends here
    return app.exit(error) == 0 ? 0 : 2;
  }
  arguments.run.role = mno->parsed() ? "mno" : "asp";
  if (arguments.list) {
    List(arguments.run.role);
    return 0;
  }
  return Run(arguments);
}
