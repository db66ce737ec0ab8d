// The first page: how the registry is, now and in the last quarter of an hour.
import {ask, card, duration, make, mark, number, octets, table, time} from '/parts.js';

const kPoints = 450;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function lineChart(canvas, points, lines) {
  const style = {color: css('--quiet'), grid: css('--line')};
  const chart = new Chart(canvas, {
    type: 'line',
    data: {
      labels: points.map((point) => point.at),
      datasets: lines.map(([name, label, colour]) => ({
        label, data: points.map((point) => point[name]), borderColor: css(colour), backgroundColor: css(colour), borderWidth: 1.5, pointRadius: 0,
      })),
    },
    options: {
      animation: false, responsive: true, maintainAspectRatio: false, interaction: {mode: 'index', intersect: false},
      scales: {
        x: {ticks: {color: style.color, maxTicksLimit: 5, maxRotation: 0, callback(value) { return new Date(this.getLabelForValue(value)).toISOString().slice(11, 19); }}, grid: {display: false}},
        y: {beginAtZero: true, suggestedMax: 1, ticks: {color: style.color, maxTicksLimit: 5}, grid: {color: style.grid}},
      },
      plugins: {
        legend: {labels: {color: css('--text'), boxWidth: 12, boxHeight: 2}},
        tooltip: {callbacks: {title: (items) => new Date(Number(items[0].label)).toISOString().slice(11, 19) + ' UTC', label: (item) => `${item.dataset.label}: ${number(item.parsed.y)}`}},
      },
    },
  });
  return {
    add(point) {
      chart.data.labels.push(point.at);
      lines.forEach(([name], i) => chart.data.datasets[i].data.push(point[name]));
      if (chart.data.labels.length > kPoints) {
        chart.data.labels.shift();
        chart.data.datasets.forEach((set) => set.data.shift());
      }
      chart.update('none');
    },
    end() { chart.destroy(); },
  };
}

const rates = [['accepted', 'accepted', '--c1'], ['rejected', 'rejected', '--c2'], ['heard', 'messages heard', '--c3'], ['said', 'messages said', '--c4']];
const queues = [['lanes', 'for a lane', '--c1'], ['intake', 'in the intake', '--c2'], ['outbox', 'for the broker', '--c3'], ['zone', 'for DNS', '--c4']];
const states = ['registered', 'attached', 'certified', 'published', 'active', 'deactivated', 'deleted'];
const ends = {ended: 'have ended', '1d': 'within a day', '7d': 'within 7 days', '30d': 'within 30 days', '90d': 'within 90 days', later: 'later'};

function tiles(now) {
  const alive = states.filter((state) => state !== 'deleted').reduce((sum, state) => sum + (now.census.states[state] || 0), 0);
  const free = Object.values(now.free);
  const answering = now.secondaries.filter((one) => one.reachable).length;
  const known = now.census.taken !== null;
  const row = [
    ['Broker', now.mqtt.connected ? 'connected' : 'away', `${number(now.mqtt.reconnects)} reconnections`],
    ['Commands a second', number(now.point.accepted + now.point.rejected), `${number(now.point.rejected)} rejected`],
    ['Devices', known ? number(alive) : '…', known ? `${number(now.census.states.active || 0)} active, ${number(now.census.onHold)} on hold` : 'being counted'],
    ['Secondaries', `${answering} of ${now.secondaries.length}`, `serial ${now.zone.serial}`],
    ['Orders open', number(now.ordersOpen), ''],
    ['Space free', free.length ? octets(Math.min(...free)) : '–', ''],
  ];
  return row.map(([name, value, about]) => make('div', {class: 'tile'}, make('dt', {}, name), make('dd', {}, value, about ? make('small', {}, about) : null)));
}

function alarms(now) {
  if (!now.alarms.length) return make('p', {class: 'banner good'}, 'No alarm.');
  const worst = now.alarms.some((alarm) => alarm.severity === 'page') ? 'bad' : 'warn';
  return make('div', {class: `banner ${worst}`}, make('strong', {}, now.alarms.length === 1 ? 'One alarm' : `${now.alarms.length} alarms`),
    make('ul', {}, now.alarms.map((alarm) => make('li', {}, alarm.text))));
}

// In the order of a device's life; what is not known here comes behind.
const life = ['command', 'registered', 'claimed', 'attached', 'key.generate', 'certified', 'published', 'payload.push', 'delivered', 'active'];
const place = (step) => (life.includes(step) ? life.indexOf(step) : life.length);
const inOrder = (steps) => [...steps].sort((one, other) => place(one.step) - place(other.step) || one.step.localeCompare(other.step));
// The histogram ends at a minute.
const quantile = (row, value) => (row.count && value === null ? '> 1 min' : duration(value));

