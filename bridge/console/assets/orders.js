// Orders over many devices, one order with what became of its devices, and transfers.
import {ask, card, device, facts, make, mark, number, refreshed, table, time} from '/parts.js';

const outcomes = ['done', 'refused', 'failed', 'skipped'];
const selected = (order) => Object.entries(order.selection).map(([name, value]) => `${name} ${value}`).join(', ') || 'all devices';

function progress(order) {
  const sum = outcomes.reduce((all, outcome) => all + order[outcome], 0);
  if (order.share === null) return `${number(sum)} devices`;
  const percent = Math.round(order.share * 100);
  return make('span', {}, make('progress', {max: '100', value: String(percent), 'aria-label': `progress of order ${order.order}`}), ` ${percent} %, ${number(sum)} devices`);
}

const columns = [
  {name: 'order', cell: (row) => make('a', {class: 'id', href: `#/order/${row.order}`}, row.order)},
  {name: 'kind', cell: (row) => `${row.kind}${row.dryRun ? ', dry run' : ''}`},
  {name: 'state', cell: (row) => mark(row.state)},
  {name: 'owner', cell: (row) => row.owner},
  {name: 'progress', cell: progress},
  {name: 'refused', number: true, cell: (row) => number(row.refused)},
  {name: 'failed', number: true, cell: (row) => number(row.failed)},
  {name: 'started', cell: (row) => time(row.created)},
];

export async function orders() {
  const first = await ask('/api/orders');
  const fill = (page) => [make('h1', {}, 'Orders'),
    make('div', {class: 'card'}, table(page.all > page.orders.length ? `The newest ${page.orders.length} of ${number(page.all)}` : 'Newest first', columns, page.orders, 'No order was started.'))];
  return {title: 'Orders', ...refreshed('/api/orders', fill, first)};
}

export async function order({id, query}) {
  const asked = new URLSearchParams({id});
  for (const name of ['outcome', 'after']) if (query.get(name)) asked.set(name, query.get(name));
  const path = `/api/order?${asked}`;
  const first = await ask(path);
  const link = (outcome) => make('a', {href: `#/order/${id}?outcome=${outcome}`}, outcome);
  const fill = (now) => [make('h1', {}, 'Order ', make('span', {class: 'id'}, now.order)),
    make('div', {class: 'grid'},
      card('Now', 'third', facts([
        ['State', mark(now.state)], ['Kind', `${now.kind}${now.dryRun ? ', dry run' : ''}`], ['Owner', now.owner], ['Devices', selected(now)], ['Progress', progress(now)],
        ['Rate', `${number(now.rate)} a second at most`], ['Reason', now.reason], ['Started', time(now.created)], ['Changed', time(now.updated)],
        ...outcomes.map((outcome) => [make('span', {}, link(outcome)), number(now[outcome])]),
      ])),
      card('Devices', 'two', table(query.get('outcome') ? `Only ${query.get('outcome')}` : 'In the order they were decided', [
        {name: 'number', cell: (row) => number(row.number)}, {name: 'device', cell: (row) => device(row.device)}, {name: 'outcome', cell: (row) => mark(row.outcome)},
        {name: 'symbol', cell: (row) => row.symbol || null}, {name: 'when', cell: (row) => time(row.at)},
      ], now.items, 'None yet.'), now.next ? make('p', {}, make('a', {href: `#/order/${id}?${new URLSearchParams({...Object.fromEntries(query), after: now.next})}`}, 'Next page')) : null)),
  ];
  return {title: `Order ${id.slice(0, 8)}`, ...refreshed(path, fill, first)};
}

const transferColumns = [
  {name: 'device', cell: (row) => device(row.device)},
  {name: 'kind', cell: (row) => row.kind},
  {name: 'from', cell: (row) => row.from},
  {name: 'to', cell: (row) => row.to},
  {name: 'state', cell: (row) => mark(row.state)},
  {name: 'requested', cell: (row) => time(row.requested)},
  {name: 'decided by itself', cell: (row) => (row.state === 'pending' ? time(row.decidesAt) : null)},
];

export async function transfers({query}) {
  const asked = new URLSearchParams();
  for (const name of ['party', 'after', 'open']) if (query.get(name)) asked.set(name, query.get(name));
  const path = `/api/transfers?${asked}`;
  const first = await ask(path);
  const open = query.get('open') === 'true';
  const fill = (page) => [make('h1', {}, 'Transfers'),
    make('p', {}, open ? make('a', {href: '#/transfers'}, 'Show all') : make('a', {href: '#/transfers?open=true'}, 'Show only those that are open')),
    make('div', {class: 'card'}, table('The last transfer of each device that has had one', transferColumns, page.transfers, page.next ? 'None among those looked at. There are more.' : 'There is none.')),
    page.next ? make('p', {}, make('a', {href: `#/transfers?${new URLSearchParams({...Object.fromEntries(query), after: page.next})}`}, 'Next page')) : ''];
  return {title: 'Transfers', ...refreshed(path, fill, first)};
}
