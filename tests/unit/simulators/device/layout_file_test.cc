// Card layouts from JSON, and the command line that names one.
#include "simulators/device/layout_file.h"

#include <gtest/gtest.h>

#include "simulators/device/arguments.h"
#include "simulators/device/config.h"
#include "simulators/euicc/euicc.h"
#include "tests/support/temporary_folder.h"

namespace registry::sim {
namespace {

using nlohmann::json;

std::string SayTo(Euicc& card, const std::string& hex) {
  return ToHex(card.applet().Transmit(*FromHex(hex)));
}

TEST(LayoutFile, SaysWhatDiffersFromALayoutWithAName) {
  const auto layout = ReadLayout(
      {{"base", "field"},
       {"names", {{{"aid", "a0000002480400"}, {"pads_files", true}}}},
       {"keys",
        {{{"id", "303031"}, {"label", "own"}, {"functions", {"sign", "generate"}}, {"made", true}},
         {{"id", "05"}, {"functions", {"sign", "agree"}}, {"foreign", true}, {"ephemeral", true}}}},
       {"secrets",
        {{{"id", "0e"}, {"type", "aes"}, {"functions", {"sign"}}},
         {{"id", "0d"}, {"functions", {"derive"}}}}},
       {"files",
        {{{"id", "02"}, {"label", "certificate"}, {"usage", 2}, {"content", ToBase64({0x30, 0x00})}}}},
       {"habits", {{"always_get_response", true}, {"select_opens_channel", false}}}});
  ASSERT_TRUE(layout.ok()) << layout.error().message;
  const auto card = Euicc::Make(*layout);
  EXPECT_EQ(SayTo(*card, "01a4040007a0000002480400"), "6881");
  EXPECT_EQ(SayTo(*card, "00a4040007a0000005590010"), "6a82");
  EXPECT_EQ(SayTo(*card, "00a4040007a0000002480400"), "9000");
  EXPECT_EQ(SayTo(*card, "00cd0000058503303031"), "6147") << "made at the factory";
  EXPECT_EQ(SayTo(*card, "00c0000047").substr(0, 12), "344549438641");
  EXPECT_EQ(SayTo(*card, "00b000000d730b636572746966696361746504"), "6104");
  EXPECT_EQ(SayTo(*card, "00c0000004"), "300000009000");
  EXPECT_EQ(SayTo(*card, "012a000009860177a10101920108"), "6881");
}

TEST(LayoutFile, HasNamesAndDefaults) {
  EXPECT_EQ(ReadLayout("registry")->keys.size(), 4u);
  EXPECT_EQ(ReadLayout("field")->applets.size(), 4u);
  EXPECT_EQ(ReadLayout(json::object())->applets.size(), 1u) << "nothing differs from the default";
}

TEST(LayoutFile, RefusesWhatItCannotRead) {
  for (const char* wrong :
       {R"("none")", R"(5)", R"({"base":"none"})", R"({"kyes":[]})", R"({"keys":[{"id":"01"}]})",
        R"({"keys":[{"id":"","functions":[]}]})", R"({"keys":[{"id":"zz","functions":[]}]})",
        R"({"keys":[{"id":"000102030405060708090a0b0c0d0e0f1011121314","functions":[]}]})",
        R"({"keys":[{"id":"01","functions":["fly"]}]})", R"({"keys":[{"id":"01","functions":[],"extra":1}]})",
        R"({"names":[{"aid":"000102030405060708090a0b0c0d0e0f10"}]})",
        R"({"secrets":[{"id":"01","functions":[],"type":"des"}]})",
        R"({"secrets":[{"id":"01","functions":[],"type":"aes","size":32}]})",
        R"({"files":[{"id":"01","content":"!"}]})", R"({"habits":{"always":true}})", R"({"keys":[5]})"}) {
    const auto layout = ReadLayout(json::parse(wrong));
    ASSERT_FALSE(layout.ok()) << wrong;
    EXPECT_EQ(layout.error().symbol, "config_malformed") << wrong;
  }
}

TEST(LayoutFile, IsFoundByNameOrFile) {
  const ::registry::test::TemporaryFolder folder;
  EXPECT_EQ(ReadLayoutFile("field")->name, "field");
  EXPECT_TRUE(ReadLayoutFile(folder.Write("layout.json", R"({"habits":{"tells_remote_over":true}})"))
                  ->habits.tells_remote_over);
  EXPECT_FALSE(ReadLayoutFile(folder.Write("broken.json", "{")).ok());
  EXPECT_FALSE(ReadLayoutFile(folder.In("none")).ok());
}

TEST(LayoutFile, IsThatOfAFleet) {
  json config = {{"radio_sockets", {{"mno-a", "/run/a.sock"}}},
                 {"inventory", {{{"iccid", "1"}, {"eid", "2"}, {"mno", "mno-a"}, {"modem", "/tmp/m"}}}},
                 {"card_layout", "field"}};
  const auto read = ParseDeviceConfig(config);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->card_layout.name, "field");
  EXPECT_EQ(read->inventory.at(0).modem, "/tmp/m");
  config["card_layout"] = "none";
  EXPECT_EQ(ParseDeviceConfig(config).error().symbol, "config_malformed");
}

std::variant<DeviceArguments, int> Read(std::vector<const char*> words) {
  words.insert(words.begin(), "device-sim");
  return ReadArguments(static_cast<int>(words.size()), words.data());
}

std::optional<DeviceArguments> Arguments(const std::vector<const char*>& words) {
  const auto read = Read(words);
  const auto* const arguments = std::get_if<DeviceArguments>(&read);
  return arguments != nullptr ? std::optional(*arguments) : std::nullopt;
}

TEST(DeviceArguments, NameAFleetOrCards) {
  EXPECT_EQ(Arguments({"--config", "x.json"})->config, "x.json");
  const auto cards = Arguments({"--modem", "/tmp/a", "--vpcd", "localhost:35963", "--modem", "/tmp/b"});
  ASSERT_TRUE(cards.has_value());
  EXPECT_EQ(cards->layout, "field");
  ASSERT_EQ(cards->cards.size(), 3u);
  EXPECT_EQ(cards->cards[1].vpcd, "localhost:35963");
  EXPECT_EQ(Arguments({"--layout", "registry", "--modem", "/tmp/a"})->layout, "registry");
  const auto slow =
      Arguments({"--modem", "/tmp/a", "--quotes", "off", "--answer-after", "20", "--modem", "/tmp/b"});
  EXPECT_TRUE(slow->cards[0].modem_options.modem.quotes);
  EXPECT_FALSE(slow->cards[1].modem_options.modem.quotes);
  EXPECT_EQ(slow->cards[1].modem_options.answer_after, std::chrono::milliseconds(20));
}

// Both what is wrong and where to read what would be right; nothing is started.
TEST(DeviceArguments, AreRefusedByName) {
  const std::vector<std::pair<std::vector<const char*>, const char*>> wrong = {
      {{}, "Usage: device-sim"},
      {{"--config"}, "--config"},
      {{"--confg", "x"}, "device-sim: '--confg' is no option of it"},
      {{"--layout", "field"}, "Usage: device-sim"},
      {{"--config", "x", "more"}, "device-sim: 'more' is one word too many"},
      {{"--modem", ""}, "it wants a value"},
      {{"--modem", "x", "y"}, "device-sim: 'y' is one word too many"},
      {{"--quotes", "yes", "--modem", "x"}, "--quotes: yes not in {on,off}"},
      {{"--answer-after", "-1", "--modem", "x"}, "it is 0 to 60000 milliseconds"},
      {{"--answer-after", "5s", "--modem", "x"}, "it is 0 to 60000 milliseconds"},
      {{"--config", "x", "--config", "y"}, "--config"}};
  for (const auto& [words, why] : wrong) {
    ::testing::internal::CaptureStderr();
    const auto read = Read(words);
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::get_if<DeviceArguments>(&read), nullptr);
    EXPECT_EQ(*std::get_if<int>(&read), 2) << said;
    EXPECT_NE(said.find(why), std::string::npos) << said;
  }
}

TEST(DeviceArguments, HelpIsNoFailure) {
  ::testing::internal::CaptureStdout();
  const auto read = Read({"--help"});
  EXPECT_NE(::testing::internal::GetCapturedStdout().find("--answer-after"), std::string::npos);
  EXPECT_EQ(*std::get_if<int>(&read), 0);
}

}  // namespace
}  // namespace registry::sim
