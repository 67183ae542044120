// A shop and an idgate server on two local ports, and a jsdom page between them that runs gate.js as a browser would.
//
// Both servers are scripted by the test and keep what they were asked. The page's timers shorter than a second run by
// themselves; longer ones only when the test says page.advance(ms), so that no test sleeps. jsdom has no fetch and no
// showModal: Node's fetch and a small showModal stand in. What jsdom cannot show (focus, Escape, inert, adopted style sheets,
// CORS, CSP, the back/forward cache) is tried in Chromium by browser/*.test.mjs.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { JSDOM, VirtualConsole } from 'jsdom';

export const GATE = readFileSync(new URL('../gate.js', import.meta.url), 'utf8');
export const CART = '8e9c3d5a-1f9a-4a51-9d3b-0a3c9f7e6b11';
export const SHOP = 'abc123';
export const CLIENT = 'client0id';
export const JWT = 'aaa.bbb.ccc';
export const ORDER_PATH = '/internalapi/v1/checkout/order';

export const TEXTS = {
  title: 'Prove who you are', why: 'This order needs it', needs: 'A passport and a selfie', duration: 'Two minutes', who_sees: 'Only 1Kosmos',
  start: 'Begin', scan: 'Scan me', open_here: 'Open here', waiting: 'Waiting for you', started: 'You have started', processing: 'Being checked',
  review: 'A person is looking', passed: 'Passed', retry: 'Once more', close: 'Shut', cancel: 'Not now', failed_title: 'That did not work',
  unreachable: 'No answer', order_blocked: 'Not ordered', done: 'All done', qr_alt: 'A code', new_tab: 'A new tab', failed: 'It failed', tries_left: 'Two tries left',
  deadline_by: 'Until ten', choose_document: 'Which one?', driver_licence: 'Licence', passport: 'Passport', identity_card: 'Card', send_link: 'Mail me', link_sent: 'Mailed',
  link_not_sent: 'Not mailed', resend: 'Mail again', resend_in: 'Again in {time}', mailbox_why: 'Been here before?', send_code: 'Mail a code', code_sent: 'Code mailed',
  code: 'The code', confirm_code: 'Confirm', code_wrong: 'Wrong code', code_expired: 'Old code', mailbox_shown: 'Mailbox shown', confirm_title: 'One step left',
  confirm_text: 'Placed, but held', confirm_start: 'Prove it', confirm_mail: 'Look in your mail',
};
export const QR = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>';

export const decision = (word, more = {}) => ({
  decision: word, mode: 'enforce', decision_id: 'd1', requirement: { ial: 2, selfie: true, age: 0 }, session: null,
  texts: TEXTS, lang: 'en', dir: 'ltr', expires_at: 0, ...(word !== 'allow' && { capability: 'cart.one' }), ...more,
});
export const session = (state, more = {}) => ({
  id: 's1', state, url: 'https://kosmos.example/c/1', qr: QR, reason: null, retry: false, decision: state === 'passed' ? 'allow' : 'verify', ...more,
});

/** Waits for a condition on real sockets: polls it, and fails after five seconds. */
export async function until(what, fn) {
  for (const end = Date.now() + 5000; ;) {
    const value = await fn();
    if (value) return value;
    if (Date.now() > end) throw new Error('never came: ' + what);
    await new Promise((r) => setTimeout(r, 2));
  }
}

/** Lets everything run that can run without a timer of the page: used before asserting that something did not happen. */
export async function quiesce() {
  for (let i = 0; i < 40; i++) await new Promise((r) => setImmediate(r));
  await new Promise((r) => setTimeout(r, 20));
  for (let i = 0; i < 40; i++) await new Promise((r) => setImmediate(r));
}

function listen(handler) {
  const sockets = new Set();
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (c) => (body += c)).on('end', () => handler(req, res, body));
  });
  server.on('connection', (s) => sockets.add(s) && s.on('close', () => sockets.delete(s)));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({
    url: 'http://localhost:' + server.address().port,
    stop: () => (sockets.forEach((s) => s.destroy()), server.close()),
  })));
}

const json = (res, status, body, headers = {}) => res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body));

