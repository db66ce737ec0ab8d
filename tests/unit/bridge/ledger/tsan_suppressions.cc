// Debian's librocksdb is built without ThreadSanitizer, which therefore cannot see the atomics its memtables are
// published by and calls every read beside the committer a race. Only reports with a frame inside the library are
// silenced. List this file in the SOURCES of a test that opens a RocksDB ledger and has the label concurrency.
#include "schemas/base/sanitized.h"

#if REGISTRY_THREAD_SANITIZED
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "race:librocksdb.so\n"; }
#endif
