// tests/support/contract.h: what the registry says, held against the contract: the envelope, the schema of its type, the
// symbol and code of an error, all in canonical form. Fails the running test. Any thread.
#pragma once

#include <string>

namespace registry::test {

void ExpectContract(const std::string& payload);

}  // namespace registry::test
