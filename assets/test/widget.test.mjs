// window.BlockIDVerify, as the integration card prints it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { CART, CLIENT, JWT, ORDER_PATH, SHOP, decision, onPage, quiesce, session, until } from './harness.mjs';

const widget = (app) => ({ scripts: [app.url + '/storefront/v1/widget.js?client_id=' + CLIENT] });
const quietly = (page) => (assert.deepEqual(page.errors, []), page.logs.splice(0));

test('widget.js locks nothing', onPage(null, async ({ shop, app, open }) => {
  const page = await open(widget(app));
  const { xhr, ended } = page.order();
  await ended;
  assert.equal(xhr.status, 200);
  assert.deepEqual([app.asks.length, shop.reads.length, page.lock()], [0, 0, null]);
  assert.deepEqual(Object.keys(page.window.BlockIDVerify), ['init']);
}));

test('nothing needed: {session_id: null, state: passed}, and the cart is found on the checkout', onPage(null, async ({ shop, app, open }) => {
  shop.jwt = JWT;
  const page = await open(widget(app));
  const results = [];
  assert.equal(page.window.BlockIDVerify.init({ apiBase: app.url + '/', tenantId: SHOP, onComplete: (r) => results.push(r) }), undefined);
  await until('the result', () => results.length);
  assert.deepEqual({ ...results[0] }, { session_id: null, state: 'passed' });
  const { shop: hash, cart_id, customer_jwt, page: where } = app.asks[0];
  assert.deepEqual({ hash, cart_id, customer_jwt, where }, { hash: SHOP, cart_id: CART, customer_jwt: JWT, where: 'widget' });
  assert.deepEqual([page.view(), page.lock()], ['', null]);
  assert.deepEqual(page.logs, []);
}));

test('a cart that names no buyer is not reported as passed', onPage(null, async ({ app, open }) => {
  app.decide = () => decision('verify', { unnamed: true });
  const page = await open(widget(app));
  const results = [];
  page.window.BlockIDVerify.init({ apiBase: app.url, tenantId: SHOP, onComplete: (r) => results.push(r) });
  await page.shows('intro');
  assert.deepEqual(results, []);
}));

test('verify: the dialog opens, and the result is the session\'s id and state only', onPage(null, async ({ app, open }) => {
  app.decide = () => decision('verify');
  const page = await open(widget(app));
  const results = [];
  page.window.BlockIDVerify.init({ apiBase: app.url, tenantId: SHOP, onComplete: (r) => results.push(r), locale: 'fr-FR' });
  await page.shows('intro');
  assert.equal(app.asks[0].locale, 'fr-FR');
  page.press('start');
  await page.shows('session');
  app.decide = () => decision('allow', { session: session('passed') });
  app.poll = () => [200, session('passed')];
  await until('the result', () => (page.advance(2000), results.length));
  assert.deepEqual({ ...results[0] }, { session_id: 's1', state: 'passed' });
  assert.equal(page.view(), '');
}));

test('a session that ended otherwise is reported when the dialog is closed', onPage(null, async ({ app, open }) => {
  app.decide = () => decision('verify', { session: session('declined') });
  const page = await open(widget(app));
  const results = [];
  page.window.BlockIDVerify.init({ apiBase: app.url, tenantId: SHOP, onComplete: (r) => results.push(r) });
  await page.shows('final');
  assert.equal(results.length, 0, 'the shopper may still try again');
  page.press('close');
  await until('the result', () => results.length);
  assert.deepEqual({ ...results[0] }, { session_id: 's1', state: 'declined' });
}));

test('closed before anything has ended: no result', onPage(null, async ({ app, open }) => {
  app.decide = () => decision('verify');
  const page = await open(widget(app));
  const results = [];
  page.window.BlockIDVerify.init({ apiBase: app.url, tenantId: SHOP, onComplete: (r) => results.push(r) });
  await page.shows('intro');
  page.press('close');
  await quiesce();
  assert.deepEqual(results, []);
}));

test('calling it twice: one question, one dialog, the newest onComplete', onPage(null, async ({ app, open }) => {
  app.decide = () => decision('verify', { session: session('failed') });
  const page = await open(widget(app));
  const results = [];
  const init = (name) => page.window.BlockIDVerify.init({ apiBase: app.url, tenantId: SHOP, onComplete: () => results.push(name) });
  init('a');
  init('b');
  await page.shows('final');
  init('c');
  assert.equal(app.asks.length, 1);
  assert.equal(page.window.document.querySelectorAll('idgate-dialog').length, 1);
  page.press('close');
  await until('the result', () => results.length);
  app.decide = () => decision('allow');
  init('d');
  await until('the second result', () => results.length === 2);
  assert.deepEqual(results, ['c', 'd']);
}));

