// workers/orders/orders.h: orders, which are work on many devices, as their owners start, stop and watch them. How the
// devices of an order are decided is in items.h.
// An MNO or ASP orders over its own devices, the operator over anybody's. Who pauses, resumes, cancels or reads an order is
// its owner or the operator; to others it does not exist (2303 order_unknown).
// Limits: kOpenMax orders of one owner are running or paused, another one is put off (2502 orders_too_many). Of those that
// ended the last kKeptMax are kept; an older one goes, with its outcomes, when its owner starts the next.
// Pure, any thread; errors are the rejection the sender gets (workers/domain/decision.h).
#pragma once

#include "schemas/wire/queries.h"
#include "workers/domain/decision.h"

namespace registry::orders {

using domain::Case;
using domain::Reply;

inline constexpr std::size_t kOpenMax = 8;
inline constexpr std::size_t kKeptMax = 32;
inline constexpr std::uint32_t kRateUnsaid = 50;  // devices per second

// 2201 "order_kind_foreign" where the sender's role could not send the single command: every device would be refused.
Result<Reply> Decide(const wire::OrderStart&, Case&);
// What is paused already stays so, what runs already goes on; an order that has ended is refused (2304 order_ended).
Result<Reply> Decide(const wire::OrderPause&, Case&);
Result<Reply> Decide(const wire::OrderResume&, Case&);
// Ends with order.done to the owner; what was decided stays.
Result<Reply> Decide(const wire::OrderCancel&, Case&);

// The sender has published other content for an endpoint of this name, in the same changeset: an order of the sender's that
// gives it to the devices bound to it; nullopt when there are none. One that is open and gives them what was there before is
// cancelled, for the new one begins with the first device again. Errors as of OrderStart.
Result<std::optional<OrderId>> StartReprovision(const EndpointName& endpoint, Case&);

Result<wire::OrderState> Read(const wire::OrderGet&, const Case&);
// A page looks at no more than kLookedAtMax outcomes, so one that leaves many out may be short, or empty, and still be
// followed by another.
// In order of id.
Result<wire::OrderListed> Read(const wire::OrderList&, const Case&);
Result<wire::OrderReported> Read(const wire::OrderReport&, const Case&);
inline constexpr std::size_t kLookedAtMax = 2000;

}  // namespace registry::orders
