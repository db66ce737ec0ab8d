// bridge/guard/withdrawn.h: which connections show a certificate that has been withdrawn. Mosquitto holds the list against
// whoever connects and never looks again, so that a connection from before would go on for as long as it likes.
// Rule: a connection's certificate is noted the first time it says, hears or subscribes to something: Mosquitto 2.0 calls a
//   plug-in no sooner when the certificate is the user name. One that does nothing of it is not known, and hears nothing.
// Plain values, one thread. Errors: false when the file cannot be read or is no CRL; then what was read before counts.
// Limits: the list's signature and dates are Mosquitto's to judge (crlfile), for it reads the same file. One entry per
//   connection.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

typedef struct x509_st X509;  // OpenSSL's; its headers stay out of this one

namespace registry::guard {

// Octets of the number; empty when there is no certificate.
std::string SerialOf(const X509* certificate);

class Withdrawn {
 public:
  // RFC 5280 §5.1.2.6, in PEM.
  bool Read(const std::string& crl_file);
  bool Lists(const std::string& serial) const { return serials_.contains(serial); }

 private:
  std::set<std::string, std::less<>> serials_;
};

// By the broker's own handle of a connection. A handle may stand for another connection later: with another client
// identifier, or after Gone.
class Certificates {
 public:
  using Handle = const void*;
  // Null when it is not noted yet.
  const std::string* Find(Handle connection, const std::string& client_id) const;
  const std::string& Note(Handle connection, const std::string& client_id, std::string serial);
  void Gone(Handle connection) { noted_.erase(connection); }
  // Client identifiers.
  std::vector<std::string> WithdrawnBy(const Withdrawn& list) const;

 private:
  struct Noted {
    std::string client_id, serial;
  };
  std::map<Handle, Noted> noted_;
};

}  // namespace registry::guard
