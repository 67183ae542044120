// What the dialog offers besides the scan: a choice of documents, a link by mail, a code for the mailbox, the tries left; and the
// page after the order.
import test from 'node:test';
import assert from 'node:assert/strict';
import { CART, CLIENT, JWT, SHOP, TEXTS, decision, onPage, quiesce, session, until } from './harness.mjs';

async function talking({ app, page }, said = {}) {
  app.decide = () => decision('verify', said);
  const order = page.order();
  await until('dialog', () => page.view());
  return order;
}
const offered = (page) => ['start', 'retry', 'code', 'mail', 'confirm', 'close'].filter((name) => page.part(name)).map((name) => `${name}: ${page.said(name)}`);
const options = (page) => [...page.part('kinds').options].map((option) => option.text);

const KINDS = ['driver_license', 'passport', 'id_card'];
for (const { documents, shown, sent } of [
  { documents: KINDS, shown: [TEXTS.driver_licence, TEXTS.passport, TEXTS.identity_card], sent: 'passport' },
  { documents: ['id_card', 'passport'], shown: [TEXTS.identity_card, TEXTS.passport], sent: 'passport' },
  { documents: ['passport'], shown: null, sent: 'passport' },
  { documents: [], shown: null, sent: '' },
  { documents: undefined, shown: null, sent: '' },
  { documents: 'passport', shown: null, sent: '' },
  { documents: [7, null, 'toString', 'library_card', 'passport'], shown: null, sent: 'passport' },
]) {
  test(`documents ${JSON.stringify(documents)}: ${shown ? 'a choice' : 'no choice'}, and ${sent || 'none'} is sent`, onPage({}, async ({ app, page }) => {
    await talking({ app, page }, { documents });
    if (shown) {
      assert.equal(page.said('which'), TEXTS.choose_document);
      assert.deepEqual(options(page), shown);
      page.part('kinds').selectedIndex = 1;
    } else assert.equal(page.part('choice'), null);
    page.press('start');
    await page.shows('session');
    assert.equal(page.part('choice'), null);
    assert.deepEqual(app.starts, [{ capability: 'cart.one', locale: 'en-GB', document: sent }]);
  }));
}

test('after a failure another document may be chosen, and the tries left are those the server names then', onPage({}, async ({ app, page }) => {
  const said = { documents: KINDS, session: session('started') };
  await talking({ app, page }, said);
  const failed = session('failed', { retry: true, reason: { code: 'expired_document', text: 'It has expired.', next: 'Use another.' } });
  app.decide = () => decision('verify', { ...said, session: failed, texts: { ...TEXTS, tries_left: 'One try left' } });
  app.poll = () => [200, failed];
  await until('final', () => (page.advance(2000), page.view() === 'final'));
  await until('the tries', () => page.said('next') === 'Use another. One try left');
  assert.deepEqual([page.said('state'), options(page).length], ['It has expired.', 3]);
  page.part('kinds').selectedIndex = 2;
  app.start = () => [201, session('created', { id: 's2' })];
  page.press('retry');
  await page.shows('session');
  assert.equal(app.starts[0].document, 'id_card');
}));

test('the last try spent: the server\'s refusal is shown', onPage({}, async ({ app, page }) => {
  await talking({ app, page }, { session: session('started') });
  const failed = session('failed', { retry: true, reason: { text: 'Too young', next: '' } });
  app.poll = () => [200, failed];
  app.decide = () => decision('refuse', { session: failed });
  await until('refuse', () => (page.advance(2000), page.view() === 'refuse'));
  assert.deepEqual([page.said('state'), offered(page)], ['Too young', ['close: Shut']]);
}));

test('a link by mail: offered only where the server can, sent once, and the order goes when the server allows', onPage({}, async ({ shop, app, page }) => {
  const { ended } = await talking({ app, page });
  assert.deepEqual(offered(page), ['start: Begin', 'close: Not now']);
  page.press('close');
  await ended;
  const order = await talking({ app, page }, { mail: true });
  assert.deepEqual(offered(page), ['start: Begin', 'mail: Mail me', 'close: Not now']);
  page.press('mail');
  await page.shows('mail');
  assert.deepEqual(app.mails, [{ door: 'links', capability: 'cart.one', locale: 'en-GB' }]);
  assert.equal(page.said('state'), TEXTS.link_sent);
  assert.match(page.said('next'), /^Again in (01:00|00:59)$/);
  assert.deepEqual(offered(page), ['start: Begin', 'close: Not now'], 'not again yet');
  const asks = app.asks.length;
  page.advance(5000);
  await until('the question', () => app.asks.length === asks + 1);
  app.decide = () => decision('allow');
  await until('the pause', () => [...page.timers.values()].some((t) => t.left === 5000));
  page.advance(5000);
  await order.ended;
  assert.deepEqual([shop.orders.length, page.view(), app.mails.length], [1, '', 1]);
}));

