// Layers 2 and 3, and the life of a page: re-rendering, prerendering, the back/forward cache, being loaded twice, the canary.
import test from 'node:test';
import assert from 'node:assert/strict';
import { CART, CLIENT, GATE, PAYMENT_FORM, SHOP, TEXTS, decision, onPage, quiesce, session, until } from './harness.mjs';

/** What reached the page's own listeners, as React's root would see it. */
function heard(page) {
  const got = [];
  for (const type of ['pointerdown', 'mousedown', 'touchstart', 'click', 'submit', 'keydown']) {
    page.window.document.getElementById('checkout-app').addEventListener(type, (e) => {
      got.push(type);
      if (type === 'submit') e.preventDefault();
    });
  }
  return got;
}
const event = (page, node, type, Kind = 'MouseEvent', init = {}) =>
  node.dispatchEvent(new page.window[Kind](type, { bubbles: true, cancelable: true, composed: true, ...init }));

test('the submit button: stopped while closed, pressed again once when the server allows', onPage({}, async ({ shop, app, page }) => {
  app.decide = () => decision('verify', { session: session('created') });
  let button = page.payment();
  await page.locked('closed');
  const got = heard(page);
  let submits = 0;
  page.window.document.getElementById('checkout-app').addEventListener('submit', () => (submits++, page.order()));
  for (const type of ['pointerdown', 'mousedown', 'touchstart']) event(page, button, type);
  assert.deepEqual(got, [], 'stopped, and nothing shown yet');
  assert.equal(page.view(), '');
  button.click();
  button.click();
  await page.shows('session');
  assert.deepEqual(got, []);
  // React redraws the step meanwhile.
  button = page.payment();
  app.decide = () => decision('allow');
  app.poll = () => [200, session('passed')];
  await until('the order', () => (page.advance(2000), shop.orders.length));
  assert.deepEqual(got, ['click', 'submit']);
  assert.equal(submits, 1);
  await quiesce();
  assert.equal(shop.orders.length, 1);
  assert.equal(page.lock(), 'open');
}));

test('allowed beforehand: nothing stands in the way of a press', onPage({}, async ({ page }) => {
  const button = page.payment();
  await page.locked('open');
  const got = heard(page);
  for (const type of ['pointerdown', 'mousedown', 'touchstart', 'click']) event(page, button, type);
  event(page, button, 'keydown', 'KeyboardEvent', { key: 'Enter' });
  assert.deepEqual(got, ['pointerdown', 'mousedown', 'touchstart', 'click', 'submit', 'keydown']);
}));

const presses = [
  { name: 'an express wallet', html: '<div class="checkout-button-container"><b id="t">Pay</b></div>', stopped: true },
  { name: 'the wallet list', html: '<div class="checkoutRemote"><b id="t">Pay</b></div>', stopped: true },
  { name: 'a wallet by its method', html: '<div id="amazonpayCheckoutButton"><b id="t">Pay</b></div>', stopped: true },
  { name: 'Apple Pay', html: '<apple-pay-button id="t"></apple-pay-button>', stopped: true },
  { name: 'a wallet drawn in place of the submit button', html: '<div id="checkout-payment-continue" class="submitButtonContainer"><b id="t">Pay</b></div>', stopped: true },
  { name: 'something inside the submit button', html: PAYMENT_FORM.replace('Place order', '<i id="t">Place order</i>'), stopped: true },
  { name: 'a field of the payment form', html: PAYMENT_FORM.replace('<input', '<input id="t"'), stopped: false },
  { name: 'a continue button', html: '<button id="checkout-shipping-continue"><i id="t">Continue</i></button>', stopped: false },
];
for (const { name, html, stopped } of presses) for (const key of ['Enter', ' ']) {
  test(`while closed, ${name} is ${stopped ? 'stopped' : 'left alone'} (key '${key}')`, onPage({}, async ({ app, page }) => {
    app.decide = () => decision('refuse');
    page.payment(html);
    await page.locked('closed');
    const got = heard(page);
    const target = page.window.document.getElementById('t');
    for (const type of ['pointerdown', 'mousedown', 'touchstart']) event(page, target, type);
    event(page, target, 'keydown', 'KeyboardEvent', { key: 'x' });
    event(page, target, 'keydown', 'KeyboardEvent', { key: 'Tab' });
    const typing = ['keydown', 'keydown'];
    assert.deepEqual(got, stopped ? typing : ['pointerdown', 'mousedown', 'touchstart', ...typing]);
    event(page, target, 'keydown', 'KeyboardEvent', { key });
    if (stopped) await page.shows('refuse');
    else await quiesce();
    assert.equal(page.view(), stopped ? 'refuse' : '');
    assert.equal(got.length, stopped ? 2 : 6);
  }));
}

