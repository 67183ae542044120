// Layer 5: what each answer of the server, and its silence, does to a held order.
import test from 'node:test';
import assert from 'node:assert/strict';
import { SHOP, TEXTS, decision, onPage, quiesce, session, until } from './harness.mjs';

const silences = [
  { name: 'answers 500', decide: () => [500, 'oops'] },
  { name: 'answers 404 (shop unknown)', decide: () => [404, { error: { code: 'unknown_shop' } }] },
  { name: 'drops the connection', decide: () => 'drop' },
  { name: 'does not answer within 8 s', decide: () => 'hang', advance: 8000 },
  { name: 'is too busy for longer than we wait', decide: () => [503, {}, { 'Retry-After': '60' }], advance: 8000 },
  { name: 'answers HTML', decide: () => [200, '<html>hello</html>'] },
  { name: 'answers null', decide: () => [200, 'null'] },
  { name: 'answers an array', decide: () => [200, '[]'] },
  { name: 'answers an unknown word', decide: () => decision('perhaps') },
  { name: 'answers a word of the wrong type', decide: () => decision(['allow']) },
  { name: 'answers half a body', decide: () => [200, '{"decision":"verify","mode":"enf'] },
  { name: 'answers endlessly', decide: () => [200, JSON.stringify(decision('verify', { pad: 'x'.repeat(300000) }))] },
];
for (const { name, decide, advance } of silences) {
  for (const choice of ['open', 'closed', '']) {
    test(`the server ${name}; unreachable=${choice || '(not set)'}`, onPage(null, async ({ shop, app, open }) => {
      app.decide = decide;
      const page = await open({ query: choice && '&unreachable=' + choice });
      const { xhr, ended } = page.order();
      const over = () => xhr.readyState === 4 || page.view() === 'unreachable';
      await until('the end', () => (advance && page.advance(advance), over()));
      if (choice !== 'closed') {
        await ended;
        assert.equal(xhr.status, 200);
        assert.equal(shop.orders.length, 1);
        return;
      }
      assert.equal(page.said('state'), 'The identity check cannot be reached.');
      assert.equal(page.lock(), 'closed');
      await quiesce();
      assert.equal(shop.orders.length, 0);
      app.decide = () => decision('allow');
      page.press('retry');
      await ended;
      assert.equal(xhr.status, 200);
      assert.equal(shop.orders.length, 1);
    }));
  }
}

for (const { wait, choice, ends } of [
  { wait: 3000, choice: 'open', ends: 'goes when the answer comes' }, { wait: 3000, choice: 'closed', ends: 'goes when the answer comes' },
  { wait: 30000, choice: 'open', ends: 'goes after 8 s' }, { wait: 30000, choice: 'closed', ends: 'is held after 8 s' },
]) {
  test(`the server takes ${wait / 1000} s, unreachable=${choice}: the order ${ends}, and only once`, onPage(null, async ({ shop, app, open }) => {
    const page = await open({ query: '&unreachable=' + choice });
    await page.locked('open');
    const put = app.asks.length;
    app.decide = () => new Promise((resolve) => page.window.setTimeout(() => resolve(decision('allow')), wait));
    const { xhr, ended } = page.order();
    await until('the question', () => app.asks.length > put);
    page.advance(wait === 3000 ? 2999 : 7999);
    await quiesce();
    assert.deepEqual([shop.orders.length, page.view(), xhr.readyState], [0, '', 1], 'bounded, but not hurried');
    page.advance(1);
    if (ends.startsWith('is held')) {
      await page.shows('unreachable');
      assert.equal(shop.orders.length, 0);
      app.decide = () => decision('allow');
      page.press('retry');
    }
    await ended;
    assert.equal(xhr.status, 200);
    page.advance(60000);
    await quiesce();
    assert.equal(shop.orders.length, 1);
  }));
}

test('unreachable=closed: closing the dialog refuses the order', onPage(null, async ({ shop, app, open }) => {
  app.decide = () => [500, ''];
  const page = await open({ query: '&unreachable=closed' });
  const { xhr, ended } = page.order();
  await page.shows('unreachable');
  assert.equal(page.said('close'), 'Close');
  page.press('close');
  await ended;
  assert.equal(xhr.status, 403);
  assert.match(JSON.parse(xhr.responseText).detail, /^Your order was not placed/);
  assert.equal(shop.orders.length, 0);
}));

