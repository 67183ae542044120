// Nothing gate.js does is thrown into the page, whatever the page has done to the browser's own parts; and no such breakage
// lets an order through once the server has said verify.
import test from 'node:test';
import assert from 'node:assert/strict';
import { ORDER_PATH, decision, onPage, quiesce, session, until } from './harness.mjs';

const boom = () => {
  throw new TypeError('broken on purpose');
};
const method = (object, name) => (w) => (object(w)[name] = boom);
const getter = (object, name) => (w) => Object.defineProperty(object(w), name, { configurable: true, get: boom });

/** Parts of the browser that gate.js uses. blind: without this the server cannot be asked, so the merchant's choice applies. */
const parts = [
  { name: 'sessionStorage', break: getter((w) => w, 'sessionStorage') },
  { name: 'sessionStorage.getItem', break: method((w) => w.Storage.prototype, 'getItem') },
  { name: 'sessionStorage.setItem', break: method((w) => w.Storage.prototype, 'setItem') },
  { name: 'fetch', break: method((w) => w, 'fetch'), blind: true },
  { name: 'fetch rejecting', break: (w) => (w.fetch = async () => boom()), blind: true },
  { name: 'fetch answering nothing', break: (w) => (w.fetch = async () => undefined), blind: true },
  { name: 'no fetch', break: (w) => delete w.fetch, blind: true },
  { name: 'AbortController', break: (w) => (w.AbortController = boom), either: true },
  { name: 'URL', break: (w) => (w.URL = boom), either: true },
  { name: 'JSON.parse', break: method((w) => w.JSON, 'parse'), blind: true },
  { name: 'JSON.stringify', break: method((w) => w.JSON, 'stringify'), blind: true },
  { name: 'setTimeout', break: method((w) => w, 'setTimeout'), blind: true },
  { name: 'MutationObserver', break: (w) => (w.MutationObserver = boom) },
  { name: 'CSSStyleSheet', break: (w) => (w.CSSStyleSheet = boom) },
  { name: 'querySelector', break: method((w) => w.Document.prototype, 'querySelector') },
  { name: 'querySelectorAll', break: method((w) => w.Document.prototype, 'querySelectorAll') },
  { name: 'getElementById', break: method((w) => w.Document.prototype, 'getElementById') },
  { name: 'createElement', break: method((w) => w.Document.prototype, 'createElement'), dumb: true },
  { name: 'attachShadow', break: method((w) => w.Element.prototype, 'attachShadow'), dumb: true },
  { name: 'showModal', break: method((w) => w.HTMLDialogElement.prototype, 'showModal'), dumb: true },
  { name: 'dialog.close', break: method((w) => w.HTMLDialogElement.prototype, 'close') },
  { name: 'append', break: method((w) => w.Element.prototype, 'append'), dumb: true },
  { name: 'setAttribute', break: method((w) => w.Element.prototype, 'setAttribute'), dumb: true },
  { name: 'matches', break: method((w) => w.Element.prototype, 'matches') },
  { name: 'composedPath', break: method((w) => w.Event.prototype, 'composedPath') },
  { name: 'window.addEventListener', break: (w) => (w.addEventListener = boom) },
  { name: 'document.addEventListener', late: (w) => (w.document.addEventListener = boom) },
  { name: 'adoptedStyleSheets', break: getter((w) => w.Document.prototype, 'adoptedStyleSheets') },
  { name: 'navigator.language', break: getter((w) => w.Navigator.prototype, 'language') },
  { name: 'console', break: (w) => (w.console.error = w.console.warn = boom) },
  { name: 'checkoutKitLoader', break: getter((w) => w, 'checkoutKitLoader') },
  { name: 'Symbol.for taken', break: (w) => Object.defineProperty(w, Symbol.for('idgate'), { value: 7 }) },
  { name: 'BlockIDVerify frozen', break: (w) => Object.defineProperty(w, 'BlockIDVerify', { value: undefined }) },
];

for (const part of parts) {
  test(`${part.name} broken: nothing thrown, and verify opens nothing`, onPage(null, async ({ shop, app, open }) => {
    app.decide = () => decision('verify', { session: session('created') });
    const page = await open({ before: part.break, wait: false });
    await until('load', () => page.window.document.readyState === 'complete');
    if (part.late) part.late(page.window);
    let order;
    assert.doesNotThrow(() => (order = page.order()));
    const { xhr } = order;
    const over = () => xhr.readyState === 4;
    await until('an end or a dialog', () => (page.timers.size && part.blind && page.advance(8000), over() || page.view() || part.either));
    await quiesce();
    if (part.blind) assert.deepEqual([xhr.status, shop.orders.length], [200, 1], 'unreachable, so open');
    else if (part.dumb) assert.deepEqual([xhr.status, shop.orders.length], [403, 0], 'no dialog can be shown, so refused');
    else if (!part.either) assert.deepEqual([page.view(), shop.orders.length], ['session', 0]);
    if (app.asks.length && !part.blind) assert.equal(shop.orders.length, 0, 'the server was heard, so its word counts');
    assert.deepEqual(page.errors.filter((e) => /on purpose/.test(String(e.message))), []);
  }));
}

test('strange arguments are the browser\'s to judge', onPage({}, async ({ shop, page }) => {
  const { window } = page;
  const plain = (fn) => {
    try {
      fn();
      return '';
    } catch (e) {
      return e.name;
    }
  };
  const x = () => new window.XMLHttpRequest();
  assert.equal(plain(() => x().open()), 'TypeError');
  assert.equal(plain(() => x().open('POST')), 'TypeError');
  assert.equal(plain(() => x().open('TRACE', ORDER_PATH)), 'SecurityError');
  assert.equal(plain(() => x().open('POST', 'http://[')), 'SyntaxError');
  assert.equal(plain(() => x().send()), 'InvalidStateError');
  assert.equal(plain(() => window.XMLHttpRequest.prototype.send.call({})), 'TypeError');
  for (const args of [[], [null], ['http://['], [ORDER_PATH, 7], [{}, { method: Symbol('x') }]]) await assert.rejects(async () => window.fetch(...args).then((r) => r.ok || Promise.reject(new Error('not ok'))));
  const bad = { get method() { throw new Error('theirs'); } };
  await assert.rejects(async () => window.fetch('/x', bad));
  assert.equal(shop.orders.length, 0);
}));

test('the methods look like the browser\'s own to those who wrap them in turn', onPage({}, async ({ shop, page }) => {
  const { window } = page;
  const proto = window.XMLHttpRequest.prototype;
  assert.deepEqual([proto.open.name, proto.send.name, proto.abort.name, window.fetch.name], ['open', 'send', 'abort', 'fetch']);
  // BigCommerce's own script adds a header in the same way.
  const { send } = proto;
  proto.send = function (...args) {
    this.setRequestHeader('X-Later', '1');
    return send.apply(this, args);
  };
  await page.order().ended;
  assert.equal(shop.orders[0].headers['x-later'], '1');
}));
