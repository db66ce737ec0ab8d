// The frame: which page the address names, and the stream of events that keeps it alive.
import {overview} from '/overview.js';
import {devices} from '/devices.js';
import {device} from '/device.js';
import {order, orders, transfers} from '/orders.js';
import {parties} from '/parties.js';
import {failed, make} from '/parts.js';

const pages = {'': overview, devices, device, orders, order, transfers, parties};
const main = document.getElementById('main');
const live = document.getElementById('live');
let shown = null;  // {update(event), end()}
let visit = 0;

function parsed() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, ...rest] = path.split('/');
  return {name, id: decodeURIComponent(rest.join('/')), query: new URLSearchParams(query || '')};
}

async function show() {
  const mine = ++visit;
  const at = parsed();
  const page = pages[at.name] || overview;
  const section = {device: 'devices', order: 'orders'}[at.name] || at.name;
  for (const link of document.querySelectorAll('nav a')) {
    const here = link.getAttribute('href') === `#/${section}`;
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  let made;
  try {
    made = await page(at);
  } catch (error) {
    made = {title: 'Not shown', content: [make('h1', {}, 'Not shown'), failed(error)]};
  }
  if (mine !== visit) return;  // somebody has gone on meanwhile
  if (shown && shown.end) shown.end();
  shown = made;
  document.title = `${made.title} – registry`;
  main.replaceChildren(...made.content);
  if (made.start) made.start();
  main.dataset.page = at.name || 'overview';
}

function say(text, kind) {
  if (live.textContent !== text) live.textContent = text;
  live.className = `live ${kind}`;
}

function watch() {
  const events = new EventSource('/api/events');
  events.onmessage = (message) => {
    const event = JSON.parse(message.data);
    say('live', 'on');
    document.getElementById('zone').textContent = event.zone.name;
    if (shown && shown.update) shown.update(event);
  };
  // The browser tries again by itself, but for an answer that is no stream.
  events.onerror = () => {
    say('not connected', 'off');
    if (events.readyState !== EventSource.CLOSED) return;
    setTimeout(watch, 5000);
  };
}

window.addEventListener('hashchange', async () => {
  await show();
  main.focus();
  window.scrollTo(0, 0);
});
show();
watch();
