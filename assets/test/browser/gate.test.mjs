// gate.js in Chromium: what only a real browser has. The story itself is told by the Go browser test against the simulator.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { CART, CLIENT, GATE, ORDER_PATH, PAYMENT_FORM, SHOP, TEXTS, decision, session, startApp, startShop, until } from '../harness.mjs';
import { CHROMIUM, launch } from './chromium.mjs';

const skip = CHROMIUM ? false : 'Chromium is not installed (apt-get install chromium): nothing here was tried';
if (skip && process.env.CI === 'true') throw new Error(skip);

let browser;
before(async () => {
  if (!skip) browser = await launch();
});
after(() => browser && browser.close());

const QR = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8" shape-rendering="crispEdges"><path d="${'M0 0h3v3h-3zM5 0h3v3h-3zM0 5h3v3h-3zM4 4h1v1h-1zM6 5h1v2h-1z'}"/></svg>`;
const live = (state, more) => session(state, { qr: QR, ...more });
const integrity = 'sha384-' + createHash('sha384').update(GATE).digest('base64');

/** A checkout page whose form makes the order call when it is submitted. */
const page = (app, extra = '', head = '') => `<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width">
<script src="${app.url}/storefront/v1/scripts/${SHOP}/1/gate.0123456789abcdef.js?client_id=${CLIENT}" integrity="${integrity}" crossorigin="anonymous"></script>${head}</head>
<body><div id="checkout-app"><div id="checkout-page-container"><li class="checkout-step checkout-step--payment checkout-step--current">${extra}${PAYMENT_FORM}</li></div></div>
<script src="/shop.js"></script></body></html>`;
const SCRIPT = `window.answers = []; document.addEventListener('submit', (e) => { e.preventDefault();
  const x = new XMLHttpRequest(); x.open('POST', '${ORDER_PATH}'); x.setRequestHeader('Content-Type', 'application/json');
  x.onload = () => answers.push([x.status, x.responseText]); x.send(JSON.stringify({ cartId: '${CART}' })); });`;

const EARLY = `{ const x = new XMLHttpRequest(); x.open('POST', '${ORDER_PATH}'); x.send('{}'); window.early = !document.body; window.first = x }`;

const onCheckout = (extra, fn, options = {}) => async () => {
  const [shop, app] = await Promise.all([startShop(), startApp()]);
  shop.pages = { '/checkout': page(app, extra, options.head), '/early.js': EARLY, '/shop.js': SCRIPT, '/elsewhere': '<p>elsewhere' };
  try {
    if (options.headers) shop.headers = options.headers(app);
    app.decide = options.decide || (() => decision('verify'));
    const tab = await browser.open(shop.url + '/checkout', options);
    const $ = `document.querySelector('idgate-dialog')?.shadowRoot`;
    const shows = (view) => until('view ' + view, () => tab.eval(`${$}?.querySelector('dialog[open]')?.dataset.view === '${view}'`));
    const press = (name) => tab.eval(`{ const b = ${$}.querySelector('[data-idgate=${name}]'); b.focus(); b.click() }`);
    const lock = (state) => until('lock ' + state, () => tab.eval(`document.documentElement.dataset.idgate === '${state}'`));
    await fn({ shop, app, tab, shows, press, lock, $ });
    assert.deepEqual(tab.complaints, []);
  } finally {
    app.stop();
    shop.stop();
  }
};
const submit = `document.querySelector('#checkout-payment-continue')`;

