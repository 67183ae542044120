// The inline lock: it holds the order call until gate.js has come, hands over to it, and waits ten seconds at most.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CART, GATE, ORDER_PATH, SHOP, decision, onPage, quiesce, session, until } from './harness.mjs';

const LOCK = readFileSync(new URL('../lock.js', import.meta.url), 'utf8');
const OLDER = readFileSync(new URL('./versions/gate.0c32beb573c89252.js', import.meta.url), 'utf8');

test('lock.js is at most 1024 bytes, and can stand in an element', (t) => {
  t.diagnostic(`${LOCK.length} bytes`);
  assert.ok(LOCK.length <= 1024);
  assert.doesNotMatch(LOCK, /<\/|<!--/);
});

/** A page that has the inline lock, and gate.js only when page.come() says so. */
const locked = (open, { closed = false, ...more } = {}) => open({
  scripts: [], ...more,
  body: `<script${closed ? ' data-closed="true"' : ''}>${LOCK}</script><div id="checkout-app"></div>${more.body || ''}`,
});
const come = (page, app, name = 'aaaa1111') => new Promise((resolve) => {
  const script = page.window.document.createElement('script');
  script.src = `${app.url}/storefront/v1/scripts/${SHOP}/1/gate.${name}.js`;
  script.crossOrigin = 'anonymous';
  script.onload = script.onerror = resolve;
  page.window.document.head.append(script);
});

test('an order call made before gate.js is held, handed over, and goes once when the server allows', onPage(null, async ({ shop, app, open }) => {
  const page = await locked(open);
  const { xhr, events, ended } = page.order();
  await quiesce();
  assert.deepEqual([shop.orders.length, xhr.readyState], [0, 1]);
  app.decide = () => decision('verify', { session: session('created') });
  await come(page, app);
  await page.shows('session');
  assert.deepEqual([shop.orders.length, app.asks.at(-1).cart_id], [0, CART]);
  app.decide = () => decision('allow');
  app.poll = () => [200, session('passed')];
  await until('the end', () => (page.advance(2000), xhr.readyState === 4));
  await ended;
  assert.deepEqual([xhr.status, shop.orders.length, events.slice(-2).join()], [200, 1, 'load,loadend']);
  assert.equal(shop.orders[0].headers['x-checkout-variant'], 'v9');
  await page.order().ended;
  assert.equal(shop.orders.length, 2, 'and the lock is out of the way');
}));

test('held by the lock and refused by gate.js: a 403', onPage(null, async ({ shop, app, open }) => {
  const page = await locked(open);
  const { xhr, ended } = page.order();
  app.decide = () => decision('refuse');
  await come(page, app);
  await page.shows('refuse');
  page.press('close');
  await ended;
  assert.deepEqual([xhr.status, shop.orders.length], [403, 0]);
}));

test('opened before gate.js and sent after it: held', onPage(null, async ({ shop, app, open }) => {
  const page = await locked(open);
  const xhr = new page.window.XMLHttpRequest();
  xhr.open('POST', ORDER_PATH);
  app.decide = () => decision('refuse');
  await come(page, app);
  xhr.send('{}');
  await page.shows('refuse');
  assert.deepEqual([xhr.readyState, shop.orders.length], [1, 0]);
}));

for (const { name, closed } of [{ name: 'open', closed: false }, { name: 'closed', closed: true }]) {
  test(`gate.js never comes (${name}): after ten seconds the merchant's choice`, onPage(null, async ({ shop, open }) => {
    const page = await locked(open, { closed });
    const { xhr, events } = page.order();
    page.advance(9999);
    await quiesce();
    assert.equal(shop.orders.length, 0);
    page.advance(1);
    await until('an end', () => xhr.readyState === 4 || events.includes('error'));
    assert.deepEqual([shop.orders.length, events.includes('error')], closed ? [0, true] : [1, false]);
    const later = page.order();
    await until('the next', () => later.xhr.readyState === 4 || later.events.includes('error'));
    assert.equal(shop.orders.length, closed ? 0 : 2, 'and at once from then on');
  }));
}

test('gate.js is blocked: the lock stands alone', onPage(null, async ({ shop, app, open }) => {
  const page = await locked(open);
  app.source = 'this is not a script';
  await come(page, app);
  assert.match(String(page.errors.splice(0)), /Unexpected identifier|SyntaxError/);
  const { xhr } = page.order();
  await quiesce();
  assert.deepEqual([shop.orders.length, xhr.readyState], [0, 1]);
  page.advance(10000);
  await until('the order', () => shop.orders.length === 1);
}));

