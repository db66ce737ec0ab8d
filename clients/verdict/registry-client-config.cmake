# find_package(registry-client) gives the target registry::registry-client.
include(CMakeFindDependencyMacro)
find_dependency(OpenSSL 3.0)
include(${CMAKE_CURRENT_LIST_DIR}/registry-client-targets.cmake)
