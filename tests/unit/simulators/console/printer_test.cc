#include "simulators/console/printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>
#include <thread>
#include <vector>

namespace registry::sim {
namespace {

using nlohmann::json;

class PrinterTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe(pipe_), 0); }
  ~PrinterTest() override {
    CloseWriting();
    ::close(pipe_[0]);
  }
  void CloseWriting() {
    if (pipe_[1] >= 0) ::close(std::exchange(pipe_[1], -1));
  }
  // Until nobody can write any more.
  std::vector<json> ReadAll() {
    std::string text;
    char part[4096];
    for (ssize_t size; (size = ::read(pipe_[0], part, sizeof part)) > 0;)
      text.append(part, static_cast<std::size_t>(size));
    std::vector<json> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line, nullptr, false));
    return lines;
  }
  int pipe_[2] = {-1, -1};
};

TEST_F(PrinterTest, ItsEndPrintsWhatIsLeftInTheOrderOfTheCalls) {
  {
    Printer printer(pipe_[1]);
    for (int number = 0; number < 5; ++number) printer.Print({{"number", number}});
  }
  CloseWriting();
  EXPECT_THAT(ReadAll(), testing::ElementsAre(json{{"number", 0}}, json{{"number", 1}}, json{{"number", 2}},
                                              json{{"number", 3}}, json{{"number", 4}}));
}

TEST_F(PrinterTest, ALineComesWithoutAnotherAfterIt) {
  Printer printer(pipe_[1]);
  char part[64];
  for (const char* line : {"{\"a\":1}\n", "{\"a\":2}\n"}) {
    printer.Print(json::parse(line));
    const ssize_t size = ::read(pipe_[0], part, sizeof part);
    ASSERT_GT(size, 0);
    EXPECT_EQ(std::string(part, static_cast<std::size_t>(size)), line);
  }
}

TEST_F(PrinterTest, MoreThanItsRoomWaitsForTheReaderAndNoLineIsLostOrCut) {
  constexpr int kThreads = 4, kLines = 200;
  std::vector<json> lines;
  std::thread reader([this, &lines] { lines = ReadAll(); });
  {
    Printer printer(pipe_[1]);
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&printer] {
        const json event{{"text", std::string(10'000, 'x')}};
        for (int line = 0; line < kLines; ++line) printer.Print(event);
      });
    }
  }
  CloseWriting();
  reader.join();
  EXPECT_EQ(lines.size(), static_cast<std::size_t>(kThreads * kLines));
  EXPECT_THAT(lines, testing::Each(json{{"text", std::string(10'000, 'x')}}));
}

}  // namespace
}  // namespace registry::sim
