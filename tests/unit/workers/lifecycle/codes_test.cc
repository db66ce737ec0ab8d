// Authorisation codes (RFC 9154): what they are made of, that nothing keeps them, and what a wrong one does.
#include "workers/lifecycle/codes.h"

#include <gmock/gmock.h>

#include <regex>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/crypto/digest.h"
#include "workers/lifecycle/code_text.h"

namespace registry::test {
namespace {

using lifecycle::CodeHash;
using lifecycle::CodeMade;
using lifecycle::CodeText;
using lifecycle::WithoutCodes;
using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;
using testing::Not;

const Bytes kKey(lifecycle::kCodeKeySize, 1), kOtherKey(lifecycle::kCodeKeySize, 2);
constexpr char kWrong[] = "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA";
constexpr char kNobody[] = "01234567-89ab-4cde-8f01-23456789abcd";

CodeMade Made() {
  return {*DeviceId::Parse(kNobody), domain::CodePurpose::kClaim, *PartyId::Parse("mno-a"),
          *EventId::Parse("e-1")};
}

TEST(CodeText, IsTheSameForTheSameAndAnotherForEverythingElse) {
  const std::string text = CodeText(kKey, Made());
  EXPECT_TRUE(std::regex_match(text, std::regex("[A-Z2-7]{4}(-[A-Z2-7]{4}){6}"))) << text;
  EXPECT_EQ(CodeText(kKey, Made()), text);
  EXPECT_NE(CodeText(kOtherKey, Made()), text);
  CodeMade other = Made();
  other.device = DeviceId();
  EXPECT_NE(CodeText(kKey, other), text);
  other = Made();
  other.purpose = domain::CodePurpose::kTransfer;
  EXPECT_NE(CodeText(kKey, other), text);
  other = Made();
  other.set_by = *PartyId::Parse("mno-ae");
  other.cause = *EventId::Parse("-1");
  EXPECT_NE(CodeText(kKey, other), text) << "where one part ends and the next begins counts";
}

// RFC 4231 §4.2.
TEST(CodeText, IsMadeWithHmacSha256) {
  const Bytes key(20, 0x0b);
  EXPECT_EQ(ToHex(crypto::HmacSha256(key, AsBytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

TEST(CodeText, IsReadAsPeopleWriteIt) {
  const std::string text = CodeText(kKey, Made());
  std::string bare = text;
  std::erase(bare, '-');
  EXPECT_EQ(CodeHash(bare), CodeHash(text));
  std::transform(bare.begin(), bare.end(), bare.begin(),
                 [](char c) { return static_cast<char>(std::tolower(c)); });
  EXPECT_EQ(CodeHash(bare), CodeHash(text));
  EXPECT_NE(CodeHash(text.substr(1)), CodeHash(text));
  EXPECT_NE(CodeHash("ABC"), CodeHash("abc")) << "of another form every character counts";
}

TEST(CodeText, OfAPersonsTextIsBlottedOut) {
  const std::string text = CodeText(kKey, Made());
  std::string bare = text;
  std::erase(bare, '-');
  for (const std::string& code : {text, bare}) {
    const std::string safe = WithoutCodes("{\"x\": \"" + code + "\"}, " + code);
    EXPECT_EQ(safe, "{\"x\": \"[code]\"}, [code]");
  }
  EXPECT_EQ(WithoutCodes(R"({"authorisationCode" : "whatever it is","device":"d"})"),
            R"({"authorisationCode" : "[code]","device":"d"})");
  EXPECT_EQ(WithoutCodes(R"({"authorisationCode":"cut)"), R"({"authorisationCode":"[code])");
  const std::string plain =
      std::string("device ") + kNobody + " and job 3f2504e0-4f89-41d3-9a0c-0305e82c3301";
  EXPECT_EQ(WithoutCodes(plain), plain);
}

// ---- the whole registry

TEST(Codes, AreToldAndNeverKept) {
  TestRegistry registry;
  const auto device = registry.Register();
  EXPECT_TRUE(std::regex_match(device.code, std::regex("[A-Z2-7]{4}(-[A-Z2-7]{4}){6}"))) << device.code;
  const auto kept = *registry.ledger().OutboxAfter(ledger::Sink::kMqtt, 0, 100, std::chrono::milliseconds(0));
  ASSERT_FALSE(kept.empty());
  for (const auto& entry : kept) {
    const auto* message = std::get_if<domain::OutgoingMessage>(&entry.item);
    if (message == nullptr) continue;
    EXPECT_THAT(message->payload, Not(HasSubstr(device.code)));
  }
  const auto mark = *registry.ledger().FindEvent(*PartyId::Parse("mno-a"), *EventId::Parse("test-1"));
  ASSERT_TRUE(mark.has_value());
  EXPECT_THAT(mark->reply.payload, HasSubstr("\"authorisationCode\":\"----\""));
}

TEST(Codes, AreToldAgainToARepeatAlsoAfterARestart) {
  TestRegistry registry;
  const json data = {{"eid", EidOf(77)}, {"iccid", IccidOf(77)}};
  const Said first = registry.Ask("mno-a", "esim.register", data, "again");
  EXPECT_EQ(registry.Ask("mno-a", "esim.register", data, "again").payload, first.payload);
  registry.Restart();
  EXPECT_EQ(registry.Ask("mno-a", "esim.register", data, "again").payload, first.payload);
}

TEST(Codes, HaveAnEnd) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto device = registry.Register(), other = registry.Register();
  registry.clock().Advance(hours(14 * 24) - minutes(1));
  EXPECT_TRUE(Claim(registry, other).accepted());
  registry.clock().Advance(minutes(1));
  EXPECT_EQ(Claim(registry, device).symbol(), "authorisation_invalid");
}

TEST(Codes, WorkOnce) {
  TestRegistry registry;
  registry.PublishEndpoint();
  registry.PublishEndpoint("asp-b");
  const auto device = registry.Register();
  ASSERT_TRUE(Claim(registry, device).accepted());
  EXPECT_TRUE(registry.Device(device.device).codes.empty());
  EXPECT_EQ(Claim(registry, device).symbol(), "authorisation_invalid");
  EXPECT_EQ(Claim(registry, device, "asp-b").symbol(), "authorisation_invalid");
}

std::string Without(std::string text, const std::string& what) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what)) text.erase(at, what.size());
  return text;
}

TEST(Codes, ARefusalSaysNothingOfTheDevice) {
  TestRegistry registry;
  registry.PublishEndpoint();
  registry.PublishEndpoint("asp-b");
  const auto free = registry.Register(), claimed = registry.Register(), ended = registry.Register();
  ASSERT_TRUE(Claim(registry, claimed).accepted());
  ASSERT_TRUE(registry.Ask("operator", "device.delete", {{"device", ended.device}}).accepted());
  std::vector<std::string> answers;
  for (const std::string& device : {free.device, claimed.device, ended.device, std::string(kNobody)}) {
    const Said said = Claim(registry, {device, kWrong}, "asp-b");
    EXPECT_EQ(said.code(), 2202);
    answers.push_back(Without(said.data().dump(), device));
  }
  EXPECT_THAT(answers, testing::Each(answers.front()));
  EXPECT_EQ(Claim(registry, ended, "asp-b").data().dump(), answers.front()) << "with what was its code";
}

TEST(Codes, FiveWrongOnesLockTheDeviceForTheRestOfTheHour) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto device = registry.Register(), other = registry.Register();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Claim(registry, {device.device, kWrong}).symbol(), "authorisation_invalid");
    registry.clock().Advance(minutes(10));
  }
  const std::uint64_t written = registry.Device(device.device).version;
  EXPECT_EQ(Claim(registry, device).symbol(), "authorisation_locked");
  EXPECT_EQ(Claim(registry, {device.device, kWrong}).symbol(), "authorisation_invalid");
  EXPECT_EQ(registry.Device(device.device).version, written) << "a lock costs the ledger nothing more";
  EXPECT_TRUE(Claim(registry, other).accepted());
  registry.Restart();
  EXPECT_EQ(Claim(registry, device).symbol(), "authorisation_locked");
  registry.clock().Advance(minutes(10));
  EXPECT_TRUE(Claim(registry, device).accepted()) << "an hour from the first";
  const auto history = HistoryOf(registry, device.device);
  EXPECT_EQ(std::count(history.begin(), history.end(), "wrong authorisation code"), 5);
}

// Who only guesses must not learn from the sixth answer what the first five did not say.
TEST(Codes, ALockSaysNothingOfTheDeviceToWhoHasNotItsCode) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto device = registry.Register();
  const auto answer = [&](const std::string& named) {
    return Without(Claim(registry, {named, kWrong}).data().dump(), named);
  };
  for (int i = 0; i < 8; ++i) EXPECT_EQ(answer(device.device), answer(kNobody)) << i;
  EXPECT_EQ(Claim(registry, device).symbol(), "authorisation_locked");
  const Said of_another = Claim(registry, {device.device, registry.Register().code});
  EXPECT_EQ(of_another.symbol(), "authorisation_invalid") << "a right code, but another device's";
}

