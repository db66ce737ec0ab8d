#include "bridge/ctl/party_life_commands.h"

#include <iostream>
#include <map>
#include <memory>

#include "bridge/app/command_line.h"
#include "bridge/app/config.h"
#include "bridge/clock.h"
#include "bridge/ctl/choice.h"
#include "bridge/ctl/hand_over.h"
#include "bridge/ctl/ledger_source.h"
#include "bridge/ctl/party_holdings.h"
#include "bridge/ctl/party_life.h"
#include "bridge/ctl/running.h"
#include "bridge/ctl/withdraw.h"

namespace registry::ctl {
namespace {

[[noreturn]] void FailParty(const Error& error) {
  std::cerr << "registryctl: " << error.message << " (" << error.symbol << ")\n";
  // What was typed, not what is there.
  throw CLI::RuntimeError(error.symbol == "party_name" ? app::kExitWrong : app::kExitFailed);
}

template <class T>
T OrFailParty(Result<T> result) {
  if (!result) FailParty(result.error());
  return std::move(*result);
}

struct PartyOptions {
  std::string folder, name, request, serial;
  wire::Role role = wire::Role::kMno;
  PartyKeys keys{};
  bool keep_old = false;
};
using Shared = std::shared_ptr<PartyOptions>;

// What is to be told when the files have changed. Everybody is told before a failure is.
class Telling {
 public:
  // A folder whose configuration cannot be read has no registryd either.
  explicit Telling(const std::string& folder) : config_(app::LoadConfig(folder + "/registry.toml")) {}
  Telling& Registryd() { return Say(config_ ? TellRegistryd(*config_) : Untold("registryd")); }
  Telling& Broker() { return Say(config_ ? TellBroker(*config_) : Untold("the broker")); }
  void End() const {
    if (failed_) throw CLI::RuntimeError(app::kExitFailed);
  }

