// What an ASP makes of what it hears about its devices. It can be seen only where somebody can be asked whether the ASP
// lets a device in (CaseOptions::serves).
#include "clients/conformance/bench.h"
#include "schemas/wire/codec.h"

namespace registry::conformance {
namespace {

// Nothing can be asked without that answer.
bool CanBeSeen(Bench& bench, const char* clause) {
  const bool can =
      bench.options().serves != nullptr && bench.options().serves(bench.device->text()).has_value();
  if (!can)
    bench.desk().Note(clause, Finding::kNotObservable, "nobody says whether it lets a device in (--serves)");
  return can;
}

// Once it has dealt with what was said, its server may need a moment.
bool Lets(Bench& bench, bool in) {
  return bench.Wait([&] { return bench.options().serves(bench.device->text()) == in; });
}

bool Hears(Bench& bench, std::string_view type, bool in, const char* clause) {
  const Saying saying = bench.desk().Notification(type, bench.DeviceData());
  bench.desk().Say(saying);
  bench.WaitAcked(*saying.envelope.seq);
  const bool good = Lets(bench, in);
  return bench.desk().Check(
      clause, good,
      std::string(type) + (good == in ? ": it lets the device in" : ": it does not let the device in"));
}

void AskOwnDevices(Bench& bench) {
  if (!CanBeSeen(bench, "A1")) return;
  const auto claimed = [&] {
    for (const Command& command : bench.desk().heard()) {
      if (command.name == wire::DeviceClaim::kName && TextIn(command.data, "device") == bench.device->text())
        return true;
    }
    return false;
  };
  if (!bench.Wait(claimed)) return bench.desk().Note("A1", Finding::kNotRun, "the device was not claimed");
  if (!bench.desk().Check("A1", Lets(bench, true), "after its claim")) return;
  Hears(bench, wire::DeviceSuspended::kName, false, "A1") &&
      Hears(bench, wire::DeviceResumed::kName, true, "A1") &&
      Hears(bench, wire::DeviceDeactivated::kName, false, "A1") &&
      Hears(bench, wire::DeviceReactivated::kName, true, "A1");
}

// The later one comes first, as when a gap is filled.
void AskOutOfOrder(Bench& bench) {
  if (!CanBeSeen(bench, "A2")) return;
  if (!Lets(bench, true))
    return bench.desk().Note("A2", Finding::kNotRun, "it lets the device in at no time");
  const Saying earlier = bench.desk().Notification(wire::DeviceDeactivated::kName, bench.DeviceData());
  const Saying later = bench.desk().Notification(wire::DeviceReactivated::kName, bench.DeviceData());
  bench.desk().Say(later);
  bench.desk().Say(earlier);
  bench.WaitAcked(*later.envelope.seq);
  const bool in = Lets(bench, true);
  bench.desk().Check(
      "A2", in, in ? "the later notification counts" : "the earlier notification, which came last, counts");
}

void AskTransferred(Bench& bench) {
  if (!CanBeSeen(bench, "A3")) return;
  if (!Lets(bench, true))
    return bench.desk().Note("A3", Finding::kNotRun, "it lets the device in at no time");
  const Saying gone =
      bench.desk().Notification(wire::TransferCompleted::kName, bench.TransferData("completed"));
  bench.desk().Say(gone);
  bench.WaitAcked(*gone.envelope.seq);
  const bool out = Lets(bench, false);
  bench.desk().Check("A3", out,
                     out ? "it does not let the device in any more" : "it still lets the device in");
}

}  // namespace

const std::vector<Case>& AspCases() {
  static const std::vector<Case> cases = {
      {"own-devices",
       "A device is claimed, suspended, resumed, deactivated and reactivated.",
       {"A1"},
       false,
       true,
       AskOwnDevices},
      {"out-of-order",
       "A device is deactivated and reactivated, and the second notification comes first.",
       {"A2"},
       false,
       true,
       AskOutOfOrder},
      {"transferred", "A device has gone to another ASP.", {"A3"}, false, true, AskTransferred},
  };
  return cases;
}

}  // namespace registry::conformance
