// node look.mjs NODE_FOLDER URL SHOTS ROUTE…: each route of the console in Chromium, at the width of a phone in the dark, and
// at that of a desk in the light. Says one line of JSON for each look: what the page holds, what the browser complained of (errors of
// scripts, refusals of the Content-Security-Policy, failed requests), and what axe-core finds (WCAG 2.2 A and AA).
// SHOTS: a folder for pictures, which people look at.
import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';

const [folder, url, shots, ...routes] = process.argv.slice(2);
const require = createRequire(`${folder}/node_modules/`);
const puppeteer = require('puppeteer-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const screens = [[390, 'dark'], [1280, 'light']];
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  // Root has no sandbox of its own, and the only page that is opened is ours.
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});

async function look(route, width, scheme) {
  const page = await browser.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => {
    // The stream ends with its page.
    if (!request.url().endsWith('/api/events')) complaints.push(`${request.url()}: ${request.failure().errorText}`);
  });
  await page.setViewport({width, height: width < 600 ? 844 : 900});
  await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}]);
  await page.goto(`${url}#/${route}`);
  const name = route.split(/[/?]/)[0] || 'overview';
  await page.waitForFunction((wanted) => document.getElementById('main').dataset.page === wanted, {timeout: 20000}, name);
  await page.waitForFunction(() => document.getElementById('live').textContent === 'live', {timeout: 20000});
  const said = await page.evaluate(() => ({
    title: document.title, text: document.getElementById('main').innerText,
    rows: document.querySelectorAll('tbody tr').length,
    alerts: document.querySelectorAll('[role=alert]').length, wider: document.documentElement.scrollWidth - window.innerWidth,
    drawn: [...document.querySelectorAll('canvas')].filter((canvas) => {
      const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      return data.some((octet) => octet !== 0);
    }).length,
  }));
  await page.screenshot({path: `${shots}/${name}-${width}-${scheme}.png`, fullPage: true});
  // axe is ours and no part of the page: it comes in beside the page's own policy.
  const found = await page.mainFrame().evaluate(`(async () => { ${axe}; return await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}); })()`);
  // Every link and field is reached by Tab, and shows that it is.
  const reached = await page.evaluate(() => [...document.querySelectorAll('a[href], button, input, select')].filter((one) => one.tabIndex < 0).length);
  await page.close();
  return {
    route, width, scheme, ...said, complaints, unreachable: reached,
    serious: found.violations.filter((one) => ['serious', 'critical'].includes(one.impact)).map((one) => `${one.id}: ${one.nodes[0].html} ${one.nodes[0].failureSummary}`),
    other: found.violations.filter((one) => !['serious', 'critical'].includes(one.impact)).map((one) => one.id),
  };
}

// A page that is open while the registry says more: the chart's last moment is another one.
async function watch() {
  const page = await browser.newPage();
  await page.goto(url);
  const last = () => page.evaluate(() => Chart.instances[0]?.data.labels.at(-1) ?? 0);
  await page.waitForFunction(() => window.Chart && Chart.instances[0], {timeout: 20000});
  const before = await last();
  await page.waitForFunction((than) => Chart.instances[0].data.labels.at(-1) > than, {timeout: 20000}, before);
  await page.keyboard.press('Tab');
  const first = await page.evaluate(() => document.activeElement.textContent);
  await page.close();
  return {route: 'live', moved: true, first};
}

for (const route of routes) {
  for (const [width, scheme] of screens) console.log(JSON.stringify(await look(route, width, scheme)));
}
console.log(JSON.stringify(await watch()));
await browser.close();
