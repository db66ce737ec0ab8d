// simulators/device/layout_file.h: the layout of a card (simulators/euicc/layout.h) from JSON: the name of one, or an object
// that says what differs from one; every member is in README.md beside this file.
// Errors: 2005 config_malformed, naming what is wrong. Plain function, any thread.
#pragma once

#include <nlohmann/json.hpp>

#include "schemas/base/result.h"
#include "simulators/euicc/layout.h"

namespace registry::sim {

Result<CardLayout> ReadLayout(const nlohmann::json& layout);
Result<CardLayout> ReadLayoutFile(const std::string& name_or_file);

}  // namespace registry::sim
