#include "simulators/lab/ports.h"

#include <gtest/gtest.h>

#include <set>

namespace registry::lab {
namespace {

TEST(PortsTest, TwoLabsNeverGetTheSamePort) {
  Ports one, other;
  std::set<std::uint16_t> taken;
  for (int i = 0; i < 200; ++i) {
    for (Ports* ports : {&one, &other}) {
      const auto port = ports->Take();
      ASSERT_TRUE(port.ok());
      EXPECT_TRUE(taken.insert(*port).second);
      EXPECT_LT(*port, 32768);  // below what the kernel gives to outgoing connections
    }
  }
}

}  // namespace
}  // namespace registry::lab
