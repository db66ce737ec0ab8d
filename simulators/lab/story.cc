#include "simulators/lab/story.h"

#include <cstdio>
#include <set>
#include <thread>

#include "schemas/wire/life_messages.h"
#include "simulators/lab/heard.h"
#include "simulators/lab/process.h"

namespace registry::lab {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

template <class Message>
std::string Name() {
  return std::string(Message::kName);
}

constexpr int kDevices = 4;             // of each MNO and each ASP one
constexpr milliseconds kAsk{10000};     // for one question to a server
constexpr milliseconds kTryAgain{500};  // between two looks

// One device and everybody who has to do with it.
class Teller {
 public:
  Teller(const StoryOptions& options, Lab& lab, Heard& heard, Story& story)
      : options_(options), lab_(lab), heard_(heard), story_(story) {}

  void Tell() {
    if (!Activated() || !Session("asp-a") || !Renewed()) return;
    if (!ToAnotherAsp() || !ToAnotherMno() || !Suspended() || !Resumed()) return;
    story_.whole = Lost() && Deleted();
  }

 private:
  bool Over() const { return options_.interrupted != nullptr && options_.interrupted->load(); }

  bool Finish(Chapter chapter, bool ok) {
    chapter.ok = ok;
    std::printf("%s", TextOf(chapter, options_.terminal.columns).c_str());
    std::fflush(stdout);
    story_.chapters.push_back(std::move(chapter));
    return ok;
  }

  // What somebody has to say; the chapter ends without it.
  bool Await(const Heard::Wanted& wanted, const std::string& what, Chapter& chapter) {
    if (heard_.Wait(from_, wanted, options_.patience, [this] { return Over(); })) {
      chapter.proofs.push_back(what);
      return true;
    }
    chapter.proofs.push_back("missing: " + what);
    return false;
  }

  void Say(const std::string& program, const std::string& command, json more = json::object()) {
    from_ = said_at_ = heard_.size();
    more["cmd"] = command;
    more["device"] = device_;
    lab_.SendTo(program, more);
  }

  // What the public name server shows for the device: its records of this type, one a line, empty without any.
  std::string Shown(const std::string& type) const {
    const auto answer =
        RunToEnd({"dig", "+short", "+time=2", "+tries=2", "@" + std::string(kAddress), "-p",
                  std::to_string(lab_.layout().authority), device_ + "._device." + kZone, type},
                 {}, kAsk);
    std::string text = answer ? *answer : "";
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }

  // Looks until the name server shows what is wanted.
  template <class Wanted>
  bool AwaitShown(const std::string& type, const Wanted& wanted, const std::string& what, Chapter& chapter) {
    const auto until = std::chrono::steady_clock::now() + options_.patience;
    std::string shown;
    while (std::chrono::steady_clock::now() < until && !Over()) {
      shown = Shown(type);
      if (wanted(shown)) {
        chapter.proofs.push_back("DNS shows " + (shown.empty() ? "no " + type : type + " " + shown));
        return true;
      }
      std::this_thread::sleep_for(kTryAgain);
    }
    chapter.proofs.push_back("missing: " + what + "; DNS shows " + (shown.empty() ? "no " + type : shown));
    return false;
  }

  // One session of the device: whether its ASP took it, and why not.
  std::optional<json> TrySession() {
    std::size_t from = heard_.size();
    lab_.SendTo("devices", {{"cmd", "session"}, {"device", device_}});
    const auto of_it = [this](const std::string&, const json& event) {
      return event.value("step", "") == "session" && event.value("again", false) &&
             event.value("device", "") == device_;
    };
    return heard_.Wait(from, of_it, kAsk, [this] { return Over(); });
  }

  // Resolvers keep an answer for its TTL, so a change is tried until then.
  bool AwaitSession(bool taken, const std::string& who, Chapter& chapter) {
    const auto until = std::chrono::steady_clock::now() + options_.patience;
    std::string last = "no answer";
    while (std::chrono::steady_clock::now() < until && !Over()) {
      const auto session = TrySession();
      if (session && session->value("ok", false) == taken) {
        chapter.proofs.push_back("a session with " + who + (taken ? " is taken" : " is refused: ") +
                                 (taken ? "" : session->value("reason", "?")));
        return true;
      }
      if (session) last = session->value("ok", false) ? "still welcome" : session->value("reason", "?");
      std::this_thread::sleep_for(kTryAgain);
    }
    chapter.proofs.push_back("missing: a session that is " + std::string(taken ? "taken" : "refused") + "; " +
                             last);
    return false;
  }

  // MQTT to the ASP's own broker, where the lab has one; the key is in the card.
  bool AwaitTold(const std::string& who, Chapter& chapter) {
    if (!options_.lab.telemetry) return true;
    Say("devices", "telemetry");
    const auto heard = [this, who](const std::string& program, const json& event) {
      return program == who && event.value("event", "") == "telemetry" &&
             event.value("device", "") == device_ && event.value("ok", false);
    };
    return Await(heard, who + " hears its telemetry: MQTT over TLS with the key in the card", chapter);
  }

