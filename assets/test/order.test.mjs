// Layer 1: the order call is held until the server allows it, goes exactly once, and is refused politely otherwise.
import test from 'node:test';
import assert from 'node:assert/strict';
import { CART, CLIENT, JWT, ORDER_PATH, SHOP, TEXTS, decision, onPage, openPage, quiesce, session, until } from './harness.mjs';

test('an allowed order goes once, with its own arguments, after the server was asked', onPage({}, async ({ shop, app, page }) => {
  await page.locked('open');
  const before = app.asks.length;
  const { xhr, events, ended } = page.order();
  assert.equal(shop.orders.length, 0, 'held at first');
  await ended;
  assert.equal(xhr.status, 200);
  assert.deepEqual(JSON.parse(xhr.responseText), { data: { order: { orderId: 7 } } });
  assert.deepEqual(events.slice(-3), ['state4', 'load', 'loadend']);
  assert.equal(shop.orders.length, 1);
  assert.equal(shop.orders[0].body, JSON.stringify({ cartId: CART, customerMessage: 'hi' }));
  assert.equal(shop.orders[0].headers['x-checkout-variant'], 'v9');
  assert.equal(shop.orders[0].headers['content-type'], 'application/json');
  assert.equal(app.asks.length, before + 1, 'the early answer is not enough');
  const { shop: hash, channel, cart_id, customer_jwt, page: where, locale, method, type, cookie } = app.asks.at(-1);
  assert.deepEqual({ hash, channel, cart_id, customer_jwt, where, locale, method, type, cookie },
    { hash: SHOP, channel: 1, cart_id: CART, customer_jwt: '', where: 'checkout', locale: 'en-GB', method: 'POST', type: 'text/plain;charset=UTF-8', cookie: undefined });
  assert.equal(page.window.document.cookie, '');
}));

test('verify, session, passed, allow: the held order goes once, without a reload', onPage({}, async ({ shop, app, page }) => {
  app.decide = () => decision('verify');
  app.stream = (res) => res.write(`event: session\ndata: ${JSON.stringify(session('created'))}\n\n`);
  const { xhr, ended } = page.order();
  await page.shows('intro');
  assert.equal(page.said('title'), TEXTS.title);
  assert.equal(page.part('lines').textContent, TEXTS.why + TEXTS.needs + TEXTS.duration + TEXTS.who_sees);
  page.press('start');
  await page.shows('session');
  assert.deepEqual(app.starts, [{ capability: 'cart.one', locale: 'en-GB', document: '' }]);
  assert.equal(page.part('link').href, 'https://kosmos.example/c/1');
  assert.equal(page.part('link').rel, 'noreferrer');
  assert.equal(page.part('link').target, '_blank');
  assert.match(page.part('qr').src, /^data:image\/svg\+xml;utf8,%3Csvg/);
  await until('stream', () => app.streams.length);
  for (const state of ['started', 'processing', 'review']) {
    app.push(session(state));
    await until(state, () => page.said('state') === TEXTS[state]);
    assert.equal(page.part('state').getAttribute('data-state'), state);
  }
  assert.equal(shop.orders.length, 0);
  app.decide = () => decision('allow', { session: session('passed') });
  app.push(session('passed'));
  await ended;
  assert.equal(xhr.status, 200);
  assert.equal(page.view(), '');
  assert.equal(page.window.document.querySelector('idgate-dialog'), null);
  await quiesce();
  assert.equal(shop.orders.length, 1);
}));

const refusals = [
  { name: 'the shopper closes the dialog', said: decision('verify'), view: 'intro' },
  { name: 'refused', said: decision('refuse'), view: 'refuse' },
  { name: 'in review', said: decision('review'), view: 'review' },
  { name: 'verify without a Capability', said: decision('verify', { capability: undefined }), view: 'intro' },
  { name: 'a mode we do not know is enforced', said: decision('verify', { mode: 'later' }), view: 'intro' },
];
for (const { name, said, view } of refusals) {
  for (const responseType of ['', 'json']) {
    test(`${name}: a 403 answer that checkout can show (responseType '${responseType}')`, onPage({}, async ({ shop, app, page }) => {
      app.decide = () => said;
      let on = 0;
      const { xhr, events, ended } = page.order({ responseType, set: (x) => (x.onload = x.onreadystatechange = () => on++) });
      await page.shows(view);
      page.press('close');
      await ended;
      const problem = { status: 403, title: TEXTS.title, detail: TEXTS.order_blocked, type: 'identity_check_required' };
      assert.deepEqual(responseType ? { ...xhr.response } : JSON.parse(xhr.response), problem);
      assert.deepEqual(JSON.parse(xhr.responseText), problem);
      assert.deepEqual([xhr.readyState, xhr.status, xhr.statusText], [4, 403, 'Forbidden']);
      assert.match(xhr.getResponseHeader('Content-Type'), /^application\/json/);
      assert.equal(xhr.getResponseHeader('x-other'), null);
      assert.match(xhr.getAllResponseHeaders(), /^content-type: application\/json; charset=utf-8\r\n$/);
      assert.deepEqual(events.slice(-3), ['state4', 'load', 'loadend']);
      assert.equal(on, 2);
      assert.equal(page.window.document.querySelector('idgate-dialog'), null);
      await quiesce();
      assert.equal(shop.orders.length, 0);
    }));
  }
}

