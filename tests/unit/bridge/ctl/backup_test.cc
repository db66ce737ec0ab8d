// Backups of a stopped registry: what is in them, who can open their keys, what a check finds, and what a restore makes. The
// openssl and sha256sum programs judge what ours has written. A running registry: tests/integration/lab/backup_test.cc.
#include "bridge/ctl/backup.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "bridge/app/backup_point.h"
#include "bridge/app/check.h"
#include "bridge/app/config.h"
#include "bridge/ctl/take_point.h"
#include "bridge/ledger/rocksdb/open.h"
#include "bridge/signing/crl.h"
#include "bridge/signing/key_file.h"
#include "bridge/zone/key_set_file.h"
#include "bridge/zone/serials.h"
#include "simulators/lab/probe.h"
#include "tests/support/registry_home.h"

namespace registry::ctl {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class BackupTest : public testing::Test {
 protected:
  void SetUp() override {
    test::MakeRegistryHome(folder_);
    Keep("passphrase", "correct horse battery\nnot of it\n");
    Keep("other", "wrong horse battery\n");
  }
  // NAME.pem and NAME.key, of somebody who may open what is encrypted.
  void MakeReader(const std::string& name) {
    const std::string kind = name == "rsa" ? "rsa:2048" : "ec -pkeyopt ec_paramgen_curve:P-256";
    const auto made = test::OpenSsl(folder_, "req -x509 -days 2 -subj /CN=successor -nodes -newkey " + kind +
                                                 " -keyout " + name + ".key -out " + name + ".pem");
    ASSERT_TRUE(made.ok()) << made.output;
    fs::permissions(folder_.In(name + ".key"), kOwn);
  }
  void Keep(const std::string& name, const std::string& text) {
    folder_.Write(name, text);
    fs::permissions(folder_.In(name), kOwn);
  }
  BackupOptions Options(const std::string& to = "backup") const {
    return {folder_.In("r/registry.toml"), folder_.In(to), nullptr, nullptr, "test", SystemClock().Now()};
  }
  void BackUp(const Seal* keys = nullptr, const Seal* escrow = nullptr) {
    auto options = Options();
    options.keys = keys;
    options.escrow = escrow;
    const auto made = MakeBackup(options);
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  std::string All(const std::string& folder) const {
    std::string all;
    for (const std::string& file : *FilesBelow(folder_.In(folder))) all += folder_.Read(folder + "/" + file);
    return all;
  }
  Error Refusal(const Opener* opener = nullptr) const {
    const auto judged = JudgeBackup(folder_.In("backup"), opener);
    return judged ? Error{} : judged.error();
  }
  std::string LinesOfKey(const std::string& path) const {  // what stands between the lines of PEM
    const std::string text = folder_.Read(path);
    const auto begin = text.find('\n') + 1;
    return text.substr(begin, 40);
  }

  static constexpr fs::perms kOwn = fs::perms::owner_read | fs::perms::owner_write;
  test::TemporaryFolder folder_;
};

TEST_F(BackupTest, WithoutKeysThereIsNoKeyInIt) {
  BackUp();
  const std::string all = All("backup");
  for (const char* key : {"r/pki/root.key", "r/pki/issuing.key", "r/zone/ksk.pem", "r/interface/ca.key"})
    EXPECT_THAT(all, Not(HasSubstr(LinesOfKey(key)))) << key;
  for (const char* secret : {"r/zone/tsig.key", "r/authorisation.key"})
    EXPECT_THAT(all, Not(HasSubstr(folder_.Read(secret).substr(0, 40)))) << secret;
  EXPECT_THAT(all, HasSubstr(folder_.Read("r/pki/root.pem")));
  EXPECT_FALSE(fs::exists(folder_.In("backup/keys.cms")));
}

TEST_F(BackupTest, NobodyElseCanReadItAndSha256sumJudgesIt) {
  BackUp();
  struct stat is {};
  ASSERT_EQ(::stat(folder_.In("backup").c_str(), &is), 0);
  EXPECT_EQ(is.st_mode & 0777, 0700u);
  const auto judged =
      test::Shell("cd " + folder_.In("backup") + " && sha256sum --quiet --strict -c SHA256SUMS 2>&1");
  EXPECT_TRUE(judged.ok()) << judged.output;
  const auto ours = JudgeBackup(folder_.In("backup"), nullptr);
  ASSERT_TRUE(ours.ok()) << ours.error().message;
  EXPECT_TRUE(ours->looked_inside);
  EXPECT_THAT(ours->faults, IsEmpty());
  EXPECT_FALSE(ours->manifest.was_running);
  EXPECT_THAT(fs::directory_iterator(folder_.In("r/backup")) == fs::directory_iterator(), true);
}

TEST_F(BackupTest, ThePassphraseOpensTheKeysAndNoOtherDoes) {
  folder_.Write("r/zone/signed-zone", "made again from the ledger");
  BackUp(Seal::UnderPassphrase(folder_.In("passphrase"))->get());
  EXPECT_THAT(All("backup"), Not(HasSubstr(LinesOfKey("r/pki/issuing.key"))));
  const auto opened = test::OpenSsl(
      folder_, "cms -decrypt -binary -inform DER -in backup/keys.cms -pwri_password 'correct horse battery'");
  ASSERT_TRUE(opened.ok()) << opened.output;
  const auto keys = nlohmann::json::parse(opened.output);
  EXPECT_EQ(AsText(*FromBase64(keys.at("pki/issuing.key").get<std::string>())),
            folder_.Read("r/pki/issuing.key"));
  EXPECT_TRUE(keys.contains("authorisation.key"));
  EXPECT_FALSE(keys.contains("zone/signed-zone"));
  EXPECT_FALSE(fs::exists(folder_.In("backup/registry/zone/signed-zone")));
  EXPECT_TRUE(
      JudgeBackup(folder_.In("backup"), Opener::WithPassphrase(folder_.In("passphrase"))->get()).ok());
  EXPECT_EQ(Refusal(Opener::WithPassphrase(folder_.In("other"))->get()).symbol, "seal_failed");
}

// In its place another file would make valid again what is revoked.
TEST_F(BackupTest, TheNewestCrlIsOneOfThisRegistrysCa) {
  BackUp(Seal::UnderPassphrase(folder_.In("passphrase"))->get());
  folder_.Write("empty", "");
  for (const char* wrong : {"passphrase", "empty", "none"}) {
    const auto restored = Restore({folder_.In("backup"), folder_.In("n"), nullptr, folder_.In(wrong)});
    ASSERT_FALSE(restored.ok()) << wrong;
    EXPECT_EQ(restored.error().symbol, "config_invalid");
    EXPECT_THAT(restored.error().message, HasSubstr(folder_.In(wrong)));
    EXPECT_FALSE(fs::exists(folder_.In("n"))) << "whole or not at all";
  }
}

TEST_F(BackupTest, ACertificateOfEitherKindOpensTheKeys) {
  for (const char* name : {"rsa", "ec"}) MakeReader(name);
  for (const std::string name : {"rsa", "ec"}) {
    BackUp(Seal::ToCertificate(folder_.In(name + ".pem"))->get());
    const auto opened = test::OpenSsl(
        folder_, "cms -decrypt -binary -inform DER -in backup/keys.cms -inkey " + name + ".key");
    EXPECT_TRUE(opened.ok()) << opened.output;
    EXPECT_THAT(opened.output, HasSubstr("zone/ksk.pem"));
    EXPECT_TRUE(JudgeBackup(folder_.In("backup"), Opener::WithKey(folder_.In(name + ".key"))->get()).ok())
        << name;
    const std::string other = name == "rsa" ? "ec" : "rsa";
    EXPECT_EQ(Refusal(Opener::WithKey(folder_.In(other + ".key"))->get()).symbol, "seal_failed");
    fs::remove_all(folder_.In("backup"));
  }
}

TEST_F(BackupTest, APassphraseThatIsShortOrOpenToOthersIsRefused) {
  MakeReader("ec");
  Keep("short", "short\n");
  EXPECT_EQ(Seal::UnderPassphrase(folder_.In("short")).error().symbol, "passphrase_invalid");
  fs::permissions(folder_.In("passphrase"), kOwn | fs::perms::others_read);
  EXPECT_EQ(Seal::UnderPassphrase(folder_.In("passphrase")).error().symbol, "passphrase_invalid");
  EXPECT_EQ(Seal::ToCertificate(folder_.In("passphrase")).error().symbol, "recipient_invalid");
  EXPECT_EQ(Opener::WithKey(folder_.In("ec.pem")).error().symbol, "recipient_invalid");
}

TEST_F(BackupTest, ACheckNamesEveryFileThatIsNotWhatItWas) {
  BackUp();
  const std::string config = folder_.Read("backup/registry/registry.toml");
  folder_.Write("backup/registry/registry.toml", config.substr(1));
  fs::remove(folder_.In("backup/ledger/CURRENT"));
  folder_.Write("backup/ledger/999999.sst", "x");
  const Error refusal = Refusal();
  EXPECT_EQ(refusal.symbol, "backup_invalid");
  for (const char* said : {"registry/registry.toml: is not what was written", "ledger/CURRENT: is missing",
                           "ledger/999999.sst: is not of this backup"})
    EXPECT_THAT(refusal.message, HasSubstr(said));
  const auto restored = Restore({folder_.In("backup"), folder_.In("new"), nullptr, ""});
  ASSERT_FALSE(restored.ok());
  EXPECT_FALSE(fs::exists(folder_.In("new")));
}

TEST_F(BackupTest, ABackupOfAnotherFormatOrThatWasCutShortIsRefused) {
  BackUp();
  std::string manifest = folder_.Read("backup/MANIFEST.json");
  const std::string format = "\n  \"format\": 1";
  folder_.Write("backup/MANIFEST.json",
                manifest.replace(manifest.find(format), format.size(), "\n  \"format\": 2"));
  EXPECT_THAT(Refusal().message, HasSubstr("format 2"));
  fs::remove(folder_.In("backup/MANIFEST.json"));
  EXPECT_EQ(Refusal().symbol, "backup_invalid");
  EXPECT_THAT(Refusal().message, HasSubstr("cut short"));
}

TEST_F(BackupTest, NothingIsOverwrittenOrPutWhereItWouldBackUpItself) {
  fs::create_directories(folder_.In("backup"));
  folder_.Write("backup/mine", "x");
  EXPECT_EQ(MakeBackup(Options()).error().symbol, "folder_exists");
  EXPECT_EQ(MakeBackup(Options("r/ledger/b")).error().symbol, "folder_exists");
  EXPECT_EQ(MakeBackup(Options("r/backup")).error().symbol, "folder_exists");
  EXPECT_EQ(folder_.Read("backup/mine"), "x");
  fs::remove(folder_.In("backup/mine"));
  BackUp();
  EXPECT_EQ(Restore({folder_.In("backup"), folder_.In("r"), nullptr, ""}).error().symbol, "folder_exists");
  for (const auto& entry : fs::directory_iterator(folder_.path()))
    EXPECT_THAT(entry.path().filename().string(), Not(testing::MatchesRegex("(backup|r)\\..*")));
}

TEST_F(BackupTest, ARestoredRegistryIsTheSameAndWantsNothingMore) {
  BackUp(Seal::UnderPassphrase(folder_.In("passphrase"))->get());
  const auto opener = Opener::WithPassphrase(folder_.In("passphrase"));
  const auto restored = Restore({folder_.In("backup"), folder_.In("new"), opener->get(), ""});
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_TRUE(restored->keys);
  EXPECT_THAT(app::FaultsOf(*app::LoadConfig(folder_.In("new/registry.toml"))), IsEmpty());
  for (const std::string& file : *FilesBelow(folder_.In("r"))) {
    if (file.starts_with("ledger/")) continue;
    EXPECT_EQ(folder_.Read("new/" + file), folder_.Read("r/" + file)) << file;
    EXPECT_EQ(fs::status(folder_.In("new/" + file)).permissions(),
              fs::status(folder_.In("r/" + file)).permissions())
        << file;
  }
  for (const char* name : {"", "pki", "zone", "interface", "ledger", "intake"})
    EXPECT_EQ(fs::status(folder_.In(std::string("new/") + name)).permissions(),
              fs::status(folder_.In(std::string("r/") + name)).permissions())
        << name;
}

TEST_F(BackupTest, ARestoreWithoutTheKeysSaysSo) {
  BackUp(Seal::UnderPassphrase(folder_.In("passphrase"))->get());
  const auto restored = Restore({folder_.In("backup"), folder_.In("new"), nullptr, ""});
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_FALSE(restored->keys);
  EXPECT_FALSE(fs::exists(folder_.In("new/pki/issuing.key")));
  EXPECT_THAT(app::FaultsOf(*app::LoadConfig(folder_.In("new/registry.toml"))), Not(IsEmpty()));
}

TEST_F(BackupTest, TheZonesSerialGoesOnFarAhead) {
  std::uint32_t served = 0;
  {
    const auto ledger = ledger::OpenRocksDbLedger({folder_.In("r/ledger")});
    zone::Serials serials(**ledger);
    ASSERT_TRUE(serials.Open("1/2").ok());
    served = *serials.Next();
  }
  BackUp();
  const auto restored = Restore({folder_.In("backup"), folder_.In("new"), nullptr, ""});
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  const auto ledger = ledger::OpenRocksDbLedger({folder_.In("new/ledger")});
  zone::Serials serials(**ledger);
  ASSERT_TRUE(serials.Open("1/2").ok()) << "the keys are still known";
  EXPECT_GT(*serials.Next(), served + 99'000'000);
  EXPECT_GT(*serials.Next(), restored->serial_above);
}

// The way back from an upgrade: the backup that was made before it, octet for octet, in the format of then.
TEST_F(BackupTest, ALedgerOfAnEarlierFormatComesBackAsItWas) {
  fs::remove_all(folder_.In("r/ledger"));
  fs::copy(fs::path(REGISTRY_SOURCE_DIR) / "tests/data/ledger-format-2", folder_.In("r/ledger"));
  fs::permissions(folder_.In("r/ledger"), fs::perms::owner_all);
  const auto files = *FilesBelow(folder_.In("r/ledger"));
  std::map<std::string, std::string> then;
  for (const std::string& file : files) then[file] = folder_.Read("r/ledger/" + file);
  BackUp();
  RestoreOptions options{folder_.In("backup"), folder_.In("old"), nullptr, ""};
  options.as_it_was = true;
  const auto restored = Restore(options);
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_EQ(restored->manifest.ledger.format, 2u);
  for (const auto& [file, octets] : then) EXPECT_EQ(folder_.Read("old/ledger/" + file), octets) << file;
  EXPECT_EQ(ledger::PointOf(folder_.In("old/ledger"))->format, 2u);
  options.to = folder_.In("new");
  options.as_it_was = false;
  ASSERT_TRUE(Restore(options).ok());
  EXPECT_GT(ledger::PointOf(folder_.In("new/ledger"))->format, 2u) << "a usual restore is for this release";
}

TEST_F(BackupTest, TheNewestCrlTakesThePlaceOfTheOneThatWasBackedUp) {
  BackUp();
  const auto signer = signing::LoadSigner(folder_.In("r/pki/issuing.key"), folder_.In("r/pki/issuing.pem"));
  ASSERT_TRUE(signer.ok()) << signer.error().message;
  const UtcTime now = SystemClock().Now();
  const auto newest = signing::BuildCrl(**signer, {}, now, now + std::chrono::hours(24), 1000);
  ASSERT_TRUE(newest.ok());
  folder_.Write("newest.pem", ToPem("X509 CRL", *newest));
  const auto restored = Restore({folder_.In("backup"), folder_.In("new"), nullptr, folder_.In("newest.pem")});
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_EQ(folder_.Read("new/pki/crl.pem"), folder_.Read("newest.pem"));
}

TEST_F(BackupTest, ADepositIsForTheSuccessorAlone) {
  MakeReader("ec");
  BackUp(nullptr, Seal::ToCertificate(folder_.In("ec.pem"))->get());
  for (const std::string& file : *FilesBelow(folder_.In("backup"))) {
    const bool open = file == "MANIFEST.json" || file == "SHA256SUMS";
    EXPECT_NE(open, file.ends_with(".cms")) << file;
  }
  EXPECT_THAT(All("backup"), Not(HasSubstr(folder_.Read("r/pki/root.pem").substr(60, 40))));
  const auto kept = JudgeBackup(folder_.In("backup"), nullptr);
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  EXPECT_FALSE(kept->looked_inside);
  EXPECT_EQ(Restore({folder_.In("backup"), folder_.In("new"), nullptr, ""}).error().symbol, "keys_sealed");
  const auto successor = Opener::WithKey(folder_.In("ec.key"));
  const auto judged = JudgeBackup(folder_.In("backup"), successor->get());
  ASSERT_TRUE(judged.ok()) << judged.error().message;
  EXPECT_TRUE(judged->looked_inside);
  EXPECT_THAT(judged->faults, IsEmpty());
  const auto restored = Restore({folder_.In("backup"), folder_.In("new"), successor->get(), ""});
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_THAT(app::FaultsOf(*app::LoadConfig(folder_.In("new/registry.toml"))), IsEmpty());
}

// Whatever step a roll-over is at: the set that is saved names only keys that are saved with it.
TEST_F(BackupTest, AKeySetAndItsKeysAreOfOneMoment) {
  const std::string file = folder_.In("r/zone/key-set.json"), zone_folder = folder_.In("r/zone");
  const auto first = zone::KeySetOfFiles(zone_folder, folder_.In("r/zone/ksk.pem"),
                                         folder_.In("r/zone/zsk.pem"), SystemClock().Now());
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_TRUE(zone::ChangeKeySet(file, [&](const auto&) { return first; }));
  std::atomic<bool> enough{false};
  std::atomic<int> rolled{0};
  // As KeyRoller goes about it: the new key, the set that names it in place of the old one, and then the old one goes.
  std::thread roller([&] {
    std::string before;
    while (!enough) {
      const auto key = zone::MakeKey(zone_folder, zone::KeyRole::kZsk, zone::kEcdsaP256Sha256,
                                     [](std::uint16_t) { return false; });
      if (!key) continue;
      const auto changed = zone::ChangeKeySet(file, [&](const auto&) -> Result<zone::KeySet> {
        zone::KeySet next = *first;
        next.keys.back().tag = key->tag;
        next.keys.back().file = key->file;
        return next;
      });
      if (!changed) continue;
      if (!before.empty()) fs::remove(zone_folder + "/" + before);
      before = key->file;
      ++rolled;
    }
  });
  const auto seal = Seal::UnderPassphrase(folder_.In("passphrase"));
  const auto opener = Opener::WithPassphrase(folder_.In("passphrase"));
  for (int i = 0, seen = 0; i < 8; ++i) {
    EXPECT_TRUE(lab::WaitUntil([&] { return rolled > seen; }, std::chrono::seconds(20)));
    seen = rolled;
    auto options = Options("backup" + std::to_string(i));
    options.keys = seal->get();
    const auto made = MakeBackup(options);
    EXPECT_TRUE(made.ok()) << made.error().message;
    if (!made) break;
    const auto keys = nlohmann::json::parse(*(*opener)->Open(options.to + "/keys.cms"));
    const auto set = zone::KeySetFrom(AsText(*FromBase64(keys.at("zone/key-set.json").get<std::string>())));
    EXPECT_TRUE(set.ok());
    for (const zone::KeyEntry& key : set->keys) EXPECT_TRUE(keys.contains("zone/" + key.file)) << key.file;
  }
  enough = true;
  roller.join();
}

TEST_F(BackupTest, WhatCannotBeBackedUpIsSaid) {
  std::string text = folder_.Read("r/registry.toml");
  const std::string was = "blocked_keys = \"pki/blocked-keys.txt\"";
  folder_.Write("outside.txt", "# none\n");
  folder_.Write("r/registry.toml",
                text.replace(text.find(was), was.size(), "blocked_keys = \"../outside.txt\""));
  const auto made = MakeBackup(Options());
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_THAT(made->left_out, Contains(HasSubstr("outside.txt: lies outside")));
  EXPECT_EQ(JudgeBackup(folder_.In("backup"), nullptr)->manifest.left_out, made->left_out);
}

TEST_F(BackupTest, ALedgerThatSomebodyElseHasIsWaitedForNoLongerThanSaid) {
  const auto ledger = ledger::OpenRocksDbLedger({folder_.In("r/ledger")});
  const auto config = app::LoadConfig(folder_.In("r/registry.toml"));
  PointWait wait;
  wait.taken = std::chrono::milliseconds(200);
  const auto point = TakenPoint::Take(*config, wait);
  ASSERT_FALSE(point.ok());
  EXPECT_EQ(point.error().symbol, "no_reply");
  EXPECT_THAT(point.error().message, HasSubstr("no registryd answers in " + folder_.In("r/backup")));
  EXPECT_TRUE(fs::is_empty(folder_.In("r/backup")));
}

// The intake of a running registryd shrinks and loses files at any moment: a copy of it may fail, and says nothing.
TEST_F(BackupTest, TheIntakeOfAnOpenLedgerIsNotReadByItsFiles) {
  const auto config = app::LoadConfig(folder_.In("r/registry.toml"));
  ASSERT_TRUE(config.ok());
  fs::create_directories(config->intake_folder +
                         "/intake-00000000000000000001");  // no copy of it can be made
  PointWait wait;
  wait.taken = std::chrono::milliseconds(200);
  {
    const auto ledger = ledger::OpenRocksDbLedger({config->ledger_folder});
    ASSERT_TRUE(ledger.ok());
    const auto point = TakenPoint::Take(*config, wait);
    ASSERT_FALSE(point.ok());
    EXPECT_EQ(point.error().symbol, "no_reply");
  }
  const auto stopped = TakenPoint::Take(*config, wait);
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().symbol, "file_failed");
  EXPECT_THAT(stopped.error().message, HasSubstr("/intake/intake-00000000000000000001"));
  EXPECT_TRUE(fs::is_empty(config->backup_folder)) << "nothing of a point is left";
}

// A large ledger on another file system: the point outlasts every wait but the one for its next octets.
TEST_F(BackupTest, APointThatGrowsIsWaitedForAndOneThatDoesNotIsGivenUp) {
  const auto config = app::LoadConfig(folder_.In("r/registry.toml"));
  const auto ledger = ledger::OpenRocksDbLedger({config->ledger_folder});
  std::atomic<bool> finish{false}, end{false};
  std::atomic<int> told{0};
  app::BackupPoint running(
      config->backup_folder,
      [&](const std::string& to) {
        std::size_t octets = 0;
        (void)lab::WaitUntil(
            [&] {
              std::ofstream(to + "/growing") << std::string(++octets, 'x');
              return finish || end;
            },
            std::chrono::seconds(60));
        fs::remove(to + "/growing");
        return end ? Status(Error::Make(Code::kFailed, "ledger_failed", "ended"))
                   : ledger::MakeCheckpoint(**ledger, to + "/ledger");
      },
      LogLine());
  running.Start();
  PointWait wait;
  wait.still = std::chrono::seconds(20);
  wait.progress_every = std::chrono::milliseconds(1);
  wait.progress = [&](std::uint64_t octets) {
    if (octets > 0 && ++told == 3) finish = true;
  };
  {
    const auto point = TakenPoint::Take(*config, wait);
    ASSERT_TRUE(point.ok()) << point.error().message;
    EXPECT_TRUE(point->was_running());
    EXPECT_GE(told, 3);
  }
  finish = false;
  wait.progress = nullptr;
  wait.whole = std::chrono::seconds(2);
  const auto given_up = TakenPoint::Take(*config, wait);
  ASSERT_FALSE(given_up.ok());
  EXPECT_EQ(given_up.error().symbol, "no_reply");
  EXPECT_THAT(given_up.error().message, HasSubstr("does not get on"));
  end = true;
  running.Stop();
}

// registryd's half with a ledger that is really in use; what it does with commands: backup_test.cc of the labs.
TEST_F(BackupTest, ARunningRegistryMakesThePointOrSaysWhyNot) {
  const auto config = app::LoadConfig(folder_.In("r/registry.toml"));
  const auto ledger = ledger::OpenRocksDbLedger({config->ledger_folder});
  std::atomic<bool> fails{true};
  app::BackupPoint running(
      config->backup_folder,
      [&](const std::string& to) {
        if (fails) return Status(Error::Make(Code::kFailed, "ledger_failed", "no room"));
        return ledger::MakeCheckpoint(**ledger, to + "/ledger");
      },
      LogLine());
  running.Start();
  const auto refused = MakeBackup(Options());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().symbol, "backup_failed");
  EXPECT_THAT(refused.error().message, HasSubstr("no room"));
  EXPECT_FALSE(fs::exists(folder_.In("backup")));
  fails = false;
  const auto made = MakeBackup(Options());
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_TRUE(made->was_running);
  EXPECT_TRUE(fs::is_empty(folder_.In("r/backup")));
  EXPECT_THAT(JudgeBackup(folder_.In("backup"), nullptr)->faults, IsEmpty());
}

}  // namespace
}  // namespace registry::ctl
