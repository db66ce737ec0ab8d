// schemas/examples: every valid one decodes and comes back as the same canonical text, every invalid one is
// refused with the symbol its name ends in, and an independent JSON Schema validator agrees. A name that
// begins with "decoder-only." marks what a schema cannot see (check digits, calendars, octet counts).
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "schemas/wire/codec.h"
#include "schemas/wire/envelope.h"
#include "schemas/wire/field_tables.h"
#include "schemas/wire/symbols.h"
#include "tests/unit/schemas/contract/judge.h"

namespace registry::contract {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Example {
  std::string stem;
  fs::path file;
  std::string text;
};

std::set<std::string> Stems() {
  std::set<std::string> stems{"envelope"};
  for (const std::string& stem : wire::TableStems()) stems.insert(stem);
  return stems;
}

// A folder nobody reads would hold examples that prove nothing.
TEST(Examples, EveryFolderBelongsToASchema) {
  std::set<std::string> folders;
  for (const auto& folder : fs::directory_iterator(SchemaFolder() / "examples"))
    folders.insert(folder.path().filename().string());
  EXPECT_EQ(folders, Stems());
}

std::vector<Example> Examples(const std::string& kind) {
  std::vector<Example> examples;
  for (const std::string& stem : Stems()) {
    for (const auto& file : fs::directory_iterator(SchemaFolder() / "examples" / stem / kind)) {
      examples.push_back({stem, file.path(), LoadText(file.path())});
    }
  }
  return examples;
}

std::vector<bool> JudgeAll(const std::vector<Example>& examples) {
  std::vector<Case> cases;
  for (const Example& example : examples) cases.push_back({example.stem, example.text});
  return Judge(cases);
}

// The canonical text of what was read, or why it was refused.
Result<std::string> Recoded(const Example& example) {
  if (example.stem == "envelope") {
    const Result<wire::Envelope> envelope = wire::DecodeEnvelope(example.text);
    if (!envelope) return envelope.error();
    return wire::EncodeEnvelope(*envelope);
  }
  const Result<json> data = wire::Recode(example.stem, json::parse(example.text));
  if (!data) return data.error();
  return data->dump();
}

// Extension attributes are allowed and not kept, nor is what is null; a datacontenttype is always said.
std::string Canonical(const Example& example) {
  json value = json::parse(example.text);
  if (example.stem != "envelope") return value.dump();
  for (auto member = value.begin(); member != value.end();) {
    member = member->is_null() ? value.erase(member) : std::next(member);
  }
  for (const char* name : {"partitionkey", "sampledrate", "urgent"}) value.erase(name);
  value["datacontenttype"] = "application/json";
  return value.dump();
}

TEST(Examples, ValidOnesComeBackCanonically) {
  const std::vector<Example> examples = Examples("valid");
  std::set<std::string> stems;
  for (const Example& example : examples) {
    stems.insert(example.stem);
    const Result<std::string> recoded = Recoded(example);
    ASSERT_TRUE(recoded) << example.file << " " << recoded.error().symbol << " " << recoded.error().field;
    EXPECT_EQ(*recoded, Canonical(example)) << example.file;
  }
  EXPECT_EQ(stems, Stems()) << "each schema needs a valid example";
}

TEST(Examples, InvalidOnesAreRefusedWithTheirSymbolAndItsCode) {
  std::map<std::string_view, Code> codes;
  for (const wire::SymbolRow& row : wire::Symbols()) codes[row.symbol] = row.code;
  std::set<std::string> stems;
  for (const Example& example : Examples("invalid")) {
    stems.insert(example.stem);
    const Result<std::string> recoded = Recoded(example);
    ASSERT_FALSE(recoded) << example.file;
    EXPECT_EQ("." + recoded.error().symbol, example.file.stem().extension()) << example.file;
    const auto code = codes.find(recoded.error().symbol);
    ASSERT_NE(code, codes.end()) << recoded.error().symbol;
    EXPECT_EQ(recoded.error().code, code->second) << example.file;
  }
  EXPECT_EQ(stems, Stems()) << "each schema needs an invalid example";
}

TEST(Examples, EverySymbolOfEnvelopeAndDataHasAnExample) {
  using Said = wire::SymbolRow::Said;
  // What no file can show: an octet too many, and what the topic decides.
  std::set<std::string> shown{"message_too_large", "type_mismatch", "unknown_command"};
  for (const Example& example : Examples("invalid"))
    shown.insert(example.file.stem().extension().string().substr(1));
  for (const wire::SymbolRow& row : wire::Symbols()) {
    if (row.said != Said::kEnvelope && row.said != Said::kData) continue;
    EXPECT_TRUE(shown.count(std::string(row.symbol))) << row.symbol;
  }
}

TEST(Examples, TheValidatorAcceptsTheValidOnes) {
  const std::vector<Example> examples = Examples("valid");
  const std::vector<bool> verdicts = JudgeAll(examples);
  for (std::size_t i = 0; i < examples.size(); ++i) EXPECT_TRUE(verdicts[i]) << examples[i].file;
}

// What integrators' validators do with our files: ajv's defaults, everything an error, `format` asserted.
TEST(Examples, AjvCompilesEverySchemaInEachOfItsModes) {
  const std::vector<Example> examples = Examples("valid");
  std::vector<Case> cases;
  for (const Example& example : examples) cases.push_back({example.stem, example.text});
  for (const char* options : {"{}", R"({"strict":true})", R"({"strictRequired":true,"allErrors":true})"}) {
    SCOPED_TRACE(options);
    const std::vector<bool> verdicts = JudgeByAjv(cases, options);
    for (std::size_t i = 0; i < examples.size(); ++i) EXPECT_TRUE(verdicts[i]) << examples[i].file;
  }
}

TEST(Examples, TheValidatorRefusesTheInvalidOnesItCanSee) {
  const std::vector<Example> examples = Examples("invalid");
  const std::vector<bool> verdicts = JudgeAll(examples);
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const bool decoder_only = examples[i].file.filename().string().starts_with("decoder-only.");
    EXPECT_EQ(verdicts[i], decoder_only) << examples[i].file;
  }
}

