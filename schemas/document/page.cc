#include "schemas/document/page.h"

#include <map>
#include <stdexcept>

#include "schemas/wire/codec.h"

namespace registry::document {
namespace {

using wire::MessageName;
using Kind = MessageName::Kind;

// Without what the table says in a column of its own: "Command to an MNO: " before it, " Role: MNO." behind it.
std::string Says(const MessageName& name, const Sources& sources) {
  std::string text = sources.schemas.at(std::string(name.schema)).at("description");
  if (name.kind == Kind::kCommand) return text.substr(0, text.find(" Role: "));
  if (name.kind == Kind::kDocument) return text;
  const auto colon = text.find(": ");
  return colon == text.npos ? text : text.substr(colon + 2);
}

std::string Roles(const MessageName& name) {
  static const std::map<wire::Role, std::string> words{
      {wire::Role::kMno, "MNO"}, {wire::Role::kAsp, "ASP"}, {wire::Role::kOperator, "operator"}};
  std::string text;
  for (const wire::Role role : name.roles) text += (text.empty() ? "" : ", ") + words.at(role);
  return text;
}

std::string ReplyOf(std::string_view command) {
  for (const MessageName& name : wire::Catalogue()) {
    if (name.kind == Kind::kReply && name.name == command) return std::string(name.schema);
  }
  return {};
}

std::string Row(const MessageName& name, const Sources& sources) {
  std::string row = "| `" + std::string(name.name) + "` | ";
  if (name.kind == Kind::kCommand) row += Roles(name) + " | `" + ReplyOf(name.name) + "` | ";
  if (name.kind == Kind::kNotification) row += Roles(name) + " | ";
  return row + Says(name, sources) + " |\n";
}

std::string Rows(Kind kind, const Sources& sources) {
  std::string rows;
  for (const MessageName& name : wire::Catalogue()) {
    if (name.kind == kind) rows += Row(name, sources);
  }
  return rows;
}

}  // namespace

void ReplaceRows(std::string& page, const std::string& heading, const std::string& rows) {
  const auto at = page.find("\n" + heading + "\n|---");
  if (at == page.npos) throw std::runtime_error("the page has no table " + heading);
  const auto first = page.find('\n', at + heading.size() + 2) + 1;
  auto end = first;
  while (end < page.size() && page[end] == '|') end = page.find('\n', end) + 1;
  page.replace(first, end - first, rows);
}

std::string WithTables(const std::string& page, const Sources& sources) {
  std::string made = page;
  ReplaceRows(made, "| command | who | accepted reply | says |", Rows(Kind::kCommand, sources));
  ReplaceRows(made, "| action | says |", Rows(Kind::kAction, sources));
  ReplaceRows(made, "| type | to | says |", Rows(Kind::kNotification, sources));
  ReplaceRows(made, "| stem | says |", Rows(Kind::kDocument, sources));
  return made;
}

}  // namespace registry::document