test('a refused request can be opened and sent again, and is asked about again', onPage({}, async ({ shop, app, page }) => {
  app.decide = () => decision('refuse');
  const { xhr, ended } = page.order();
  await page.shows('refuse');
  page.press('close');
  await ended;
  app.decide = () => decision('allow');
  const again = new Promise((resolve) => xhr.addEventListener('load', resolve));
  xhr.open('POST', ORDER_PATH);
  assert.equal(xhr.readyState, 1, 'the faked answer is gone');
  xhr.send('{}');
  await again;
  assert.equal(xhr.status, 200);
  assert.equal(shop.orders.length, 1);
}));

test('a synchronous order call cannot wait and is refused', onPage({}, async ({ shop, page }) => {
  const { xhr } = page.order({ async: false });
  assert.equal(xhr.status, 403);
  assert.equal(JSON.parse(xhr.responseText).status, 403);
  await quiesce();
  assert.equal(shop.orders.length, 0);
}));

test('aborting a held order call ends it for good', onPage({}, async ({ shop, app, page }) => {
  app.decide = () => decision('verify');
  const { xhr, events, ended } = page.order();
  await page.shows('intro');
  xhr.abort();
  await ended;
  assert.equal(page.view(), '');
  assert.deepEqual(events.slice(-2), ['abort', 'loadend']);
  assert.equal(xhr.status, 0);
  app.decide = () => decision('allow');
  await quiesce();
  assert.equal(shop.orders.length, 0);
  await page.order().ended;
  assert.equal(shop.orders.length, 1, 'and the next one is free to go');
}));

test('aborted while the server is being asked: no dialog is shown', onPage({}, async ({ shop, app, page }) => {
  let late;
  app.decide = () => new Promise((resolve) => (late = () => resolve(decision('verify'))));
  const { xhr, ended } = page.order();
  await until('the question', () => late);
  xhr.abort();
  await ended;
  late();
  await quiesce();
  assert.equal(page.view(), '');
  assert.equal(shop.orders.length, 0);
}));

test('opening a held request anew drops what was held', onPage({}, async ({ shop, app, page }) => {
  app.decide = () => decision('verify');
  const { xhr } = page.order();
  await page.shows('intro');
  xhr.open('GET', '/api/storefront/carts');
  xhr.send();
  await until('the read', () => xhr.readyState === 4);
  assert.equal(xhr.status, 200);
  assert.equal(page.view(), '');
  assert.equal(shop.orders.length, 0);
}));

test('never two orders: a second call beside a held or a sent one is refused', onPage({}, async ({ shop, app, page }) => {
  await page.locked('open');
  const answers = [];
  app.decide = () => new Promise((resolve) => answers.push(resolve));
  const first = page.order();
  const second = page.order();
  const third = page.window.fetch(ORDER_PATH, { method: 'POST', body: '{}' });
  first.xhr.send('{}'); // a second send of a held request is nothing
  await second.ended;
  assert.equal(second.xhr.status, 403);
  assert.equal((await third).status, 403);
  await until('the question', () => answers.length);
  const shipped = [];
  shop.order = () => new Promise((resolve) => shipped.push(resolve));
  answers[0](decision('allow'));
  await until('the order call', () => shop.orders.length);
  const fourth = page.order();
  await fourth.ended;
  assert.equal(fourth.xhr.status, 403);
  shipped[0]([200, {}]);
  await first.ended;
  assert.equal(first.xhr.status, 200);
  assert.equal(answers.length, 1);
  assert.equal(shop.orders.length, 1);
}));

test('a new order after the first has ended is a new order, asked about anew', onPage({}, async ({ shop, app, page }) => {
  shop.order = () => [409, {}];
  let retried;
  const { xhr, ended } = page.order({ set: (x) => (x.onload = () => (retried = page.order())) }); // at once, inside the handler
  await ended;
  assert.equal(xhr.status, 409);
  shop.order = () => [200, {}];
  await retried.ended;
  assert.equal(retried.xhr.status, 200);
  assert.equal(shop.orders.length, 2);
  assert.ok(app.asks.length >= 3);
}));

