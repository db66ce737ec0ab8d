// simulators/token/lossy_module.cc: a PKCS#11 module between a program and a real one, which can lose its token. All that
// it does not spoil is the real module's.
// Environment: LOSSY_TOKEN_MODULE, the real module's path; LOSSY_TOKEN_FAULT, a file that is looked at before each call
//   and whose first word is the fault of the moment. No file, or an empty one: none.
// Fault model:
//   removed   the token is out of its slot: every call that needs it fails, and its sessions are dead for good. With the
//             file gone it is back, and has to be logged in to again.
//   stuck     as removed, and the module does not notice by itself that the token is back: not before it is finalised and
//             initialised again, as modules of network HSMs with a dead connection do.
//   busy      at most two sessions can be open.
//   wrong     C_Sign answers with octets that are no signature.
// Not modelled: a call that never returns, a token that was changed for another, a slow one.
// Counts, for tests: lossy_logins(), and since C_Initialize lossy_sessions_most().
// Threads: any, as the real module. It is pulled between two calls of the real module and not within one: a driver waits for
//   its hardware, while SoftHSM frees a session's objects under whoever uses them.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace {

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST table{};
std::atomic<bool> gone{false}, stuck{false};
std::atomic<unsigned long> logins{0};
std::atomic<long> sessions{0}, sessions_most{0};

std::string Fault() {
  const char* const file = std::getenv("LOSSY_TOKEN_FAULT");  // NOLINT(concurrency-mt-unsafe)
  std::string word;
  if (file != nullptr) std::ifstream(file) >> word;
  return word;
}

// Held by each call of the real module, so that the token is pulled between them.
pthread_rwlock_t calls = PTHREAD_RWLOCK_INITIALIZER;
struct InCall {
  InCall() { pthread_rwlock_rdlock(&calls); }
  ~InCall() { pthread_rwlock_unlock(&calls); }
  InCall(const InCall&) = delete;
  InCall& operator=(const InCall&) = delete;
};

void CloseAll() {
  CK_SLOT_ID slots[64];
  CK_ULONG count = 64;
  if (real->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK) return;
  for (CK_ULONG i = 0; i < count; ++i) real->C_CloseAllSessions(slots[i]);
  sessions = 0;
}

// Whether the token is out of its slot.
bool Gone() {
  const std::string fault = Fault();
  const bool away = fault == "removed" || fault == "stuck";
  if (fault == "stuck") stuck = true;
  if (away && !gone.exchange(true)) {
    pthread_rwlock_wrlock(&calls);
    CloseAll();
    pthread_rwlock_unlock(&calls);
  }
  if (!away && !stuck) gone = false;
  return gone;
}

CK_RV Initialize(void* arguments) {
  const CK_RV done = real->C_Initialize(arguments);
  if (done == CKR_OK) {
    stuck = gone = false;
    sessions = sessions_most = 0;
  }
  return done;
}

CK_RV GetSlotList(CK_BBOOL present, CK_SLOT_ID* slots, CK_ULONG* count) {
  if (Gone()) {
    *count = 0;
    return CKR_OK;
  }
  const InCall in;
  return real->C_GetSlotList(present, slots, count);
}

CK_RV GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  if (Gone()) return CKR_TOKEN_NOT_PRESENT;
  const InCall in;
  return real->C_GetTokenInfo(slot, info);
}

CK_RV OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify,
                  CK_SESSION_HANDLE* session) {
  if (Gone()) return CKR_TOKEN_NOT_PRESENT;
  const long now = ++sessions;
  const bool too_many = Fault() == "busy" && now > 2;
  const InCall in;
  const CK_RV done =
      too_many ? CKR_SESSION_COUNT : real->C_OpenSession(slot, flags, application, notify, session);
  if (done != CKR_OK) {
    --sessions;
    return done;
  }
  for (long most = sessions_most; now > most && !sessions_most.compare_exchange_weak(most, now);) {
  }
  return done;
}

CK_RV CloseSession(CK_SESSION_HANDLE session) {
  const InCall in;
  const CK_RV done = real->C_CloseSession(session);
  if (done == CKR_OK) --sessions;
  return done;
}

CK_RV GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) {
  if (Gone()) return CKR_DEVICE_REMOVED;
  const InCall in;
  return real->C_GetSessionInfo(session, info);
}

CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char* pin, CK_ULONG size) {
  ++logins;
  if (Gone()) return CKR_DEVICE_REMOVED;
  const InCall in;
  return real->C_Login(session, user, pin, size);
}

CK_RV FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE* wanted, CK_ULONG count) {
  if (Gone()) return CKR_DEVICE_REMOVED;
  const InCall in;
  return real->C_FindObjectsInit(session, wanted, count);
}

CK_RV FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG most, CK_ULONG* count) {
  const InCall in;
  return real->C_FindObjects(session, objects, most, count);
}

CK_RV FindObjectsFinal(CK_SESSION_HANDLE session) {
  const InCall in;
  return real->C_FindObjectsFinal(session);
}

CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* wanted,
                        CK_ULONG count) {
  const InCall in;
  return real->C_GetAttributeValue(session, object, wanted, count);
}

CK_RV SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  if (Gone()) return CKR_DEVICE_REMOVED;
  const InCall in;
  return real->C_SignInit(session, mechanism, key);
}

CK_RV Sign(CK_SESSION_HANDLE session, unsigned char* data, CK_ULONG size, unsigned char* signature,
           CK_ULONG* signature_size) {
  if (Gone()) return CKR_DEVICE_REMOVED;
  const InCall in;
  const CK_RV done = real->C_Sign(session, data, size, signature, signature_size);
  if (done == CKR_OK && signature != nullptr && Fault() == "wrong")
    std::memset(signature, 0x5a, *signature_size);
  return done;
}

CK_FUNCTION_LIST* LoadReal() {
  const char* const path = std::getenv("LOSSY_TOKEN_MODULE");  // NOLINT(concurrency-mt-unsafe)
  void* const module = path == nullptr ? nullptr : dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) return nullptr;
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(module, "C_GetFunctionList"));
  CK_FUNCTION_LIST* list = nullptr;
  return get != nullptr && get(&list) == CKR_OK ? list : nullptr;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) unsigned long lossy_logins() { return logins; }
__attribute__((visibility("default"))) long lossy_sessions_most() { return sessions_most; }

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  if (real == nullptr) real = LoadReal();
  if (real == nullptr) return CKR_GENERAL_ERROR;
  table = *real;
  table.C_GetFunctionList = C_GetFunctionList;
  table.C_Initialize = Initialize;
  table.C_GetSlotList = GetSlotList;
  table.C_GetTokenInfo = GetTokenInfo;
  table.C_OpenSession = OpenSession;
  table.C_CloseSession = CloseSession;
  table.C_GetSessionInfo = GetSessionInfo;
  table.C_Login = Login;
  table.C_FindObjectsInit = FindObjectsInit;
  table.C_FindObjects = FindObjects;
  table.C_FindObjectsFinal = FindObjectsFinal;
  table.C_GetAttributeValue = GetAttributeValue;
  table.C_SignInit = SignInit;
  table.C_Sign = Sign;
  *list = &table;
  return CKR_OK;
}

}  // extern "C"