  // What was asked for last also ends the session at the ASP's broker.
  bool AwaitPutOut(const std::string& who, Chapter& chapter) {
    if (!options_.lab.telemetry) return true;
    const auto out = [this](const std::string&, const json& event) {
      return event.value("event", "") == "telemetry_ended" && event.value("device", "") == device_;
    };
    from_ = said_at_;  // it may have been before the registry's answer
    return Await(out, who + "'s broker puts it out", chapter);
  }

  // The registry's own words: the last steps of the device's trace.
  void ProveByHistory(std::size_t steps, Chapter& chapter) const {
    const auto shown = RunToEnd({options_.lab.program_folder + "/registryctl", "device", "show", device_,
                                 "--json", "--config", lab_.layout().ConfigFile()},
                                {}, kAsk);
    const json device = shown ? json::parse(*shown, nullptr, false) : json();
    if (!device.is_object() || !device.contains("trace")) return;
    std::string line;
    const json& trace = device.at("trace");
    for (std::size_t i = trace.size() - std::min(steps, trace.size()); i < trace.size(); ++i)
      line += (line.empty() ? "" : ", ") + trace[i].at("step").get<std::string>();
    chapter.proofs.push_back("the registry's trace ends: " + line);
  }

  // The one that mno-a registers and asp-a claims. The others only make both networks real: a device is called where
  // somebody was heard.
  std::optional<std::string> FindHero() {
    std::set<std::string> registered, claimed;
    std::optional<std::string> hero;
    std::size_t from = 0;
    const auto is_it = [&](const std::string& who, const json& event) {
      const std::string device = event.value("device", "");
      if (who == "mno-a" && event.value("event", "") == "registered") registered.insert(device);
      if (who == "asp-a" && event.value("step", "") == "claim") claimed.insert(device);
      if (registered.contains(device) && claimed.contains(device)) hero = device;
      return hero.has_value();
    };
    heard_.Wait(from, is_it, options_.patience, [this] { return Over(); });
    return hero;
  }

  bool Activated() {
    Chapter chapter{"registered, claimed, activated", false, {}};
    const auto hero = FindHero();
    device_ = hero.value_or("");
    const auto is_done = [this](const std::string&, const json& event) {
      return event.value("event", "") == "done" && event.value("device", "") == device_ &&
             event.value("ok", false);
    };
    std::size_t from = 0;
    if (!hero || !heard_.Wait(from, is_done, options_.patience, [this] { return Over(); })) {
      chapter.proofs.push_back("missing: the device's own word that it is through");
      return Finish(std::move(chapter), false);
    }
    chapter.proofs.push_back("device " + device_);
    const bool shown = AwaitShown("TLSA", Not(""), "a TLSA record", chapter);
    tlsa_ = Shown("TLSA");
    ProveByHistory(6, chapter);
    return Finish(std::move(chapter), shown);
  }

  static std::function<bool(const std::string&)> Not(const std::string& former) {
    return [former](const std::string& shown) { return shown != former && !shown.empty(); };
  }
  // One record again, and another than before: during a change there are two.
  bool AwaitAnotherTlsa(Chapter& chapter) {
    const auto another = [this](const std::string& shown) {
      return Not(tlsa_)(shown) && shown.find('\n') == shown.npos;
    };
    if (!AwaitShown("TLSA", another, "another TLSA record alone", chapter)) return false;
    tlsa_ = Shown("TLSA");
    return true;
  }

  bool Session(const std::string& who) {
    Chapter chapter{"connected to its ASP", false, {}};
    const bool taken = AwaitSession(true, who, chapter) && AwaitTold(who, chapter);
    return Finish(std::move(chapter), taken);
  }

  bool Renewed() {
    Chapter chapter{"a new key and certificate", false, {}};
    Say("asp-a", "rekey", {{"reason", "a new key, to see that it works"}});
    const bool ok = Await(Notified("asp-a", Name<wire::DeviceRenewed>(), device_),
                          "asp-a hears device.renewed", chapter) &&
                    AwaitAnotherTlsa(chapter) && AwaitSession(true, "asp-a", chapter);
    ProveByHistory(5, chapter);
    return Finish(std::move(chapter), ok);
  }

  bool ToAnotherAsp() {
    Chapter chapter{"transferred from asp-a to asp-b", false, {}};
    Say("asp-a", "give", {{"to", "asp-b"}});
    const bool ok = Await(Notified("asp-a", Name<wire::TransferRequested>(), device_),
                          "asp-a hears transfer.requested", chapter) &&
                    Await(Notified("asp-b", Name<wire::TransferCompleted>(), device_),
                          "asp-b hears transfer.completed", chapter) &&
                    AwaitSession(true, "asp-b", chapter) && AwaitTold("asp-b", chapter);
    return Finish(std::move(chapter), ok);
  }