test('the mail was opened elsewhere: its session is followed here', onPage({}, async ({ app, page }) => {
  await talking({ app, page }, { mail: true });
  page.press('mail');
  await page.shows('mail');
  app.decide = () => decision('verify', { mail: true, session: session('created') });
  const asks = app.asks.length;
  page.advance(5000);
  await until('the question', () => app.asks.length > asks);
  await quiesce();
  assert.equal(page.view(), 'mail', 'nobody has opened it yet');
  app.poll = () => [200, session('started')];
  app.decide = () => decision('verify', { mail: true, session: session('started') });
  page.advance(5000);
  await page.shows('session');
  assert.equal(page.said('state'), TEXTS.started);
}));

test('a link can be asked for beside the code to scan, and again once its time has come', onPage({}, async ({ app, page }) => {
  await talking({ app, page }, { mail: true, session: session('created') });
  assert.deepEqual(offered(page), ['mail: Mail me', 'close: Not now']);
  page.press('mail');
  await page.shows('mail');
  const { now } = Date;
  page.window.Date.now = () => now() + 61000;
  page.advance(5000);
  await until('a second mail', () => page.part('mail'));
  assert.equal(page.said('mail'), TEXTS.resend);
  page.press('mail');
  await until('it', () => app.mails.length === 2);
}));

const refusedMails = [
  { name: 'too soon', answer: [429, { error: { code: 'too_soon', message: 'Wait a moment' } }, { 'Retry-After': '30' }], says: 'Wait a moment', next: /^Again in 00:(30|29)$/ },
  { name: 'no mailbox', answer: [409, { error: { code: 'no_mailbox', message: 'Your cart names no e-mail address' } }], says: 'Your cart names no e-mail address', next: /^$/ },
  { name: 'no mails here', answer: [404, {}], says: TEXTS.link_not_sent, next: /^$/ },
  { name: 'an HTML page', answer: [502, '<html>'], says: TEXTS.link_not_sent, next: /^$/ },
];
for (const { name, answer, says, next } of refusedMails) {
  test(`a link that is not sent (${name}): says so, and there is another way on`, onPage({}, async ({ app, page }) => {
    await talking({ app, page }, { mail: true });
    app.mail = () => answer;
    page.press('mail');
    await page.shows('mail');
    assert.equal(page.said('state'), says);
    assert.match(page.said('next'), next);
    assert.ok(page.part('start'));
    page.press('start');
    await page.shows('session');
  }));
}

test('a mail door that cannot be reached is unreachable, and may be tried again', onPage({}, async ({ app, page }) => {
  await talking({ app, page }, { mail: true });
  app.mail = () => 'drop';
  page.press('mail');
  await page.shows('unreachable');
  app.mail = () => [202, { resend_after: 60 }];
  page.press('retry');
  await page.shows('mail');
}));

test('a code for the mailbox: wrong, expired, right; and the order goes', onPage({}, async ({ shop, app, page }) => {
  const { ended } = await talking({ app, page }, { mailbox: 'unproved' });
  assert.match(page.said('lines'), new RegExp(TEXTS.mailbox_why.replace('?', '\\?') + '$'));
  assert.deepEqual(offered(page), ['start: Begin', 'code: Mail a code', 'close: Not now']);
  page.press('code');
  await page.shows('mail');
  assert.deepEqual([app.mails[0].door, page.said('state'), page.said('asks')], ['codes', TEXTS.code_sent, TEXTS.code]);
  assert.deepEqual(offered(page), ['start: Begin', 'confirm: Confirm', 'close: Not now']);
  const input = page.part('entry');
  assert.deepEqual([input.getAttribute('inputmode'), input.autocomplete], ['numeric', 'one-time-code']);

  app.check = () => [422, { error: { code: 'code_wrong', message: 'That is not it' } }];
  input.value = ' 111111 ';
  page.press('confirm');
  await until('the refusal', () => page.said('state') === 'That is not it');
  app.check = () => [410, {}];
  page.press('confirm');
  await until('the end of it', () => page.said('state') === TEXTS.code_expired);
  app.check = () => [422, {}];
  page.press('confirm');
  await until('our own words', () => page.said('state') === TEXTS.code_wrong);
  const asks = app.asks.length;
  page.advance(5000);
  await quiesce();
  assert.deepEqual([app.asks.length, page.said('state')], [asks, TEXTS.code_wrong], 'what was said stays; only a code changes anything');

  app.check = () => [200, { decision: 'allow' }];
  app.decide = () => decision('allow');
  input.value = '123456';
  input.dispatchEvent(new page.window.KeyboardEvent('keydown', { key: '1' }));
  input.dispatchEvent(new page.window.KeyboardEvent('keydown', { key: 'Enter' }));
  await ended;
  assert.deepEqual(app.checks.map((c) => [c.capability, c.code]), [['cart.one', '111111'], ['cart.one', '111111'], ['cart.one', '111111'], ['cart.one', '123456']]);
  assert.deepEqual([shop.orders.length, page.view()], [1, '']);
}));

