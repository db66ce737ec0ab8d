// simulators/euicc/applet.h: a soft IoT SAFE applet, spoken to by APDU octets only, as over the card's
// contacts. Owns: channels and sessions, lost by Reset; borrows the card's memory and its layout. Threads: one at a time,
// like the serial line. Errors: status words only; no octets from outside stop the process. A device can neither create nor
// write files (OTA).
// Fault model: Reset (power loss) ends channels, signature and put-key sessions, never keys or files. An interrupted
//   session blocks no other (GSMA IoT.05 keys sessions by number). While BeginRemote..EndRemote, as during an OTA session,
//   files answer 6984. An object the issuer has touched since a session began answers 6989 there. Nothing is altered in
//   silence.
// A command that is refused changes nothing: what it says is judged before any of it is kept.
// Limits: 4 channels, each with sessions 00..07 of every kind, 255 octets of answer, 4096 of text to be signed (6A84). The
//   object list comes in parts of 240 octets at most, cut between structures: 6300, then CB 01 01 until 9000; each channel
//   has its own, and what is still to come is as it was at CB 01 00.
// Lengths (ISO/IEC 7816-4 §5.3.4): a command without data whose Le is too small is refused with 6Cxx and may come again;
//   one with data is never answered 6Cxx, which clients misread: what its Le has no room for waits for GET RESPONSE (61xx).
// Not simulated: 6400 (nothing is ever damaged); 6981 (an id of another kind of object is 6A82 here); RSA and other curves
//   than P-256 (no key of a registry's device is one).
// Spec: GSMA IoT.04, IoT.05 v1.0 as clients speak it; ISO/IEC 7816-4.
#pragma once

#include <array>
#include <deque>

#include "simulators/euicc/apdu.h"
#include "simulators/euicc/channel.h"
#include "simulators/euicc/layout.h"

namespace registry::sim {

class Applet {
 public:
  explicit Applet(CardMemory& memory, const CardLayout& layout = DefaultLayout());
  Bytes Transmit(const Bytes& apdu);
  void Reset();

  void BeginRemote() { remote_ = true; }
  void EndRemote();

 private:
  using Tlvs = std::vector<Tlv>;
  struct Request {
    const Command& command;
    const Tlvs& tlvs;
    LogicalChannel& channel;
  };
  using Handler = ResponseApdu (Applet::*)(const Request&);
  struct Instruction {
    std::uint8_t code;
    Handler handler;
    bool whole = true;  // the data of each command are whole TLVs
  };
  // What a tag of the command names.
  template <class Object>
  struct Named {
    StatusWord status = StatusWord::kOk;
    const Bytes* id = nullptr;
    Object* object = nullptr;
  };

  ResponseApdu Dispatch(const Command& command);
  ResponseApdu Serve(const Command& command, LogicalChannel& channel);
  ResponseApdu Deliver(const Command& command, LogicalChannel& channel, ResponseApdu answer) const;
  static ResponseApdu GetResponse(const Command& command, LogicalChannel& channel);
  ResponseApdu ManageChannel(const Command& command);
  ResponseApdu Select(const Command& command, LogicalChannel& channel);

  static const std::vector<Instruction>& Instructions();
  // keys.cc
  ResponseApdu GenerateKeyPair(const Request& request);
  ResponseApdu ReadPublicKey(const Request& request);
  ResponseApdu PutKeyInit(const Request& request);
  ResponseApdu PutKeyUpdate(const Request& request);
  // signatures.cc
  ResponseApdu SignInit(const Request& request);
  static ResponseApdu Begin(const Request& request, const Named<KeySlot>& found, bool has_key,
                            Sessions& sessions);
  ResponseApdu SignUpdate(const Request& request);
  ResponseApdu VerifyInit(const Request& request);
  ResponseApdu VerifyUpdate(const Request& request);
  ResponseApdu SignDigest(const Request& request, const SignatureSession& session, const Bytes& digest);
  ResponseApdu MacInit(const Request& request);
  ResponseApdu MacUpdate(const Request& request, SignatureSession& session);
  // derivation.cc
  ResponseApdu ComputeDh(const Request& request);
  ResponseApdu ComputePrf(const Request& request);
  ResponseApdu HkdfExtractKey(const Request& request);
  // reading.cc
  ResponseApdu ReadFile(const Request& request);
  ResponseApdu GetRandom(const Request& request);
  // get_data.cc
  ResponseApdu GetData(const Request& request);
  Bytes Application(const AppletName& name) const;
  ResponseApdu ObjectList(const Request& request);
  ResponseApdu OneObject(const Request& request);
  std::deque<Bytes> Descriptions() const;  // one structure each

  // selection.cc: by id or by label.
  Named<KeySlot> PrivateKey(const Tlvs& tlvs);
  Named<KeySlot> PublicKey(const Tlvs& tlvs);
  Named<Secret> SecretOf(const Tlvs& tlvs);
  Named<File> FileOf(const Tlvs& tlvs);
  template <class Object>
  static Named<Object> Find(Objects<Object>& objects, const Tlvs& tlvs, std::uint8_t id_tag,
                            std::uint8_t label_tag);

  CardMemory& memory_;
  const CardLayout& layout_;
  std::array<LogicalChannel, 4> channels_;
  bool remote_ = false, remote_over_ = false;
};

}  // namespace registry::sim
