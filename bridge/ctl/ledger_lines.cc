#include "bridge/ctl/ledger_lines.h"

#include <istream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <ostream>

#include "bridge/ctl/building.h"
#include "bridge/ctl/sha256.h"
#include "bridge/ledger/postgres/records.h"
#include "bridge/ledger/rocksdb/records.h"

namespace registry::ctl {
namespace {

using nlohmann::json;

constexpr char kOf[] = "iot-registry ledger";

Error ImportInvalid(const std::string& sentence) {
  return Error::Make(Code::kFailed, "import_invalid", sentence);
}

// Lines that leave, with their digest.
class Lines {
 public:
  explicit Lines(std::ostream& to) : to_(to) {}
  Status Put(std::string line) {
    line += '\n';
    digest_.Add(line);
    to_ << line;
    return Written();
  }
  Status End(json end) {
    end["sha256"] = ToHex(digest_.End());
    to_ << json{{"end", std::move(end)}}.dump() << '\n' << std::flush;
    return Written();
  }

 private:
  Status Written() const {
    if (to_) return Done{};
    return Error::Make(Code::kFailed, "file_failed", "the lines cannot be written: is there room?");
  }
  std::ostream& to_;
  Sha256 digest_;
};

// By hand: names and values need no escaping, and there are millions of them.
std::string LineOf(const ledger::StoredRecord& record) {
  std::string line = R"({"family":")";
  line += record.family;
  line += R"(","key":")";
  line += ToHex(AsBytes(record.key));
  line += R"(","record":")";
  line += ToBase64(AsBytes(record.octets));
  line += R"("})";
  return line;
}

json EndOf(const LedgerCounts& counts) {
  return {{"ledger", counts.point.id},
          {"format", counts.point.format},
          {"history", counts.point.history},
          {"history_hash", ToHex(counts.point.chain)},
          {"counts", counts.records}};
}

// A record in the very form that LineOf writes; views into the line.
struct RecordLine {
  std::string_view family, key, record;
};

// By hand, as there are millions of them. Nothing: another form, or no record at all.
std::optional<RecordLine> RecordIn(std::string_view line) {
  const auto take = [&line](std::string_view words) {
    const bool there = line.starts_with(words);
    if (there) line.remove_prefix(words.size());
    return there;
  };
  const auto text = [&line] {
    const auto taken = line.substr(0, line.find('"'));
    line.remove_prefix(taken.size());
    return taken;
  };
  RecordLine found;
  if (line.find('\\') != line.npos) return std::nullopt;  // an escape, which only a parser reads
  if (!take(R"({"family":")")) return std::nullopt;
  found.family = text();
  if (!take(R"(","key":")")) return std::nullopt;
  found.key = text();
  if (!take(R"(","record":")")) return std::nullopt;
  found.record = text();
  return line == R"("})" ? std::optional(found) : std::nullopt;
}

class LineReader {
 public:
  explicit LineReader(std::istream& from) : from_(from) {}

  // Until the next one is read; an object of JSON or, where it is a record in its usual form, that.
  struct Line {
    std::optional<RecordLine> record;
    json object;
  };
  // Null: the end of the file.
  Result<const Line*> Next() {
    if (!std::getline(from_, text_)) return static_cast<const Line*>(nullptr);
    ++number_;
    if (text_.size() > kLineMax) return Wrong("is longer than any record");
    line_.record = RecordIn(text_);
    if (!line_.record) line_.object = json::parse(text_, nullptr, false);
    if (!line_.record && !line_.object.is_object()) return Wrong("is no JSON object");
    // The last line is not under its own digest.
    if (line_.record || !line_.object.contains("end")) {
      digest_.Add(text_);
      digest_.Add("\n");
    }
    return &line_;
  }
  Error Wrong(const std::string& what) const {
    return ImportInvalid("line " + std::to_string(number_) + " " + what);
  }
  Bytes Digest() const { return digest_.SoFar(); }

 private:
  std::istream& from_;
  std::uint64_t number_ = 0;
  std::string text_;
  Line line_;
  Sha256 digest_;
};

Status CheckFirst(LineReader& lines) {
  const auto first = lines.Next();
  if (!first) return first.error();
  if (*first == nullptr || (*first)->record || (*first)->object.value("of", json()) != kOf)
    return ImportInvalid("the file is no export of a ledger");
  const json format = (*first)->object.value("lines", json());
  if (format == kLinesFormat) return Done{};
  return ImportInvalid("the export has format " + format.dump() + ", and this registryctl knows " +
                       std::to_string(kLinesFormat));
}