test('submitting the payment form without its button is stopped too', onPage({}, async ({ app, page }) => {
  app.decide = () => decision('refuse');
  page.payment('<form data-test="payment-form" class="checkout-form"><input name="card"></form>');
  await page.locked('closed');
  const got = heard(page);
  event(page, page.window.document.querySelector('form'), 'submit', 'Event');
  await page.shows('refuse');
  assert.deepEqual(got, []);
}));

test('a wallet waits for a press of the shopper\'s own', onPage({}, async ({ app, page }) => {
  app.decide = () => decision('verify', { session: session('created') });
  page.payment('<div class="checkoutRemote"><button type="button" id="t">Pay</button></div>');
  await page.locked('closed');
  const got = heard(page);
  page.window.document.getElementById('t').click();
  await page.shows('session');
  app.decide = () => decision('allow');
  app.poll = () => [200, session('passed')];
  await until('the end', () => (page.advance(2000), page.view() === ''));
  await page.locked('open');
  assert.deepEqual(got, []);
  page.window.document.getElementById('t').click();
  assert.deepEqual(got, ['click']);
}));

test('while a cart names no buyer its wallets are free, and their order call is held once it does', onPage({}, async ({ shop, app, page }) => {
  app.decide = () => decision('verify', { unnamed: true });
  page.payment('<div class="checkoutRemote"><button type="button" id="t">Pay</button></div>');
  await page.locked('open');
  const got = heard(page);
  page.window.document.getElementById('t').click();
  assert.deepEqual(got, ['click']);
  assert.equal(page.view(), '');
  const { xhr } = page.order();
  await page.shows('intro');
  assert.equal(xhr.readyState, 1);
  assert.equal(shop.orders.length, 0);
}));

test('wallet frames are inert while closed, however often they are redrawn, and as they were when open', onPage({}, async ({ app, page }) => {
  app.decide = () => decision('verify');
  const html = '<div class="checkoutRemote"><iframe id="f"></iframe><iframe id="own" inert></iframe></div>' + PAYMENT_FORM;
  page.payment(html);
  const frame = () => page.window.document.getElementById('f');
  await until('inert', () => frame().hasAttribute('inert'));
  assert.equal(frame().parentNode.tabIndex, 0, 'the keyboard gets to the place of the frame');
  frame().removeAttribute('inert');
  page.payment(html);
  await until('inert again', () => frame().hasAttribute('inert'));
  app.decide = () => decision('allow');
  await page.order().ended;
  await page.locked('open');
  assert.equal(frame().hasAttribute('inert'), false);
  assert.equal(frame().parentNode.tabIndex, -1);
  assert.equal(page.window.document.getElementById('own').hasAttribute('inert'), true, 'what was inert before us stays so');
}));

