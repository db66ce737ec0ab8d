// Authorisation codes and limits of a registryd that runs, through the real broker: what a code can do and what it cannot,
// and that after all of it no file of the registry and no record of its ledger holds one in clear.
#include <gmock/gmock.h>
#include <rocksdb/db.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "bridge/ingest/intake_seal.h"
#include "bridge/ingest/intake_segment.h"
#include "bridge/signing/code_key.h"
#include "schemas/base/check.h"
#include "simulators/lab/probe.h"
#include "tests/support/contract.h"
#include "tests/support/main_endpoint.h"
#include "tests/support/raw_mqtt.h"
#include "tests/support/test_lab.h"

namespace registry::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::seconds;

constexpr seconds kPatience{60};
constexpr std::size_t kBatch = 900;  // of 1,000: enough to be at work on when it is killed
constexpr int kKillsMax = 20;
constexpr char kBatchTopic[] = "registry/v1/from/asp-a/batch";
constexpr char kWrong[] = "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA";
constexpr char kNobody[] = "01234567-89ab-4cde-8f01-23456789abcd";

std::string OctetsOf(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// Everything the registry keeps, as it is read: files as they are, and the ledger's records, which files hold compressed.
class Kept {
 public:
  explicit Kept(const lab::Layout& layout) {
    for (const std::string& folder : {layout.In("registry"), layout.In("logs")}) {
      for (const auto& file : fs::recursive_directory_iterator(folder)) {
        if (file.is_regular_file()) all_.emplace_back(file.path(), OctetsOf(file.path()));
      }
    }
    ReadLedger(layout.Registry("ledger"));
  }
  // Where it stands; empty: nowhere.
  std::vector<std::string> Places(const std::string& text) const {
    std::vector<std::string> places;
    for (const auto& [where, octets] : all_) {
      if (octets.find(text) != std::string::npos) places.push_back(where);
    }
    return places;
  }

 private:
  void ReadLedger(const std::string& folder) {
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies(rocksdb::Options(), folder, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> columns;
    for (const std::string& name : names) columns.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    const auto status = rocksdb::DB::OpenForReadOnly(rocksdb::Options(), folder, columns, &handles, &opened);
    ASSERT_TRUE(status.ok()) << status.ToString();
    const std::unique_ptr<rocksdb::DB> db(opened);
    for (std::size_t i = 0; i < handles.size(); ++i) {
      const std::unique_ptr<rocksdb::Iterator> each(db->NewIterator(rocksdb::ReadOptions(), handles[i]));
      for (each->SeekToFirst(); each->Valid(); each->Next()) {
        all_.emplace_back("ledger: " + names[i], each->key().ToString() + each->value().ToString());
      }
    }
    for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
  }

  std::vector<std::pair<std::string, std::string>> all_;
};

class CodesLab : public testing::Test {
 protected:
  struct Reply {
    bool accepted = false;
    json data;
    std::string payload;
    std::string symbol() const { return data.value("symbol", ""); }
  };

  void SetUp() override {
    lab_ = NewLabOfServers({.devices = 4});
    ASSERT_NE(lab_, nullptr);
  }

  // Over a connection of its own; `content` stands for the envelope where it is given.
  Reply Ask(const std::string& party, const std::string& command, const json& data, std::string id = "",
            const std::string& content = "") {
    if (id.empty()) id = "codes-" + std::to_string(++last_);
    const auto& layout = lab_->layout();
    RawMqtt client({layout.mqtt, layout.BrokerCa(), layout.PartyCertificate(party), layout.PartyKey(party),
                    party + "-" + std::to_string(++last_)});
    EXPECT_TRUE(client.connected());
    EXPECT_TRUE(client.Subscribe("registry/v1/to/" + party + "/" + command + "/+"));
    const json envelope = {{"specversion", "1.0"},
                           {"id", id},
                           {"source", party},
                           {"type", "registry.v1." + command},
                           {"data", data}};
    EXPECT_EQ(client.Publish("registry/v1/from/" + party + "/" + command,
                             content.empty() ? envelope.dump() : content),
              0);
    const auto reply = client.Next(kPatience);
    EXPECT_TRUE(reply) << "no reply to " << command;
    if (!reply) return {};
    ExpectContract(reply->payload);
    return {reply->topic.ends_with("/accepted"), json::parse(reply->payload).at("data"), reply->payload};
  }

  // Many commands of asp-a in one message, which is one record of the intake until the last of them is done.
  void SayBatch(const std::vector<std::pair<std::string, json>>& commands) {
    const auto& layout = lab_->layout();
    RawMqtt client({layout.mqtt, layout.BrokerCa(), layout.PartyCertificate("asp-a"),
                    layout.PartyKey("asp-a"), "asp-a-" + std::to_string(++last_)});
    ASSERT_TRUE(client.connected());
    json batch = json::array();
    for (const auto& [command, data] : commands) {
      batch.push_back({{"specversion", "1.0"},
                       {"id", "codes-" + std::to_string(++last_)},
                       {"source", "asp-a"},
                       {"type", "registry.v1." + command},
                       {"data", data}});
    }
    ASSERT_EQ(client.PublishWith(kBatchTopic, batch.dump(), "application/cloudevents-batch+json", {}), 0);
  }
  // What the intake's files hold that is not done, as they are read.
  std::string IntakeOctets() const {
    std::string octets;
    std::error_code gone;  // a file may go meanwhile
    for (const auto& file : fs::directory_iterator(lab_->layout().Registry("intake"), gone)) {
      if (file.path().filename() != "LOCK") octets += OctetsOf(file.path());
    }
    return octets;
  }
  // The payloads of the batches in the intake as they were sent.
  std::vector<std::string> UnsealedBatches() const {
    const auto key = signing::LoadCodeKey(lab_->layout().Registry("authorisation.key"));
    if (!key) return {key.error().message};
    const ingest::IntakeSeal seal(signing::DerivedKey(*key, "registry intake 1"));
    std::vector<std::string> payloads;
    for (const auto& file : fs::directory_iterator(lab_->layout().Registry("intake"))) {
      for (const auto& message : ingest::DecodeIntakeSegment(OctetsOf(file.path())).messages) {
        if (message.topic != kBatchTopic) continue;
        EXPECT_TRUE(ingest::IntakeSeal::IsSealed(message.payload));
        payloads.push_back(seal.Open(message.payload).value_or("of another key"));
      }
    }
    return payloads;
  }
  bool IntakeHoldsBatch() const { return IntakeOctets().find(kBatchTopic) != std::string::npos; }

  struct Device {
    std::string id, code, payload, register_id;
  };
  Device Register(const std::string& mno = "mno-a") {
    const auto& esim = lab_->inventory().at(registered_++);
    const std::string id = "register-" + std::to_string(registered_);
    const Reply reply =
        Ask(mno, "esim.register", {{"eid", esim.eid.text()}, {"iccid", esim.iccid.text()}}, id);
    EXPECT_TRUE(reply.accepted) << reply.payload;
    return {reply.data.value("device", ""), Told(reply.data.value("authorisationCode", "")), reply.payload,
            id};
  }
  Reply Claim(const std::string& asp, const std::string& device, const std::string& code) {
    return Ask(asp, "device.claim", {{"device", device}, {"authorisationCode", code}, {"endpoint", "main"}});
  }
  Reply Set(const std::string& party, const std::string& device, const std::string& purpose) {
    const Reply reply =
        Ask(party, "authorisation.set", {{"device", device}, {"purpose", purpose}, {"validDays", 3}});
    if (reply.accepted) Told(reply.data.at("authorisationCode"));
    return reply;
  }
  std::string Told(const std::string& code) {
    codes_.push_back(code);
    return code;
  }
  json Ctl(std::vector<std::string> words) { return Registryctl(*lab_, std::move(words)); }
  void ExpectKeptNowhere() {
    const Kept kept(lab_->layout());
    for (std::string code : codes_) {
      EXPECT_THAT(kept.Places(code), testing::IsEmpty());
      std::erase(code, '-');
      EXPECT_THAT(kept.Places(code), testing::IsEmpty());
    }
    EXPECT_THAT(kept.Places(R"("authorisationCode":"----")"), testing::Not(testing::IsEmpty()))
        << "what is kept can be looked through";
  }

  std::unique_ptr<lab::Lab> lab_;
  std::vector<std::string> codes_;
  std::size_t registered_ = 0;
  std::uint64_t last_ = 0;
};

TEST_F(CodesLab, ACodeWorksOnceIsLockedByGuessesAndIsKeptNowhere) {
  ASSERT_TRUE(Ask("asp-a", "endpoint.publish", {{"endpoint", MainEndpoint()}}).accepted);
  const Device claimed = Register(), guessed = Register();

  const std::string answer = Claim("asp-a", kNobody, kWrong).data.dump();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Claim("asp-a", guessed.id, kWrong).data.dump(), answer) << i;
  EXPECT_EQ(Claim("asp-a", guessed.id, guessed.code).symbol(), "authorisation_locked");
  const std::string unlocked = Set("mno-a", guessed.id, "claim").data.value("authorisationCode", "");
  EXPECT_EQ(Claim("asp-a", guessed.id, guessed.code).symbol(), "authorisation_invalid")
      << "the older one ended";
  EXPECT_TRUE(Claim("asp-a", guessed.id, unlocked).accepted) << "a new code is not locked";

  EXPECT_TRUE(Claim("asp-a", claimed.id, claimed.code).accepted);
  EXPECT_EQ(Claim("asp-a", claimed.id, claimed.code).data.dump(), answer) << "it works once";
  EXPECT_EQ(Set("mno-b", claimed.id, "transfer").symbol(), "not_sponsor");
  EXPECT_EQ(Set("asp-a", claimed.id, "claim").symbol(), "not_sponsor");
  const Reply of_mno = Set("mno-a", claimed.id, "transfer"), of_asp = Set("asp-a", claimed.id, "transfer");
  EXPECT_TRUE(of_mno.accepted && of_asp.accepted) << of_mno.payload << of_asp.payload;
  const json of_operator = Ctl({"authorisation", "set", claimed.id, "--purpose", "transfer"});
  ASSERT_TRUE(of_operator.contains("authorisationCode")) << of_operator.dump();
  Told(of_operator.at("authorisationCode"));
  // What cannot be decided is kept on its way as well.
  const std::string broken = R"({"data":{"authorisationCode":")" + claimed.code + R"("},)";
  EXPECT_EQ(Ask("asp-a", "device.claim", {}, "", broken).symbol(), "bad_json");

  lab_->Kill("registryd");
  ExpectKeptNowhere();
  const auto restarted = lab_->Restart("registryd");
  ASSERT_TRUE(restarted) << restarted.error().message;
  const auto& esim = lab_->inventory().at(0);
  const Reply again = Ask("mno-a", "esim.register", {{"eid", esim.eid.text()}, {"iccid", esim.iccid.text()}},
                          claimed.register_id);
  EXPECT_EQ(again.payload, claimed.payload) << "the same octets, the code computed anew";
  ExpectKeptNowhere();
  EXPECT_FALSE(lab_->TakeFailure()) << "no process ended by itself";
}

// A command is in the intake's files from before its PUBACK until it is done, and a killed registryd leaves it there.
TEST_F(CodesLab, ACommandOnItsWayIsSealedOnDisk) {
  ASSERT_TRUE(Ask("asp-a", "endpoint.publish", {{"endpoint", MainEndpoint()}}).accepted);
  const Device device = Register();
  const json hold = {{"device", kNobody}};
  std::vector<std::pair<std::string, json>> commands(kBatch, {"device.suspend", hold});
  const json claim = {{"device", device.id}, {"authorisationCode", device.code}, {"endpoint", "main"}};
  commands.emplace_back("device.claim", claim);
  bool kept = false;
  for (int i = 0; i < kKillsMax && !kept; ++i) {
    SayBatch(commands);
    lab::WaitUntil([this] { return IntakeHoldsBatch(); }, kPatience);
    lab_->Kill("registryd");
    kept = IntakeHoldsBatch();
    if (kept) break;
    const auto restarted = lab_->Restart("registryd");  // it was faster
    ASSERT_TRUE(restarted) << restarted.error().message;
  }
  ASSERT_TRUE(kept) << "no batch was caught under way";
  ExpectKeptNowhere();
  const Kept all(lab_->layout());
  EXPECT_THAT(all.Places(kBatchTopic), testing::Contains(testing::HasSubstr("/intake/")))
      << "what stands in the intake in clear is found there";
  const auto batches = UnsealedBatches();
  EXPECT_THAT(batches, testing::Contains(testing::HasSubstr(device.code))) << "the code is in that record";
  const auto restarted = lab_->Restart("registryd");
  ASSERT_TRUE(restarted) << restarted.error().message;
  EXPECT_TRUE(lab::WaitUntil(
      [this, &device] {
        return Ctl({"device", "show", device.id}).value("claimer", "") == "asp-a";
      },
      kPatience))
      << "what was taken in is done";
}

TEST_F(CodesLab, ALimitRefusesItsPartyAloneAndSaysWhenToComeAgain) {
  {
    std::ofstream config(lab_->layout().ConfigFile(), std::ios::app);
    config << "[limits]\nread_per_second = 1\nread_burst = 3\n";
  }
  lab_->Kill("registryd");
  const auto restarted = lab_->Restart("registryd");
  ASSERT_TRUE(restarted) << restarted.error().message;
  // This answer is kept, so it comes once registryd is connected; that to a read is dropped until then.
  ASSERT_TRUE(Ask("asp-a", "endpoint.publish", {{"endpoint", MainEndpoint()}}).accepted);
  const auto quota = [&](const std::string& party) { return Ask(party, "quota.get", json::object()); };
  Reply reply;
  int heard = 0;
  while (reply = quota("asp-a"), reply.accepted && ++heard < 60) continue;
  EXPECT_GE(heard, 3);
  EXPECT_EQ(reply.symbol(), "limit_reached");
  EXPECT_EQ(reply.data.value("limit", ""), "read");
  EXPECT_EQ(reply.data.value("left", -1), 0);
  EXPECT_GE(reply.data.value("retryAfterSeconds", 0), 1);
  const Reply other = quota("asp-b");
  ASSERT_TRUE(other.accepted) << other.payload;
  EXPECT_EQ(other.data.at("limits").at(1).at("burst"), 3);
  EXPECT_EQ(Ctl({"party", "limits", "asp-a"}).at(1).at("burst"), 3);
  EXPECT_EQ(lab_->RegistryCounters().at("registry_limited_total"), 1);
}

}  // namespace
}  // namespace registry::test
