// simulators/terminal/at_modem.h: a modem's AT commands, as far as software for IoT SAFE needs them: characters in,
// characters out. No port and no clock: pty_modem.h gives it one.
//   access to the card  AT+CSIM=<characters>,"<command>"; AT+CCHO="<AID>", AT+CGLA=<session>,<characters>,"<command>",
//                       AT+CCHC=<session>
//   who it is           ATI, +CGMI, +CGMM, +CGMR, +CGSN, +CIMI, +CCID
//   how it is           AT, +CPIN?, +CSQ, +CREG?, +CGREG?, +CEREG?, +CFUN, +CMEE, ATE0, ATE1, ATZ, AT&F
// An answer is CR LF, the line, CR LF, and then always CR LF, OK (or ERROR), CR LF: clients wait for the last without end.
// Tolerated, as clients write: either case, spaces behind `=` and `,`, no quotes, lines that end with CR, LF or both.
// Owns: its line so far and its line to the card, which outlives it. Threads: one at a time.
// Errors: +CME ERROR of 3GPP TS 27.007 §9.2 once +CMEE asks for it, ERROR before: 3 no channel is free, 4 no such command,
//   22 no such application or session, 50 a parameter.
// Limits: a line has at most kLineMax characters, the rest of a longer one is passed over and answered ERROR.
// Spec: 3GPP TS 27.007 §8.17 (+CSIM), §8.45 to §8.47 (+CCHO, +CCHC, +CGLA); ITU-T V.250.
#pragma once

#include <string>
#include <string_view>

#include "simulators/terminal/card_line.h"

namespace registry::sim {

class AtModem {
 public:
  static constexpr std::size_t kLineMax = 1024;  // the longest command has 522 characters of hexadecimal
  struct Options {
    bool quotes = true;  // around the hexadecimal of answers; some modems have none
    // Test numbers: TAC and PLMN 001-01 are nobody's.
    std::string imei = "490154203237518", imsi = "001010123456789", iccid = "8988211000000530082";
  };

  AtModem(CardPort& card, Options options) : card_(card), options_(std::move(options)) {}
  std::string Take(std::string_view characters);  // what the modem says to them
  void HangUp();                                  // nobody is there any more

 private:
  struct Wanted {
    std::string_view name;
    char kind;  // ' ' as it is, '?' read, 't' test (=?), '=' set
    std::string_view value;
  };
  struct Answer {
    std::string lines;
    int error = 0;
  };
  using Handler = Answer (AtModem::*)(const Wanted&);
  struct Entry {
    std::string_view name;
    Handler handler;
  };
  static const Entry* Find(std::string_view name);
  static Wanted Read(std::string_view command);

  std::string Obey(std::string_view line);
  std::string Finish(const Answer& answer) const;
  Answer Basic(std::string_view command);
  Answer Csim(const Wanted& wanted);
  Answer OpenSession(const Wanted& wanted);
  Answer UseSession(const Wanted& wanted);
  Answer CloseSession(const Wanted& wanted);
  Answer Cmee(const Wanted& wanted);
  Answer Cfun(const Wanted& wanted);
  Answer Identify(const Wanted& wanted);
  Answer State(const Wanted& wanted);
  std::string Octets(std::string_view command, const Bytes& octets) const;

  CardLine card_;
  const Options options_;
  std::string line_;
  bool too_long_ = false, echo_ = false;
  int errors_ = 0;         // +CMEE
  bool sessions_[4] = {};  // opened by +CCHO; the channel is the session
};

}  // namespace registry::sim
