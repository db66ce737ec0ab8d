// tests/unit/bridge/zone/served_zone.h: a zone of 2,000 devices behind a responder, and signed questions for it as TCP has
// them.
#pragma once

#include <gtest/gtest.h>

#include "bridge/zone/apex.h"
#include "bridge/zone/responder.h"
#include "tests/unit/bridge/zone/zone_files.h"

namespace registry::zone::testing {

class ServedZone : public ::testing::Test {
 protected:
  ServedZone() {
    std::vector<domain::ZoneChange> changes;
    for (std::uint64_t n = 0; n < 2000; ++n) changes.push_back(Published(n));
    store_.Load(changes, clock_.Now());
    store_.FinishLoad(7, clock_.Now());
  }
  Bytes Framed(std::uint16_t type, std::uint16_t id) const {
    Bytes query = StartMessage(id, 0, *NameFromText(kZone), type);
    SignRequest(query, key_, clock_.Now());
    Bytes framed;
    PutFramed(framed, query);
    return framed;
  }
  // A transfer of the whole zone and a question behind it, in one write: both are answered, in this order.
  template <class Client>
  void ExpectZoneAndAnswer(Client& client) const {
    Bytes both = Framed(kTypeAxfr, 1);
    Put(both, Framed(kTypeSoa, 2));
    client.Send(both);
    std::size_t octets = 0, messages = 0;
    Bytes message = client.Receive();
    for (; IdOf(message) == 1; message = client.Receive()) octets += message.size(), ++messages;
    EXPECT_EQ(IdOf(message), 2);
    EXPECT_GT(messages, 10u);
    EXPECT_GT(octets, 2000u * 400);
  }
  static int IdOf(const Bytes& message) { return message.size() < 2 ? -1 : message[0] << 8 | message[1]; }

  ZoneFiles files_;
  SystemClock clock_;
  TsigKey key_ = *LoadTsigKey(kTsigName, files_.path("tsig.secret"));
  ZoneStore store_{*ProfileOf(files_.options()), 1u << 20, 100, clock_.Now()};
  Responder responder_{store_, key_, clock_};
};

}  // namespace registry::zone::testing