for (const closed of [false, true]) {
  test(`gate.js comes after the ten seconds (closed: ${closed}): it takes over all the same`, onPage(null, async ({ shop, app, open }) => {
    const page = await locked(open, { closed });
    page.advance(10000);
    await quiesce();
    app.decide = () => decision('refuse');
    await come(page, app);
    const { xhr, ended } = page.order();
    await page.shows('refuse');
    page.press('close');
    await ended;
    assert.equal(xhr.status, 403);
    app.decide = () => decision('allow');
    await page.order().ended;
    assert.equal(shop.orders.length, 1);
  }));
}

test('aborted or opened anew while the lock holds it: nothing is sent', onPage(null, async ({ shop, app, open }) => {
  const page = await locked(open);
  const aborted = page.order().xhr;
  aborted.abort();
  const again = page.order().xhr;
  again.open('GET', '/api/storefront/carts');
  again.send();
  await until('the read', () => again.readyState === 4);
  await come(page, app);
  await page.locked('open');
  await quiesce();
  assert.deepEqual([shop.orders.length, again.status], [0, 200]);
}));

test('other calls are not the lock\'s affair', onPage(null, async ({ shop, open }) => {
  const page = await locked(open);
  for (const [method, url] of [['GET', ORDER_PATH], ['POST', ORDER_PATH + '/7'], ['POST', '/internalapi/v1/checkout/customer']]) {
    await page.order({ method, url }).ended;
  }
  assert.deepEqual([shop.posts, shop.orders.length], [[ORDER_PATH + '/7', '/internalapi/v1/checkout/customer'], 0]);
}));

test('another script that wraps in between is called once, with its headers once', onPage(null, async ({ shop, app, open }) => {
  const page = await locked(open);
  const { prototype } = page.window.XMLHttpRequest;
  const { send } = prototype;
  prototype.send = function (...args) {
    this.setRequestHeader('X-Token', 't');
    return send.apply(this, args);
  };
  const { ended } = page.order();
  await come(page, app);
  await ended;
  assert.deepEqual([shop.orders.length, shop.orders[0].headers['x-token']], [1, 't']);
}));

test('the lock after gate.js does nothing', onPage({}, async ({ page }) => {
  const { open, send } = page.window.XMLHttpRequest.prototype;
  page.window.eval(LOCK);
  const script = page.window.document.createElement('script');
  script.textContent = LOCK;
  page.window.document.head.append(script);
  assert.deepEqual([page.window.XMLHttpRequest.prototype.open, page.window.XMLHttpRequest.prototype.send], [open, send]);
}));

test('the lock twice: one lock', onPage(null, async ({ shop, app, open }) => {
  const page = await locked(open, { body: `<script>${LOCK}</script>` });
  const { ended } = page.order();
  await come(page, app);
  await ended;
  assert.equal(shop.orders.length, 1);
}));

/* Two versions of gate.js at once: whichever came first holds, alone. */
for (const { name, first, second } of [{ name: 'the older first', first: OLDER, second: GATE }, { name: 'the newer first', first: GATE, second: OLDER }]) {
  for (const [how, setup] of [['side by side', (open) => open({ scripts: [] })], ['behind the inline lock', (open) => locked(open)]]) {
    test(`hold: two versions, ${name}, ${how}: one lock, one dialog, one order`, onPage(null, async ({ shop, app, open }) => {
      const page = await setup(open);
      app.decide = () => decision('verify', { session: session('created') });
      app.source = first;
      await come(page, app, 'aaaa1111');
      app.source = second;
      await come(page, app, 'bbbb2222');
      await page.locked('closed');
      const { xhr, ended } = page.order();
      await page.shows('session');
      assert.deepEqual([page.window.document.querySelectorAll('idgate-dialog').length, shop.orders.length, xhr.readyState], [1, 0, 1]);
      app.decide = () => decision('allow');
      app.poll = () => [200, session('passed')];
      // The older script knows nothing of the lock, which steps aside by itself after its ten seconds.
      await until('the end', () => (page.advance(2000), xhr.readyState === 4));
      await ended;
      assert.deepEqual([xhr.status, shop.orders.length], [200, 1]);
      assert.ok(app.asks.length <= 4, String(app.asks.length));
    }));
  }
}