/** The idgate server: `app.decide(ask)` answers a decision, [status, body, headers?] or 'hang'; the other doors likewise. */
export async function startApp() {
  const app = {
    listens: 0, asks: [], starts: [], polls: [], canaries: [], streams: [], others: [], mails: [], checks: [],
    decide: () => decision('allow'),
    start: () => [201, session('created')],
    poll: () => [200, session('created')],
    mail: () => [202, { resend_after: 60 }],
    check: () => [200, { decision: 'allow' }],
    stream: null, // a function of nothing: events are pushed by app.push; null: 404
    push(s) {
      for (const res of app.streams) res.write(`event: session\ndata: ${JSON.stringify(s)}\n\n`);
    },
    asksFor: (page) => app.asks.filter((a) => a.page === page),
  };
  const answer = (res, value) => {
    if (value === 'hang') return;
    if (value === 'drop') return res.socket.destroy();
    if (Array.isArray(value)) json(res, ...value);
    else json(res, 200, value);
  };
  const server = await listen(async (req, res, body) => {
    const path = req.url.split('?')[0];
    const capability = req.headers['idgate-capability'];
    res.setHeader('Access-Control-Allow-Origin', req.headers.origin || '*');
    res.setHeader('Access-Control-Allow-Headers', 'Idgate-Capability, Content-Type');
    res.setHeader('Access-Control-Expose-Headers', 'Retry-After');
    if (req.method === 'OPTIONS') return res.writeHead(204).end();
    if (/\/(gate\.\w+|widget)\.js$/.test(path)) return res.writeHead(200, { 'Content-Type': 'text/javascript' }).end(app.source || GATE);
    if (path === '/storefront/v1/decisions') {
      const ask = { ...JSON.parse(body), method: req.method, type: req.headers['content-type'], cookie: req.headers.cookie };
      app.asks.push(ask);
      return answer(res, await app.decide(ask, app.asks.length));
    }
    if (path === '/storefront/v1/canary') return app.canaries.push(JSON.parse(body)), res.writeHead(204).end();
    if (path === '/storefront/v1/sessions') return app.starts.push({ capability, ...JSON.parse(body) }), answer(res, await app.start(capability));
    const mailed = /^\/storefront\/v1\/(links|codes)$/.exec(path);
    if (mailed) return app.mails.push({ door: mailed[1], capability, ...JSON.parse(body) }), answer(res, await app.mail(mailed[1]));
    if (path === '/storefront/v1/codes/check') return app.checks.push({ capability, ...JSON.parse(body) }), answer(res, await app.check());
    if (/\/events$/.test(path)) {
      app.listens++;
      if (!app.stream) return json(res, 404, {});
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(': hello\n\n');
      app.streams.push(res);
      res.on('close', () => app.streams.splice(app.streams.indexOf(res), 1));
      return app.stream(res, capability);
    }
    if (/^\/storefront\/v1\/sessions\/s\d+$/.test(path)) return app.polls.push(capability), answer(res, await app.poll(capability));
    app.others.push(req.method + ' ' + path);
    json(res, 404, {});
  });
  return Object.assign(app, server);
}

/** BigCommerce's storefront: carts, the Current Customer JWT and the order call, at the root or in a sub-folder. */
export async function startShop() {
  const shop = {
    orders: [], reads: [], posts: [], pages: {}, headers: {}, json: {}, root: '', carts: [{ id: CART, email: '' }], jwt: '',
    order: () => [200, { data: { order: { orderId: 7 } } }],
  };
  const server = await listen(async (req, res, body) => {
    const path = req.url.startsWith(shop.root) ? req.url.slice(shop.root.length).split('?')[0] : null;
    if (path === ORDER_PATH && req.method === 'POST') {
      shop.orders.push({ body, headers: req.headers });
      return json(res, ...(await shop.order()));
    }
    if (req.method === 'POST') return shop.posts.push(req.url), json(res, 200, { ok: true });
    if (path in shop.json) return shop.reads.push(req.url), json(res, 200, shop.json[path]);
    if (path in shop.pages) return res.writeHead(200, { 'Content-Type': 'text/html', ...shop.headers }).end(shop.pages[path]);
    shop.reads.push(req.url);
    if (path === '/api/storefront/carts') return json(res, 200, shop.carts);
    if (path === '/customer/current.jwt' && shop.jwt) return res.writeHead(200, { 'Content-Type': 'text/plain' }).end(shop.jwt);
    json(res, 404, '<html>not here</html>');
  });
  return Object.assign(shop, server);
}

const CHECKOUT = `<div id="checkout-app"><div id="checkout-page-container"><ol><li class="checkout-step checkout-step--customer"></li>
<li id="pay" class="checkout-step checkout-step--payment"></li></ol></div></div><p id="outside" tabindex="0">x</p>`;
export const PAYMENT_FORM = '<form class="checkout-form" data-test="payment-form"><input name="card"><button id="checkout-payment-continue" type="submit">Place order</button></form>';