TEST(Codes, OneThatIsLockedIsNotCountedThoughAnotherIsOpen) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto device = registry.Register();
  const json by_mno = {{"device", device.device}, {"purpose", "transfer"}};
  const std::string locked =
      registry.Ask("mno-a", "authorisation.set", by_mno).data().at("authorisationCode");
  for (int i = 0; i < 5; ++i) Claim(registry, {device.device, kWrong});
  json why = by_mno;
  why["reason"] = "the first one was lost";
  ASSERT_TRUE(registry.Ask("operator", "authorisation.set", why).accepted());
  EXPECT_THAT(HistoryOf(registry, device.device),
              testing::Contains("authorisation code set for a transfer: the first one was lost").Times(1));
  const json esim = {{"eid", EidOf(1)}, {"iccid", IccidOf(70)}, {"authorisationCode", locked}};
  EXPECT_EQ(registry.Ask("mno-b", "esim.register", esim).symbol(), "authorisation_locked");
  const auto codes = registry.Device(device.device).codes;
  EXPECT_EQ(codes.back().attempts, 0u) << "who holds a code does not guess";
}

TEST(Codes, FourWrongOnesInAnHourLockNothingHoweverOften) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto device = registry.Register();
  for (int hour = 0; hour < 3; ++hour) {
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(Claim(registry, {device.device, kWrong}).symbol(), "authorisation_invalid");
    registry.clock().Advance(hours(1));
  }
  EXPECT_TRUE(Claim(registry, device).accepted());
}

