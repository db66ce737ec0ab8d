// Devices in pages, by state, party and the end of their certificate.
import {ask, device, make, mark, table, time} from '/parts.js';

const states = ['registered', 'attached', 'certified', 'published', 'active', 'deactivated', 'deleted'];
const within = {1: 'within a day', 7: 'within 7 days', 30: 'within 30 days', 90: 'within 90 days'};

const columns = [
  {name: 'device', cell: (row) => device(row.device)},
  {name: 'state', cell: (row) => make('span', {class: 'marks'}, mark(row.state), ...row.statuses.map((status) => mark(status)))},
  {name: 'MNO', cell: (row) => row.sponsor},
  {name: 'ASP', cell: (row) => (row.claimer ? `${row.claimer}${row.endpoint ? ` / ${row.endpoint}` : ''}` : null)},
  {name: 'certificate ends', cell: (row) => time(row.expires)},
];

function options(pairs, chosen) {
  return [make('option', {value: ''}, 'any'), ...pairs.map(([value, text]) => make('option', {value, selected: value === chosen}, text))];
}

function filter(query, names) {
  const find = make('input', {name: 'id', autocomplete: 'off', spellcheck: 'false', placeholder: 'id or name'});
  const form = make('form', {role: 'search'},
    make('label', {}, 'State', make('select', {name: 'state'}, options(states.map((state) => [state, state]), query.get('state')))),
    make('label', {}, 'Party', make('select', {name: 'party'}, options(names.map((name) => [name, name]), query.get('party')))),
    make('label', {}, 'Certificate ends', make('select', {name: 'days'}, options(Object.entries(within), query.get('days')))),
    make('label', {class: 'wide'}, 'One device', find), make('button', {}, 'Show'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const wanted = new FormData(form);
    if (wanted.get('id').trim()) {
      location.hash = `#/device/${encodeURIComponent(wanted.get('id').trim())}`;
      return;
    }
    const next = new URLSearchParams([...wanted].filter(([name, value]) => name !== 'id' && value));
    location.hash = `#/devices?${next}`;
  });
  return form;
}

export async function devices({query}) {
  const asked = new URLSearchParams();
  for (const name of ['state', 'party', 'after']) if (query.get(name)) asked.set(name, query.get(name));
  if (query.get('days')) asked.set('before', new Date(Date.now() + query.get('days') * 86400000).toISOString());
  const [page, known] = await Promise.all([ask(`/api/devices?${asked}`), ask('/api/parties')]);
  const next = new URLSearchParams(query);
  if (page.next) next.set('after', page.next);
  const first = new URLSearchParams(query);
  first.delete('after');
  return {
    title: 'Devices',
    content: [make('h1', {}, 'Devices'), filter(query, known.parties.filter((one) => one.role !== 'operator').map((one) => one.party)),
      make('div', {class: 'card'}, table(query.get('days') ? 'The first to end first' : 'In order of their ids', columns, page.devices, page.next ? 'None among those looked at. There are more.' : 'There is none.')),
      make('p', {}, query.get('after') ? make('a', {href: `#/devices?${first}`}, 'First page') : null, query.get('after') && page.next ? ' · ' : null,
        page.next ? make('a', {href: `#/devices?${next}`}, 'Next page') : null)],
  };
}
