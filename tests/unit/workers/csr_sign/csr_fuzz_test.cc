// Whatever is done to the octets of a good request, it is refused, and nothing reads beyond them (run under
// AddressSanitizer too).
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "tests/support/csr_maker.h"
#include "workers/csr_sign/csr_sign.h"

namespace registry::csr_sign {
namespace {

const Bytes& GoodCsr() {
  static const Bytes csr = [] {
    test::CsrOptions options;
    options.agreement = test::NewEcKey();
    return test::MakeCsr(options);
  }();
  return csr;
}

RC_GTEST_PROP(CsrFuzz, OneChangedOctetIsRefused, ()) {
  Bytes csr = GoodCsr();
  const auto at = *rc::gen::inRange<std::size_t>(0, csr.size());
  csr[at] ^= *rc::gen::inRange<std::uint8_t>(1, 255);
  RC_ASSERT(!CheckCsr(csr).ok());
}

RC_GTEST_PROP(CsrFuzz, SplicedOctetsAreRefused, ()) {
  Bytes csr = GoodCsr();
  const auto from = *rc::gen::inRange<std::size_t>(0, csr.size());
  const auto count = *rc::gen::inRange<std::size_t>(0, csr.size() - from);
  const auto insert = *rc::gen::container<Bytes>(rc::gen::arbitrary<std::uint8_t>());
  const auto begin = csr.begin() + static_cast<std::ptrdiff_t>(from);
  const auto next = csr.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
  csr.insert(next, insert.begin(), insert.end());
  RC_PRE(csr != GoodCsr());
  RC_ASSERT(!CheckCsr(csr).ok());
}

RC_GTEST_PROP(CsrFuzz, AnyOctetsAreRefused, (const Bytes& octets)) {
  Bytes csr = octets;
  if (*rc::gen::arbitrary<bool>()) csr.insert(csr.begin(), 0x30);
  RC_ASSERT(!CheckCsr(csr).ok());
}

RC_GTEST_PROP(CsrFuzz, AnyTextInPemIsRefused, (const std::string& text)) {
  const std::string pem =
      "-----BEGIN CERTIFICATE REQUEST-----\n" + text + "\n-----END CERTIFICATE REQUEST-----\n";
  RC_ASSERT(!CheckCsr(AsBytes(pem)).ok());
}

// Signature and algorithm are outside of what is signed: every bit of theirs must be refused by its form.
TEST(CsrFuzz, NoBitOfTheSignatureOrAlgorithmIsFree) {
  const Bytes& good = GoodCsr();
  for (std::size_t at = good.size() - 90; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes csr = good;
      csr[at] ^= static_cast<std::uint8_t>(1 << bit);
      EXPECT_FALSE(CheckCsr(csr).ok()) << at << " " << bit;
    }
  }
}

}  // namespace
}  // namespace registry::csr_sign
