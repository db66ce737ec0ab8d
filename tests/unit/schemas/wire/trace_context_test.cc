// schemas/wire/trace_context.h: only what has the form of W3C Trace Context goes on; the rest is dropped, not refused.
#include "schemas/wire/trace_context.h"

#include <gtest/gtest.h>

#include "schemas/wire/envelope.h"

namespace registry::wire {
namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kParent = "b7ad6b7169203331";
const std::string kGood = "00-" + kTrace + "-" + kParent + "-01";

TEST(Traceparent, OfItsFormGoesOnAsItIs) {
  EXPECT_EQ(PropagatedTraceparent(kGood), kGood);
  const std::string unsampled = "00-" + kTrace + "-" + kParent + "-00";
  EXPECT_EQ(PropagatedTraceparent(unsampled), unsampled);
}

TEST(Traceparent, OfALaterVersionGoesOnAsTheFieldsThisOneKnows) {
  EXPECT_EQ(PropagatedTraceparent("cc-" + kTrace + "-" + kParent + "-01"), kGood);
  EXPECT_EQ(PropagatedTraceparent("01-" + kTrace + "-" + kParent + "-ff-<script>89049032"), kGood);
  EXPECT_EQ(PropagatedTraceparent("cc-" + kTrace + "-" + kParent + "-fe"),
            "00-" + kTrace + "-" + kParent + "-00");
}

TEST(Traceparent, OfAnyOtherFormIsDropped) {
  const std::string zeros(32, '0');
  for (const std::string& text : {std::string(),
                                  std::string("89049032005008882600000000000122"),
                                  std::string("<script>alert(1)</script>"),
                                  "\xe2\x80\xae" + kGood,
                                  kGood + "-",
                                  kGood + "0",
                                  kGood.substr(0, 54),
                                  " " + kGood,
                                  kGood + " ",
                                  "ff" + kGood.substr(2),
                                  "0" + kGood,
                                  "FF" + kGood.substr(2),
                                  "0A" + kGood.substr(2),
                                  "00-" + zeros + "-" + kParent + "-01",
                                  "00-" + kTrace + "-" + zeros.substr(0, 16) + "-01",
                                  "00-0AF7651916CD43DD8448EB211C80319C-" + kParent + "-01",
                                  "00-" + kTrace + "-B7AD6B7169203331-01",
                                  "00-" + kTrace + "-" + kParent + "-0A",
                                  "00_" + kTrace + "-" + kParent + "-01",
                                  "01-" + kTrace + "-" + kParent + "-01.x",
                                  "01-" + kTrace + "-" + kParent}) {
    EXPECT_EQ(PropagatedTraceparent(text), std::nullopt) << text;
  }
}

TEST(Tracestate, OfItsFormIsKept) {
  const std::string longest = "k=" + std::string(256, 'v') + ",l=" + std::string(250, 'v');
  for (const std::string& text :
       {std::string("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"), std::string("a=1 , b=2,,\tc=3"),
        std::string("fw529a3039@dt=FfMA/+! ~"), longest}) {
    EXPECT_EQ(PropagatedTracestate(text), text);
  }
  EXPECT_EQ(longest.size() + 1, kTracestateMax);
}

TEST(Tracestate, OfAnyOtherFormIsDropped) {
  std::string many = "a=1";
  for (int i = 0; i < 32; ++i) many += ",a=1";
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("=1"), std::string("A=1"), std::string("a=1=2"),
        std::string("a=\n"), std::string("a=\xe2\x80\xae"), std::string("a="), "a=" + std::string(257, 'v'),
        many, std::string(kTracestateMax + 1, ',')}) {
    EXPECT_EQ(PropagatedTracestate(text), std::nullopt) << text;
  }
}

Envelope Read(const nlohmann::json& parent, const nlohmann::json& state) {
  const nlohmann::json event = {{"specversion", "1.0"}, {"id", "c"},          {"source", "s"},
                                {"type", "t"},          {"data", {{"a", 1}}}, {"traceparent", parent},
                                {"tracestate", state}};
  const auto read = DecodeEnvelope(event.dump());
  EXPECT_TRUE(read) << read.error().message;
  return read ? *read : Envelope();
}

TEST(Tracestate, BelongsToATraceparent) {
  EXPECT_EQ(Read(kGood, "a=1").tracestate, "a=1");
  EXPECT_EQ(Read("<script>", "a=1").tracestate, std::nullopt);
  EXPECT_EQ(Read(nullptr, "a=1").tracestate, std::nullopt);
}

TEST(Tracestate, TooLongToBeCarriedIsNoReasonToRefuse) {
  EXPECT_EQ(Read(kGood, std::string(513, 'a')).tracestate, std::nullopt);
  EXPECT_EQ(Read(kGood, "").tracestate, std::nullopt);
}

}  // namespace
}  // namespace registry::wire
