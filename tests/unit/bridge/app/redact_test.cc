#include "bridge/app/redact.h"

#include <gtest/gtest.h>

namespace registry::app {
namespace {

TEST(Redact, PrivateIdentifiersDisappear) {
  EXPECT_EQ(Redact("eid 89049032123451234512345678901235 unknown"), "eid [digits] unknown");
  EXPECT_EQ(Redact("iccid=8944501234567890123,"), "iccid=[digits],");
  EXPECT_EQ(Redact("+447911123456"), "+[digits]");
  EXPECT_EQ(Redact("eid89049032123451234512345678901235"), "[digits]");
  EXPECT_EQ(Redact("8988211000000530082F"), "[digits]");
  EXPECT_EQ(Redact("310150123456789"), "[digits]");
  EXPECT_EQ(Redact("imei490154203237518 imsi310150123456789"), "[digits] [digits]");
  EXPECT_EQ(Redact("msisdn_447911123456, tel:447911123456x"), "msisdn_[digits], tel:[digits]");
}

TEST(Redact, AuthorisationCodesDisappear) {
  EXPECT_EQ(Redact("claim with ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ23 refused"), "claim with [code] refused");
  EXPECT_EQ(Redact("ABCDEFGHIJKLMNOPQRSTUVWXYZ23"), "[code]");
  EXPECT_EQ(Redact(R"({"authorisationCode":"x"})"), R"({"authorisationCode":"[code]"})");
}

TEST(Redact, WhatIsNoIdentifierStays) {
  for (const char* line :
       {"", "serial 2026112301", "port 8883", "0f5e1c2d3a4b5c6d7e8f", "123e4567-e89b-42d3-a456-426614174000",
        "12345678901a", "0123456789ABCDEF01", "v1234567890", "2026-11-23T10:00:00.000000Z"}) {
    EXPECT_EQ(Redact(line), line);
  }
}

}  // namespace
}  // namespace registry::app