test('by keyboard: the dialog is modal, Escape refuses, the focus comes back', { skip }, onCheckout('', async ({ shop, app, tab, shows, lock, $ }) => {
  await lock('closed');
  await tab.eval(`${submit}.focus()`);
  await tab.key('Enter', 'Enter', '\r');
  await shows('intro');
  assert.equal(await tab.eval(`${$}.activeElement.dataset.idgate`), 'title');
  const walk = [];
  for (let i = 0; i < 6; i++) {
    await tab.key('Tab');
    walk.push(await tab.eval(`${$}.activeElement?.dataset.idgate || document.activeElement.tagName`));
  }
  assert.ok(walk.includes('start') && walk.includes('close'), walk.join());
  assert.ok(walk.every((w) => ['start', 'close', 'title', 'dialog', 'BODY'].includes(w)), 'never onto the page: ' + walk.join());
  await tab.key('Escape');
  await until('the end', () => tab.eval(`!document.querySelector('idgate-dialog')`));
  assert.equal(await tab.eval(`document.activeElement.id`), 'checkout-payment-continue');
  assert.equal(app.starts.length, 0);
  assert.equal(shop.orders.length, 0);
  // Held in the order call itself, Escape is a 403.
  await tab.eval(`{ const x = new XMLHttpRequest(); x.open('POST', '${ORDER_PATH}'); x.onload = () => answers.push([x.status, x.responseText]); x.send('{}') }`);
  await shows('intro');
  await tab.key('Escape');
  await until('the answer', () => tab.eval(`answers.length`));
  const [[status, body]] = await tab.eval(`answers`);
  assert.deepEqual([status, JSON.parse(body).detail], [403, TEXTS.order_blocked]);
}));

test('the story: verify, stream, passed, one order, no reload', { skip }, onCheckout('', async ({ shop, app, tab, shows, press, lock, $ }) => {
  await lock('closed');
  await tab.eval(`window.mark = 1; ${submit}.click()`);
  await shows('intro');
  app.start = () => [201, live('created')];
  app.stream = (res) => res.write(`event: session\ndata: ${JSON.stringify(live('created'))}\n\n`);
  await press('start');
  await shows('session');
  assert.equal(await tab.eval(`${$}.activeElement.dataset.idgate`), 'link', 'the focus is not lost with the button');
  assert.ok(await until('the picture', () => tab.eval(`${$}.querySelector('img').complete && ${$}.querySelector('img').naturalWidth > 0`)));
  await until('the stream', () => app.streams.length);
  app.push(live('processing'));
  await until('news', () => tab.eval(`${$}.querySelector('[role=status]').textContent === '${TEXTS.processing}'`));
  app.decide = () => decision('allow');
  app.push(live('passed'));
  await until('the order', () => tab.eval('answers.length'));
  assert.deepEqual(await tab.eval('[answers.length, answers[0][0], window.mark]'), [1, 200, 1]);
  assert.equal(shop.orders.length, 1);
  await lock('open');
}));

test('an order made before the page has a body is held too, and the dialog is shown', { skip }, onCheckout('', async ({ shop, app, tab, shows, press }) => {
  await shows('intro');
  assert.deepEqual(await tab.eval('[early, first.readyState, document.body.contains(document.querySelector("idgate-dialog")) || document.querySelector("idgate-dialog").parentNode.localName]'), [true, 1, true]);
  assert.equal(shop.orders.length, 0);
  await press('close');
  await until('the refusal', () => tab.eval('first.status === 403'));
}, { head: '<script src="/early.js"></script>' }));

const WALLET = (src) => `<div class="checkoutRemote" style="height:60px"><iframe id="w" src="${src}" width="300" height="50"></iframe></div>`;
test('a wallet in a frame: not pressed while closed, pressed when open', { skip }, async () => {
  const other = await startShop(); // another origin
  other.pages = { '/wallet': '<body style="margin:0" onpointerdown="fetch(\'/pressed\',{method:\'POST\'})"><button style="width:300px;height:50px">Pay' };
  try {
    await onCheckout(WALLET(other.url + '/wallet'), async ({ app, tab, shows, press, lock }) => {
      await lock('closed');
      const { x, y } = await tab.eval(`(() => { const r = document.getElementById('w').getBoundingClientRect(); return { x: r.x + 60, y: r.y + 25 } })()`);
      assert.equal(await tab.eval(`document.getElementById('w').inert`), true);
      await tab.click(x, y);
      await shows('intro');
      await press('close');
      await until('its end', () => tab.eval(`!document.querySelector('idgate-dialog')`));
      for (let i = 0; i < 20 && !(await tab.eval(`document.activeElement?.className === 'checkoutRemote'`)); i++) await tab.key('Tab');
      await tab.key('Enter', 'Enter', '\r');
      await shows('intro'); // by keyboard alone
      await press('close');
      app.decide = () => decision('allow');
      await tab.eval(`fetch('${ORDER_PATH}', { method: 'POST', body: '{}' }).then((r) => r.status)`);
      await lock('open');
      assert.equal(other.posts.length, 0);
      await tab.click(x, y);
      await until('the wallet', () => other.posts.length === 1);
    })();
  } finally {
    other.stop();
  }
});