const paths = [
  { url: ORDER_PATH, held: true },
  { url: ORDER_PATH + '/', held: true },
  { url: ORDER_PATH + '?x=1', held: true },
  { url: '/sub/folder' + ORDER_PATH, held: true },
  { url: '/internalapi/v1/checkout/%6Frder', held: true },
  { url: '//internalapi//v1/checkout/order'.replace('//', '/./'), held: true },
  { url: '/internalapi/v2/checkout/order', held: true },
  { url: ORDER_PATH, method: 'post', held: true },
  { url: ORDER_PATH + '/123', held: false },
  { url: ORDER_PATH, method: 'GET', held: false },
  { url: '/internalapi/v1/checkout/customer', held: false },
  { url: '/internalapi/v1/checkout/orders-of-others', held: false },
  { url: '/api/storefront/checkouts/x/billing-address', held: false },
];
for (const via of ['XMLHttpRequest', 'fetch']) {
  for (const { url, method = 'POST', held } of paths) {
    test(`${via} ${method} ${url} is ${held ? 'held' : 'left alone'}`, onPage({}, async ({ shop, app, page }) => {
      app.decide = () => decision('verify');
      const all = () => shop.orders.length + shop.posts.length + shop.reads.filter((r) => r === url).length;
      const done = via === 'fetch' ? page.window.fetch(url, { method, ...(method !== 'GET' && { body: '{}' }) }) : page.order({ url, method }).ended;
      if (held) await page.shows('intro');
      else await done;
      await quiesce();
      assert.equal(all(), held ? 0 : 1);
      assert.equal(page.view(), held ? 'intro' : '');
    }));
  }
}

test('fetch: held, then allowed once', onPage({}, async ({ shop, app, page }) => {
  app.decide = () => decision('verify', { session: session('created') });
  app.poll = () => [200, session('passed')];
  const answered = page.window.fetch(new page.window.URL(ORDER_PATH, shop.url), { method: 'POST', body: JSON.stringify({ cartId: 'another-cart-1' }), headers: { 'X-A': 'b' } });
  await page.shows('session');
  assert.equal(app.asks.at(-1).cart_id, 'another-cart-1');
  app.decide = () => decision('allow');
  const r = await answered;
  assert.equal(r.status, 200);
  assert.equal(shop.orders.length, 1);
  assert.equal(shop.orders[0].headers['x-a'], 'b');
  assert.equal((await page.window.fetch(ORDER_PATH, { method: 'POST', body: '{}' })).status, 200, 'and the next is free to go');
  shop.order = () => [500, {}];
  await page.window.fetch(ORDER_PATH, { method: 'POST', body: '{}' });
  await page.order().ended;
  assert.equal(shop.orders.length, 4);
}));

test('fetch: refused with a 403 Response; a Request object is seen too', onPage({}, async ({ shop, app, page }) => {
  app.decide = () => decision('refuse');
  const answered = page.window.fetch(new Request(shop.url + ORDER_PATH, { method: 'POST', body: '{}' }));
  await page.shows('refuse');
  page.press('close');
  const r = await answered;
  assert.equal(r.status, 403);
  assert.match(r.headers.get('content-type'), /^application\/json/);
  assert.equal((await r.json()).detail, TEXTS.order_blocked);
  assert.equal(shop.orders.length, 0);
}));

test('fetch: an abort while held rejects and sends nothing', onPage({}, async ({ shop, app, page }) => {
  app.decide = () => decision('verify');
  const stop = new AbortController();
  const answered = page.window.fetch(ORDER_PATH, { method: 'POST', body: '{}', signal: stop.signal });
  await page.shows('intro');
  stop.abort();
  await assert.rejects(answered, { name: 'AbortError' });
  assert.equal(page.view(), '');
  assert.equal(shop.orders.length, 0);
}));

test('the customer is named by the Current Customer JWT, and a guest by nothing', onPage(null, async ({ shop, app, open }) => {
  shop.jwt = JWT;
  const page = await open({});
  await page.order().ended;
  assert.equal(app.asks.at(-1).customer_jwt, JWT);
  assert.ok(shop.reads.includes('/customer/current.jwt?app_client_id=' + CLIENT));
  shop.jwt = '<html>maintenance</html>';
  await page.order().ended;
  assert.equal(app.asks.at(-1).customer_jwt, '');
  shop.jwt = JWT;
  app.decide = (ask) => (ask.customer_jwt ? [401, { error: { code: 'bad_token' } }] : decision('allow'));
  await page.order().ended;
  assert.deepEqual(app.asks.slice(-2).map((a) => a.customer_jwt), [JWT, '']);
  assert.equal(shop.orders.length, 3);
}));