TEST(Codes, ARepeatedWrongOneIsCountedOnce) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto device = registry.Register();
  const json data = {{"device", device.device}, {"authorisationCode", kWrong}, {"endpoint", "main"}};
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(registry.Ask("asp-a", "device.claim", data, "same").symbol(), "authorisation_invalid");
  }
  EXPECT_EQ(registry.Device(device.device).codes.at(0).attempts, 1u);
  EXPECT_TRUE(Claim(registry, device).accepted());
}

TEST(Codes, ARefusalForAnotherReasonLeavesTheCode) {
  TestRegistry registry;
  const auto device = registry.Register();
  EXPECT_EQ(Claim(registry, device).symbol(), "endpoint_unknown");
  EXPECT_EQ(registry.Device(device.device).codes.at(0).attempts, 0u);
  registry.PublishEndpoint();
  EXPECT_TRUE(Claim(registry, device).accepted());
}

TEST(Codes, AnOldOneWithoutAnEndStaysGoodUntilItIsUsed) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto fresh = registry.Register(), used = registry.Register();
  ASSERT_TRUE(Claim(registry, used).accepted());
  const std::string old = "0123456789abcdef0123456789abcdef";
  for (const auto& one : {fresh, used}) {
    domain::Device device = registry.Device(one.device);
    device.codes = {{domain::CodePurpose::kClaim, wire::Role::kAsp, crypto::Sha256OfText(old),
                     *PartyId::Parse("mno-a"), UtcTime{}}};
    domain::Changeset changes;
    changes.devices.push_back({device, device.version});
    ASSERT_TRUE(registry.ledger().Commit(std::move(changes)).ok());
  }
  EXPECT_EQ(Claim(registry, {used.device, old}).symbol(), "authorisation_invalid");
  registry.clock().Advance(hours(10'000));
  EXPECT_TRUE(Claim(registry, {fresh.device, old}).accepted());
}

// ---- authorisation.set

Said Set(TestRegistry& registry, const std::string& party, const std::string& device,
         const std::string& purpose, json more = json::object(), const std::string& id = "") {
  more.update({{"device", device}, {"purpose", purpose}});
  return registry.Ask(party, "authorisation.set", more, id);
}

TEST(AuthorisationSet, TellsANewCodeAndItsEndAndEndsTheOlderOne) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto device = registry.Register();
  const Said set = Set(registry, "mno-a", device.device, "claim", {{"validDays", 3}});
  ASSERT_TRUE(set.accepted()) << set.payload;
  EXPECT_EQ(set.data().at("device"), device.device);
  EXPECT_EQ(set.data().at("purpose"), "claim");
  EXPECT_EQ(set.data().at("expires"), ToRfc3339(registry.clock().Now() + hours(3 * 24)));
  const std::string code = set.data().at("authorisationCode");
  EXPECT_NE(code, device.code);
  EXPECT_EQ(Claim(registry, device).symbol(), "authorisation_invalid");
  EXPECT_TRUE(Claim(registry, {device.device, code}).accepted());
}

TEST(AuthorisationSet, WithoutADaysNumberItIsTheOperatorsPolicy) {
  TestRegistry registry;
  const auto device = registry.Register();
  const Said set = Set(registry, "operator", device.device, "transfer");
  EXPECT_EQ(set.data().at("expires"), ToRfc3339(registry.clock().Now() + hours(14 * 24)));
  for (const int days : {0, 366}) {
    EXPECT_FALSE(Set(registry, "operator", device.device, "transfer", {{"validDays", days}}).accepted());
  }
}