test('back from another page: locked again and asked again', { skip }, onCheckout('', async ({ app, tab, lock }) => {
  await lock('open');
  await tab.eval(`window.mark = 1; window.addEventListener('pageshow', (e) => (window.back = [e.persisted, document.documentElement.dataset.idgate]))`);
  const asks = app.asks.length;
  await tab.go(new URL('/elsewhere', await tab.eval('location.href')).href);
  app.decide = () => decision('verify');
  await tab.eval('history.back()');
  await until('back', () => tab.eval(`location.pathname === '/checkout' && document.readyState === 'complete'`).catch(() => false));
  await lock('closed');
  assert.ok(app.asks.length > asks);
  const back = await tab.eval('window.back || null');
  if (back) assert.deepEqual(back, [true, 'asking']); // from the cache; else it was loaded anew, and asked anew
}, { decide: () => decision('allow') }));

test('under a strict content security policy nothing is refused, and the dialog has its style', { skip }, onCheckout('', async ({ app, tab, shows, press, lock, $ }) => {
  await lock('closed');
  app.start = () => [201, live('created')];
  await tab.eval(`${submit}.click()`);
  await shows('intro');
  await press('start');
  await shows('session');
  await until('the picture', () => tab.eval(`${$}.querySelector('img').naturalWidth > 0`));
  assert.equal(await tab.eval(`getComputedStyle(${$}.querySelector('[data-idgate=link]')).color`), 'rgb(255, 255, 255)');
  assert.equal(await tab.eval('window.blocked || 0'), 0);
}, {
  headers: (app) => ({
    'Content-Security-Policy': `default-src 'self'; script-src 'self' ${app.url}; connect-src 'self' ${app.url}; img-src 'self' data:; style-src 'self'; require-trusted-types-for 'script'`,
  }),
}));

const LOCK = readFileSync(new URL('../../lock.js', import.meta.url), 'utf8');
test('under a policy of nonces, with strict-dynamic, integrity and the inline lock: an order made at once waits, and goes once', { skip }, async () => {
  const [shop, app] = await Promise.all([startShop(), startApp()]);
  try {
    const src = `${app.url}/storefront/v1/scripts/${SHOP}/1/gate.0123456789abcdef.js?client_id=${CLIENT}`;
    const early = `const x = window.first = new XMLHttpRequest(); x.open('POST', '${ORDER_PATH}'); x.send('{}')`;
    shop.pages = { '/checkout': `<!doctype html><html lang="en"><head><script nonce="n1">${LOCK}</script><script nonce="n1">${early}</script>
      <script nonce="n1" src="${src}" integrity="${integrity}" crossorigin="anonymous"></script><script>window.unsafe = 1</script></head><body><div id="checkout-app"></div></body></html>` };
    shop.headers = { 'Content-Security-Policy': `default-src 'none'; script-src 'nonce-n1' 'strict-dynamic'; connect-src 'self' ${app.url}; img-src data:; style-src 'self'; require-trusted-types-for 'script'` };
    app.decide = () => decision('verify', { session: live('created') });
    const tab = await browser.open(shop.url + '/checkout');
    const $ = `document.querySelector('idgate-dialog')?.shadowRoot`;
    await until('the dialog', () => tab.eval(`${$}?.querySelector('dialog[open]')?.dataset.view === 'session'`));
    await until('the picture', () => tab.eval(`${$}.querySelector('img').naturalWidth > 0`));
    assert.equal(shop.orders.length, 0);
    app.decide = () => decision('allow');
    app.poll = () => [200, live('passed')];
    await tab.eval(`document.dispatchEvent(new Event('visibilitychange'))`);
    await until('the order', () => tab.eval('first.status === 200'));
    assert.equal(shop.orders.length, 1);
    assert.equal(await tab.eval('window.unsafe || 0'), 0, 'the policy was in force');
    assert.deepEqual(tab.complaints.filter((c) => !/inline script/.test(c)), []);
  } finally {
    app.stop();
    shop.stop();
  }
});

