#include "simulators/lab/static_zone.h"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "simulators/lab/process.h"

namespace registry::lab {
namespace {

namespace fs = std::filesystem;

std::string Slurp(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// The first record of a file in the plainest presentation form: single blanks, no comment.
std::string FirstRecord(const fs::path& file) {
  const std::string line = FirstLine(Slurp(file));
  std::istringstream words(line.substr(0, line.find(';')));
  std::string record;
  for (std::string word; words >> word;) record += (record.empty() ? "" : " ") + word;
  return record;
}

// Answers the stem of the key's files.
Result<std::string> MakeKey(const std::string& folder, const std::string& origin, bool ksk) {
  std::vector<std::string> command{"ldns-keygen", "-a", "ECDSAP256SHA256"};
  if (ksk) command.emplace_back("-k");
  command.push_back(origin);
  auto out = RunToEnd(command, folder);
  if (!out) return out.error();
  return FirstLine(*out);
}

std::string Unsigned(const std::string& origin, const std::vector<std::string>& records) {
  const std::string server = origin == "." ? "ns.root-servers.test." : "ns." + origin;
  std::string text = "$TTL 60\n" + origin + " IN SOA " + server + " hostmaster." +
                     (origin == "." ? "" : origin) + " 1 3600 600 86400 5\n" + origin + " IN NS " + server +
                     "\n" + server + " IN A 127.0.0.1\n";
  for (const auto& record : records) text += record + "\n";
  return text;
}

std::string YearFromNow() {
  const std::time_t then = std::time(nullptr) + 365 * 86400;
  std::tm parts{};
  ::gmtime_r(&then, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y%m%d", &parts);
  return text;
}

std::string UnsignedFile(const std::string& zone) { return (zone.empty() ? "root" : zone) + ".zone"; }

Status Sign(const fs::path& folder, const std::string& zone, const std::vector<std::string>& keys) {
  std::vector<std::string> command{"ldns-signzone",   "-e", YearFromNow(), "-o", zone + ".",
                                   UnsignedFile(zone)};
  command.insert(command.end(), keys.begin(), keys.end());
  const auto made = RunToEnd(command, folder.string());
  return made ? Status(Done{}) : Status(made.error());
}

}  // namespace

Result<KeySigningKey> MakeKeySigningKey(const std::string& folder, const std::string& zone) {
  const auto stem = MakeKey(folder, zone + ".", true);
  if (!stem) return stem.error();
  const fs::path at(folder);
  return KeySigningKey{*stem, FirstRecord(at / (*stem + ".ds")), FirstRecord(at / (*stem + ".key"))};
}

Result<SignedZone> SignZone(const std::string& folder, const std::string& name,
                            const std::vector<std::string>& records) {
  fs::create_directories(folder);
  auto ksk = MakeKeySigningKey(folder, name);
  if (!ksk) return ksk.error();
  auto zsk = MakeKey(folder, name + ".", false);
  if (!zsk) return zsk.error();
  std::ofstream(fs::path(folder) / UnsignedFile(name)) << Unsigned(name + ".", records);
  if (auto made = Sign(folder, name, {ksk->stem, *zsk}); !made) return made.error();
  SignedZone zone;
  zone.name = name;
  zone.file = (fs::path(folder) / (UnsignedFile(name) + ".signed")).string();
  zone.ds = ksk->ds;
  zone.dnskey = ksk->dnskey;
  zone.ksk = std::move(*ksk);
  zone.zsk = std::move(*zsk);
  return zone;
}

Status SignAgain(const SignedZone& zone, const std::vector<KeySigningKey>& ksks) {
  std::vector<std::string> keys;
  for (const KeySigningKey& ksk : ksks) keys.push_back(ksk.stem);
  keys.push_back(zone.zsk);
  return Sign(fs::path(zone.file).parent_path(), zone.name, keys);
}

}  // namespace registry::lab
