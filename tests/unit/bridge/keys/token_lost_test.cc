// A token that is lost and comes back, behind simulators/token.
#include <dlfcn.h>
#include <gmock/gmock.h>

#include <thread>

#include "bridge/keys/key_source.h"
#include "bridge/keys/token.h"
#include "tests/support/soft_token.h"
#include "workers/crypto/p256.h"

namespace registry::keys {
namespace {

using testing::HasSubstr;

const auto kMessage = crypto::Sha256({});
const std::string kLossy = REGISTRY_BINARY_DIR "/bin/lossy-token.so";

class TokenLostTest : public testing::Test {
 protected:
  TokenLostTest() {
    setenv("LOSSY_TOKEN_MODULE", test::SoftToken::kModule, 1);
    setenv("LOSSY_TOKEN_FAULT", token_.folder().In("fault").c_str(), 1);
    EXPECT_TRUE(GenerateTokenKey(uri_).ok());
  }
  void Have(const std::string& fault) { token_.folder().Write("fault", fault); }
  unsigned long Logins() const { return Count<unsigned long>("lossy_logins"); }
  template <class Number>
  Number Count(const char* name) const {
    void* const module = dlopen(kLossy.c_str(), RTLD_NOW | RTLD_NOLOAD);
    EXPECT_NE(module, nullptr);
    const Number count = reinterpret_cast<Number (*)()>(dlsym(module, name))();
    dlclose(module);
    return count;
  }
  bool Signs(const KeySource& key) {
    const auto signature = key.Sign(kMessage);
    if (!signature) {
      EXPECT_EQ(signature.error().symbol, "key_unavailable");
    }
    return signature && crypto::VerifyP256(key.point(), kMessage, *signature);
  }
  template <class Condition>
  bool WaitUntil(Condition condition, std::chrono::seconds time = std::chrono::seconds(30)) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (!condition()) {
      MutexLock lock(mutex_);
      woken_.WaitFor(lock, std::chrono::milliseconds(10));  // by nobody: the token tells nobody
      if (std::chrono::steady_clock::now() > until) return false;
    }
    return true;
  }
  bool SignsWithin(const KeySource& key, std::chrono::seconds time) {
    return WaitUntil([&] { return Signs(key); }, time);
  }

  Mutex mutex_;
  CondVar woken_;
  test::SoftToken token_;
  const std::string uri_ = token_.Uri("issuing", kLossy);
};

TEST_F(TokenLostTest, ATokenThatWasPulledWorksWhenItIsBack) {
  const auto key = *OpenTokenKey(uri_);
  ASSERT_TRUE(Signs(*key));
  Have("removed");
  EXPECT_FALSE(Signs(*key));
  EXPECT_THAT(key->Sign(kMessage).error().message, HasSubstr("pkcs11:token=registry"));
  EXPECT_FALSE(key->Ready().ok());
  ASSERT_EQ(LookAtTokens().size(), 1u);
  EXPECT_NE(LookAtTokens()[0].trouble, "");
  Have("");
  EXPECT_TRUE(SignsWithin(*key, std::chrono::seconds(30)));
  EXPECT_TRUE(key->Ready().ok());
  EXPECT_EQ(LookAtTokens()[0].trouble, "");
}

// The dead sessions are thrown away and the signature is made with a new one: nobody hears of a loss that is over.
TEST_F(TokenLostTest, ALossThatIsOverIsNotNoticed) {
  const auto key = *OpenTokenKey(uri_);
  const auto logins = Logins();
  Have("removed");
  EXPECT_FALSE(Token::All().at(0)->Look().ok());
  Have("");
  EXPECT_TRUE(SignsWithin(*key, std::chrono::seconds(30)));
  EXPECT_EQ(Logins(), logins + 1);
}

TEST_F(TokenLostTest, AModuleThatDoesNotNoticeIsBegunAnew) {
  const auto key = *OpenTokenKey(uri_);
  Have("stuck");
  EXPECT_FALSE(Signs(*key));
  Have("");
  EXPECT_TRUE(SignsWithin(*key, std::chrono::seconds(60)));
}

TEST_F(TokenLostTest, ThreadsThatSignWhileItIsPulledGoOnAfterwards) {
  const auto key = *OpenTokenKey(uri_);
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0}, late{0}, good{0}, refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&] {
      while (!done) {
        const auto signature = key->Sign(kMessage);
        ++(signature ? good : refused);
        if (signature && !crypto::VerifyP256(key->point(), kMessage, *signature)) ++wrong;
        if (!signature && signature.error().symbol != "key_unavailable") ++wrong;
      }
      if (!SignsWithin(*key, std::chrono::seconds(30))) ++late;
    });
  }
  const auto wait_for_more = [this](const std::atomic<int>& count) {
    EXPECT_TRUE(WaitUntil([&, before = count.load()] { return count != before; }));
  };
  for (int i = 0; i < 2; ++i) {
    wait_for_more(good);
    Have("removed");
    wait_for_more(refused);
    Have("");
  }
  done = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(late, 0);
  EXPECT_GT(good, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(TokenLostTest, FewSessionsAreShared) {
  const auto key = *OpenTokenKey(uri_);
  Have("busy");
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        if (!Signs(*key)) ++failed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(Count<long>("lossy_sessions_most"), 2);
}

// Somebody has put another token into the reader, or made the key anew: what it signs would verify nowhere.
TEST_F(TokenLostTest, AnotherKeyUnderTheSameNameSignsNothing) {
  const auto key = *OpenTokenKey(uri_);
  ASSERT_TRUE(Signs(*key));
  Have("removed");
  EXPECT_FALSE(Signs(*key));
  Have("wrong");
  EXPECT_TRUE(WaitUntil([&] {
    const auto refused = key->Sign(kMessage);
    EXPECT_FALSE(refused.ok()) << "a signature of another key was given out";
    return refused.ok() || refused.error().message.find("back with another key") != std::string::npos;
  }));
  // Whoever would wait for a signature asks before it takes a lock.
  const auto ready = key->Ready();
  ASSERT_FALSE(ready.ok()) << "the token answers, and the key is another";
  EXPECT_EQ(ready.error().symbol, "key_unavailable");
  EXPECT_THAT(ready.error().message, HasSubstr("back with another key"));
  Have("");
  EXPECT_TRUE(WaitUntil([&] { return key->Ready().ok(); })) << "the former one is back";
  EXPECT_TRUE(SignsWithin(*key, std::chrono::seconds(30))) << "the former one is back";
}

// RFC 7512 has nothing on it; PKCS#11 tokens lock after a few.
TEST_F(TokenLostTest, APinThatWasRefusedIsNotSentAgainBeforeItsFileSaysAnother) {
  token_.WritePin("own", "wrong");
  const std::string uri = token_.Uri("issuing", kLossy, "own");
  const auto logins = Logins();
  for (int i = 0; i < 3; ++i) {
    const auto refused = OpenTokenKey(uri);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().symbol, "token_pin");
    EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("wrong")));
  }
  EXPECT_EQ(Logins(), logins + 1);
  token_.WritePin("own", "123456");
  EXPECT_TRUE(OpenTokenKey(uri).ok());
}

TEST_F(TokenLostTest, AKeyThatSignsForAnotherIsNotOpened) {
  Have("wrong");
  const auto refused = OpenTokenKey(uri_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().symbol, "token_key");
  EXPECT_THAT(refused.error().message, HasSubstr("does not verify"));
}

}  // namespace
}  // namespace registry::keys
