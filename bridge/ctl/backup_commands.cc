#include "bridge/ctl/backup_commands.h"

#include <sys/stat.h>

#include <iostream>
#include <memory>

#include "bridge/app/command_line.h"
#include "bridge/clock.h"
#include "bridge/ctl/backup.h"
#include "bridge/ctl/ledger_source.h"

namespace registry::ctl {
namespace {

constexpr int kFaultFound = 3;

struct Given {
  std::string config, to, from, passphrase, recipient, key, escrow, crl;
  bool keys = false, check = false, as_it_was = false, json = false;
};

std::unique_ptr<Seal> KeysSeal(const Given& given) {
  if (given.passphrase.empty() == given.recipient.empty())
    FailWrong(
        "--keys goes with either --passphrase-file FILE or --recipient CERTIFICATE: keys are never in clear");
  return OrFailNamed(given.passphrase.empty() ? Seal::ToCertificate(given.recipient)
                                              : Seal::UnderPassphrase(given.passphrase));
}

std::unique_ptr<Opener> OpenerOf(const Given& given) {
  if (given.passphrase.empty() && given.key.empty()) return nullptr;
  return OrFailNamed(given.passphrase.empty() ? Opener::WithKey(given.key)
                                              : Opener::WithPassphrase(given.passphrase));
}

Json JsonOf(const BackupManifest& manifest) {
  return {{"made", Text(manifest.made)},
          {"software", manifest.software},
          {"zone", manifest.zone},
          {"registryd", manifest.was_running ? "running" : "stopped"},
          {"keys", manifest.keys},
          {"encrypted", manifest.encrypted},
          {"ledger", manifest.ledger.id},
          {"format", manifest.ledger.format},
          {"history", manifest.ledger.history},
          {"history_hash", ToHex(manifest.ledger.chain)},
          {"left_out", manifest.left_out}};
}

void Backup(const Given& given) {
  if (given.keys && !given.escrow.empty()) FailWrong("--escrow has the keys in it: leave --keys out");
  if (!given.keys && !(given.passphrase.empty() && given.recipient.empty()))
    FailWrong("--passphrase-file and --recipient are for keys: say --keys, too");
  const auto keys = given.keys ? KeysSeal(given) : nullptr;
  const auto escrow = given.escrow.empty() ? nullptr : OrFailNamed(Seal::ToCertificate(given.escrow));
  const auto say = [](std::uint64_t octets) {
    constexpr std::uint64_t kMebi = 1 << 20;
    std::cerr << "registryctl: registryd is making the point, " << octets / kMebi << " MiB so far\n";
  };
  const auto manifest = OrFailNamed(MakeBackup({given.config, given.to, keys.get(), escrow.get(),
                                                "registryctl " REGISTRY_VERSION, SystemClock().Now(), say}));
  for (const std::string& sentence : manifest.left_out)
    std::cerr << "registryctl: left out: " << sentence << '\n';
  if (given.json) return Print(JsonOf(manifest), true);
  std::cout << "the registry of " << manifest.zone << ", " << (manifest.was_running ? "running" : "stopped")
            << ", is in " << given.to << ": history entry " << manifest.ledger.history
            << (manifest.keys == "none" ? ", without its keys" : ", with its keys") << '\n';
}

void Check(const Given& given, const Opener* opener) {
  const auto judged = OrFailNamed(JudgeBackup(given.from, opener));
  Json out = JsonOf(judged.manifest);
  out["files"] = judged.files;
  out["octets"] = judged.octets;
  out["looked_inside"] = judged.looked_inside;
  out["devices"] = judged.devices;
  const char* const about_keys = judged.manifest.keys == "none" ? "none"
                                 : opener != nullptr            ? "opened"
                                                                : "not looked at";
  out["keys_judged"] = about_keys;
  out["faults"] = judged.faults;
  if (given.json) {
    Print(out, true);
  } else {
    std::cout << judged.files << " files, " << judged.octets
              << " octets, all as they were written; keys: " << about_keys << '\n';
    if (judged.looked_inside) {
      std::cout << judged.manifest.ledger.history << " history entries, " << judged.devices << " devices, "
                << (judged.faults.empty() ? "sound" : std::to_string(judged.faults.size()) + " faults")
                << '\n';
    } else {
      std::cout << "what is in them can only be judged with --key FILE\n";
    }
    for (const std::string& fault : judged.faults) std::cout << "fault: " << fault << '\n';
  }
  if (!judged.faults.empty()) throw CLI::RuntimeError(kFaultFound);
}

void SayNext(const Given& given, const Restored& restored) {
  std::cout << "the registry of " << restored.manifest.zone << ", as it was at "
            << Text(restored.manifest.made) << ", is in " << given.to << ". Next:\n";
  if (!restored.keys)
    std::cout << "  - put its keys back where they were: the backup has none, or was not opened\n";
  if (given.crl.empty())
    std::cout << "  - put the newest CRL that was published where pki.crl_file says: what was revoked since "
                 "stays so\n";
  for (const std::string& sentence : restored.manifest.left_out)
    std::cout << "  - not in the backup: " << sentence << '\n';
  std::cout << "  - registryd --check-config --config " << given.to << "/registry.toml, then start it\n";
}

void RunRestore(const Given& given) {
  if (given.check == !given.to.empty()) FailWrong("say either --check or --to FOLDER");
  const auto opener = OpenerOf(given);
  if (given.check) return Check(given, opener.get());
  const auto restored =
      OrFailNamed(Restore({given.from, given.to, opener.get(), given.crl, given.as_it_was}));
  if (!given.json) return SayNext(given, restored);
  Json out = JsonOf(restored.manifest);
  out["with_keys"] = restored.keys;
  out["feeds"] = restored.stepped.feeds;
  out["devices"] = restored.stepped.devices;
  out["zone_serial_above"] = restored.serial_above;
  Print(out, true);
}

}  // namespace

void AddBackupCommands(CLI::App& app) {
  const auto given = std::make_shared<Given>();
  auto* backup =
      app.add_subcommand("backup", "one moment of a registry, running or stopped, into a new folder");
  backup->add_option("--config", given->config, "configuration of registryd")->required();
  backup->add_option("--to", given->to, "folder to make; must not exist, or be empty")->required();
  backup->add_flag("--keys", given->keys, "with the keys, encrypted");
  backup->add_option("--passphrase-file", given->passphrase, "file whose first line is the keys' passphrase");
  backup->add_option("--recipient", given->recipient, "certificate (PEM) of whoever may open the keys");
  backup->add_option(
      "--escrow", given->escrow,
      "encrypt everything, the keys too, to this certificate (PEM): a deposit for a successor");
  backup->add_flag("--json", given->json, "print JSON");
  backup->callback([given] {
    ::umask(077);
    Backup(*given);
  });
  auto* restore = app.add_subcommand("restore", "judge a backup, or make a registry's folder of one");
  restore->add_option("BACKUP", given->from, "folder of the backup")->required();
  restore->add_flag("--check", given->check, "judge it: digests, ledger, every invariant; changes nothing");
  restore->add_option("--to", given->to, "folder of the registry to make; must not exist, or be empty");
  restore->add_option("--passphrase-file", given->passphrase, "file whose first line opens the keys");
  restore->add_option("--key", given->key, "private key (PEM) that opens the keys, or everything");
  restore->add_option("--crl", given->crl, "newest CRL (PEM) that the registry has published");
  restore->add_flag(
      "--as-it-was", given->as_it_was,
      "leave the ledger octet for octet, for an earlier release; feeds and serials may go back");
  restore->add_flag("--json", given->json, "print JSON");
  restore->callback([given] {
    ::umask(077);
    RunRestore(*given);
  });
}

}  // namespace registry::ctl
