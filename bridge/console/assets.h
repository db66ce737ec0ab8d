// bridge/console/assets.h: the files of the console's pages, which are in the program: nothing is read from a disk, and no
// request can name a file. embed.cmake makes the source of it; Chart.js comes from Debian (libjs-chart.js).
// Threads: any.
#pragma once

#include <string_view>
#include <vector>

namespace registry::console {

struct Asset {
  std::string_view path, type, octets;
};

// By the request's path, "/" for the page itself; null: none.
const Asset* FindAsset(std::string_view path);

}  // namespace registry::console
