// A card that loses its power in the middle of a delivery, at every command of it and in the repair as well; and files of
// two deliveries on one card.
#include <gtest/gtest.h>

#include <map>

#include "simulators/pilot/pilot_files.h"
#include "tests/unit/simulators/device/device_fixture.h"

namespace registry::sim {
namespace {

using test::kName;
using test::kNow;

PilotFiles FilesOf(const std::vector<wire::Container>& containers) {
  PilotFiles files;
  for (const wire::Container& container : containers) files[container.id] = container.content;
  return files;
}

class CardPowerTest : public test::DeviceTest {
 protected:
  // Everything but the CA certificates is another in each generation.
  void SetUp() override {
    test::DeviceTest::SetUp();
    Certify();
    first_ = Made(1, registry_.root(), "one.asp-a.test");
    certificate_ = registry_.Issue(csr_, kName);
    second_ = Made(2, registry_.issuing(), "two.asp-a.test");
    ASSERT_EQ(Take("first", first_), "success");
  }
  struct Delivery {
    nlohmann::json frame;
    PilotFiles files;
  };
  Delivery Made(std::uint64_t version, const Bytes& asp_certificate, const std::string& host) const {
    auto payload = FullPayload(version);
    payload.endpoint->trust.certificate = asp_certificate;
    payload.endpoint->fqdn = host;
    payload.endpoint->url = "tls://" + host + ":8884";
    const auto containers = registry_.Containers(payload);
    return {Frame(Seal(payload), containers), FilesOf(containers)};
  }
  std::string Take(const std::string& job, const Delivery& delivery) {
    const auto outcome = device_->TakePayload(job, delivery.frame, kNow);
    retriable_ = outcome.retriable();
    return outcome.status ? "success" : outcome.status.error().symbol;
  }
  std::string Checked() {
    const auto checked = device_->CheckFiles();
    return checked ? "whole" : checked.error().symbol;
  }
  void Cut(std::size_t commands) { device_->card().ota().CutPowerAfter(commands); }
  // How many commands a delivery has: the least after which a cut hurts nobody.
  std::size_t CommandsOf(const Delivery& delivery) {
    std::size_t commands = 1;
    for (const auto& [id, content] : delivery.files)
      commands += StoreDataBlocks(WriteFileScript(id, content)).size();
    return commands;
  }
  Delivery first_, second_;
  bool retriable_ = false;
};

TEST_F(CardPowerTest, EveryCutIsRecognisedAndTheSameDeliveryMendsTheCard) {
  const std::size_t commands = CommandsOf(second_);
  ASSERT_GT(commands, 9u) << "one removal and eight files, some of several commands";
  for (std::size_t cut = 0; cut <= commands; ++cut) {
    SCOPED_TRACE(cut);
    SetUp();
    Cut(cut);
    const std::string said = Take("second", second_);
    if (cut == 0) {
      EXPECT_EQ(said, "applet_refused");
      EXPECT_EQ(Checked(), "whole") << "nothing has changed yet";
      EXPECT_EQ(*device_->ReadFiles(), first_.files);
    } else if (cut < commands) {
      EXPECT_EQ(said, "card_half_written");
      EXPECT_EQ(Checked(), "card_half_written");
      EXPECT_FALSE(device_->ReadFiles()->contains(pilot::kClient)) << "what says provisioned is gone first";
    } else {
      EXPECT_EQ(said, "success");
    }
    if (cut < commands) {
      EXPECT_TRUE(retriable_);
      EXPECT_TRUE(device_->bound()) << "it goes on with what it had";
    }
    EXPECT_EQ(Take("second", second_), "success");
    EXPECT_EQ(Checked(), "whole");
    EXPECT_EQ(*device_->ReadFiles(), second_.files);
    EXPECT_EQ(Take("first-again", first_), "payload_replayed") << "the version counts as before";
  }
}

TEST_F(CardPowerTest, ACutInTheRepairIsACutLikeAnother) {
  const std::size_t commands = CommandsOf(second_);
  for (std::size_t cut = 1; cut < commands; ++cut) {
    SetUp();
    Cut(cut);
    ASSERT_EQ(Take("second", second_), "card_half_written") << cut;
    for (std::size_t again = 0; again < commands; ++again) {
      SCOPED_TRACE(again);
      Cut(again);
      EXPECT_EQ(Take("second", second_), "card_half_written");
      EXPECT_EQ(Checked(), "card_half_written");
    }
    EXPECT_EQ(Take("second", second_), "success");
    EXPECT_EQ(*device_->ReadFiles(), second_.files);
  }
}

TEST_F(CardPowerTest, ALaterPayloadMendsTheCardToo) {
  Cut(5);
  ASSERT_EQ(Take("second", second_), "card_half_written");
  const Delivery third = Made(3, registry_.root(), "three.asp-a.test");
  EXPECT_EQ(Take("third", third), "success");
  EXPECT_EQ(*device_->ReadFiles(), third.files);
  EXPECT_EQ(Take("second", second_), "payload_replayed");
  EXPECT_EQ(Checked(), "whole");
}

// A release, or an ASP that is named by TLSA: the files go, and that can be cut as well.
TEST_F(CardPowerTest, ACutWhileTheFilesAreTakenAwayIsRecognised) {
  for (std::size_t cut = 1; cut < pilot::kAll.size(); ++cut) {
    SCOPED_TRACE(cut);
    SetUp();
    const Delivery none{Frame(Seal(Payload(3)), {}), {}};
    Cut(cut);
    EXPECT_EQ(Take("none", none), "card_half_written");
    EXPECT_EQ(Checked(), "card_half_written");
    EXPECT_EQ(Take("none", none), "success");
    EXPECT_TRUE(device_->ReadFiles()->empty());
    EXPECT_EQ(Checked(), "whole");
  }
}

// By somebody who holds the issuer's keys and does not ask the device: an MNO that delivers late, or twice at once.
TEST_F(CardPowerTest, FilesOfTwoDeliveriesAreNotTakenForOne) {
  ASSERT_EQ(Take("second", second_), "success");
  for (const auto& [id, content] : first_.files) {
    for (const Bytes& block : StoreDataBlocks(WriteFileScript(id, content)))
      ASSERT_EQ(device_->card().ota().Transmit(block), (Bytes{0x90, 0x00}));
    const bool same = *device_->ReadFiles() == second_.files;
    const bool all = *device_->ReadFiles() == first_.files;
    EXPECT_EQ(Checked(), same ? "whole" : all ? "card_outdated" : "card_half_written") << int{id};
  }
  EXPECT_EQ(Checked(), "card_outdated") << "whole, and of the delivery before";
  EXPECT_EQ(Take("second", second_), "success") << "the same job, delivered once more";
  EXPECT_EQ(*device_->ReadFiles(), second_.files);
  EXPECT_EQ(Checked(), "whole");
}

// Each of the files from either of two deliveries, or not there at all: 3^8 cards.
TEST_F(CardPowerTest, EveryMixtureIsToldFromAWholeSet) {
  std::size_t whole = 0, none = 0;
  for (int card = 0; card < 6561; ++card) {
    PilotFiles files;
    int left = card;
    for (const std::uint8_t id : pilot::kAll) {
      if (left % 3 != 2) files[id] = (left % 3 == 0 ? first_ : second_).files.at(id);
      left /= 3;
    }
    const bool one = files == first_.files || files == second_.files;
    const CardSet set = Judge(files);
    ASSERT_EQ(set.written, one             ? Written::kWhole
                           : files.empty() ? Written::kNone
                                           : Written::kHalf)
        << card << ' ' << set.why;
    if (one) {
      ASSERT_EQ(set.generation, files == first_.files ? 1u : 2u);
    }
    whole += one;
    none += files.empty();
  }
  EXPECT_EQ(whole, 8u) << "root and issuing certificate are the same in both";
  EXPECT_EQ(none, 1u);
}

TEST_F(CardPowerTest, AMarkThatIsNoneIsNoMark) {
  for (const char* mark :
       {"", "{}", "[]", R"({"files":7,"generation":1})", R"({"files":"00","generation":-1})",
        R"({"files":"00","generation":1,"more":1})"}) {
    PilotFiles files = first_.files;
    files[pilot::kMark] = AsBytes(mark);
    EXPECT_EQ(Judge(files).written, Written::kHalf) << mark;
  }
  PilotFiles files = first_.files;
  files[0x20] = {1};
  EXPECT_EQ(Judge(files).written, Written::kWhole) << "somebody else's file";
}

// Sound files, under a mark of another number or of other files: the carrier's doing.
TEST_F(CardPowerTest, AMarkOfAnotherPayloadIsRefused) {
  const auto payload = FullPayload(5);
  auto containers = registry_.Containers(payload);
  auto& mark = containers.at(containers.size() - 2);
  ASSERT_EQ(mark.id, pilot::kMark);
  auto said = nlohmann::json::parse(AsText(mark.content));
  said["generation"] = 6;
  mark.content = AsBytes(said.dump());
  EXPECT_EQ(SymbolWith(payload, containers), "payload_container");
  mark.content = second_.files.at(pilot::kMark);
  EXPECT_EQ(SymbolWith(payload, containers), "payload_container");
  EXPECT_EQ(Checked(), "whole");
}

}  // namespace
}  // namespace registry::sim
