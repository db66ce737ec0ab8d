// GSMA IoT.05: READ FILE and GET RANDOM.
#include <openssl/rand.h>

#include <algorithm>

#include "simulators/euicc/applet.h"
#include "simulators/euicc/tags.h"

namespace registry::sim {

// Never more than 255 octets: clients' buffers are not made for 256.
ResponseApdu Applet::ReadFile(const Request& request) {
  if (remote_) return StatusWord::kInvalidated;
  const auto found = FileOf(request.tlvs);
  if (found.object == nullptr) return found.status;
  if (!found.object->head.readable || !found.object->head.active) return StatusWord::kConditions;
  const Command& command = request.command;
  const Bytes& content = found.object->content;
  const std::size_t offset = static_cast<std::size_t>(command.p1) << 8 | command.p2;
  const std::size_t wanted = command.le == 0 ? kAnswerMax : command.le;
  const bool pads = request.channel.selected->pads_files;
  if (offset >= content.size() && !pads) return StatusWord::kBadParameters;
  const std::size_t begin = std::min(offset, content.size());
  const std::size_t size = std::min(wanted, content.size() - begin);
  const auto first = content.begin() + static_cast<std::ptrdiff_t>(begin);
  Bytes part(first, first + static_cast<std::ptrdiff_t>(size));
  if (pads) part.resize(wanted);
  return part;
}

ResponseApdu Applet::GetRandom(const Request& request) {
  if (request.command.p1 != 0 || request.command.p2 != 0) return StatusWord::kBadParameters;
  Bytes out(request.command.le == 0 ? kAnswerMax : request.command.le);
  return RAND_bytes(out.data(), static_cast<int>(out.size())) == 1 ? ResponseApdu(out)
                                                                   : ResponseApdu(StatusWord::kOther);
}

}  // namespace registry::sim