/** A page of the shop. `before(window)` runs before any script, `scripts` replaces the list of script URLs. */
export async function openPage(shop, app, { path = '/checkout', query = '', body = CHECKOUT, before = () => {}, scripts, wait = true, native = true } = {}) {
  const gate = `${app.url}/storefront/v1/scripts/${SHOP}/1/gate.0123456789abcdef.js?client_id=${CLIENT}${query}`;
  const errors = [];
  const logs = [];
  const timers = new Map();
  const virtualConsole = new VirtualConsole();
  virtualConsole.on('jsdomError', (e) => errors.push(e.detail || e));
  for (const kind of ['warn', 'error', 'log']) virtualConsole.on(kind, (...args) => logs.push(kind + ': ' + args.join(' ')));
  const tags = (scripts || [gate]).map((src) => `<script src="${src}" crossorigin="anonymous"></script>`).join('');
  const dom = new JSDOM(`<!doctype html><html lang="en-GB"><head>${tags}</head><body>${body}</body></html>`, {
    url: shop.url + path, runScripts: 'dangerously', resources: 'usable', pretendToBeVisual: true, virtualConsole,
    beforeParse(window) {
      let next = 1e6;
      const { setTimeout: real, clearTimeout: unreal } = window;
      window.setTimeout = (fn, ms = 0, ...args) => {
        if (ms < 1000) return real(fn, ms, ...args);
        timers.set(++next, { fn, left: ms });
        return next;
      };
      window.clearTimeout = (id) => timers.delete(id) || unreal(id);
      for (const name of ['AbortController', 'AbortSignal', 'Request', 'Response', 'Headers', 'TextDecoder', 'TextEncoder', 'ReadableStream']) window[name] = globalThis[name];
      window.fetch = function (input, init) {
        const url = new URL(input instanceof Request ? input.url : String(input), window.location.href);
        return globalThis.fetch(input instanceof Request ? input : url, init);
      };
      if (native) {
        window.HTMLDialogElement.prototype.showModal = function () {
          if (!this.isConnected || this.open) throw new Error('showModal');
          this.open = true;
        };
        window.HTMLDialogElement.prototype.close = function () {
          this.open = false;
          real(() => this.dispatchEvent(new window.Event('close')), 0);
        };
      }
      before(window);
    },
  });
  const { window } = dom;
  const part = (name) => {
    const [host] = window.document.getElementsByTagName('idgate-dialog');
    const node = host && host.shadowRoot.querySelector(`[data-idgate="${name}"]`);
    return node && !node.hidden ? node : null;
  };
  const page = {
    window, errors, logs, timers, gate, part,
    view: () => (part('dialog') && part('dialog').open ? part('dialog').getAttribute('data-view') : ''),
    said: (name) => (part(name) ? part(name).textContent : ''),
    lock: () => window.document.documentElement.getAttribute('data-idgate'),
    press: (name) => part(name).click(),
    shows: (view) => until(`view ${view} (now ${page.view()})`, () => page.view() === view),
    locked: (state) => until(`lock ${state} (now ${page.lock()})`, () => page.lock() === state),
    /** Runs the page's long timers as if ms had passed. */
    advance(ms) {
      for (const [id, timer] of [...timers]) {
        timer.left -= ms;
        if (timer.left <= 0 && timers.delete(id)) timer.fn();
      }
    },
    /** An order call by XMLHttpRequest, as the Checkout SDK makes it. */
    order({ url = ORDER_PATH, body = JSON.stringify({ cartId: CART, customerMessage: 'hi' }), method = 'POST', responseType = '', async = true, set = () => {} } = {}) {
      const xhr = new window.XMLHttpRequest();
      const events = [];
      for (const type of ['readystatechange', 'load', 'error', 'abort', 'loadend', 'timeout']) {
        xhr.addEventListener(type, () => events.push(type === 'readystatechange' ? 'state' + xhr.readyState : type));
      }
      const ended = new Promise((resolve) => xhr.addEventListener('loadend', resolve));
      xhr.open(method, url, async);
      xhr.setRequestHeader('Content-Type', 'application/json');
      xhr.setRequestHeader('X-Checkout-Variant', 'v9');
      if (async) xhr.responseType = responseType;
      set(xhr);
      xhr.send(body);
      return { xhr, events, ended };
    },
    payment(html = PAYMENT_FORM) {
      const step = window.document.getElementById('pay');
      step.className += ' checkout-step--current';
      step.innerHTML = html;
      return window.document.getElementById('checkout-payment-continue');
    },
    close: () => window.close(),
  };
  if (wait) await new Promise((resolve) => (window.document.readyState === 'complete' ? resolve() : window.addEventListener('load', resolve)));
  return page;
}

/** Runs fn with a fresh shop and server, a page if it is set up here, and an opener of more; fails on any error a page has seen. */
export const onPage = (setup, fn) => async () => {
  const [shop, app] = await Promise.all([startShop(), startApp()]);
  const pages = [];
  try {
    const open = async (options) => {
      const page = await openPage(shop, app, options);
      pages.push(page);
      return page;
    };
    const page = setup && (await open(setup));
    if (page) await page.locked('open'); // the early question has been answered
    await fn({ shop, app, open, page });
    for (const page of pages) if (page.errors.length) throw page.errors[0];
  } finally {
    for (const page of pages) page.close();
    app.stop();
    shop.stop();
  }
};