test('the payment step is asked about when it opens, each time it opens', onPage({}, async ({ app, page }) => {
  await until('the early question', () => app.asks.length === 1);
  page.payment();
  await until('the step', () => app.asks.length === 2);
  page.window.document.getElementById('checkout-payment-continue').textContent = 'redrawn';
  await quiesce();
  page.window.document.getElementById('pay').className = 'checkout-step checkout-step--payment';
  page.window.document.getElementById('pay').textContent = '';
  await new Promise((r) => page.window.setTimeout(r, 60)); // one turn of the observer
  assert.equal(app.asks.length, 2);
  page.payment();
  await until('the step again', () => app.asks.length === 3);
}));

test('a page that is no checkout: nothing is asked until a wallet stands there', onPage(null, async ({ shop, app, open }) => {
  const page = await open({ path: '/tea/', body: '<main id="checkout-app-not"></main>' });
  await quiesce();
  assert.deepEqual([app.asks.length, shop.reads.length, page.lock()], [0, 0, null]);
  page.window.document.querySelector('main').innerHTML = '<div class="checkoutRemote"><b id="t">Pay</b></div>';
  await page.locked('open');
  assert.equal(app.asks[0].page, 'other');
}));

test('without a cart a wallet elsewhere is free, and its order call is held all the same', onPage(null, async ({ shop, app, open }) => {
  shop.carts = [];
  app.decide = () => decision('verify');
  const page = await open({ path: '/tea/', body: '<div class="checkoutRemote"><b id="t">Pay</b></div>', query: '&unreachable=closed' });
  await page.locked('open');
  assert.equal(app.asks.length, 0);
  const { xhr } = page.order();
  await page.shows('intro');
  assert.equal(xhr.readyState, 1);
  assert.equal(shop.orders.length, 0);
}));

test('without any cart an order call elsewhere is still no free one', onPage(null, async ({ shop, app, open }) => {
  shop.carts = [];
  const page = await open({ path: '/tea/', body: '<div class="checkoutRemote"></div>', query: '&unreachable=closed' });
  await page.locked('open');
  page.order({ body: '{}' });
  await page.shows('unreachable');
  assert.deepEqual([app.asks.length, shop.orders.length], [0, 0]);
}));

test('prerendering: nothing is asked, read or shown until the page is opened', onPage(null, async ({ shop, app, open }) => {
  app.decide = () => decision('verify');
  const page = await open({ before: (w) => Object.defineProperty(w.document, 'prerendering', { configurable: true, value: true }) });
  page.payment();
  const { xhr } = page.order();
  await quiesce();
  assert.deepEqual([app.asks.length, shop.reads.length, shop.orders.length, page.view()], [0, 0, 0, '']);
  assert.equal(page.lock(), 'asking');
  assert.equal(xhr.readyState, 1);
  Object.defineProperty(page.window.document, 'prerendering', { value: false });
  page.window.document.dispatchEvent(new page.window.Event('prerenderingchange'));
  await page.shows('intro');
  assert.equal(shop.orders.length, 0);
}));

test('the back/forward cache: locked again, and asked again', onPage({}, async ({ app, page }) => {
  await page.locked('open');
  app.decide = () => decision('verify');
  const asks = app.asks.length;
  page.window.dispatchEvent(Object.assign(new page.window.Event('pageshow'), { persisted: false }));
  assert.equal(page.lock(), 'open');
  page.window.dispatchEvent(Object.assign(new page.window.Event('pageshow'), { persisted: true }));
  assert.equal(page.lock(), 'asking');
  await page.locked('closed');
  assert.equal(app.asks.length, asks + 1);
}));

test('the back/forward cache: an answer to an earlier question does not unlock', onPage(null, async ({ app, open }) => {
  const answers = [];
  app.decide = () => new Promise((resolve) => answers.push(resolve));
  const page = await open({});
  await until('the question', () => answers.length === 1);
  page.window.dispatchEvent(Object.assign(new page.window.Event('pageshow'), { persisted: true }));
  await until('the next question', () => answers.length === 2);
  answers[0](decision('allow'));
  await quiesce();
  assert.equal(page.lock(), 'asking');
  answers[1](decision('verify'));
  await page.locked('closed');
}));