// What a line has besides its usual form, such as blanks, is no less a record.
struct RecordTexts {
  std::string family, key, record;
};
RecordTexts TextsOf(const json& object) {
  const auto text = [&object](const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  return {text("family"), text("key"), text("record")};
}

auto DigestOf(const LineReader& lines) {
  return [&lines] { return std::string(AsText(lines.Digest())); };
}

// The first `begun` records are in already.
Status PutRecord(const LineReader& lines, const RecordLine& line, ledger::RecordImport& import,
                 std::uint64_t begun, LedgerCounts& counts) {
  const auto key = FromHex(line.key);
  const auto octets = FromBase64(line.record);
  if (!key || !octets) return lines.Wrong("is no record");
  const std::string family(line.family);
  ++counts.records[family];
  if (counts.all() <= begun) return Done{};
  const auto put = import.Put({family, AsText(*key), AsText(*octets)}, DigestOf(lines));
  if (put) return Done{};
  if (put.error().symbol == ledger::kLedgerFailed) return put.error();
  return lines.Wrong("cannot be taken: " + put.error().message);
}

Status PutLine(const LineReader& lines, const LineReader::Line& line, ledger::RecordImport& import,
               std::uint64_t begun, LedgerCounts& counts) {
  if (line.record) return PutRecord(lines, *line.record, import, begun, counts);
  const RecordTexts texts = TextsOf(line.object);
  return PutRecord(lines, {texts.family, texts.key, texts.record}, import, begun, counts);
}

Status CheckEnd(const json& end, const LedgerCounts& counts, const Bytes& digest) {
  json is = EndOf(counts);
  is["sha256"] = ToHex(digest);
  for (const char* name : {"sha256", "counts", "history", "history_hash"}) {
    if (!end.is_object() || end.value(name, json()) != is[name])
      return ImportInvalid(std::string("what was read is not what its last line says: ") + name);
  }
  return Done{};
}

Status CheckSound(const ledger::RecordImport& import, const std::string& scratch) {
  const auto reader = import.Reader(scratch);
  if (!reader) return reader.error();
  const auto report = ledger::Verify(**reader);
  if (!report) return report.error();
  if (report->faults.empty()) return Done{};
  return ImportInvalid("the ledger has " + std::to_string(report->faults.size()) +
                       " faults, the first: " + report->faults.front());
}

// One that goes on has to go on with what it began with.
Status CheckBegun(const LineReader& lines, const ledger::ImportedSoFar& begun, const LedgerCounts& counts) {
  if (begun.records == 0 || counts.all() != begun.records || AsText(lines.Digest()) == begun.digest)
    return Done{};
  return ImportInvalid("the ledger holds a part of another export: remove its tables, and begin again");
}

Status TakeEnd(const LineReader& lines, const json& end, ledger::RecordImport& import, LedgerCounts& counts) {
  if (counts.all() < import.begun().records)
    return ImportInvalid(
        "the ledger holds more of an export than this one has: remove its tables, and begin again");
  const auto point = import.Finish(DigestOf(lines));
  if (!point && point.error().symbol == ledger::kLedgerDamaged)
    return ImportInvalid("not every record is what was written: " + point.error().message);
  if (!point) return point.error();
  counts.point = *point;
  return CheckEnd(end, counts, lines.Digest());
}

Result<LedgerCounts> TakeLines(std::istream& from, ledger::RecordImport& import, const std::string& scratch) {
  LineReader lines(from);
  if (auto first = CheckFirst(lines); !first) return first.error();
  LedgerCounts counts;
  const auto begun = import.begun();
  for (;;) {
    const auto line = lines.Next();
    if (!line) return line.error();
    if (*line == nullptr) return ImportInvalid("the last line is missing: the export was cut short");
    if (!(*line)->record && (*line)->object.contains("end")) {
      if (auto ended = TakeEnd(lines, (*line)->object["end"], import, counts); !ended) return ended.error();
      break;
    }
    if (auto put = PutLine(lines, **line, import, begun.records, counts); !put) return put.error();
    if (auto same = CheckBegun(lines, begun, counts); !same) return same.error();
  }
  if (auto sound = CheckSound(import, scratch); !sound) return sound.error();
  if (auto accepted = import.Accept(); !accepted) return accepted.error();
  return counts;
}

}  // namespace

std::uint64_t LedgerCounts::all() const {
  return std::accumulate(records.begin(), records.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& family) { return sum + family.second; });
}

Result<LedgerCounts> ExportLines(const ExportSource& source, std::ostream& to) {
  Lines lines(to);
  const json first = {
      {"lines", kLinesFormat}, {"of", kOf}, {"software", source.software}, {"made", ToRfc3339(source.now)}};
  if (auto put = lines.Put(first.dump()); !put) return put.error();
  LedgerCounts counts;
  const auto take = [&](const ledger::StoredRecord& record) -> Status {
    ++counts.records[std::string(record.family)];
    return lines.Put(LineOf(record));
  };
  const auto point = source.place.postgres ? ledger::ReadRecords(*source.place.postgres, take)
                                           : ledger::ReadRecords(source.place.folder, source.scratch, take);
  if (!point) return point.error();
  counts.point = *point;
  if (auto ended = lines.End(EndOf(counts)); !ended) return ended.error();
  return counts;
}

Result<LedgerCounts> ImportLines(std::istream& from, const app::LedgerPlace& to, const std::string& scratch) {
  if (to.postgres) {
    const auto import = ledger::BeginPostgresImport(*to.postgres);
    if (!import) return import.error();
    return TakeLines(from, **import, scratch);
  }
  auto building = Building::Begin(to.folder);
  if (!building) return building.error();
  const auto import = ledger::BeginRocksDbImport(building->path());
  if (!import) return import.error();
  auto counts = TakeLines(from, **import, scratch);
  if (!counts) return counts;
  if (auto finished = building->Finish(); !finished) return finished.error();
  return counts;
}

}  // namespace registry::ctl
