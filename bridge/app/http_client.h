// bridge/app/http_client.h: asks a running registryd for one of its pages. Blocks, a few seconds at most once
// connected. Threads: any.
#pragma once

#include <cstdint>
#include <string>

namespace registry::app {

// The body; empty when nobody answers.
std::string Fetch(const std::string& address, std::uint16_t port, const std::string& path);

}  // namespace registry::app
