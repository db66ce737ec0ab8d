// simulators/lab/authority_config.h: the public name server of a lab as configuration text: secondary of the registry's
// zone, primary of the root and of the ASPs' zones. Three programs are equal choices, as they are for an operator; BIND is
// the default, for a transfer costs it least. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simulators/lab/static_zone.h"

namespace registry::lab {

enum class Authority { kBind, kNsd, kKnot };

inline constexpr Authority kAuthorities[] = {Authority::kBind, Authority::kNsd, Authority::kKnot};
const char* NameOf(Authority software);  // "bind", "nsd", "knot": for the command line, metrics and logs
std::optional<Authority> AuthorityOf(const std::string& name);

struct AuthorityOptions {
  std::string folder;
  std::uint16_t port = 0;
  std::string zone;  // the registry's, transferred from the hidden primary
  std::uint16_t primary_port = 0;
  std::string tsig_name, tsig_secret;
  std::vector<SignedZone> static_zones;
  std::vector<std::uint16_t> other_primaries = {};  // any of them, or none, serves the zone now
};
std::string ConfigOf(Authority software, const AuthorityOptions& options);
// What starts it in the foreground, with the text of ConfigOf in `file`.
std::vector<std::string> CommandOf(Authority software, const std::string& file);

}  // namespace registry::lab