  bool ToAnotherMno() {
    Chapter chapter{"transferred from mno-a to mno-b", false, {}};
    Say("mno-a", "give", {{"to", "mno-b"}});
    const bool ok = Await(Notified("mno-a", Name<wire::TransferRequested>(), device_),
                          "mno-a hears transfer.requested", chapter) &&
                    Await(Notified("mno-b", Name<wire::TransferCompleted>(), device_),
                          "mno-b hears transfer.completed", chapter) &&
                    AwaitAnotherTlsa(chapter) && AwaitSession(true, "asp-b", chapter);
    ProveByHistory(5, chapter);
    return Finish(std::move(chapter), ok);
  }

  bool Suspended() {
    Chapter chapter{"suspended by its ASP", false, {}};
    Say("asp-b", "suspend");
    const bool ok = Await(Succeeded("suspended", device_), "the registry takes device.suspend", chapter) &&
                    AwaitPutOut("asp-b", chapter) &&
                    AwaitShown("TXT", Says("state=suspended"), "TXT state=suspended", chapter) &&
                    AwaitSession(false, "asp-b", chapter);
    return Finish(std::move(chapter), ok);
  }

  bool Resumed() {
    Chapter chapter{"resumed", false, {}};
    Say("asp-b", "resume");
    const bool ok = Await(Succeeded("resumed", device_), "the registry takes device.resume", chapter) &&
                    AwaitShown("TLSA", Says(tlsa_), "the TLSA record of before", chapter) &&
                    AwaitSession(true, "asp-b", chapter) && AwaitTold("asp-b", chapter);
    return Finish(std::move(chapter), ok);
  }

  static std::function<bool(const std::string&)> Says(const std::string& text) {
    return [text](const std::string& shown) { return shown.find(text) != shown.npos; };
  }

  bool Lost() {
    Chapter chapter{"lost: deactivated and disconnected", false, {}};
    Say("asp-b", "deactivate", {{"disconnect", true}, {"reason", "lost"}});
    const bool ok = Await(Succeeded("profile_disable", device_),
                          "mno-b disables its profile, once the applet is empty", chapter) &&
                    AwaitShown("TXT", Says("state=deactivated"), "TXT state=deactivated", chapter) &&
                    AwaitSession(false, "asp-b", chapter);
    ProveByHistory(5, chapter);
    return Finish(std::move(chapter), ok);
  }

  bool Deleted() {
    Chapter chapter{"deleted", false, {}};
    Say("asp-b", "delete");
    const auto gone = [](const std::string& shown) { return shown.empty(); };
    const bool ok = Await(Succeeded("deleted", device_), "the registry takes device.delete", chapter) &&
                    AwaitShown("TXT", gone, "no TXT record", chapter) &&
                    AwaitShown("TLSA", gone, "no TLSA record", chapter);
    return Finish(std::move(chapter), ok);
  }

  const StoryOptions& options_;
  Lab& lab_;
  Heard& heard_;
  Story& story_;
  std::size_t from_ = 0, said_at_ = 0;
  std::string device_, tlsa_;
};

}  // namespace

std::string TextOf(const Chapter& chapter, std::size_t columns) {
  constexpr std::size_t kTitle = 35, kProof = 4, kMore = 6;
  std::string text = Labelled(chapter.title, chapter.ok ? "done" : "NOT DONE", kTitle, columns) + "\n";
  for (const std::string& proof : chapter.proofs)
    text += Folded(std::string(kProof, ' ') + proof, columns, kMore) + "\n";
  return text;
}

Story TellStory(const StoryOptions& options) {
  Story story;
  // Shared: a lab that is kept goes on hearing its simulators.
  auto heard = std::make_shared<Heard>();
  auto progress = std::make_shared<Progress>();
  LabOptions lab_options = options.lab;
  lab_options.devices = kDevices;
  lab_options.retry_first_seconds = 2;
  lab_options.interrupted = options.interrupted;
  lab_options.on_event = [heard, progress](const std::string& program, const json& event) {
    heard->Hear(program, event);
    progress->Heard(program, event);
  };
  auto lab = Lab::Create(lab_options);
  Status started = lab ? (*lab)->StartServers() : Status(lab.error());
  if (lab) story.lab = std::move(*lab);
  if (started) started = story.lab->StartSimulators();
  if (!started) {
    story.trouble = started.error().message;
    return story;
  }
  Teller(options, *story.lab, *heard, story).Tell();
  story.over_the_air = progress->over_the_air();
  if (story.over_the_air.any())
    std::printf("%s\n", Folded(TextOf(story.over_the_air), options.terminal.columns, 2).c_str());
  if (auto failure = story.lab->TakeFailure()) story.trouble += *failure;
  if (options.interrupted != nullptr && options.interrupted->load()) story.trouble = "interrupted";
  story.whole = story.whole && story.trouble.empty();
  return story;
}

}  // namespace registry::lab
