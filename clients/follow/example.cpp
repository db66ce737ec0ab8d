// clients/follow/example.cpp: HOST CA CERTIFICATE KEY PARTY POSITION-FILE: prints what becomes of a party's devices. With
// the library that is installed: c++ -std=c++17 example.cpp $(pkg-config --cflags --libs registry-follow) -o example
#include <cstdio>
#include <registry/follow.hpp>

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: example HOST CA CERTIFICATE KEY PARTY POSITION-FILE\n", stderr);
    return 2;
  }
  registry::follow::Options options;
  options.host = argv[1];
  options.ca_file = argv[2];
  options.cert_file = argv[3];
  options.key_file = argv[4];
  options.party = argv[5];
  options.position_file = argv[6];
  registry::follow::Handlers handlers;
  handlers.handle = [](const registry::follow::Notification& notification) {
    std::printf("%s %s\n", notification.type.c_str(), notification.data.c_str());
    return true;
  };
  registry::follow::Follower follower(options, handlers);
  std::fprintf(stderr, "%s\n", follower.Run().c_str());
  return 1;
}
