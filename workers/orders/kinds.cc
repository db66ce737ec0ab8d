#include "workers/orders/kinds.h"

#include <algorithm>

#include "workers/domain/standing.h"

namespace registry::orders {

using domain::OrderKind;

std::string_view CommandName(OrderKind kind) {
  switch (kind) {
    case OrderKind::kDeactivate:
      return wire::DeviceDeactivate::kName;
    case OrderKind::kDelete:
      return wire::DeviceDelete::kName;
    case OrderKind::kSuspend:
      return wire::DeviceSuspend::kName;
    case OrderKind::kResume:
      return wire::DeviceResume::kName;
    case OrderKind::kRekey:
      return wire::DeviceRekey::kName;
    case OrderKind::kReprovision:
      break;
  }
  return "";
}

std::optional<wire::Command> CommandOf(const domain::Order& order, const DeviceId& device) {
  switch (order.kind) {
    case OrderKind::kDeactivate:
      return wire::DeviceDeactivate{device, order.reason};
    case OrderKind::kDelete:
      return wire::DeviceDelete{device, order.reason};
    case OrderKind::kSuspend:
      return wire::DeviceSuspend{device, order.reason};
    case OrderKind::kResume:
      return wire::DeviceResume{device, order.reason};
    case OrderKind::kRekey:
      return wire::DeviceRekey{device, order.reason};
    case OrderKind::kReprovision:
      break;
  }
  return std::nullopt;
}

bool MayStart(OrderKind kind, wire::Role role) {
  if (kind == OrderKind::kReprovision) return role != wire::Role::kMno;
  const auto roles = wire::RolesOf(CommandName(kind));
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

bool PassesOver(OrderKind kind, const domain::Device& device) {
  return kind == OrderKind::kReprovision && !domain::HasPayloadToReplace(device);
}

}  // namespace registry::orders