// ---- random changes to valid examples: whatever the decoder accepts, the schema accepts

json Strange(std::mt19937_64& random) {
  static const std::vector<json> kStrange{nullptr,
                                          true,
                                          0,
                                          -1,
                                          1.5,
                                          9007199254740992u,
                                          "",
                                          "x",
                                          "\n",
                                          std::string(300, 'a'),
                                          "_",
                                          "A",
                                          "ü",
                                          "0",
                                          "AAAA",
                                          "https://x",
                                          json::array(),
                                          json::object(),
                                          65535,
                                          "2026-01-01T00:00:00Z",
                                          "3f0c9a52-6a1e-4d57-9b1a-2f5c7e9d1b34"};
  return kStrange[std::uniform_int_distribution<std::size_t>(0, kStrange.size() - 1)(random)];
}

// A member more, or an old one under another name.
void ChangeMembers(json* object, std::mt19937_64& random) {
  static const std::vector<std::string> kNames{"cause",
                                               "seq",
                                               "subject",
                                               "time",
                                               "traceparent",
                                               "tracestate",
                                               "datacontenttype",
                                               "data",
                                               "urgent",
                                               "Urgent",
                                               "a_b",
                                               "",
                                               "x9",
                                               "reason",
                                               "detail",
                                               std::string(21, 'x'),
                                               "retriable",
                                               "job",
                                               "step",
                                               std::string(20, 'x'),
                                               "wifi",
                                               "tlsaOwner",
                                               "certificate"};
  const std::string& name = kNames[random() % kNames.size()];
  if (object->empty() || random() % 2 == 0) {
    (*object)[name] = Strange(random);
    return;
  }
  const auto moved = std::next(object->begin(), static_cast<std::ptrdiff_t>(random() % object->size()));
  const json value = *moved;
  object->erase(moved);
  (*object)[name] = value;
}

void Change(json* value, std::mt19937_64& random) {
  if (random() % 4 == 0) return ChangeMembers(value, random);
  while (value->is_structured() && !value->empty()) {
    const auto step = std::uniform_int_distribution<std::ptrdiff_t>(
        0, static_cast<std::ptrdiff_t>(value->size()) - 1)(random);
    value = &*std::next(value->begin(), step);
    if (random() % 3 == 0) break;
  }
  if (!value->is_string() || random() % 2 == 0) {
    *value = Strange(random);
    return;
  }
  auto& text = value->get_ref<std::string&>();
  const std::size_t at = text.empty() ? 0 : random() % text.size();
  const bool ascii = !text.empty() && static_cast<unsigned char>(text[at]) < 0x80;
  if (ascii) text[at] = static_cast<char>(0x20 + random() % 0x5f);
}

TEST(Examples, WhatTheDecoderAcceptsTheSchemaAccepts) {
  constexpr std::uint64_t kSeed = 20'260'301;
  std::mt19937_64 random(kSeed);
  std::vector<Case> accepted;
  std::map<std::string, int> by_stem;
  for (const Example& example : Examples("valid")) {
    for (int i = 0; i < 60; ++i) {
      json value = json::parse(example.text);
      Change(&value, random);
      const Example changed{example.stem, example.file, value.dump()};
      if (!Recoded(changed)) continue;
      accepted.push_back({changed.stem, changed.text});
      ++by_stem[changed.stem];
    }
  }
  EXPECT_GT(accepted.size(), 100u);
  EXPECT_GT(by_stem["envelope"], 50);
  const std::vector<bool> verdicts = Judge(accepted);
  for (std::size_t i = 0; i < accepted.size(); ++i)
    EXPECT_TRUE(verdicts[i]) << accepted[i].stem << accepted[i].text;
}

}  // namespace
}  // namespace registry::contract
