// What every page is made of. Texts are set as text, never as markup, so nothing that a party chose can become any.

// make('p', {class: 'quiet'}, 'text', child, …); null children are left out.
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === 'value') element.value = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

export async function ask(path) {
  const answer = await fetch(path, {headers: {Accept: 'application/json'}});
  const body = await answer.json().catch(() => ({error: `the registry answered ${answer.status}`}));
  if (!answer.ok) throw new Error(body.error || `the registry answered ${answer.status}`);
  return body;
}

const whole = new Intl.NumberFormat('en', {maximumFractionDigits: 0});
const few = new Intl.NumberFormat('en', {maximumSignificantDigits: 3});
export const number = (value) => (value === null || value === undefined ? '–' : Number.isInteger(value) ? whole.format(value) : few.format(value));

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  const size = Math.abs(seconds);
  if (size === 0) return '0 s';
  if (size < 0.001) return `${few.format(seconds * 1e6)} µs`;
  if (size < 1) return `${few.format(seconds * 1000)} ms`;
  if (size < 120) return `${few.format(seconds)} s`;
  if (size < 7200) return `${whole.format(seconds / 60)} min`;
  if (size < 172800) return `${whole.format(seconds / 3600)} h`;
  return `${whole.format(seconds / 86400)} days`;
}

// A time in UTC, and how far away it is.
export function time(text, away = true) {
  if (!text) return '–';
  const at = new Date(text);
  const shown = at.toISOString().replace('T', ' ').slice(0, 19);
  const seconds = Math.round((Date.now() - at.getTime()) / 1000);
  const distance = !away ? '' : Math.abs(seconds) < 1 ? ' (now)' : seconds > 0 ? ` (${duration(seconds)} ago)` : ` (in ${duration(-seconds)})`;
  return make('time', {datetime: text}, shown + distance);
}

export const octets = (value) => (value >= 2 ** 30 ? `${few.format(value / 2 ** 30)} GiB` : `${whole.format(value / 2 ** 20)} MiB`);

const kinds = {
  active: 'good', done: 'good', completed: 'good', accepted: 'good', approved: 'good', live: 'good', standby: 'good', deciding: 'good',
  deactivated: 'warn', paused: 'warn', pending: 'warn', refused: 'warn', skipped: 'warn', clientHold: 'warn', sponsorHold: 'warn',
  serverHold: 'warn', pendingTransfer: 'warn', disconnected: 'warn', ended: 'warn', warning: 'warn', ticket: 'warn',
  deleted: 'bad', failed: 'bad', expired: 'bad', rejected: 'bad', cancelled: 'bad', error: 'bad', page: 'bad', silent: 'bad',
};
export const mark = (word, kind = kinds[word]) => make('span', {class: `mark ${kind || ''}`.trim()}, word);
export const marks = (words) => (words.length ? make('span', {class: 'marks'}, words.map((word) => mark(word))) : null);

export const device = (id) => make('a', {class: 'id', href: `#/device/${id}`}, id);

export const card = (title, kind, ...children) => make('section', {class: `card ${kind}`.trim()}, make('h2', {}, title), ...children);

// columns: [{name, cell: (row) => child, number: bool}]; the first names its row.
export function table(caption, columns, rows, empty) {
  if (!rows.length) return make('p', {class: 'quiet'}, empty);
  const cell = (column, row, first) => make(first ? 'th' : 'td', {scope: first ? 'row' : null, class: column.number ? 'number' : null}, column.cell(row) ?? '–');
  return make('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption},
    make('table', {}, make('caption', {}, caption),
      make('thead', {}, make('tr', {}, columns.map((column) => make('th', {scope: 'col', class: column.number ? 'number' : null}, column.name)))),
      make('tbody', {}, rows.map((row) => make('tr', {}, columns.map((column, at) => cell(column, row, at === 0)))))));
}

export const facts = (pairs) => make('dl', {class: 'facts'}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== '')
  .map(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));

// Asks again with each event, and shows what is new.
export function refreshed(path, fill, first) {
  const body = make('div', {}, fill(first));
  let last = JSON.stringify(first);
  let waiting = false;
  return {
    content: [body],
    async update() {
      if (waiting) return;
      waiting = true;
      try {
        const next = await ask(path);
        if (JSON.stringify(next) !== last) body.replaceChildren(...fill(next));
        last = JSON.stringify(next);
      } catch { /* the next event asks again */ }
      waiting = false;
    },
  };
}

export function failed(error) {
  return make('p', {class: 'banner bad', role: 'alert'}, error.message);
}
