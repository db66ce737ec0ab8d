// tests/support/sealed.h: a passphrase as seal.sh seals it: base64 of an AuthEnvelopedData for a key that nobody has.
#pragma once

namespace registry::test {

inline constexpr char kSealedPassphrase[] =
    "MIIBDQYLKoZIhvcNAQkQAReggf0wgfoCAQAxgaahgaMCAQOgUaFPMAkGByqGSM49AgEDQgAEGHFQHS/Jcu02mZJSDZ6oOl98Ap7w"
    "ajJ8YqbdlPLDmfhJdRl0urzdoSckmlcv0OSyM851lzS1neYpHl/pVuLxzzAVBgYrgQQBCwEwCwYJYIZIAWUDBAEFMDQwMqAWBBSR"
    "kwtYB9nCcdkWwJ9eekgEG98lIgQYsVZb3sIm3ILNPZ7JPCCa5GKbok/BgcIjMDoGCSqGSIb3DQEHATAeBglghkgBZQMEAQYwEQQM"
    "tUj7cG3hiNcGYzjoAgEQgA3BXqVYjptHfAw6M+ZsBBDUmsdUNRB9sxE3NK7OAoZw";

}  // namespace registry::test