const script = (app, name) => `${app.url}/storefront/v1/scripts/${SHOP}/1/gate.${name}.js?client_id=${CLIENT}`;
for (const { name, list } of [
  { name: 'twice', list: (app) => [script(app, 'aaaa1111'), script(app, 'aaaa1111')] },
  { name: 'in two versions', list: (app) => [script(app, 'aaaa1111'), script(app, 'bbbb2222')] },
  { name: 'after the widget', list: (app) => [app.url + '/storefront/v1/widget.js', script(app, 'aaaa1111')] },
  { name: 'before the widget', list: (app) => [script(app, 'aaaa1111'), app.url + '/storefront/v1/widget.js'] },
]) {
  test(`loaded ${name}: one lock, one question, one dialog, one order`, onPage(null, async ({ shop, app, open }) => {
    app.decide = () => decision('verify', { session: session('created') });
    app.poll = () => [200, session('started')];
    const page = await open({ scripts: list(app) });
    await page.locked('closed');
    assert.equal(app.asks.length, 1);
    const { ended } = page.order();
    await page.shows('session');
    assert.equal(app.asks.length, 2);
    assert.equal(page.window.document.querySelectorAll('idgate-dialog').length, 1);
    app.decide = () => decision('allow');
    app.poll = () => [200, session('passed')];
    await until('the end', () => (page.advance(2000), shop.orders.length));
    await ended;
    assert.equal(shop.orders.length, 1);
    assert.equal(Object.getOwnPropertySymbols(page.window).filter((s) => s === Symbol.for('idgate')).length, 1);
  }));
}

test('one conversation at a time: the widget waits until the order\'s has ended', onPage({}, async ({ shop, app, page }) => {
  app.decide = () => decision('verify', { session: session('created') });
  app.poll = () => [200, session('started')];
  const { xhr, ended } = page.order();
  await page.shows('session');
  const results = [];
  page.window.BlockIDVerify.init({ apiBase: app.url, tenantId: SHOP, onComplete: (r) => results.push(r) });
  await quiesce();
  assert.equal(app.asksFor('widget').length, 0);
  assert.equal(page.window.document.querySelectorAll('idgate-dialog').length, 1);
  page.press('close');
  await ended;
  assert.equal(xhr.status, 403);
  await page.shows('session');
  assert.equal(app.asksFor('widget').length, 1);
  page.press('close');
  await quiesce();
  assert.deepEqual([page.view(), results.length, shop.orders.length], ['', 0, 0]);
}));

test('a script run out of place finds its address among the page\'s scripts, and without one does nothing', onPage(null, async ({ shop, app, open }) => {
  const page = await open({ scripts: [], body: `<script type="text/plain" src="${script(app, 'aaaa1111')}"></script>` });
  page.window.eval(GATE);
  await until('the question', () => app.asks.length === 0 || app.asks[0].cart_id === CART);
  const bare = await open({ scripts: [] });
  const { open: native } = bare.window.XMLHttpRequest.prototype;
  bare.window.eval(GATE);
  assert.equal(bare.window.XMLHttpRequest.prototype.open, native);
  await bare.order().ended;
  assert.equal(shop.orders.length, 1);
}));

test('canary: a payment step without the submit button', onPage({}, async ({ app, page }) => {
  page.payment('<form data-test="payment-form"><button id="checkout-pay-now">Pay</button></form>');
  await until('the wait', () => [...page.timers.values()].some((t) => t.left === 5000));
  assert.deepEqual(app.canaries, []);
  page.advance(5000);
  await until('the song', () => app.canaries.length);
  assert.deepEqual(app.canaries, [{ shop: SHOP, channel: 1, missing: ['submit_button'] }]);
}));

test('canary: silent where the button stands', onPage({}, async ({ app, page }) => {
  page.payment();
  await until('the wait', () => [...page.timers.values()].some((t) => t.left === 5000));
  page.advance(5000);
  await page.order().ended;
  await quiesce();
  assert.deepEqual(app.canaries, []);
}));

