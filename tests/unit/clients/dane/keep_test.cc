// How long an answer may be kept, by its records and their signatures (RFC 4035 §5.3.3).
#include <gtest/gtest.h>

#include "clients/dane/getdns_context.h"

namespace registry::clients {
namespace {

constexpr std::time_t kNow = 1'800'000'000;  // 2027-01-15T08:00:00Z
const std::string kName = "d1._device.iotregistry.test";

Dict Reply(const std::vector<std::string>& answer) {
  List records(getdns_list_create()), replies(getdns_list_create());
  Dict reply(getdns_dict_create()), root(getdns_dict_create());
  std::size_t count = 0;
  for (const std::string& line : answer) {
    getdns_dict* record = nullptr;
    EXPECT_EQ(getdns_str2rr_dict(line.c_str(), &record, nullptr, 3600), GETDNS_RETURN_GOOD) << line;
    getdns_list_set_dict(records.get(), count++, record);
    getdns_dict_destroy(record);
  }
  getdns_dict_set_list(reply.get(), "answer", records.get());
  getdns_list_set_dict(replies.get(), 0, reply.get());
  getdns_dict_set_list(root.get(), "replies_tree", replies.get());
  return root;
}

// A reply that holds that question and nothing else.
Dict To(const std::string& name, std::uint32_t type) {
  getdns_bindata* wire = nullptr;
  EXPECT_EQ(getdns_convert_fqdn_to_dns_name((name + ".").c_str(), &wire), GETDNS_RETURN_GOOD);
  List replies(getdns_list_create());
  Dict question(getdns_dict_create()), reply(getdns_dict_create()), root(getdns_dict_create());
  getdns_dict_set_bindata(question.get(), "qname", wire);
  getdns_dict_set_int(question.get(), "qtype", type);
  getdns_dict_set_dict(reply.get(), "question", question.get());
  getdns_list_set_dict(replies.get(), 0, reply.get());
  getdns_dict_set_list(root.get(), "replies_tree", replies.get());
  free(wire->data);
  free(wire);
  return root;
}

std::string Tlsa(int ttl) { return kName + ". " + std::to_string(ttl) + " IN TLSA 3 0 1 00112233"; }
std::string Rrsig(int original_ttl, const std::string& expiration, const std::string& covered = "TLSA") {
  return kName + ". 3600 IN RRSIG " + covered + " 13 4 " + std::to_string(original_ttl) + " " + expiration +
         " 20270101000000 1 iotregistry.test. AAAA";
}
std::int64_t Keep(const std::vector<std::string>& answer) {
  return KeepFor(Reply(answer).get(), kName, kTypeTlsa, kNow).count();
}

TEST(KeepTest, TheShortestTimeCounts) {
  EXPECT_EQ(Keep({Tlsa(60), Rrsig(120, "20270120000000")}), 60) << "as received";
  EXPECT_EQ(Keep({Tlsa(200), Tlsa(50), Rrsig(120, "20270120000000")}), 50) << "of any record";
  EXPECT_EQ(Keep({Tlsa(200), Rrsig(120, "20270120000000")}), 120) << "as signed";
  EXPECT_EQ(Keep({Tlsa(200), Rrsig(200, "20270115080030")}), 30) << "until the signature ends";
  EXPECT_EQ(Keep({Tlsa(86400), Rrsig(86400, "20270120000000")}), 300) << "and never longer than that";
}

TEST(KeepTest, NothingIsKeptBeyondItsSignature) {
  EXPECT_EQ(Keep({Tlsa(200), Rrsig(200, "20270115075959")}), 0);
}

TEST(KeepTest, SignaturesOfOtherTypesDoNotMatter) {
  EXPECT_EQ(Keep({Tlsa(200), Rrsig(5, "20270115080001", "TXT")}), 200);
}

TEST(ReplyTest, OnlyWhatWasAsked) {
  const std::string other = "d2._device.iotregistry.test";
  const Dict reply = To("D1._device.IotRegistry.test", kTypeTlsa);
  EXPECT_TRUE(IsReplyTo(reply.get(), kName, kTypeTlsa)) << "whatever the case";
  EXPECT_TRUE(IsReplyTo(reply.get(), "d1._Device.iotregistry.test", kTypeTlsa));
  EXPECT_FALSE(IsReplyTo(reply.get(), other, kTypeTlsa));
  EXPECT_FALSE(IsReplyTo(reply.get(), kName, kTypeA));
  EXPECT_FALSE(IsReplyTo(Reply({}).get(), kName, kTypeTlsa)) << "no question at all";
}

}  // namespace
}  // namespace registry::clients