test('other bytes than the integrity hash names are not run, and the lock waits its time for them', { skip }, async () => {
  const [shop, app] = await Promise.all([startShop(), startApp()]);
  try {
    app.source = GATE + '//';
    const src = `${app.url}/storefront/v1/scripts/${SHOP}/1/gate.0123456789abcdef.js`;
    shop.pages = { '/checkout': `<!doctype html><head><script>${LOCK}</script><script src="${src}" integrity="${integrity}" crossorigin="anonymous"></script></head><body>` };
    const tab = await browser.open(shop.url + '/checkout');
    assert.equal(await tab.eval('typeof BlockIDVerify'), 'undefined');
    await tab.eval(`{ const x = window.first = new XMLHttpRequest(); x.open('POST', '${ORDER_PATH}'); x.send('{}'); 0 }`);
    await tab.eval(`fetch('/mark', { method: 'POST' }).then(() => 1)`);
    assert.deepEqual([shop.orders.length, await tab.eval('first.readyState')], [0, 1]);
  } finally {
    app.stop();
    shop.stop();
  }
});

test('the dialog on a wide and a narrow screen, in both directions of writing', { skip }, async () => {
  const pictures = process.env.PICTURES; // a folder to keep them in, to be looked at
  for (const [name, width, dir] of [['wide', 1280, 'ltr'], ['narrow', 390, 'ltr'], ['narrow-rtl', 390, 'rtl'], ['tiny', 320, 'ltr']]) {
    await onCheckout('', async ({ app, tab, shows, press, lock, $ }) => {
      await lock('closed');
      const look = async (view) => {
        const [left, right, top, bottom, over] = await tab.eval(`(() => { const d = ${$}.querySelector('dialog'); const r = d.getBoundingClientRect(); return [r.left, innerWidth - r.right, r.top, innerHeight - r.bottom, d.scrollWidth - d.clientWidth] })()`);
        assert.ok(left >= 0 && right >= 0 && top >= 0 && bottom >= 0 && over <= 0, JSON.stringify({ name, view, left, right, top, bottom, over }));
        assert.equal(await tab.eval(`getComputedStyle(${$}.querySelector('dialog')).direction`), dir);
        if (!pictures) return;
        mkdirSync(pictures, { recursive: true });
        writeFileSync(`${pictures}/${name}-${view}.png`, await tab.picture());
      };
      app.start = () => [201, live('created')];
      await tab.eval(`${submit}.click()`);
      await shows('intro');
      await look('intro');
      await press('start');
      await shows('session');
      await until('the picture', () => tab.eval(`${$}.querySelector('img').naturalWidth > 0`));
      await look('session');
      app.poll = () => [200, live('failed', { retry: true, reason: { text: 'The passport had expired in May.', next: 'Use a document that is still valid.' } })];
      await tab.eval(`document.dispatchEvent(new Event('visibilitychange'))`);
      await shows('final');
      await look('final');
    }, { width, height: width < 500 ? 700 : 900, mobile: width < 500, decide: () => decision('verify', { dir }) })();
  }
});
