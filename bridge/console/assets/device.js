// One device: its life as a line of time, and what it waits for.
import {ask, card, duration, facts, make, mark, marks, number, refreshed, table, time} from '/parts.js';

const kEnds = new Set(['deactivated', 'deleted', 'withdrawn', 'expired']);

function line(now) {
  const steps = now.steps.map((step, i) => {
    const before = i > 0 ? (new Date(step.at) - new Date(now.steps[i - 1].at)) / 1000 : null;
    return make('li', {class: kEnds.has(step.step) ? 'end' : null}, make('strong', {}, step.step), ' ', time(step.at),
      before === null ? null : make('span', {class: 'after'}, before === 0 ? ' · with the step before' : ` · ${duration(before)} later`));
  });
  const waits = now.waits.map((wait) => make('li', {class: 'wait'}, make('strong', {}, `waits for ${wait.what}`), ` of ${wait.who}`,
    make('span', {class: 'after'}, ` · attempt ${wait.attempt}${wait.attempts ? ` of ${wait.attempts}` : ''}`),
    wait.givenUp ? make('span', {class: 'after'}, ' · given up ', time(wait.givenUp)) : null));
  return make('ol', {class: 'line'}, steps, waits);
}

function parts(now) {
  return [
    card('Credentials', 'half', table('Certificates of this device', [
      {name: 'serial', cell: (row) => make('span', {class: 'id break'}, row.serial)}, {name: 'phase', cell: (row) => mark(row.phase)},
      {name: 'ends', cell: (row) => time(row.notAfter)},
    ], now.credentials, 'It has none.')),
    card('ASP', 'half', table('Endpoints it is bound to', [
      {name: 'endpoint', cell: (row) => `${row.asp} / ${row.endpoint}`}, {name: 'phase', cell: (row) => mark(row.phase)},
      {name: 'payload made', number: true, cell: (row) => number(row.composed)}, {name: 'delivered', number: true, cell: (row) => number(row.delivered)},
    ], now.bindings, 'Nobody has claimed it.')),
    card('Profiles', 'half', table('Subscriptions on its eUICC', [
      {name: 'number', cell: (row) => number(row.number)}, {name: 'MNO', cell: (row) => row.mno}, {name: 'ICCID', cell: (row) => make('span', {class: 'id'}, row.iccid)},
      {name: 'state', cell: (row) => mark(row.state)}, {name: 'on the network', cell: (row) => (row.attached ? 'yes' : 'no')},
    ], now.profiles, 'It has none.')),
    card('Authorisation codes', 'half', table('What may be done with a code', [
      {name: 'purpose', cell: (row) => row.purpose}, {name: 'set by', cell: (row) => row.setBy}, {name: 'ends', cell: (row) => time(row.expires)},
      {name: 'wrong attempts', number: true, cell: (row) => number(row.wrongAttempts)},
    ], now.codes, 'There is none.')),
  ];
}

function fill(now) {
  const left = now.historyLeftOut ? `The last ${now.history.length}; ${number(now.historyLeftOut)} older ones: registryctl device history.` : 'Oldest first';
  return [
    make('h1', {}, 'Device ', make('span', {class: 'id'}, now.device)),
    make('p', {class: `banner ${now.waits.length ? 'warn' : 'good'}`}, now.says),
    make('div', {class: 'grid'},
      card('Now', 'half', facts([
        ['State', make('span', {class: 'marks'}, mark(now.state), marks(now.statuses))], ['MNO', now.sponsor], ['ASP', now.claimer ? `${now.claimer} / ${now.endpoint ?? '–'}` : 'none'],
        ['On the network', now.attached ? 'yes' : 'no'], ['EID', make('span', {class: 'id'}, now.eid)], ['Certificate ends', time(now.expires)], ['Gets another key', time(now.renewsAt)],
        ['In DNS', now.zone.visible >= now.zone.wanted ? 'as wanted' : `revision ${now.zone.visible} of ${now.zone.wanted}`], ['Registered', time(now.created)], ['Changed', time(now.updated)],
        ['Transfer', now.transfer ? make('span', {}, `${now.transfer.kind}: ${now.transfer.from} → ${now.transfer.to} `, mark(now.transfer.state)) : null],
      ])),
      card('Life', 'half', line(now)), ...parts(now),
      card('History', '', table(left, [
        {name: 'when', cell: (row) => time(row.at, false)}, {name: 'who', cell: (row) => row.actor}, {name: 'what', cell: (row) => make('span', {class: 'break'}, row.what)},
      ], now.history, 'Nothing is known.'))),
  ];
}

export async function device({id}) {
  const path = `/api/device?id=${encodeURIComponent(id)}`;
  const first = await ask(path);
  return {title: `Device ${first.device.slice(0, 8)}`, ...refreshed(path, fill, first)};
}
