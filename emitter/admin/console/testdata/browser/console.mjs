// Drives Chromium through the console of two sidehooks: one with hostile texts, and
// that of the demo. Standard input is JSON: {hostile, token, demo, survey, chromium,
// screenshots}, where the first and the two in the middle are addresses.
import {createServer} from 'node:http';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import puppeteer from 'puppeteer-core';

const input = JSON.parse(readFileSync(0));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const widths = [360, 1280], schemes = ['light', 'dark'];
const remoteName = 'sidehook.test', foreignName = 'evil.test';

let failed = 0;
async function check(name, run) {
  try {
    await run();
    console.log(`✓ ${name}`);
  } catch (error) {
    failed++;
    console.log(`✗ ${name}: ${error.stack}`);
  }
}

function expect(holds, message) {
  if (!holds) throw new Error(message);
}

const browser = await puppeteer.launch({
  executablePath: input.chromium,
  args: ['--no-sandbox', '--disable-gpu', `--host-resolver-rules=MAP ${remoteName} 127.0.0.1, MAP ${foreignName} 127.0.0.1`],
});

// open returns a page that notes what must not happen: scripts that were injected,
// violations of the policy, errors, and requests to anywhere else.
async function open(context = browser) {
  const page = await context.newPage();
  page.faults = [];
  page.on('dialog', (dialog) => { page.faults.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('pageerror', (error) => page.faults.push(`an error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('status of 40')) page.faults.push(`on the console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const {hostname} = new URL(request.url());
    if (!['127.0.0.1', 'localhost', remoteName, foreignName, ''].includes(hostname)) page.faults.push(`a request to ${request.url()}`);
  });
  await page.evaluateOnNewDocument(() => {
    globalThis.shift = 0;
    new PerformanceObserver((list) => {
      for (const {hadRecentInput, value, sources} of list.getEntries()) {
        // Rows of the feed make way for newer ones.
        const isFeed = sources.length > 0 && sources.every(({node}) => node && document.getElementById('entries')?.contains(node));
        if (!hadRecentInput && !isFeed) globalThis.shift += value;
      }
    }).observe({type: 'layout-shift', buffered: true});
  });
  return page;
}

async function shows(page, text) {
  await page.waitForFunction((wanted) => document.body.textContent.includes(wanted), {timeout: 20_000}, text);
}

async function clickThrough(page, selector) {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

async function isAccessible(page) {
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  const found = violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`);
  expect(found.length === 0, found.join('\n'));
}

async function everyWidthAndScheme(base, path, name) {
  for (const width of widths) {
    for (const scheme of schemes) {
      await check(`${name} at ${width} px, ${scheme}`, async () => {
        const page = await open();
        await page.setViewport({width, height: 900});
        await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}]);
        await page.goto(base + path);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(overflow <= 0, `the page is ${overflow} px wider than the window`);
        await isAccessible(page);
        expect(await page.evaluate(() => globalThis.shift) < 0.01, 'the layout shifts');
        expect(page.faults.length === 0, page.faults.join('\n'));
        await page.close();
      });
    }
  }
}

async function screenshots(base) {
  for (const [path, name] of [['/', 'overview'], ['/console/live', 'live'], ['/console/surveys', 'surveys']]) {
    const page = await open();
    await page.setViewport({width: 1100, height: 760});
    await page.goto(base + path);
    if (path === '/console/surveys') {
      const first = await page.$('main table a');
      if (first) await Promise.all([page.waitForNavigation(), first.click()]);
    }
    await page.screenshot({path: join(input.screenshots, `console-${name}.png`)});
    await page.close();
  }
}

// linkedPages returns the paths of the pages that the navigation links to.
async function linkedPages(base) {
  const page = await open();
  await page.goto(base);
  const paths = await page.$$eval('nav a', (links) => links.map((link) => link.getAttribute('href')));
  await page.close();
  expect(paths.length > 4, `the navigation links to ${paths} alone`);
  return paths;
}

// surveyPath returns the path of the first survey that is listed.
async function surveyPath(base) {
  const page = await open();
  await page.goto(`${base}/console/surveys`);
  const path = await page.$eval('main table a', (link) => link.getAttribute('href'));
  await page.close();
  return path;
}

// takeSurvey answers every page of the demo's survey, until it is complete.
async function takeSurvey(page) {
  await page.goto(input.survey);
  for (let left = 30; left > 0; left--) {
    await page.waitForSelector('form#page .main', {timeout: 20_000});
    const label = await page.$eval('form#page .main', (button) => button.textContent);
    if (label === 'Take it again') return;
    const title = await page.title();
    await page.evaluate(() => {
      for (const box of document.querySelectorAll('form#page input[type=checkbox]')) if (!box.checked) box.click();
      document.querySelector('form#page input[type=radio]')?.click();
    });
    const number = await page.$('form#page input[type=number]');
    if (number) await number.type('42');
    const text = await page.$('form#page textarea');
    if (text) await text.type('<script>alert("answer")</script>');
    await page.click('form#page .main');
    await page.waitForFunction((before) => document.title !== before && !document.querySelector('form#page .main')?.disabled, {timeout: 20_000}, title);
  }
  throw new Error('the survey does not end');
}

const paths = await linkedPages(input.demo);

await check('the demo, with the console open: what a participant does appears at once', async () => {
  const live = await open();
  await live.goto(`${input.demo}/console/live`);
  await shows(live, 'Connected');
  const survey = await open();
  await takeSurvey(survey);
  await live.bringToFront(); // a page in the background is not polled
  await shows(live, 'completion recorded');
  await live.waitForSelector('.state.delivered');
  expect(live.faults.length === 0, live.faults.join('\n'));
  await Promise.all([live.waitForNavigation(), live.click('#entries a')]);
  await shows(live, 'webhook-signature');
  await clickThrough(live, 'form[action^="/console/deliveries/"] button');
  await shows(live, '"');
  await live.goto(`${input.demo}/console/deliveries`);
  await shows(live, 'delivered');
  expect(live.faults.length === 0, live.faults.join('\n'));
  await survey.close();
  await live.close();
});

await check("the demo's webhooks appear beside the survey, as text, at every width", async () => {
  for (const width of widths) {
    const survey = await open();
    await survey.setViewport({width, height: 900});
    await takeSurvey(survey);
    await survey.waitForFunction(() => document.querySelector('#webhooks-list')?.textContent.includes('completion'), {timeout: 20_000});
    expect(await survey.$('#webhooks-list script') === null, 'an answer became an element');
    const overflow = await survey.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow <= 0, `the page is ${overflow} px wider than the window`);
    await isAccessible(survey);
    expect(survey.faults.length === 0, survey.faults.join('\n'));
    await survey.close();
  }
});

await check('the overview keeps itself up to date without a shift', async () => {
  const page = await open();
  await page.goto(input.demo);
  const before = await page.$eval('#section-activity', (section) => section.textContent);
  const survey = await open();
  await takeSurvey(survey);
  await page.bringToFront(); // a page in the background does not refresh
  await page.waitForFunction((old) => document.querySelector('#section-activity').textContent !== old, {timeout: 20_000}, before);
  expect(await page.evaluate(() => globalThis.shift) < 0.01, 'the layout shifts');
  await survey.close();
  await page.close();
});

const hostileSurvey = await surveyPath(input.hostile);
for (const path of [...paths, await surveyPath(input.demo)]) await everyWidthAndScheme(input.demo, path, `the demo's ${path}`);
for (const path of [...paths, '/console/deliveries/msg_2', hostileSurvey]) await everyWidthAndScheme(input.hostile, path, `hostile ${path}`);
await everyWidthAndScheme(input.hostile.replace('127.0.0.1', remoteName), '/', 'the login');

await check('a hostile body, survey, reason and answer are text', async () => {
  const page = await open();
  for (const path of ['/', '/console/live', '/console/surveys', hostileSurvey, '/console/deliveries', '/console/deliveries/msg_2']) {
    await page.goto(input.hostile + path);
    await shows(page, '<script>');
    expect(await page.$('img') === null, `${path} has an element of the text`);
  }
  await clickThrough(page, 'form[action="/console/deliveries/msg_2"] button');
  await page.waitForSelector('pre[aria-label=Body]');
  expect(await page.$('img') === null, 'the body has an element of the text');
  expect(page.faults.length === 0, page.faults.join('\n'));
  await page.close();
});

await check('hostile entries of the feed are text', async () => {
  const page = await open();
  await page.goto(`${input.hostile}/console/live`);
  await page.waitForFunction(() => [...document.querySelectorAll('#entries tr')].some((row) => row.textContent.includes('onerror=alert') && row.textContent.includes('attempt 7')), {timeout: 20_000});
  expect(await page.$('img') === null, 'the feed made an element of the text');
  expect(page.faults.length === 0, page.faults.join('\n'));
  await page.close();
});

await check('pause stops the feed, and again starts it', async () => {
  const page = await open();
  await page.goto(`${input.hostile}/console/live`);
  await shows(page, 'Connected');
  await page.click('#pause');
  await shows(page, 'Paused.');
  await page.click('#pause');
  await shows(page, 'Connected');
  await page.close();
});

await check('every page can be used with the keyboard alone', async () => {
  const page = await open();
  for (const path of [...paths, hostileSurvey]) {
    await page.goto(input.hostile + path);
    if (path === '/console/live') { // its feed adds links while the keyboard passes by
      await shows(page, 'Connected');
      await page.evaluate(() => document.getElementById('pause').click()); // without the focus
      await shows(page, 'Paused.');
    }
    const count = await page.evaluate(() => document.querySelectorAll('a[href], button:not([hidden]), input:not([type=hidden]), select, summary, [tabindex="0"]').length);
    const seen = new Set();
    for (let i = 0; i < count + 5; i++) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === document.body) return null;
        element.dataset.seen ??= String(Math.random());
        const {outlineStyle, outlineWidth} = getComputedStyle(element);
        return {id: element.dataset.seen, isVisible: outlineStyle !== 'none' && outlineWidth !== '0px', html: element.outerHTML.slice(0, 80)};
      });
      if (!at) break;
      expect(at.isVisible, `${path}: the focus cannot be seen on ${at.html}`);
      seen.add(at.id);
    }
    const missed = await page.evaluate(() => [...document.querySelectorAll('main a[href], main button, main input:not([type=hidden]), main select, nav a')]
      .filter((e) => e.checkVisibility() && !e.dataset.seen).map((e) => e.outerHTML.slice(0, 80)));
    expect(missed.length === 0, `${path}: the keyboard does not reach ${missed.join(' | ')}`);
  }
  await page.goto(`${input.hostile}/console/deliveries?state=dead`);
  await page.focus('button[value=discard]');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await shows(page, '1 delivery will be deleted for good');
  await page.focus('main a.button');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await shows(page, 'Deliveries');
  await page.close();
});

