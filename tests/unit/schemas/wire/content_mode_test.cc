// The modes of the CloudEvents MQTT binding, told apart.
#include "schemas/wire/content_mode.h"

#include <gtest/gtest.h>

namespace registry::wire {
namespace {

TEST(ContentMode, StructuredJsonIsWhatSaysSoOrSaysNothing) {
  for (const char* type : {"application/cloudevents+json", "Application/CloudEvents+JSON; charset=utf-8",
                           "application/cloudevents+json ;charset=utf-8", "application/cloudevents"}) {
    EXPECT_EQ(ContentModeOf(type, false), ContentMode::kStructured) << type;
    EXPECT_EQ(ContentModeOf(type, true), ContentMode::kStructured) << type << ": the type decides (§3)";
  }
  for (const char* type : {"", "application/json", "text/plain", "nonsense"}) {
    EXPECT_EQ(ContentModeOf(type, false), ContentMode::kStructured) << type;
  }
}

TEST(ContentMode, AttributesAsPropertiesAreTheBinaryMode) {
  for (const char* type : {"", "application/json", "application/json; charset=utf-8", "text/xml"}) {
    EXPECT_EQ(ContentModeOf(type, true), ContentMode::kBinary) << type;
  }
}

TEST(ContentMode, OtherFormatsAndBatchesAreNamed) {
  for (const char* type : {"application/cloudevents+avro", "application/cloudevents+protobuf",
                           "application/cloudevents+xml", "application/cloudevents-batch+avro"}) {
    EXPECT_EQ(ContentModeOf(type, false), ContentMode::kOtherFormat) << type;
  }
  for (const char* type :
       {"application/cloudevents-batch+json", "APPLICATION/CLOUDEVENTS-BATCH+JSON; charset=utf-8"}) {
    EXPECT_EQ(ContentModeOf(type, false), ContentMode::kBatch) << type;
  }
}

}  // namespace
}  // namespace registry::wire
