// The configured parties: when each was heard last, what it has, what waits for it.
import {ask, make, number, table, time} from '/parts.js';

const columns = [
  {name: 'party', cell: (row) => (row.role === 'operator' ? row.party : make('a', {href: `#/devices?party=${row.party}`}, row.party))},
  {name: 'role', cell: (row) => row.role},
  {name: 'heard last', cell: (row) => (row.heard ? time(row.heard) : 'not since the start')},
  {name: 'sponsored', number: true, cell: (row) => number(row.sponsored)},
  {name: 'claimed', number: true, cell: (row) => number(row.claimed)},
  {name: 'jobs open', number: true, cell: (row) => number(row.jobsOpen)},
  {name: 'jobs unsent', number: true, cell: (row) => number(row.jobsUnsent)},
];

export async function parties() {
  const fill = (page) => [make('h1', {}, 'Parties'), make('div', {class: 'card'}, table('Devices as the last census counted them', columns, page.parties, 'No party is configured.'))];
  const body = make('div', {}, fill(await ask('/api/parties')));
  return {
    title: 'Parties',
    content: [body],
    async update() {
      try {
        body.replaceChildren(...fill(await ask('/api/parties')));
      } catch { /* the next event asks again */ }
    },
  };
}
