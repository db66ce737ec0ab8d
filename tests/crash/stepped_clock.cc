// A machine's clock that is set forward or back for one process (LD_PRELOAD): what it asks for the time of day is answered
// with the seconds that the file named by REGISTRY_CLOCK_FILE says are to be added. Clocks that only grow stay as they are,
// as on a machine whose clock somebody sets.
// The file holds one std::int64_t and is mapped, so that a step is there with the next question, and in between no octet of
// it is read by halves. No file: the machine's time. Threads: any.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

const volatile std::int64_t* step = nullptr;

// What asks before this gets the machine's time.
__attribute__((constructor)) void MapStep() {
  const char* const file =
      std::getenv("REGISTRY_CLOCK_FILE");  // NOLINT(concurrency-mt-unsafe): no thread yet
  const int opened = file == nullptr ? -1 : ::open(file, O_RDONLY | O_CLOEXEC);
  if (opened < 0) return;
  void* const mapped = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, opened, 0);
  ::close(opened);
  if (mapped != MAP_FAILED) step = static_cast<const volatile std::int64_t*>(mapped);
}

bool TellsTheDay(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE; }

}  // namespace

extern "C" __attribute__((visibility("default"))) int clock_gettime(clockid_t clock, timespec* at) noexcept {
  const auto answered = static_cast<int>(::syscall(SYS_clock_gettime, clock, at));
  if (answered == 0 && step != nullptr && TellsTheDay(clock)) at->tv_sec += *step;
  return answered;
}

extern "C" __attribute__((visibility("default"))) int gettimeofday(timeval* at, void*) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

extern "C" __attribute__((visibility("default"))) std::time_t time(std::time_t* at) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (at != nullptr) *at = now.tv_sec;
  return now.tv_sec;
}
