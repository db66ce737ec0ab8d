#include "bridge/app/token_watch.h"

#include <gmock/gmock.h>

namespace registry::app {
namespace {

using testing::ElementsAre;

TEST(TokenWatch, ALossIsSaidOnceAndThatItIsOver) {
  std::vector<std::string> said;
  TokenWatch::States states{{"pkcs11:token=a", ""}, {"pkcs11:token=b", ""}};
  TokenWatch watch(
      [&](int level, const std::string& line) { said.push_back(std::to_string(level) + " " + line); },
      [&] { return states; });
  watch.Look();
  states[1].trouble = "pkcs11:token=b, C_Sign: gone";
  watch.Look();
  states[1].trouble = "no token is pkcs11:token=b";
  watch.Look();
  EXPECT_EQ(watch.states()[1].trouble, states[1].trouble);
  EXPECT_THAT(said, ElementsAre("3 keys cannot sign: pkcs11:token=b, C_Sign: gone"));
  states[1].trouble.clear();
  watch.Look();
  states[1].trouble = "gone again";
  watch.Look();
  EXPECT_THAT(said, ElementsAre(testing::_, "1 pkcs11:token=b is back, its keys sign again",
                                "3 keys cannot sign: gone again"));
}

}  // namespace
}  // namespace registry::app
