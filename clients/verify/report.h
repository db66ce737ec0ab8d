// clients/verify/report.h: what holds of a client and what does not, a line for each question, for people or as JSON.
// Pure, any thread.
#pragma once

#include <openssl/x509.h>

#include <string>
#include <vector>

#include "clients/verdict/client_check.h"

namespace registry::clients {

// Questions that are answered without the registry: which certificate, from when until when.
Finding DescribeCertificate(X509* certificate);

// The first wrong answer; accepted when no answer is wrong.
std::string VerdictIn(const std::vector<Finding>& findings);
// "holds", "fails" or "open", the question, and what is to be said of it; last "verdict  <symbol>".
std::string AsText(const std::vector<Finding>& findings);
// {"verdict":…,"steps":[{"question":…,"holds":true|false|null,"symbol":…,"detail":…}]}
std::string AsJson(const std::vector<Finding>& findings);

}  // namespace registry::clients