await check('pages can be read and used without script', async () => {
  const page = await open();
  await page.setJavaScriptEnabled(false);
  await page.goto(`${input.hostile}/console/deliveries?state=dead`);
  await clickThrough(page, 'button[value=redeliver]');
  const text = await page.$eval('main', (main) => main.textContent);
  expect(text.includes('1 delivery will be sent again'), text);
  await page.goto(input.hostile + hostileSurvey);
  expect(await page.$('svg.chart rect.left') !== null, 'there is no picture of the pages');
  await page.close();
});

const remote = input.hostile.replace('127.0.0.1', remoteName);

await check('another name needs the login, and a wrong token opens nothing', async () => {
  const context = await browser.createBrowserContext();
  const page = await open(context);
  await page.goto(`${remote}/console/deliveries`);
  expect((await page.$eval('main', (main) => main.textContent)).includes('admin_token'), 'there is no login');
  await page.type('input[name=admin_token]', 'a wrong token');
  await clickThrough(page, '.login button');
  await shows(page, 'That is not the admin_token');
  await page.type('input[name=admin_token]', input.token);
  await clickThrough(page, '.login button');
  await shows(page, 'Right now');
  expect(await page.evaluate(() => document.cookie) === '', 'a script can read the cookie');
  await page.goto(`${remote}/console/deliveries`);
  await shows(page, 'msg_1');

  // The API takes no cookie.
  expect((await page.goto(`${remote}/deliveries`)).status() === 403, 'the API takes the cookie');

  // A page of another site sends a form, with the cookie as far as the browser sends it.
  await check('a form of another site changes nothing, though somebody is logged in', async () => {
    const sites = createServer((request, response) => {
      response.setHeader('Content-Type', 'text/html');
      const at = new URL(request.url, 'http://x').searchParams.get('at');
      response.end(`<form method="post" action="${at}/console/targets/crm"><input name="action" value="disable"><button>go</button></form>`);
    });
    await new Promise((resolve) => sites.listen(0, '127.0.0.1', resolve));
    const {port} = sites.address();
    for (const site of [`http://${foreignName}:${port}`, `http://${remoteName}:${port}`, `http://127.0.0.1:${port}`]) {
      for (const at of [remote, input.hostile]) {
        await page.goto(`${site}/?at=${encodeURIComponent(at)}`);
        const [response] = await Promise.all([page.waitForNavigation(), page.click('button')]);
        expect(response.status() === 403, `${site} to ${at}: status ${response.status()}`);
      }
    }
    sites.close();
  });

  await page.goto(remote);
  await shows(page, 'Right now');
  expect(await page.$('button[value=enable]') === null, 'a target was disabled');
  await clickThrough(page, 'header form button');
  await shows(page, 'admin_token');
  await context.close();
});

await check('a name that is rebound to this machine gets nothing', async () => {
  const page = await open();
  const response = await page.goto(`${input.hostile.replace('127.0.0.1', foreignName)}/console/deliveries`);
  expect(response.status() === 401, `status ${response.status()}`);
  expect(!(await page.content()).includes('msg_1'), 'the page shows deliveries');
  const read = await page.evaluate(async () => (await fetch('/console/deliveries')).status);
  expect(read === 401, `a script gets status ${read}`);
  await page.close();
});

if (input.screenshots) await screenshots(input.demo);
await browser.close();
console.log(failed === 0 ? 'all checks passed' : `${failed} checks failed`);
process.exitCode = failed === 0 ? 0 : 1;