test('once the server has said verify, its silence opens nothing', onPage({}, async ({ shop, app, page }) => {
  await page.locked('open');
  app.decide = () => decision('verify', { session: session('created') });
  const { xhr, ended } = page.order();
  await page.shows('session');
  app.decide = () => [500, ''];
  app.poll = () => [200, session('passed')];
  await until('the poll', () => (page.advance(2000), page.view() === 'unreachable'));
  assert.equal(page.said('state'), TEXTS.unreachable);
  page.press('close');
  await ended;
  assert.equal(xhr.status, 403);
  const second = page.order();
  await page.shows('unreachable');
  assert.equal(shop.orders.length, 0);
  app.decide = () => decision('allow');
  page.press('retry');
  await second.ended;
  assert.equal(second.xhr.status, 200);
  assert.equal(shop.orders.length, 1);
}));

test('a busy server is asked again after the time it names', onPage({}, async ({ shop, app, page }) => {
  await page.locked('open');
  app.asks.length = 0;
  app.decide = (_, n) => (n === 1 ? [503, {}, { 'Retry-After': '2' }] : decision('allow'));
  const { xhr, ended } = page.order();
  await until('the pause', () => app.asks.length === 1 && [...page.timers.values()].some((t) => t.left === 2000));
  page.advance(2000);
  await ended;
  assert.equal(xhr.status, 200);
  assert.equal(app.asks.length, 2);
  assert.equal(shop.orders.length, 1);
}));

test('nothing a page or a stranger says opens the gate', onPage({}, async ({ shop, app, page }) => {
  app.decide = () => decision('verify', { session: session('created') });
  const { xhr } = page.order();
  await page.shows('session');
  const { window } = page;
  for (const data of [{ decision: 'allow' }, JSON.stringify(session('passed')), { type: 'idgate', state: 'passed' }]) {
    window.postMessage(data, '*');
    window.dispatchEvent(new window.MessageEvent('message', { data, origin: app.url }));
  }
  await window.fetch(app.url + '/bc/result', { method: 'POST', body: JSON.stringify({ store_hash: SHOP, result: { session_id: 's1', ial: 3, state: 'passed' } }) });
  window.dispatchEvent(new window.StorageEvent('storage', { key: 'idgate:' + SHOP, newValue: '{"allow":true}' }));
  window.sessionStorage.setItem('idgate:' + SHOP, JSON.stringify({ cart: 'x', capability: 'cart.forged', decision: 'allow' }));
  window.document.documentElement.setAttribute('data-idgate', 'open');
  window.BlockIDVerify.init({ apiBase: app.url, tenantId: SHOP, onComplete: () => {} });
  await quiesce();
  assert.equal(xhr.readyState, 1);
  assert.equal(shop.orders.length, 0);
  assert.deepEqual(app.others, ['POST /bc/result'], 'and that one was the test itself');
}));

test('a session that has passed opens nothing while the decision is not allow', onPage({}, async ({ shop, app, page }) => {
  app.decide = () => decision('verify', { session: session('created') });
  app.stream = (res) => res.write(`event: session\ndata: ${JSON.stringify(session('passed'))}\n\n`);
  const { ended } = page.order();
  await page.shows('session');
  app.decide = () => decision('verify', { session: session('passed', { decision: 'verify', retry: true, reason: { code: 'no_selfie', text: 'A selfie was missing', next: 'Take one' } }) });
  await page.shows('final');
  assert.equal(page.said('state'), 'A selfie was missing');
  assert.equal(page.said('next'), 'Take one Two tries left');
  await quiesce();
  assert.equal(shop.orders.length, 0);
  app.decide = () => decision('review', { session: session('passed', { decision: 'review' }) });
  app.start = () => [200, session('passed', { id: 's2' })];
  page.press('retry');
  await until('review', () => (page.advance(2000), page.view() === 'review'));
  assert.equal(page.said('state'), TEXTS.review);
  assert.equal(shop.orders.length, 0);
  app.decide = () => decision('allow');
  page.advance(15000); // a person has looked at it meanwhile
  await ended;
  assert.equal(shop.orders.length, 1);
}));

for (const { name, said } of [
  { name: 'allow', said: decision('allow') },
  { name: 'a live session', said: decision('verify', { session: session('started') }) },
  { name: 'review', said: decision('review') },
]) {
  test(`an answer (${name}) that comes after the shopper has closed the dialog changes nothing`, onPage({}, async ({ shop, app, page }) => {
    await page.locked('open');
    app.decide = () => decision('review');
    const { xhr, ended } = page.order();
    await page.shows('review');
    let late;
    app.decide = () => new Promise((resolve) => (late = () => resolve(said)));
    page.advance(15000);
    await until('the question', () => late);
    page.press('close');
    late();
    await ended;
    await quiesce();
    page.advance(15000);
    await quiesce();
    assert.equal(xhr.status, 403);
    assert.deepEqual([shop.orders.length, app.polls.length, app.listens, page.view()], [0, 0, 0, '']);
  }));
}