TEST(AuthorisationSet, ARepeatIsToldTheSameCodeAndAnotherCommandAnother) {
  TestRegistry registry;
  const auto device = registry.Register();
  const Said first = Set(registry, "mno-a", device.device, "transfer", json::object(), "once");
  registry.Restart();
  EXPECT_EQ(Set(registry, "mno-a", device.device, "transfer", json::object(), "once").payload, first.payload);
  EXPECT_NE(Set(registry, "mno-a", device.device, "transfer").data().at("authorisationCode"),
            first.data().at("authorisationCode"));
}

TEST(AuthorisationSet, IsOfThoseConcernedOnly) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto device = registry.Register();
  EXPECT_EQ(Set(registry, "mno-b", device.device, "claim").symbol(), "not_sponsor");
  EXPECT_EQ(Set(registry, "mno-b", device.device, "transfer").symbol(), "not_sponsor");
  EXPECT_EQ(Set(registry, "asp-a", device.device, "transfer").symbol(), "not_claimer");
  EXPECT_EQ(Set(registry, "operator", kNobody, "transfer").symbol(), "device_unknown");
  ASSERT_TRUE(Claim(registry, device).accepted());
  EXPECT_EQ(Set(registry, "asp-a", device.device, "claim").symbol(), "not_sponsor");
  EXPECT_EQ(Set(registry, "mno-a", device.device, "claim").symbol(), "device_claimed");
  EXPECT_TRUE(Set(registry, "asp-a", device.device, "transfer").accepted());
  EXPECT_TRUE(Set(registry, "mno-a", device.device, "transfer").accepted());
  EXPECT_TRUE(Set(registry, "operator", device.device, "transfer").accepted());
  EXPECT_EQ(registry.Device(device.device).codes.size(), 3u) << "one of an MNO, of an ASP, of the operator";
}

// For whom a code is, by who has set it; an MNO cannot use an ASP's.
TEST(AuthorisationSet, ACodeIsForOneRole) {
  TestRegistry registry;
  registry.PublishEndpoint();
  const auto device = registry.Register();
  ASSERT_TRUE(Claim(registry, device).accepted());
  const Said of_asp = Set(registry, "asp-a", device.device, "transfer");
  domain::Policy policy;
  const domain::Origin mno{*PartyId::Parse("mno-b"), wire::Role::kMno, std::nullopt},
      asp{*PartyId::Parse("asp-b"), wire::Role::kAsp, std::nullopt};
  const domain::Context context{registry.clock().Now(), {}};
  const SoftwareSigner signer("Issuing CA");
  const auto use = [&](const domain::Origin& origin, domain::CodePurpose purpose) {
    domain::Case at{origin, registry.ledger(), context, policy, signer};
    const auto used = lifecycle::Authorise(*DeviceId::Parse(device.device), purpose,
                                           of_asp.data().at("authorisationCode").get<std::string>(), at);
    EXPECT_EQ(at.changes.though_refused, !used.ok()) << "a wrong one is counted";
    return used ? "" : used.error().symbol;
  };
  EXPECT_EQ(use(asp, domain::CodePurpose::kTransfer), "");
  EXPECT_EQ(use(mno, domain::CodePurpose::kTransfer), "authorisation_invalid");
  EXPECT_EQ(use(asp, domain::CodePurpose::kClaim), "authorisation_invalid");
}

TEST(AuthorisationSet, ByTheEidALockIsToldToWhoHasTheCodeOnly) {
  TestRegistry registry;
  const auto device = registry.Register();
  const Eid eid = registry.Device(device.device).eid, unknown = *Eid::Parse(EidOf(4711));
  const std::string right = Set(registry, "mno-a", device.device, "transfer").data().at("authorisationCode");
  domain::Policy policy;
  const domain::Origin mno{*PartyId::Parse("mno-b"), wire::Role::kMno, std::nullopt};
  const domain::Context context{registry.clock().Now(), {}};
  const SoftwareSigner signer("Issuing CA");
  const auto guess = [&](const Eid& named, const std::string& code = kWrong) {
    domain::Case at{mno, registry.ledger(), context, policy, signer};
    const auto used = lifecycle::AuthoriseByEid(named, domain::CodePurpose::kTransfer, code, at);
    const bool kept = !at.changes.though_refused || registry.ledger().Commit(std::move(at.changes)).ok();
    EXPECT_TRUE(kept);
    return used ? "" : used.error().symbol;
  };
  for (int i = 0; i < 7; ++i) EXPECT_EQ(guess(eid), "authorisation_invalid") << i;
  EXPECT_EQ(guess(unknown), "authorisation_invalid");
  EXPECT_EQ(guess(unknown, right), "authorisation_invalid");
  EXPECT_EQ(guess(eid, right), "authorisation_locked");
  EXPECT_TRUE(domain::Locked(registry.Device(device.device).codes.at(0), registry.clock().Now()));
}

}  // namespace
}  // namespace registry::test
