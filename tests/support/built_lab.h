// tests/support/built_lab.h: where a lab (simulators/lab/lab.h) of this build finds its programs and the broker's
// configuration, for tests and benchmarks. Any thread.
#pragma once

#include "simulators/lab/lab.h"

namespace registry::test {

// Everything else is as LabOptions says. The programs are beside the one that asks.
lab::LabOptions BuiltLab();

}  // namespace registry::test
