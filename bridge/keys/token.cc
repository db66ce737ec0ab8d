#include "bridge/keys/token.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include <map>
#include <set>
#include <tuple>

#include "workers/crypto/der_writer.h"
#include "workers/crypto/digest.h"
#include "workers/domain/key_unavailable.h"

namespace registry::keys {
namespace {

constexpr std::chrono::milliseconds kLookAgain{20};  // where a module begins anew, which nobody is told

Error TokenError(std::string_view symbol, const std::string& why) {
  return Error::Make(Code::kFailed, symbol, why);
}

Error Away(const std::string& why) { return TokenError(domain::kKeyUnavailable, why); }

Error Lost(const std::string& token, const char* call, CK_RV why) {
  return Away(token + ", " + call + ": " + p11_kit_strerror(why));
}

// Fields of a fixed width, padded with blanks (PKCS#11 §3.2).
template <std::size_t kSize>
std::string Padded(const unsigned char (&field)[kSize]) {
  return {reinterpret_cast<const char*>(field), p11_kit_space_strlen(field, kSize)};
}

// What a token has refused, whoever asked: a few wrong ones lock it.
class RefusedPins {
 public:
  bool Has(const Bytes& digest) {
    const MutexLock lock(mutex_);
    return digests_.contains(digest);
  }
  void Add(const Bytes& digest) {
    const MutexLock lock(mutex_);
    digests_.insert(digest);
  }

 private:
  Mutex mutex_;
  std::set<Bytes> digests_ GUARDED_BY(mutex_);  // of a token and a PIN
};
RefusedPins& Refused() {
  static RefusedPins* const all = new RefusedPins;  // NOLINT: outlives whoever is destroyed at the end
  return *all;
}

struct InUse {
  Mutex mutex;
  std::map<std::tuple<std::string, std::string, std::string, bool>, std::weak_ptr<Token>> tokens
      GUARDED_BY(mutex);
};
InUse& AllTokens() {
  static InUse* const all = new InUse;  // NOLINT: outlives whoever is destroyed at the end
  return *all;
}

}  // namespace

Error Token::Lease::Failed(const char* call, CK_RV why) {
  failed_ = true;
  return Lost(token_->name(), call, why);
}

Result<std::shared_ptr<Token>> Token::Open(const TokenUri& uri, bool login) {
  InUse& all = AllTokens();
  const MutexLock lock(all.mutex);
  auto& known = all.tokens[{uri.module_path, uri.token, uri.pin_source, login}];
  if (auto token = known.lock()) return token;
  auto module = TokenModule::Open(uri.module_path);
  if (!module) return module.error();
  auto token = std::make_shared<Token>(uri, login, std::move(*module));
  known = token;
  return token;
}

std::vector<std::shared_ptr<Token>> Token::All() {
  InUse& all = AllTokens();
  const MutexLock lock(all.mutex);
  std::vector<std::shared_ptr<Token>> tokens;
  for (const auto& [key, known] : all.tokens) {
    if (auto token = known.lock()) tokens.push_back(std::move(token));
  }
  return tokens;
}

Token::Token(TokenUri uri, bool login, std::shared_ptr<TokenModule> module)
    : uri_(std::move(uri)), login_(login), module_(std::move(module)) {}

Token::~Token() {
  const auto use = module_->Enter();
  const MutexLock lock(mutex_);
  if (!use || !connection_ || connection_->generation != use->generation()) return;
  for (const CK_SESSION_HANDLE session : idle_) use->functions().C_CloseSession(session);
}

Result<Token::Lease> Token::Borrow() {
  const auto until = Steady::now() + kWaitMax;
  MutexLock lock(mutex_);
  do {
    if (auto ready = ConnectLocked(lock, until); !ready) return ready.error();
    if (auto lease = Idle()) return std::move(*lease);
    if (connection_ && open_ < connection_->sessions_max) {
      auto lease = OneMore(lock);
      if (!lease) return lease.error();
      if (*lease) return std::move(**lease);
    } else {
      changed_.WaitFor(lock, kLookAgain);
    }
  } while (Steady::now() < until);
  return Away(uri_.token + ": all " + std::to_string(open_) + " sessions are busy");
}

// At return it is connected, or the reason why not is said.
Status Token::ConnectLocked(MutexLock& lock, Steady::time_point until) {
  while (!connection_) {
    if (connecting_) {
      if (Steady::now() >= until) return Away(uri_.token + " is not found again yet");
      changed_.WaitFor(lock, kLookAgain);
      continue;
    }
    if (trouble_ && Steady::now() < retry_at_) return *trouble_;
    connecting_ = true;
    const auto stale = std::exchange(stale_, {});
    mutex_.Unlock();  // not by `lock`, whose holder clang could not follow
    auto connection = Connect(stale);
    mutex_.Lock();
    connecting_ = false;
    changed_.NotifyAll();
    if (!connection) {
      trouble_ = connection.error();
      retry_at_ = Steady::now() + kRetryPause;
      return *trouble_;
    }
    trouble_.reset();
    connection_ = *connection;
    ++epoch_;
    idle_ = {connection->session};
    open_ = 1;
  }
  return Done{};
}

std::optional<Token::Lease> Token::Idle() {
  if (!connection_ || idle_.empty()) return std::nullopt;
  auto use = module_->Enter();
  if (!use) return std::nullopt;  // it begins anew
  if (use->generation() != connection_->generation) {
    Drop();
    return std::nullopt;
  }
  const CK_SESSION_HANDLE session = idle_.back();
  idle_.pop_back();
  return Lease(this, std::move(*use), session, epoch_);
}

// Nothing, when the connection turned out to be another by now, or the token has no more sessions.
Result<std::optional<Token::Lease>> Token::OneMore(MutexLock& lock) {
  auto use = module_->Enter();
  if (!use || use->generation() != connection_->generation) {
    if (use)
      Drop();
    else
      changed_.WaitFor(lock, kLookAgain);
    return std::optional<Lease>();
  }
  ++open_;
  const std::uint64_t epoch = epoch_;
  const CK_SLOT_ID slot = connection_->slot;
  mutex_.Unlock();
  CK_SESSION_HANDLE session = 0;
  const CK_RV opened = use->functions().C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session);
  mutex_.Lock();
  if (opened == CKR_OK) return std::optional<Lease>(Lease(this, std::move(*use), session, epoch));
  if (epoch != epoch_ || !connection_) return std::optional<Lease>();
  --open_;
  if (opened == CKR_SESSION_COUNT && open_ > 0) {
    connection_->sessions_max = open_;
    return std::optional<Lease>();
  }
  Drop();
  return Lost(uri_.token, "C_OpenSession", opened);
}

