// bridge/keys/token.h: a token (PKCS#11) with this process logged in, and its sessions, pooled: a session makes one
// signature at a time. One Token serves all keys whose URIs name the same token of the same module with the same PIN.
// Lost and back: a call that fails spoils its connection; the next one finds the token again, logs in and goes on. While
// that fails it is tried at most once in kRetryPause, and whoever asks in between is refused at once with the same reason.
// A PIN that the token refused is not sent a second time, since a few wrong ones lock a token: not before its file
// says another.
// Owns: its sessions. Threads: any. Nothing is locked while the token is spoken to.
// Limits: kSessionsMax sessions, fewer where the token has fewer; who finds none free waits for kWaitMax.
// Errors (2400): token_module, token_missing (none, or several, that the URI names), token_pin, key_unavailable (it
// does not do what it should).
#pragma once

#include <vector>

#include "bridge/keys/token_module.h"
#include "bridge/keys/token_uri.h"

namespace registry::keys {

class Token {
 public:
  static constexpr std::size_t kSessionsMax = 16;
  static constexpr std::chrono::seconds kRetryPause{1}, kWaitMax{5};

  // A session for one caller. It goes back into the pool with the lease, unless the lease was told that it failed.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : token_(std::exchange(other.token_, nullptr)),
          use_(std::move(other.use_)),
          session_(other.session_),
          epoch_(other.epoch_),
          failed_(other.failed_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (token_ != nullptr) token_->Return(*this);
    }
    CK_FUNCTION_LIST& functions() const { return use_.functions(); }
    CK_SESSION_HANDLE session() const { return session_; }
    std::uint64_t epoch() const { return epoch_; }  // of the connection: handles of objects count within it
    // "C_Sign: The device was removed" of a call that failed; the session is not used again.
    Error Failed(const char* call, CK_RV why);

   private:
    friend class Token;
    Lease(Token* token, TokenModule::Use use, CK_SESSION_HANDLE session, std::uint64_t epoch)
        : token_(token), use_(std::move(use)), session_(session), epoch_(epoch) {}
    Token* token_;
    TokenModule::Use use_;
    CK_SESSION_HANDLE session_;
    std::uint64_t epoch_;
    bool failed_ = false;
  };

  // The same for URIs that mean the same. `login` false: what the token shows to everybody (public keys).
  static Result<std::shared_ptr<Token>> Open(const TokenUri& uri, bool login = true);
  Token(TokenUri uri, bool login, std::shared_ptr<TokenModule> module);  // for Open
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  ~Token();

  Result<Lease> Borrow();
  // For what needs a session that may write.
  Result<CK_SLOT_ID> Slot();
  Status Look();  // whether it answers now
  const std::string& name() const { return uri_.token; }
  // All that are in use.
  static std::vector<std::shared_ptr<Token>> All();

 private:
  using Steady = std::chrono::steady_clock;
  struct Connection {
    CK_SLOT_ID slot = 0;
    CK_SESSION_HANDLE session = 0;
    std::uint64_t generation = 0;
    std::size_t sessions_max = kSessionsMax;
  };

  struct Stale {
    std::uint64_t generation = 0;
    std::vector<CK_SESSION_HANDLE> sessions;
  };

  Result<Connection> Connect(const Stale& stale);
  void CloseStale(const Stale& stale) const;
  Result<Connection> ConnectOnce(const TokenModule::Use& use);
  Result<CK_SLOT_ID> FindSlot(const TokenModule::Use& use, CK_TOKEN_INFO& info) const;
  Status Login(const TokenModule::Use& use, CK_SESSION_HANDLE session, const CK_TOKEN_INFO& info);
  Status ConnectLocked(MutexLock& lock, Steady::time_point until) REQUIRES(mutex_);
  std::optional<Lease> Idle() REQUIRES(mutex_);
  Result<std::optional<Lease>> OneMore(MutexLock& lock) REQUIRES(mutex_);
  void Drop() REQUIRES(mutex_);
  void Return(Lease& lease);

  const TokenUri uri_;
  const bool login_;
  const std::shared_ptr<TokenModule> module_;
  Mutex mutex_;
  CondVar changed_;
  std::optional<Connection> connection_ GUARDED_BY(mutex_);
  bool connecting_ GUARDED_BY(mutex_) = false;
  std::uint64_t epoch_ GUARDED_BY(mutex_) = 0;
  std::vector<CK_SESSION_HANDLE> idle_ GUARDED_BY(mutex_);
  std::size_t open_ GUARDED_BY(mutex_) = 0;  // sessions of this connection, lent ones too
  std::optional<Error> trouble_ GUARDED_BY(mutex_);
  Steady::time_point retry_at_ GUARDED_BY(mutex_);
  Stale stale_ GUARDED_BY(mutex_);
  bool connected_before_ = false;  // for the one that connects
};

}  // namespace registry::keys