test('the cart: from the order call, else from the shop, else from the Checkout SDK', onPage(null, async ({ shop, app, open }) => {
  const page = await open({ before: (w) => (w.checkoutKitLoader = {
    load: async (name) => (assert.equal(name, 'checkout-sdk'), {
      createCheckoutService: () => ({ loadCheckout: async () => ({ data: { getCheckout: () => ({ id: 'cart-from-sdk' }), getCart: () => undefined } }) }),
    }),
  }) });
  await page.locked('open');
  const asked = async (body) => (await page.order({ body }).ended, app.asks.at(-1).cart_id);
  assert.equal(await asked(JSON.stringify({ cartId: 'cart-from-body' })), 'cart-from-body');
  assert.equal(await asked('{"cartId":{"x":1}}'), CART);
  assert.equal(await asked('not json'), CART);
  shop.carts = [];
  assert.equal(await asked('{}'), 'cart-from-sdk');
  page.window.checkoutKitLoader.load = () => new Promise(() => {});
  app.asks.length = 0;
  const { xhr, ended } = page.order({ body: '{}' });
  await until('the wait for the SDK', () => page.timers.size > 0);
  await until('which is given up', () => (page.advance(3000), xhr.readyState === 4));
  await ended;
  assert.equal(app.asks.length, 0, 'without a cart there is nothing to ask');
  assert.equal(xhr.status, 200, 'which counts as unreachable: open by default');
}));

test('a shop in a sub-folder', onPage(null, async ({ shop, app, open }) => {
  shop.root = '/sub';
  shop.jwt = JWT;
  const page = await open({ path: '/sub/checkout' });
  await page.locked('open');
  assert.deepEqual([app.asks.at(-1).cart_id, app.asks.at(-1).customer_jwt], [CART, JWT]);
  assert.ok(!shop.reads.includes('/api/storefront/carts'), 'the folder is known from the path');
  const product = await open({ path: '/sub/tea/', body: '' });
  await product.order({ url: '/sub' + ORDER_PATH, body: '{}' }).ended;
  assert.deepEqual([app.asks.at(-1).cart_id, app.asks.at(-1).page], [CART, 'other']);
  assert.equal(shop.orders.length, 1);
}));

test('the Capability is kept for the tab, resent, and dropped when it has ended', onPage({}, async ({ app, page }) => {
  app.decide = () => decision('verify', { capability: 'cart.kept' });
  const { ended } = page.order();
  await page.shows('intro');
  page.press('close');
  await ended;
  const kept = page.window.sessionStorage;
  assert.equal(kept.length, 1);
  assert.deepEqual(JSON.parse(kept.getItem('idgate:' + SHOP)), { cart: CART, capability: 'cart.kept' });
  app.asks.length = 0;
  app.decide = (ask) => (ask.capability ? [410, { error: { code: 'expired' } }] : decision('allow'));
  await page.order().ended;
  assert.deepEqual(app.asks.map((a) => a.capability), ['cart.kept', '']);
}));

test('a Capability goes with its own cart only', onPage({}, async ({ app, page }) => {
  app.decide = () => decision('verify', { capability: 'cart.first' });
  const { ended } = page.order();
  await page.shows('intro');
  page.press('close');
  await ended;
  app.decide = () => decision('allow');
  await page.order({ body: '{"cartId":"another-cart-2"}' }).ended;
  assert.deepEqual([app.asks.at(-1).cart_id, app.asks.at(-1).capability], ['another-cart-2', '']);
}));

test('a mode that does not enforce lets everything through', onPage({}, async ({ shop, app, page }) => {
  for (const mode of ['shadow', 'off']) {
    app.decide = () => decision('verify', { mode });
    const { xhr, ended } = page.order();
    await ended;
    assert.equal(xhr.status, 200);
  }
  assert.equal(shop.orders.length, 2);
}));

test('a browser without showModal still gets the dialog', onPage({ native: false }, async ({ shop, app, page }) => {
  app.decide = () => decision('verify');
  const { xhr, ended } = page.order();
  await page.shows('intro');
  page.press('close');
  await ended;
  assert.equal(xhr.status, 403);
  assert.equal(shop.orders.length, 0);
}));

test('openPage runs the shipped bytes', onPage(null, async ({ shop, app }) => {
  app.source = 'window.other = 1';
  const page = await openPage(shop, app, {});
  assert.equal(page.window.other, 1);
  page.close();
}));
