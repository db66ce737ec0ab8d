// schemas/document/derived.h: what of schemas/ is made, not written: the AsyncAPI documents, a file of each valid example
// (the examples stand in their schemas, and the files have the numbers they have there), the standard invalid examples, the
// tables of messages in README.md, the tables of a device's life in the README of the whole (life_cycle.h) and,
// in a schema, the sentence that names the commands a reply answers and the words a member may be. All of it is checked in,
// for people and other programs to read; asyncapi-document writes it, and a test holds the folder equal.
#pragma once

#include <map>
#include <string>

#include "schemas/document/asyncapi.h"

namespace registry::document {

// What every schema must refuse, whatever it says: an array, a first member that is missing or null, a member nobody
// knows. Made of the first valid example of `stem`; by file name, which ends in the symbol of the refusal. None of the
// envelope: it refuses the same with symbols of its own, and its examples are written.
std::map<std::string, Json> StandardInvalidExamples(const std::string& stem, const Sources& sources);

// By path from schemas/ on. Throws as ReadSources does.
std::map<std::string, std::string> DerivedFiles(const std::string& folder);

}  // namespace registry::document
