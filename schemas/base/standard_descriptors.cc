#include "schemas/base/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "schemas/base/descriptor.h"

namespace registry {

void OpenStandardDescriptors() {
  // The lowest free number is taken (POSIX open), so one above them says that they are all there. Not closed on exec:
  // whatever a program starts needs them as well.
  int opened = 0;
  do {
    opened = ::open("/dev/null", O_RDWR);
    if (opened < 0) std::_Exit(EXIT_FAILURE);
  } while (opened <= STDERR_FILENO);
  ::close(opened);
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace registry