const base = (app) => ({ apiBase: app.url, tenantId: SHOP, cartId: CART, onComplete: () => {} });
const mistakes = [
  { name: 'no options', options: () => undefined, log: /^error: BlockIDVerify\.init: apiBase/ },
  { name: 'null', options: () => null, log: /^error: .*apiBase/ },
  { name: 'a string', options: () => 'x', log: /^error: .*apiBase/ },
  { name: 'no apiBase', options: (app) => ({ ...base(app), apiBase: undefined }), log: /^error: .*apiBase/ },
  { name: 'apiBase is not a URL', options: (app) => ({ ...base(app), apiBase: 'javascript:alert(1)' }), log: /^error: .*apiBase/ },
  { name: 'no tenantId', options: (app) => ({ ...base(app), tenantId: '' }), log: /^error: .*tenantId/ },
  { name: 'tenantId is an object', options: (app) => ({ ...base(app), tenantId: {} }), log: /^error: .*tenantId/ },
  { name: 'cartId is a path', options: (app) => ({ ...base(app), cartId: '../../x' }), log: /^error: .*cartId/ },
  { name: 'a getter throws', options: () => ({ get apiBase() { throw new Error('mine'); } }), log: /^error: .*mine/ },
];
for (const { name, options, log } of mistakes) {
  test(`a mistake (${name}) is reported, never thrown, and asks nothing`, onPage(null, async ({ app, open }) => {
    const page = await open(widget(app));
    page.window.BlockIDVerify.init(options(app));
    await quiesce();
    assert.equal(app.asks.length, 0);
    const logs = quietly(page);
    assert.equal(logs.length, 1, logs.join('; '));
    assert.match(logs[0], log);
  }));
}

test('unknown options are named and change nothing', onPage(null, async ({ app, open }) => {
  const page = await open(widget(app));
  let result;
  page.window.BlockIDVerify.init({ ...base(app), minIAL: 3, theme: 'dark', onComplete: (r) => (result = r) });
  await until('the result', () => result);
  assert.deepEqual(quietly(page), ['warn: BlockIDVerify.init: unknown option minIAL', 'warn: BlockIDVerify.init: unknown option theme']);
}));

test('off the hosted checkout cartId is required', onPage(null, async ({ shop, app, open }) => {
  const page = await open({ ...widget(app), path: '/my-own-page', body: '' });
  const { cartId, ...without } = base(app);
  page.window.BlockIDVerify.init(without);
  await quiesce();
  assert.match(quietly(page).join(), /^error: .*cartId is required/);
  assert.equal(shop.reads.length, 0);
  let result;
  page.window.BlockIDVerify.init({ ...without, cartId, onComplete: (r) => (result = r) });
  await until('the result', () => result);
  assert.equal(app.asks[0].cart_id, CART);
}));

test('a server that cannot be reached: no dialog, no result, no exception', onPage(null, async ({ app, open }) => {
  app.decide = () => [500, ''];
  const page = await open(widget(app));
  const results = [];
  page.window.BlockIDVerify.init({ ...base(app), onComplete: (r) => results.push(r) });
  await until('the question', () => app.asks.length);
  await quiesce();
  assert.deepEqual([results, page.view()], [[], '']);
}));

test('an onComplete that throws is reported on the console', onPage(null, async ({ app, open }) => {
  const page = await open(widget(app));
  page.window.BlockIDVerify.init({ ...base(app), onComplete: () => { throw new Error('theirs'); } });
  await until('the report', () => page.logs.length);
  assert.match(quietly(page).join(), /theirs/);
}));

test('on a locked page: the widget opens the gate, and the order is asked about all the same', onPage({}, async ({ shop, app, page }) => {
  await page.locked('open');
  app.decide = () => decision('verify', { session: session('created') });
  let result;
  page.window.BlockIDVerify.init({ ...base(app), onComplete: (r) => (result = r) });
  await page.shows('session');
  assert.equal(page.lock(), 'closed');
  app.decide = () => decision('allow');
  app.poll = () => [200, session('passed')];
  await until('the result', () => (page.advance(2000), result));
  await page.locked('open');
  app.decide = () => decision('refuse');
  const { xhr } = page.order({ url: ORDER_PATH });
  await page.shows('refuse');
  assert.equal(xhr.readyState, 1);
  assert.equal(shop.orders.length, 0);
}));

test('something else of that name is left in place', onPage(null, async ({ app, open }) => {
  const page = await open({ ...widget(app), before: (w) => (w.BlockIDVerify = { init: () => 'theirs' }) });
  assert.equal(page.window.BlockIDVerify.init(), 'theirs');
}));