 private:
  Told Untold(const std::string& whom) const {
    return {true, whom + " was not told: " + config_.error().message};
  }
  Telling& Say(const Told& told) {
    if (told.failed) {
      std::cerr << "registryctl: " << told.sentence << "\n";
    } else {
      std::cout << told.sentence << "\n";
    }
    failed_ |= told.failed;
    return *this;
  }
  const Result<app::Config> config_;
  bool failed_ = false;
};

void SayAccepted(const std::vector<IssuedToParty>& certificates) {
  for (const IssuedToParty& one : certificates) {
    std::cout << "still accepted of " << one.party << ": " << SerialText(one.serial) << " until "
              << one.not_after << "\n";
  }
}

// But for the newest, which was just made.
void SayOlder(const PartyOptions& options) {
  auto accepted = OrFailParty(AcceptedOf(options.folder, options.name));
  if (!accepted.empty()) accepted.pop_back();
  SayAccepted(accepted);
}

void SayFiles(const PartyOptions& options) {
  const bool keyed = options.request.empty();
  std::cout << options.folder << "/interface/parties/" << options.name << (keyed ? ".{pem,key}" : ".pem")
            << "\n"
            << OrFailParty(HandOver(options.folder, options.name)) << ": give this to the party"
            << (keyed ? ", over a way that keeps its key secret" : "") << "\n";
}

void RunAdd(const PartyOptions& options) {
  const NewParty party{options.folder,      options.name,    options.role,
                       SystemClock().Now(), options.request, options.keys};
  if (const auto added = AddParty(party); !added) FailParty(added.error());
  SayFiles(options);
  SayOlder(options);
  Telling(options.folder).Registryd().End();
}

void RunRenew(const PartyOptions& options) {
  const auto renewed =
      RenewParty({options.folder, options.name, SystemClock().Now(), options.request, options.keep_old});
  // Whatever failed behind it: what is withdrawn is told, also what an earlier attempt has withdrawn.
  Telling telling(options.folder);
  if (!options.keep_old && (renewed || renewed.error().symbol != "party_missing")) telling.Broker();
  for (const std::string& serial : OrFailParty(renewed)) std::cout << "withdrawn: " << serial << "\n";
  SayFiles(options);
  SayOlder(options);
  telling.End();
}

void RunChange(const PartyOptions& options) {
  if (options.keys.empty())
    FailWrong("say what is to change: --contact, --batches, --auto-approve or --limit");
  const auto changed = ChangeParty(options.folder, options.name, options.keys, SystemClock().Now());
  if (!changed) FailParty(changed.error());
  Telling(options.folder).Registryd().End();
}

// Done all the same: a list may name what is no longer known here.
void Warn(const std::string& folder, const Withdrawal& done) {
  std::string what;
  if (!done.party) {
    what = "no certificate with the serial " + done.serial + " is recorded in " + folder +
           "/interface/issued.txt: was it mistyped?";
  } else if (*done.party == "registryd") {
    what =
        "this is registryd's own certificate: from its next start or SIGHUP on the broker does not let "
        "registryd in. "
        "Give it another one of CN registryd, issued by interface/ca.pem (mqtt.certificate_file)";
  } else if (*done.party == "broker") {
    what =
        "this is the broker's own certificate, and no client looks at this list: replace it with "
        "`registryctl broker "
        "certificate`";
  }
  if (!what.empty()) std::cerr << "registryctl: warning: " << what << "\n";
}

void RunWithdraw(const PartyOptions& options) {
  const UtcTime now = SystemClock().Now();
  const auto done = OrFailParty(options.serial.empty()
                                    ? WithdrawByName(options.folder, options.name, now)
                                    : WithdrawBySerial(options.folder, *ParseSerial(options.serial), now));
  const std::string whose = done.party.value_or("nobody that is recorded here");
  std::cout << options.folder << "/interface/crl.pem: the certificate " << done.serial << " of " << whose
            << (done.before ? " was withdrawn before\n" : " is withdrawn\n");
  for (const std::string& serial : done.also) std::cout << "withdrawn with it: " << serial << "\n";
  SayAccepted(done.accepted);
  Warn(options.folder, done);
  Telling(options.folder).Broker().End();
}

void CheckNothingIsLeft(const PartyOptions& options) {
  const auto party = PartyId::Parse(options.name);
  if (!party)
    FailParty(Error::Make(Code::kFailed, "party_name",
                          "not a party name (a-z, 0-9, '-'; at most 32): " + options.name));
  const auto config = OrFailParty(app::LoadConfig(options.folder + "/registry.toml"));
  if (!config.parties.contains(*party))
    FailParty(Error::Make(Code::kFailed, "party_missing", "registry.toml names no party " + options.name));
  const OpenLedger ledger(config);
  const PartyHoldings holdings = HoldingsOf(*ledger, *party);
  if (holdings.none()) return;
  FailParty(Error::Make(
      Code::kFailed, "party_in_use",
      options.name + " still has " + InWords(holdings) +
          ": delete the devices, or let them go to another party (`registryctl device list --party " +
          options.name +
          "`, `order start`, `transfer list`), and wait for what is open. `party withdraw` keeps it out at "
          "once"));
}

void RunRemove(const PartyOptions& options) {
  CheckNothingIsLeft(options);
  const auto withdrawn = OrFailParty(RemoveParty(options.folder, options.name, SystemClock().Now()));
  std::cout << options.name << " is no party any more\n";
  for (const std::string& serial : withdrawn) std::cout << "withdrawn: " << serial << "\n";
  Telling telling(options.folder);
  telling.Registryd();
  if (!withdrawn.empty()) telling.Broker();
  telling.End();
}

void RunHandOver(const PartyOptions& options) {
  std::cout << OrFailParty(HandOver(options.folder, options.name)) << "\n";
}

// ---- the command line

CLI::App* Command(CLI::App& party, const Shared& options, const char* name, const char* what,
                  void (*run)(const PartyOptions&)) {
  CLI::App* const command = party.add_subcommand(name, what);
  command->add_option("--dir", options->folder, "The registry's folder")->required();
  command->callback([options, run] { run(*options); });
  return command;
}

void AddName(CLI::App& command, const Shared& options) {
  command.add_option("name", options->name, "a-z, 0-9 and '-', at most 32")->required();
}

void AddRequest(CLI::App& command, const Shared& options) {
  command.add_option(
      "--csr", options->request,
      "The party's certificate request (PKCS #10, PEM or DER): its key stays with it. Without it a key "
      "is made here");
}

// "write=100/2000": per second, and at once.
std::string TakeLimit(PartyKeys& keys, const std::string& text) {
  const std::size_t equals = text.find('='), slash = text.find('/');
  const std::string limit = text.substr(0, equals);
  bool known = false;
  for (const char* one : {"write", "read", "bulk", "authorise"}) known |= limit == one;
  const auto number = [](const std::string& digits) {
    return !digits.empty() && digits.size() <= 9 &&
           digits.find_first_not_of("0123456789") == std::string::npos;
  };
  if (!known || equals == std::string::npos || slash == std::string::npos || slash < equals ||
      !number(text.substr(equals + 1, slash - equals - 1)) || !number(text.substr(slash + 1)))
    return text + " is no CLASS=PER_SECOND/BURST with a class of write, read, bulk or authorise";
  keys["limit_" + limit + "_per_second"] = text.substr(equals + 1, slash - equals - 1);
  keys["limit_" + limit + "_burst"] = text.substr(slash + 1);
  return "";
}

void AddSettings(CLI::App& command, const Shared& options) {
  const auto set = [options](const char* key) {
    return [options, key](const bool& value) { options->keys[key] = value ? "true" : "false"; };
  };
  command.add_option_function<std::string>(
      "--contact", [options](const std::string& text) { options->keys["contact"] = TomlString(text); },
      "Whom to call or write to about it, one line");
  command
      .add_option_function<bool>("--batches", set("batches"),
                                 "What has piled up for it reaches it in batches")
      ->type_name("true|false");
  command
      .add_option_function<bool>("--auto-approve", set("auto_approve"),
                                 "It is not asked before a device of its own goes to another")
      ->type_name("true|false");
  command
      .add_option_function<std::vector<std::string>>(
          "--limit", [](const std::vector<std::string>&) {},
          "How fast it may send, for example write=100/2000 (repeatable)")
      ->type_name("CLASS=PER_SECOND/BURST")
      ->check(
          CLI::Validator([options](const std::string& text) { return TakeLimit(options->keys, text); }, ""));
}

void AddAddRenewChange(CLI::App& party) {
  static const std::map<std::string, wire::Role> kRoles = {
      {"mno", wire::Role::kMno}, {"asp", wire::Role::kAsp}, {"operator", wire::Role::kOperator}};
  const auto added = std::make_shared<PartyOptions>(), renewed = std::make_shared<PartyOptions>(),
             changed = std::make_shared<PartyOptions>();
  CLI::App* const add =
      Command(party, added, "add", "Certify a party, enter it, and make what it is given", RunAdd);
  AddName(*add, added);
  AddChoice(*add, "--role", added->role, kRoles, "What the party is")->required();
  AddRequest(*add, added);
  AddSettings(*add, added);
  CLI::App* const renew = Command(party, renewed, "renew",
                                  "Give a party a new certificate; its older ones are withdrawn", RunRenew);
  AddName(*renew, renewed);
  AddRequest(*renew, renewed);
  renew->add_flag("--keep-old", renewed->keep_old,
                  "The older certificates go on being accepted, until `party withdraw --serial`");
  CLI::App* const change = Command(party, changed, "change", "Change what holds for a party", RunChange);
  AddName(*change, changed);
  AddSettings(*change, changed);
}

void AddWithdraw(CLI::App& party) {
  const auto options = std::make_shared<PartyOptions>();
  CLI::App* const command =
      Command(party, options, "withdraw",
              "Put certificates on the list that the broker refuses; the party stays entered", RunWithdraw);
  CLI::App* const which = command->add_option_group("which");
  which->add_option("name", options->name, "The party: every certificate of it");
  which
      ->add_option("--serial", options->serial,
                   "One certificate of the interface CA, anybody's, in hexadecimal")
      ->check(CLI::Validator(
          [](const std::string& text) { return ParseSerial(text) ? "" : text + " is no serial number"; },
          "HEX"));
  which->require_option(1);
}

}  // namespace

void AddPartyLife(CLI::App& app) {
  CLI::App* const party = app.add_subcommand("party", "Parties on the MQTT interface");
  party->require_subcommand(1);
  AddAddRenewChange(*party);
  AddWithdraw(*party);
  const auto removed = std::make_shared<PartyOptions>(), handed = std::make_shared<PartyOptions>();
  AddName(*Command(*party, removed, "remove", "End a party that has nothing left in the registry", RunRemove),
          removed);
  AddName(*Command(*party, handed, "hand-over", "Make again the folder that a party is given", RunHandOver),
          handed);
}

}  // namespace registry::ctl
