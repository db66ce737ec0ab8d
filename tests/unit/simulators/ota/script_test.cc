// Command scripts and what cards say of them, in the three forms of TS 102 226.
#include "simulators/ota/script.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace registry::sim::ota {
namespace {

const Bytes kOne = *FromHex("80f24002024f0000"), kTwo = *FromHex("00a40004023f0000");

// The octets of pySim's tests of its own expanded format.
TEST(Script, IsWrittenAsOthersWriteIt) {
  EXPECT_EQ(ToHex(WriteScript({ScriptForm::kDefinite, {kOne, kTwo}})),
            "aa14220880f24002024f0000220800a40004023f0000");
  EXPECT_EQ(ToHex(WriteScript({ScriptForm::kIndefinite, {kOne}})), "ae80220880f24002024f00000000");
  const Bytes longer = WriteScript({ScriptForm::kDefinite, {Bytes(200, 0x00)}});
  EXPECT_EQ(ToHex(longer).substr(0, 12), "aa81cb2281c8");
}

RC_GTEST_PROP(Script, ReadsWhatItWrote, ()) {
  const auto form = *rc::gen::element(ScriptForm::kDefinite, ScriptForm::kIndefinite, ScriptForm::kCompact);
  Script script{form, {}};
  const auto count = *rc::gen::inRange<std::size_t>(1, 12);
  for (std::size_t i = 0; i < count; ++i) {
    const auto size = *rc::gen::inRange<std::uint8_t>(0, 255);
    Bytes command = {0x80, 0xe2, 0x00, 0x00, size};
    command.resize(5 + std::size_t{size}, 0xaa);
    script.commands.push_back(std::move(command));
  }
  const auto read = ReadScript(WriteScript(script));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->form == form);
  RC_ASSERT(read->commands == script.commands);
}

RC_GTEST_PROP(Script, AnswersAreReadAsTheyWereWritten, ()) {
  const auto form = *rc::gen::element(ScriptForm::kDefinite, ScriptForm::kIndefinite);
  ScriptAnswer answer;
  answer.count = *rc::gen::inRange<std::size_t>(0, 20);
  for (std::size_t i = 0; i < answer.count; ++i)
    answer.answers.emplace_back(*rc::gen::inRange<std::size_t>(2, 258), 0x90);
  const auto read = ReadAnswer(WriteAnswer(answer, form), form);
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->answers == answer.answers);
  RC_ASSERT(!read->bad_format);
}

RC_GTEST_PROP(Script, OctetsFromOutsideStopNothing, ()) {
  const Bytes octets = *rc::gen::arbitrary<Bytes>();
  (void)ReadScript(octets);
  for (const auto form : {ScriptForm::kDefinite, ScriptForm::kIndefinite, ScriptForm::kCompact})
    (void)ReadAnswer(octets, form);
}

TEST(Script, WhatDoesNotAddUpIsNoScript) {
  for (const char* hex : {"", "aa", "aa00", "aa0a22", "aa0522038000", "aa04220180ff", "aa0623048000ffff",
                          "ae80", "ae800000", "ae80220480e20000", "80e20000", "80e2000005aa", "aa83000001",
                          "00c0000000"
                          "00a4000000"}) {
    EXPECT_FALSE(ReadScript(*FromHex(hex)).has_value()) << hex;
  }
  EXPECT_FALSE(ReadScript(WriteScript({ScriptForm::kDefinite, std::vector<Bytes>(65, kOne)})).has_value());
}

TEST(Script, ACompactAnswerTellsTheLastOnly) {
  const Bytes octets = WriteAnswer({2, {*FromHex("aabb9000")}, false}, ScriptForm::kCompact);
  EXPECT_EQ(ToHex(octets), "029000aabb");
  const auto read = ReadAnswer(octets, ScriptForm::kCompact);
  EXPECT_EQ(read->count, 2u);
  EXPECT_EQ(ToHex(read->answers.front()), "aabb9000");
}

TEST(Script, ABadFormatIsSaidInTheForm) {
  EXPECT_EQ(ToHex(WriteAnswer({0, {}, true}, ScriptForm::kDefinite)), "ab06800100900101");
  EXPECT_TRUE(ReadAnswer(*FromHex("af809001010000"), ScriptForm::kIndefinite)->bad_format);
}

}  // namespace
}  // namespace registry::sim::ota