test('canary: an order call by another path, once', onPage({}, async ({ shop, app, page }) => {
  for (let i = 0; i < 2; i++) await page.order({ url: '/internalapi/v3/orders' }).ended;
  await until('the song', () => app.canaries.length);
  await quiesce();
  assert.deepEqual(app.canaries, [{ shop: SHOP, channel: 1, missing: ['order_call'] }]);
  assert.equal(shop.posts.length, 2);
}));

test('canary: another origin\'s orders are its own affair', onPage({}, async ({ app, page }) => {
  await page.window.fetch(app.url + '/api/v2/orders', { method: 'POST', body: '{}' });
  await quiesce();
  assert.deepEqual(app.canaries, []);
}));

const CONFIRMATION = '/checkout/order-confirmation';
const keep = (value) => (w) => w.sessionStorage.setItem('idgate:' + SHOP, value);
test('after the order: the check is offered to the browser that holds the Capability', onPage(null, async ({ app, open }) => {
  app.decide = () => decision('verify', { capability: 'confirm.two' });
  const page = await open({ path: CONFIRMATION, before: keep(JSON.stringify({ cart: CART, capability: 'cart.one' })) });
  await page.shows('intro');
  assert.deepEqual([page.said('title'), page.said('start')], [TEXTS.confirm_title, TEXTS.confirm_start]);
  assert.match(page.said('lines'), new RegExp('^' + TEXTS.confirm_text));
  assert.deepEqual([app.asks[0].page, app.asks[0].cart_id, app.asks[0].capability], ['order_confirmation', CART, 'cart.one']);
  page.press('start');
  await page.shows('session');
  assert.equal(app.starts[0].capability, 'confirm.two');
  app.decide = () => decision('allow', { texts: undefined, lang: undefined, dir: undefined }); // as our server says it;
  app.poll = () => [200, session('passed')];
  await until('the end', () => (page.advance(2000), page.view() === 'done'));
  assert.equal(page.said('state'), TEXTS.done);
  page.press('close');
  assert.equal(page.view(), '');
}));

test('after the order: what looks like a wallet is left alone', onPage(null, async ({ app, open }) => {
  const page = await open({ path: CONFIRMATION, body: '<div id="checkout-app"><div class="checkoutRemote"><b id="t">x</b></div></div>' });
  const got = heard(page);
  page.window.document.getElementById('t').click();
  await quiesce();
  assert.deepEqual([got, app.asks.length, page.lock()], [['click'], 0, null]);
}));

test('after the order nobody is told that it was not placed', onPage(null, async ({ app, open }) => {
  app.decide = () => decision('verify');
  app.start = () => [502, ''];
  const page = await open({ path: CONFIRMATION, before: keep(JSON.stringify({ cart: CART, capability: 'cart.one' })) });
  await page.shows('intro');
  page.press('start');
  await page.shows('unreachable');
  assert.equal(page.said('next'), '');
}));

for (const { name, kept, decide } of [
  { name: 'without a Capability nothing is asked', kept: JSON.stringify({ cart: CART }), asks: 0 },
  { name: 'with nonsense kept nothing is asked', kept: '{{', asks: 0 },
  { name: 'an allowed order shows nothing', kept: JSON.stringify({ cart: CART, capability: 'c.1' }), decide: () => decision('allow') },
  { name: 'an unreachable server shows nothing', kept: JSON.stringify({ cart: CART, capability: 'c.1' }), decide: () => [500, ''] },
]) {
  test('after the order: ' + name, onPage(null, async ({ app, open }) => {
    if (decide) app.decide = decide;
    const page = await open({ path: CONFIRMATION, before: keep(kept), query: '&unreachable=closed' });
    if (decide) await until('the question', () => app.asks.length);
    await quiesce();
    assert.equal(app.asks.length, decide ? 1 : 0);
    assert.equal(page.view(), '');
  }));
}
