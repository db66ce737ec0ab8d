# cmake -D OUTPUT=FILE -D "ASSETS=PATH|FILE|TYPE;…" -P embed.cmake: a source with each file's octets, as assets.h finds them.
set(arrays "")
set(rows "")
set(number 0)
foreach(asset IN LISTS ASSETS)
  string(REPLACE "|" ";" parts "${asset}")
  list(GET parts 0 path)
  list(GET parts 1 file)
  list(GET parts 2 type)
  file(READ "${file}" hex HEX)
  if(hex STREQUAL "")
    message(FATAL_ERROR "${file} is empty")
  endif()
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND arrays "const unsigned char k${number}[] = {\n${hex}};\n")
  string(APPEND rows "    {\"${path}\", \"${type}\", {reinterpret_cast<const char*>(k${number}), sizeof k${number}}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUTPUT}" "// Made by bridge/console/embed.cmake.
#include \"bridge/console/assets.h\"

namespace registry::console {
namespace {

${arrays}
const std::vector<Asset> kAssets = {
${rows}};

}  // namespace

const Asset* FindAsset(std::string_view path) {
  for (const Asset& asset : kAssets) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

}  // namespace registry::console
")
