// schemas/base/mutex.h: locks that say what they guard. `./dev check` has clang prove (-Wthread-safety) that nothing
// guarded is touched without its lock; for another compiler the words mean nothing.
//   Mutex mutex_;
//   std::deque<Work> queue_ GUARDED_BY(mutex_);
//   void TakeSome() REQUIRES(mutex_);  // the caller holds it
// Owns: nothing besides the lock. Threads: every call from any thread. Errors: none.
// Waiting: what a wait asks is asked with the lock held, as clang is told by [this]() REQUIRES(mutex_) { … }.
// No other lock of the standard library is used outside this file: clang knows nothing of those (a test looks).
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define REG_THREADS(attribute) __attribute__((attribute))
#else
#define REG_THREADS(attribute)
#endif

#define GUARDED_BY(mutex) REG_THREADS(guarded_by(mutex))
#define REQUIRES(...) REG_THREADS(requires_capability(__VA_ARGS__))
#define ACQUIRED_BEFORE(...) REG_THREADS(acquired_before(__VA_ARGS__))
#define CAPABILITY(name) REG_THREADS(capability(name))
#define SCOPED_CAPABILITY REG_THREADS(scoped_lockable)
#define ACQUIRE(...) REG_THREADS(acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) REG_THREADS(acquire_shared_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) REG_THREADS(try_acquire_capability(__VA_ARGS__))
#define RELEASE(...) REG_THREADS(release_capability(__VA_ARGS__))
#define NOT_PROVED REG_THREADS(no_thread_safety_analysis)  // with the reason beside it

namespace registry {

class CAPABILITY("mutex") Mutex {
 public:
  void Lock() ACQUIRE() { mutex_.lock(); }
  void Unlock() RELEASE() { mutex_.unlock(); }
  bool TryLock() TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

// From here to the end of the block; may let go and take again in between.
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : lock_(mutex.mutex_) {}
  // Of one that TryLock has taken.
  MutexLock(Mutex& mutex, std::adopt_lock_t taken) REQUIRES(mutex) : lock_(mutex.mutex_, taken) {}
  ~MutexLock() RELEASE() {}
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  void Unlock() RELEASE() { lock_.unlock(); }
  void Lock() ACQUIRE() { lock_.lock(); }

 private:
  friend class CondVar;
  std::unique_lock<std::mutex> lock_;
};

// One writes, or many read.
class CAPABILITY("mutex") SharedMutex {
 public:
  void Lock() ACQUIRE() { mutex_.lock(); }
  void Unlock() RELEASE() { mutex_.unlock(); }
  void LockShared() ACQUIRE_SHARED() { mutex_.lock_shared(); }
  void UnlockShared() REG_THREADS(release_shared_capability()) { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

class SCOPED_CAPABILITY WriteLock {
 public:
  explicit WriteLock(SharedMutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~WriteLock() RELEASE() { mutex_.Unlock(); }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

 private:
  SharedMutex& mutex_;
};

class SCOPED_CAPABILITY ReadLock {
 public:
  explicit ReadLock(SharedMutex& mutex) ACQUIRE_SHARED(mutex) : mutex_(mutex) { mutex_.LockShared(); }
  ~ReadLock() RELEASE() { mutex_.UnlockShared(); }
  ReadLock(const ReadLock&) = delete;
  ReadLock& operator=(const ReadLock&) = delete;

 private:
  SharedMutex& mutex_;
};

// A wait lets go of the lock and has it again when it returns.
class CondVar {
 public:
  void NotifyOne() { changed_.notify_one(); }
  void NotifyAll() { changed_.notify_all(); }

  // May return without a reason: whoever waits looks again.
  void Wait(MutexLock& lock) { changed_.wait(lock.lock_); }
  template <typename Duration>
  void WaitFor(MutexLock& lock, Duration time) {
    (void)changed_.wait_for(lock.lock_, time);
  }
  template <typename Time>
  void WaitUntil(MutexLock& lock, Time until) {
    (void)changed_.wait_until(lock.lock_, until);
  }

  template <typename Ready>
  void Wait(MutexLock& lock, Ready ready) {
    changed_.wait(lock.lock_, ready);
  }
  // What `ready` said last.
  template <typename Duration, typename Ready>
  bool WaitFor(MutexLock& lock, Duration time, Ready ready) {
    return changed_.wait_for(lock.lock_, time, ready);
  }
  template <typename Time, typename Ready>
  bool WaitUntil(MutexLock& lock, Time until, Ready ready) {
    return changed_.wait_until(lock.lock_, until, ready);
  }

 private:
  std::condition_variable changed_;
};

}  // namespace registry
