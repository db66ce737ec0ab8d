// simulators/lab/story.h: the whole life of one device, told step by step in a lab of its own, each step with what proves
// it: the record that the public name server shows, the session that the ASP takes or refuses, the registry's own history.
// Call from the main thread (see process.h).
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "simulators/lab/lab.h"
#include "simulators/lab/progress.h"
#include "simulators/lab/terminal.h"

namespace registry::lab {

struct StoryOptions {
  LabOptions lab;                                  // devices are four, whatever it says
  Terminal terminal;                               // as wide as each line is at most
  std::chrono::milliseconds patience{90000};       // for one step
  const std::atomic<bool>* interrupted = nullptr;  // set by a signal: give up now
};

// A step that was tried.
struct Chapter {
  std::string title;  // "suspended"
  bool ok = false;
  std::vector<std::string> proofs;  // or, last, what was missing
};

struct Story {
  std::unique_ptr<Lab> lab;  // null when not even a folder could be made
  std::vector<Chapter> chapters;
  OtaFigures over_the_air;
  std::string trouble;  // a server that did not start or ended, an interruption; empty when there was none
  bool whole = false;   // every chapter was told and went right
};

// As it is printed: its title and how it ended, then each proof, in lines of at most `columns`. A word that is longer has
// a line of its own.
std::string TextOf(const Chapter& chapter, std::size_t columns);
// Prints each chapter when it is over.
Story TellStory(const StoryOptions& options);

}  // namespace registry::lab
