#include "simulators/console/console.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "simulators/console/report.h"

namespace registry::sim {
namespace {

using nlohmann::json;

// This process's standard input is a pipe for as long as this lives.
class Input {
 public:
  Input() : kept_(::dup(STDIN_FILENO)) {
    int ends[2];
    if (::pipe(ends) != 0 || ::dup2(ends[0], STDIN_FILENO) < 0) std::abort();
    ::close(ends[0]);
    in_ = ends[1];
  }
  ~Input() {
    End();
    ::dup2(kept_, STDIN_FILENO);
    ::close(kept_);
  }
  void Write(const std::string& text) {
    ASSERT_EQ(::write(in_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void End() {
    if (in_ >= 0) ::close(in_);
    in_ = -1;
  }

 private:
  const int kept_;
  int in_ = -1;
};

TEST(Console, HandsOverEveryObjectAndPassesOverTheRest) {
  Input input;
  const Console console = Console::CatchSignals();
  input.Write("{\"cmd\":\"a\"}\nrubbish\n[1]\n");
  input.Write(std::string(10'000, 'x') + "\n{\"cmd\":");
  input.Write("\"b\"}\n{\"cmd\":\"never ended\"");
  input.End();
  std::vector<std::string> heard;
  console.Serve([&](const json& command) { heard.push_back(command["cmd"]); });
  EXPECT_EQ(heard, (std::vector<std::string>{"a", "b"}));
}

TEST(Console, ASignalEndsItWhileTheInputIsOpen) {
  Input input;
  const Console console = Console::CatchSignals();
  ASSERT_EQ(std::raise(SIGTERM), 0);
  console.Serve([](const json&) { FAIL() << "nothing was written"; });
}

TEST(Report, AStepWentWellWhenThereIsNoReasonWhyNot) {
  std::vector<json> said;
  Report report([&](const json& event) { said.push_back(event); });
  report.Step("uuid", "verify", Report::Clock::now(), "");
  report.Step("uuid", "session", Report::Clock::now(), "refused tlsa_missing", true);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0]["ok"], true);
  EXPECT_FALSE(said[0].contains("again"));
  EXPECT_GE(said[0]["ms"].get<double>(), 0.0);
  EXPECT_EQ(said[1]["ok"], false);
  EXPECT_EQ(said[1]["reason"], "refused tlsa_missing");
  EXPECT_EQ(said[1]["again"], true);
}

}  // namespace
}  // namespace registry::sim