// Its sessions are closed by the one that connects next, who holds no lock.
void Token::Drop() {
  if (connection_) stale_ = {connection_->generation, std::move(idle_)};
  connection_.reset();
  idle_.clear();
  open_ = 0;
}

void Token::Return(Lease& lease) {
  bool current = false;
  {
    const MutexLock lock(mutex_);
    current = lease.epoch_ == epoch_ && connection_;
    if (current) idle_.push_back(lease.session_);
    if (current && lease.failed_) Drop();
    changed_.NotifyOne();
  }
  // Of a connection that was given up meanwhile: nobody else knows the session, and a token that never was away has it yet.
  if (!current) lease.functions().C_CloseSession(lease.session());
}

Result<CK_SLOT_ID> Token::Slot() {
  auto lease = Borrow();
  if (!lease) return lease.error();
  const MutexLock lock(mutex_);
  if (connection_) return connection_->slot;
  return Away(uri_.token + " is lost");
}

Status Token::Look() {
  auto lease = Borrow();
  if (!lease) return lease.error();
  CK_SESSION_INFO info{};
  const CK_RV looked = lease->functions().C_GetSessionInfo(lease->session(), &info);
  if (looked != CKR_OK) return lease->Failed("C_GetSessionInfo", looked);
  CK_TOKEN_INFO token{};
  const CK_RV there = lease->functions().C_GetTokenInfo(info.slotID, &token);
  if (there != CKR_OK) return lease->Failed("C_GetTokenInfo", there);
  return Done{};
}

// A token that was never away still has them, and few to give. Within another generation they would be somebody else's.
void Token::CloseStale(const Stale& stale) const {
  const auto use = module_->Enter();
  if (!use || use->generation() != stale.generation) return;
  for (const CK_SESSION_HANDLE session : stale.sessions) use->functions().C_CloseSession(session);
}

// A network HSM's module may keep a dead connection until it is initialised again.
Result<Token::Connection> Token::Connect(const Stale& stale) {
  CloseStale(stale);
  std::uint64_t generation = 0;
  const auto once = [&]() -> Result<Connection> {
    auto use = module_->Enter();
    if (!use) return Away(uri_.token + ": its module begins anew");
    generation = use->generation();
    return ConnectOnce(*use);
  };
  auto connection = once();
  if (!connection && connection.error().symbol != "token_pin" && connected_before_) {
    if (auto restarted = module_->Restart(generation); !restarted) return restarted.error();
    connection = once();
  }
  connected_before_ |= connection.ok();
  return connection;
}