// Where the ledger is in PostgreSQL: registryd, of which one has it.
const kAnswered = 10;  // seconds
const broker = (reaches) => (reaches === null ? null : mark(reaches ? 'reached' : 'not reached', reaches ? 'good' : 'bad'));
function nodes(now) {
  const holder = now.nodes.find((row) => row.epoch !== null);
  const took = now.tookOver ? 'The active node took it over from another one.' : 'The active node found it free.';
  const trouble = now.lookedSecondsAgo === null || now.lookedSecondsAgo > kAnswered;
  return [trouble && now.trouble ? make('p', {class: 'banner warn'}, `The ledger's server does not answer: ${now.trouble}`) : null,
    holder ? make('p', {class: 'quiet'}, `Epoch ${number(holder.epoch)}: so often the ledger was opened for writing. ${took}`) : null,
    table('registryd on this ledger', [
      {name: 'node', cell: (row) => row.node || 'without a name'}, {name: 'state', cell: (row) => mark(row.state)}, {name: 'broker', cell: (row) => broker(row.reachesBroker)},
      {name: 'wrote', number: true, cell: (row) => `${duration(row.saidSecondsAgo)} ago`},
      {name: 'lease', number: true, cell: (row) => (row.leaseSeconds === 0 ? 'none' : duration(row.leaseSeconds))}, {name: 'since', cell: (row) => time(row.since)},
    ], now.nodes, 'Being asked.')].filter((one) => one !== null);
}

const parts = {
  steps: (now) => table(`Each step from the one before, over the last ${duration(now.stepsOverSeconds)}`, [
    {name: 'step', cell: (row) => (row.step === 'command' ? 'any command' : row.step)}, {name: 'times', number: true, cell: (row) => number(row.count)},
    {name: '50 %', number: true, cell: (row) => quantile(row, row.p50)}, {name: '95 %', number: true, cell: (row) => quantile(row, row.p95)},
    {name: '99 %', number: true, cell: (row) => quantile(row, row.p99)}, {name: 'since the start', number: true, cell: (row) => number(row.all)},
  ], inOrder(now.steps), 'No step yet.'),
  devices: (now) => (now.census.taken === null ? make('p', {class: 'quiet'}, 'Being counted.') : table(`Counted ${duration(Math.max(1, Math.round((Date.now() - new Date(now.census.taken)) / 1000)))} ago`, [
    {name: 'state', cell: (row) => make('a', {href: `#/devices?state=${row}`}, row)}, {name: 'devices', number: true, cell: (row) => number(now.census.states[row] || 0)},
  ], states, '')),
  certificates: (now) => table(`Live ones by when they end. Renewals: ${number(now.renewals.due)} due, ${number(now.renewals.underWay)} under way`, [
    {name: 'end', cell: (row) => ends[row]}, {name: 'certificates', number: true, cell: (row) => number(now.census.certificates[row])},
  ], Object.keys(ends), ''),
  secondaries: (now) => table(`Zone serial ${now.zone.serial}, ${number(now.zone.names)} names`, [
    {name: 'secondary', cell: (row) => row.name}, {name: 'serial', number: true, cell: (row) => String(row.serial)},
    {name: 'behind', number: true, cell: (row) => duration(row.lagSeconds)}, {name: 'answer', cell: (row) => mark(row.reachable ? 'answers' : 'silent', row.reachable ? 'good' : 'bad')},
  ], now.secondaries, 'None is configured.'),
  nodes: (now) => (now.nodes ? nodes(now.nodes) : ''),
  lines: (now) => (now.lines.length ? make('ul', {class: 'plain'}, now.lines.slice(0, 12).map((line) => make('li', {}, mark(line.level), ' ', time(line.at), ' ', make('strong', {}, line.room), ` ${line.message}`))) : make('p', {class: 'quiet'}, 'None since the start.')),
};

export async function overview() {
  let now = await ask('/api/overview');
  const at = Object.fromEntries(Object.keys(parts).map((name) => [name, make('div')]));
  const head = make('dl', {class: 'tiles'});
  const alarmed = make('div', {role: 'status'});
  const canvas = (label) => make('canvas', {role: 'img', 'aria-label': label});
  const rated = canvas('Commands and messages a second, last 15 minutes');
  const queued = canvas('What waits, last 15 minutes');
  let charts = [];
  let text = '';
  const fill = () => {
    head.replaceChildren(...tiles(now));
    const banner = alarms(now);
    if (banner.textContent !== text) alarmed.replaceChildren(banner);
    text = banner.textContent;
    for (const [name, part] of Object.entries(parts)) at[name].replaceChildren(...[part(now)].flat());
  };
  fill();
  return {
    title: 'Overview',
    content: [make('h1', {}, 'Overview'), alarmed, head, make('div', {class: 'grid'},
      card('Per second', 'half', make('div', {class: 'chart'}, rated)), card('Waiting', 'half', make('div', {class: 'chart'}, queued)),
      make('div', {class: 'column two'}, card('Steps', '', at.steps), card('Secondaries', '', at.secondaries), now.nodes ? card('Nodes', '', at.nodes) : null, card('Warnings and errors', '', at.lines)),
      make('div', {class: 'column third'}, card('Devices', '', at.devices), card('Certificates', '', at.certificates))), make('p', {class: 'quiet foot'}, `registryd ${now.version}`)],
    start() { charts = [lineChart(rated, now.points, rates), lineChart(queued, now.points, queues)]; },
    update(event) {
      now = event;
      fill();
      charts.forEach((chart) => chart.add(event.point));
    },
    end() { charts.forEach((chart) => chart.end()); },
  };
}