test('a right code that does not suffice leads on to the verification', onPage({}, async ({ shop, app, page }) => {
  await talking({ app, page }, { mailbox: 'unproved' });
  page.press('code');
  await page.shows('mail');
  app.decide = () => decision('verify');
  page.press('confirm');
  await page.shows('intro');
  assert.deepEqual([offered(page), shop.orders.length], [['start: Begin', 'close: Not now'], 0]);
}));

test('what a check answers opens nothing by itself', onPage({}, async ({ shop, app, page }) => {
  await talking({ app, page }, { mailbox: 'unproved' });
  page.press('code');
  await page.shows('mail');
  app.check = () => [200, { decision: 'allow' }];
  app.decide = () => decision('refuse');
  page.press('confirm');
  await page.shows('refuse');
  assert.equal(shop.orders.length, 0);
}));

test('who is refused reads why once', onPage({}, async ({ app, page }) => {
  app.decide = () => decision('refuse', { texts: { ...TEXTS, order_blocked: TEXTS.why } }); // as idgate says it
  page.order();
  await page.shows('refuse');
  assert.deepEqual([page.said('state'), page.said('next')], [TEXTS.why, '']);
}));

const CONFIRMATION = '/checkout/order-confirmation';
const keep = (w) => w.sessionStorage.setItem('idgate:' + SHOP, JSON.stringify({ cart: CART, capability: 'cart.one' }));
for (const { word, view, says } of [
  { word: 'none', view: '' }, { word: 'mail', view: 'done', says: TEXTS.confirm_mail }, { word: 'verify', view: 'intro', says: '' },
  { word: 'review', view: 'review', says: TEXTS.review }, { word: 'refuse', view: 'refuse', says: TEXTS.why }, { word: 'allow', view: '' },
]) {
  test(`after the order, ${word}: ${view || 'nothing is shown'}`, onPage(null, async ({ app, open }) => {
    app.decide = () => decision(word, { order: '110' });
    const page = await open({ path: CONFIRMATION, before: keep });
    await until('the question', () => app.asks.length);
    if (view) await page.shows(view);
    else await quiesce();
    assert.deepEqual([page.view(), view ? page.said('title') : '', view ? page.said('state') : undefined], [view, view ? TEXTS.confirm_title : '', says]);
  }));
}

test('the script placed for the page after the order holds nothing, whatever the page is called', onPage(null, async ({ shop, app, open }) => {
  app.decide = () => decision('verify');
  const page = await open({ path: '/thank-you', query: '&page=order_confirmation', before: keep });
  await page.shows('intro');
  assert.equal(app.asks[0].page, 'order_confirmation');
  await page.order().ended;
  assert.deepEqual([shop.orders.length, page.lock()], [1, null]);
}));

test('after the order: the end says that it is one', onPage(null, async ({ app, open }) => {
  app.decide = () => decision('verify', { session: session('created') });
  const page = await open({ path: CONFIRMATION, before: keep });
  await page.shows('session');
  app.decide = () => decision('allow', { texts: undefined });
  app.poll = () => [200, session('passed')];
  await until('the end', () => (page.advance(2000), page.view() === 'done'));
  assert.deepEqual([page.said('title'), page.said('state')], [TEXTS.passed, TEXTS.done]);
}));

test('what is needed is said until it was shown', onPage({}, async ({ app, page }) => {
  await talking({ app, page }, { session: session('created') });
  assert.match(page.said('lines'), new RegExp(TEXTS.needs));
  app.poll = () => [200, session('review', { url: '', qr: '' })];
  await until('the review', () => (page.advance(2000), page.said('state') === TEXTS.review));
  assert.equal(page.said('lines'), TEXTS.deadline_by);
}));