Result<Token::Connection> Token::ConnectOnce(const TokenModule::Use& use) {
  CK_TOKEN_INFO info{};
  const auto slot = FindSlot(use, info);
  if (!slot) return slot.error();
  Connection made;
  made.slot = *slot;
  made.generation = use.generation();
  // CK_EFFECTIVELY_INFINITE is 0, CK_UNAVAILABLE_INFORMATION the largest number (PKCS#11 §3.2).
  if (info.ulMaxSessionCount != 0)
    made.sessions_max = std::min<std::size_t>(kSessionsMax, info.ulMaxSessionCount);
  const CK_RV opened =
      use.functions().C_OpenSession(*slot, CKF_SERIAL_SESSION, nullptr, nullptr, &made.session);
  if (opened != CKR_OK) return Lost(uri_.token, "C_OpenSession", opened);
  if (!login_ || (info.flags & CKF_LOGIN_REQUIRED) == 0) return made;
  if (auto in = Login(use, made.session, info); !in) {
    use.functions().C_CloseSession(made.session);
    return in.error();
  }
  return made;
}

Result<CK_SLOT_ID> Token::FindSlot(const TokenModule::Use& use, CK_TOKEN_INFO& info) const {
  CK_ULONG count = 0;
  // Without a list it looks anew at what is there (PKCS#11 §5.5).
  CK_RV listed = use.functions().C_GetSlotList(CK_TRUE, nullptr, &count);
  std::vector<CK_SLOT_ID> slots(count + 8);
  count = slots.size();
  if (listed == CKR_OK) listed = use.functions().C_GetSlotList(CK_TRUE, slots.data(), &count);
  if (listed != CKR_OK) return Lost(uri_.token, "C_GetSlotList", listed);
  slots.resize(count);
  std::vector<CK_SLOT_ID> found;
  std::string others;
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO each{};
    if (use.functions().C_GetTokenInfo(slot, &each) != CKR_OK) continue;
    if ((each.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
    if (p11_kit_uri_match_token_info(uri_.parsed.get(), &each) == 1) {
      found.push_back(slot);
      info = each;
    } else {
      others.append(others.empty() ? "'" : ", '").append(Padded(each.label)).append("'");
    }
  }
  if (found.size() == 1) return found.front();
  const std::string what = found.empty()
                               ? "no token of " + module_->path() + " is " + uri_.token +
                                     (others.empty() ? "; it has no other either" : "; it has " + others)
                               : std::to_string(found.size()) + " tokens of " + module_->path() + " are " +
                                     uri_.token + ": say its serial too";
  return TokenError("token_missing", what);
}

Status Token::Login(const TokenModule::Use& use, CK_SESSION_HANDLE session, const CK_TOKEN_INFO& info) {
  const auto refuse = [this](const std::string& why) { return TokenError("token_pin", uri_.token + why); };
  if ((info.flags & CKF_USER_PIN_LOCKED) != 0) return refuse(": its PIN is locked");
  if ((info.flags & CKF_USER_PIN_FINAL_TRY) != 0)
    return refuse(": one wrong PIN more locks it, so none is sent; log in by hand once");
  const auto pin = ReadPin(uri_);
  if (!pin) return pin.error();
  const std::string of_token = uri_.module_path + " " + uri_.token;
  const Bytes digest =
      crypto::ToBytes(crypto::Sha256({crypto::Sha256({crypto::View(of_token)}), {pin->data(), pin->size()}}));
  if (Refused().Has(digest))
    return refuse(" has refused this PIN; it is not sent again before " + uri_.pin_source + " says another");
  Secret text = *pin;
  const CK_RV in = use.functions().C_Login(session, CKU_USER, text.fill(), text.size());
  if (in == CKR_OK || in == CKR_USER_ALREADY_LOGGED_IN) return Done{};
  if (in != CKR_PIN_INCORRECT && in != CKR_PIN_INVALID && in != CKR_PIN_LEN_RANGE && in != CKR_PIN_LOCKED &&
      in != CKR_PIN_EXPIRED)
    return Lost(uri_.token, "C_Login", in);
  Refused().Add(digest);
  return refuse(" refuses the PIN of " + uri_.pin_source + ": " + p11_kit_strerror(in));
}

}  // namespace registry::keys
