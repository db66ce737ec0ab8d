// schemas/base/standard_descriptors.h: standard input, output and error of a program, there whatever it was started with.
// A descriptor that its parent closed is the first number the kernel gives away, so that a file opened next, of a ledger
// for one, would get what is printed. Every program calls this before anything else; POSIX exec leaves it to them.
// Threads: the main one, before any other. Errors: a program that cannot even open /dev/null ends with 1.
#pragma once

namespace registry {

// Opens /dev/null for each of the descriptors 0 to 2 that is closed.
void OpenStandardDescriptors();

}  // namespace registry