const NUMBER = '<div id="checkout-app"><p data-test="order-confirmation-order-number-text">Your order number is <strong>7</strong></p></div>';
const held = (status) => ({ '/api/storefront/orders/7': { orderId: 7, customerMessage: '"status":"MANUAL_VERIFICATION_REQUIRED"', status } });
for (const { name, json, jwt = '', body = NUMBER, ask } of [
  { name: 'a guest whose own order BigCommerce says is on hold asks for words, and for nothing else', json: held('MANUAL_VERIFICATION_REQUIRED'), ask: ['held', ''] },
  { name: 'a guest whose order is not on hold asks nothing', json: held('AWAITING_FULFILLMENT') },
  { name: 'a guest whose order cannot be read asks nothing', json: {} },
  { name: 'a page that names no order asks nothing', json: held('MANUAL_VERIFICATION_REQUIRED'), body: '<div id="checkout-app"></div>' },
  { name: 'a customer is named', json: {}, jwt: JWT, ask: ['order_confirmation', JWT] },
]) {
  test('after the order, without a Capability: ' + name, onPage(null, async ({ shop, app, open }) => {
    Object.assign(shop, { json, jwt });
    app.decide = () => decision('mail', { capability: undefined });
    const page = await open({ path: CONFIRMATION, body, query: '&unreachable=closed' });
    if (ask) await page.shows('done');
    else await until('what BigCommerce says', () => shop.reads.some((path) => path.startsWith('/customer/current.jwt')));
    await quiesce();
    assert.deepEqual(app.asks.map((a) => [a.page, a.customer_jwt]), ask ? [ask] : []);
    assert.deepEqual([page.lock(), page.said('state'), page.said('title')], [null, ask ? TEXTS.confirm_mail : '', ask ? TEXTS.confirm_title : '']);
    if (!ask) return;
    page.press('close');
    for (const ms of [5000, 15000, 15000]) {
      page.advance(ms);
      await quiesce();
    }
    assert.deepEqual([app.asks.length, page.view()], [1, '']); // whoever has been told is left alone
  }));
}

test('after the order: a hold that comes later is found, and after three looks no more', onPage(null, async ({ shop, app, open }) => {
  Object.assign(shop, { json: held('AWAITING_FULFILLMENT'), jwt: JWT });
  app.decide = () => decision('none', { texts: undefined, capability: undefined });
  const page = await open({ path: CONFIRMATION, body: NUMBER });
  const looks = () => shop.reads.filter((path) => path.startsWith('/api/storefront/orders/')).length;
  for (const [n, ms] of [[1, 5000], [2, 15000], [3, 15000]]) {
    await until('look ' + n, () => looks() === n && app.asks.length === n);
    await quiesce();
    page.advance(ms);
  }
  await quiesce();
  assert.deepEqual([looks(), app.asks.length, page.view()], [3, 3, '']);
  const later = await open({ path: CONFIRMATION, body: NUMBER });
  await until('the first look', () => app.asks.length === 4);
  await quiesce();
  shop.json = held('MANUAL_VERIFICATION_REQUIRED');
  app.decide = () => decision('mail');
  later.advance(5000);
  await later.shows('done');
  assert.equal(app.asks[4].page, 'held');
}));

test('two scripts on the page after the order: one dialog', onPage(null, async ({ app, open }) => {
  app.decide = () => decision('verify');
  const src = (name, more) => `${app.url}/storefront/v1/scripts/${SHOP}/1/gate.${name}.js?client_id=${CLIENT}${more}`;
  for (const scripts of [[src('aaaa1111', ''), src('bbbb2222', '&page=order_confirmation')], [src('bbbb2222', '&page=order_confirmation'), src('aaaa1111', '')]]) {
    app.asks.length = 0;
    const page = await open({ path: CONFIRMATION, scripts, before: keep });
    await page.shows('intro');
    await quiesce();
    assert.deepEqual([app.asks.length, page.window.document.querySelectorAll('idgate-dialog').length], [1, 1]);
  }
}));

test('on the checkout itself none and mail are no answers that open anything', onPage({}, async ({ shop, app, page }) => {
  for (const word of ['none', 'mail']) {
    app.decide = () => decision(word);
    const { xhr, ended } = page.order();
    await until('a dialog', () => page.view());
    assert.equal(xhr.readyState, 1);
    page.press('close');
    await ended;
  }
  await quiesce();
  assert.equal(shop.orders.length, 0);
}));
