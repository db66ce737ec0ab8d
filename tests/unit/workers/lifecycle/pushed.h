// tests/unit/workers/lifecycle/pushed.h: a device whose payload was pushed, and the MNO's report of it awaited.
#pragma once

#include <gtest/gtest.h>

#include "tests/unit/workers/lifecycle/flow.h"
#include "workers/domain/job_kinds.h"

namespace registry::test {

inline const json kSuccess = {{"outcome", "success"}};

class PushedTest : public testing::Test {
 protected:
  domain::Job Pushed() {
    device_ = Published(registry_);
    registry_.Heard(kPushes);
    return Job();
  }
  domain::Job Job() { return JobOf(registry_, device_, domain::JobKind::kPayloadPush); }

  TestRegistry registry_;
  std::string device_;
  const std::string kPushes = std::string(kActions) + "payload.push";
};

}  // namespace registry::test
