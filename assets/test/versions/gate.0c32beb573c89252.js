// @ts-check
/*
 * idgate's storefront script: as gate.{hash}.js it holds BigCommerce's order call until the server has allowed the cart, and
 * defines window.BlockIDVerify; as widget.js it only does the latter. Shipped as written, hence one file; what its functions
 * promise stands in gate.types.d.ts. It never throws into the page, and only the server's answer to its own question opens it.
 *
 * Known limits, the order gate's job: this script blocked, deleted or placed late; an XMLHttpRequest from a blank iframe or
 * kept from before us; sendBeacon, form posts, plain HTTP, GraphQL, the Orders API, manual orders. A wallet on a page without
 * a cart is held only after its sheet was shown. A synchronous order call cannot wait: it is refused.
 */
(function () {
  'use strict';

  const ASK_MS = 8000; // for a decision
  const READ_MS = 3000; // for the cart's id or the customer's token
  const POLL_MS = 2000;
  const SLOW_MS = 15000;
  const FIRST_BYTE_MS = 6000; // later, a stream is being buffered on its way
  const SILENCE_MS = 40000; // heartbeats come each 15 s
  const CANARY_MS = 5000;
  const MAX_BODY = 262144;

  const ORDER = /\/internalapi\/v\d+\/checkout\/order\/*$/i;
  const SUBMIT = '#checkout-payment-continue';
  const FORM = 'form[data-test="payment-form"]';
  const WALLETS = '.checkout-button-container,.checkoutRemote,[id$="CheckoutButton"],apple-pay-button';
  const FRAMES = `:is(${SUBMIT},${WALLETS}) iframe`;
  const PAYMENT = '.checkout-step--payment.checkout-step--current,' + FORM;
  const FINAL = /^(passed|failed|declined|expired|abandoned|error)$/;
  const DENIED = [401, 403, 404, 409, 410];
  const JSON_TYPE = 'application/json; charset=utf-8';

  /** For when the server was not heard. @type {Record<string, string>} */
  const ENGLISH = {
    title: 'Identity check', retry: 'Try again', close: 'Close',
    unreachable: 'The identity check cannot be reached. Please try again in a moment.',
    order_blocked: 'Your order was not placed: an identity check is needed first.',
  };

  const doc = document;
  const html = doc.documentElement;
  const xhr = XMLHttpRequest.prototype;
  const native = { fetch: window.fetch, open: xhr.open, send: xhr.send, abort: xhr.abort };

  /** @param {unknown} x @returns {Record<string, unknown>} */
  const record = (x) => (x && typeof x === 'object' ? /** @type {Record<string, unknown>} */ (x) : {});
  /** @param {unknown} x */
  const text = (x, max = 2000) => (typeof x === 'string' && x.length <= max ? x : '');
  /** @param {unknown} x */
  const cartID = (x) => (/^[\w-]{8,64}$/.test(text(x)) ? text(x) : '');

  /** @type {Parts['api']} */
  const api = (config, method, path, init) =>
    native.fetch.call(window, config.base + '/storefront/v1' + path, { method, credentials: 'omit', cache: 'no-store', ...init });

  /** @type {Parts['pause']} */
  const pause = (ms, signal) => new Promise((resolve) => {
    const timer = setTimeout(resolve, signal && signal.aborted ? 0 : ms);
    if (signal) signal.addEventListener('abort', () => (clearTimeout(timer), resolve()));
  });

  /** @type {Parts['within']} */
  async function within(ms, fn) {
    const stop = new AbortController();
    let timer = 0;
    /** @type {Promise<never>} */
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => (stop.abort(), reject(Error('late'))), ms);
    });
    try {
      return await Promise.race([fn(stop.signal), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  const activated = async () => doc.prerendering && new Promise((resolve) => doc.addEventListener('prerenderingchange', resolve));

  function pageKind() {
    const path = location.pathname;
    if (/\/order-confirmation(\/|$)/.test(path)) return 'order_confirmation';
    return /\/(embedded-)?checkout(\/|\.php|$)/.test(path) || doc.getElementById('checkout-app') ? 'checkout' : 'other';
  }

  /** @type {Record<string, unknown>} */
  let memory = {};
  /** @type {Parts['kept']} */
  function kept(config, change) {
    const key = 'idgate:' + config.shop;
    try {
      memory = { ...record(JSON.parse(sessionStorage.getItem(key) || '{}')), ...change };
      if (change) sessionStorage.setItem(key, JSON.stringify(memory));
    } catch {
      memory = { ...memory, ...change };
    }
    return memory;
  }

  /** @type {Parts['readScript']} */
  function readScript() {
    const named = /^(https?:\/\/[^?#]*?)\/storefront\/v1\/(?:scripts\/([\w-]+)\/(\d+)\/gate\.\w+\.js|widget\.js)([?#]|$)/;
    for (const script of [doc.currentScript, ...doc.scripts]) {
      const found = named.exec(text(record(script).src));
      if (!found) continue;
      const [, base, shop = '', channel] = found;
      const query = new URL(found.input).searchParams;
      return { base, shop, channel: Number(channel || 0), locked: !!shop, clientID: query.get('client_id') || '', open: query.get('unreachable') !== 'closed' };
    }
    return null;
  }

  /** @type {Parts['newAsk']} */
  const newAsk = (config, page, more = {}) => ({
    config, page, cart: '', path: '', capability: '', quiet: false, signal: null, ...more, locale: more.locale || html.lang || navigator.language,
  });

  /** @type {Parts['readShop']} */
  const readShop = (what) => async (ask, signal) => {
    const known = /^(.*)\/internalapi\//.exec(ask.path) || /^(.*?)\/(?:embedded-)?(?:checkout|cart)(?:[/.]|$)/.exec(location.pathname);
    const roots = known ? [known[1], ''] : ['', (/^\/[^/]+/.exec(location.pathname) || [''])[0]];
    for (const root of new Set(roots)) {
      const r = await native.fetch.call(window, root + what, { cache: 'no-store', signal });
      if (r.ok) return text(await r.text(), MAX_BODY * 4);
    }
    return '';
  };

  /** @type {Read} */
  async function customerJWT(ask, signal) {
    const id = ask.config.clientID;
    const token = id && (await readShop('/customer/current.jwt?app_client_id=' + encodeURIComponent(id))(ask, signal)).trim();
    return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) ? token : '';
  }

  /** @type {Read} */
  async function findCart(ask, signal) {
    const carts = await readShop('/api/storefront/carts')(ask, signal).then(JSON.parse).catch(() => null);
    const id = cartID(record(record(carts)[0]).id);
    if (id || !window.checkoutKitLoader) return id;
    const kit = await window.checkoutKitLoader.load('checkout-sdk');
    const { data } = await kit.createCheckoutService().loadCheckout();
    return cartID(record(data.getCheckout()).id) || cartID(record(data.getCart()).id);
  }

  /** @type {Parts['sessionFrom']} */
  function sessionFrom(raw, config) {
    const s = record(raw);
    const id = text(s.id);
    const state = text(s.state);
    if (!id || !(FINAL.test(state) || /^(created|started|processing|review)$/.test(state))) return null;
    let url = '';
    try {
      const { href, protocol } = new URL(text(s.url));
      // Plain http only where our own server has it too: the demo on loopback.
      if (protocol === 'https:' || protocol === new URL(config.base).protocol) url = href;
    } catch { /* no link, then */ }
    const reason = record(s.reason);
    const qr = text(s.qr, MAX_BODY);
    return { id, state, url, qr: /^\s*<(\?xml|svg)\s/.test(qr) ? qr : '', why: text(reason.text), next: text(reason.next), retry: s.retry === true, decision: text(s.decision) };
  }

  /** @type {Parts['decisionFrom']} */
  function decisionFrom(body, config) {
    const d = record(JSON.parse(text(body, MAX_BODY)));
    const word = text(d.decision);
    if (!/^(allow|verify|review|refuse)$/.test(word)) throw Error('no decision');
    const texts = Object.fromEntries(Object.entries(record(d.texts)).map(([key, value]) => [key, text(value)]));
    return {
      word, texts, enforced: d.mode !== 'shadow' && d.mode !== 'off', capability: text(d.capability), session: sessionFrom(d.session, config),
      unnamed: d.unnamed === true, lang: text(d.lang), dir: d.dir === 'rtl' ? 'rtl' : 'ltr',
    };
  }

  let asked = 0; // questions put
  let learned = 0; // the newest whose answer set the lock
  let warned = false; // the server's last word on this page was not allow: its silence then opens nothing
  let voice = { texts: /** @type {Record<string, string>} */ ({}), lang: 'en', dir: 'ltr' };
  /** @type {Parts['t']} */
  const t = (key) => voice.texts[key] || ENGLISH[key] || '';

  /** @type {Parts['question']} */
  async function question(ask, signal) {
    /** @param {Read} fn */
    const read = (fn) => within(READ_MS, (s) => fn(ask, s)).catch(() => '');
    let [cart, jwt] = await Promise.all([ask.cart || read(findCart), read(customerJWT)]);
    if (!cart) return { kind: 'nocart' };
    ask.cart = cart;
    const old = kept(ask.config);
    let capability = ask.capability || (old.cart === cart ? text(old.capability) : '');
    for (;;) {
      const { config: { shop, channel }, page, locale } = ask;
      const r = await api(ask.config, 'POST', '/decisions', {
        signal, body: JSON.stringify({ shop, channel, cart_id: cart, customer_jwt: jwt, capability, page, locale }),
      });
      if (r.ok) {
        const said = decisionFrom(await r.text(), ask.config);
        if (said.texts.title) voice = said; // allow has no words
        ask.capability = said.capability || capability;
        kept(ask.config, { cart, capability: ask.capability });
        return { kind: 'said', said };
      }
      // What has expired is dropped; a busy server gets a moment, within the time there is.
      if (r.status === 401 && jwt) jwt = '';
      else if (DENIED.includes(r.status) && capability) capability = '';
      else if (r.status === 503 || r.status === 429) await pause((Number(r.headers.get('Retry-After')) || 1) * 1000, signal);
      else return { kind: 'unreachable' };
    }
  }

  /** @type {Parts['askServer']} */
  async function askServer(ask) {
    const turn = ++asked;
    /** @type {Answer} */
    let answer = { kind: 'unreachable' };
    try {
      await activated();
      answer = await within(ASK_MS, (signal) => question(ask, signal));
    } catch { /* late, refused or garbage: all the same */ }
    if (turn > learned && ask.config.locked) {
      learned = turn;
      if (answer.kind === 'said') warned = !admits(ask, answer);
      safely(setLock)(admits(ask, answer) ? 'open' : 'closed');
    }
    return answer;
  }

  /** @type {Parts['admits']} */
  function admits(ask, answer) {
    if (answer.kind === 'said') {
      const { word, enforced, unnamed } = answer.said;
      // A wallet may name the buyer.
      return word === 'allow' || !enforced || (unnamed && word === 'verify' && ask.page !== 'widget' && !ask.path);
    }
    return (answer.kind === 'nocart' && ask.page === 'other' && !ask.path) || (ask.config.open && !warned);
  }

  /* ---- layer 4: the dialog ---- */

  const CSS = `:host{all:initial}
dialog{box-sizing:border-box;width:min(30rem,calc(100vw - 1.5rem));padding:1.5rem;border:1px solid #0000;border-radius:.75rem;background:#fff;color:#1b1f24;font:1rem/1.5 system-ui,sans-serif}
dialog::backdrop{background:#10151cb3}
h2{margin:0;line-height:1.3;outline:0}
p{margin:.6rem 0}
p+p{color:#4b5563}
[hidden]{display:none!important}
[role=status]:not(:empty){padding:.6rem .8rem;border-radius:.4rem;background:#eef2f7}
:is([data-view=final],[data-view=refuse],[data-view=unreachable]) [role=status]{background:#fdeceb}
:is([data-view=passed],[data-view=done]) [role=status]{background:#e3f4e8}
img{display:block;width:min(12rem,45vw);margin:auto}
a,button{box-sizing:border-box;display:block;width:100%;min-height:2.75rem;margin:.5rem 0 0;padding:.6rem 1rem;border:1px solid #1f4fbf;border-radius:.4rem;background:#1f4fbf;color:#fff;font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
[data-idgate=close]{background:#fff;color:#1f4fbf}
[aria-busy] button{opacity:.6}
:is(a,button):focus-visible{outline:3px solid #f5a623;outline-offset:2px}`;

  /** @type {Parts['sheet']} */
  function sheet(root, css) {
    const made = new CSSStyleSheet();
    made.replaceSync(css);
    const adopt = () => {
      if (!root.adoptedStyleSheets.includes(made)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, made];
    };
    adopt();
    return adopt;
  }

  class Dialog {
    constructor() {
      this.host = doc.createElement('idgate-dialog');
      this.root = this.host.attachShadow({ mode: 'open' });
      /** @type {Talk | null} */
      this.talk = null;
      this.dialog = this.make('dialog', this.root);
      this.title = this.make('h2');
      this.lines = this.make('div');
      this.scan = this.make('p');
      this.qr = this.make('img');
      this.link = this.make('a');
      this.state = this.make('p');
      this.next = this.make('p');
      this.start = this.make('button');
      this.retry = this.make('button');
      this.close = this.make('button');
      for (const [name, node] of Object.entries(this)) if (node instanceof HTMLElement) node.setAttribute('data-idgate', name);
      this.dialog.setAttribute('aria-labelledby', (this.title.id = 'title'));
      this.dialog.setAttribute('aria-describedby', (this.lines.id = 'lines'));
      this.title.tabIndex = -1;
      this.state.setAttribute('role', 'status');
      this.state.setAttribute('aria-live', 'polite');
      this.link.target = '_blank';
      this.link.rel = 'noopener noreferrer';
      this.qr.onerror = () => (this.qr.hidden = this.scan.hidden = true);
      this.start.onclick = () => this.talk && this.talk.press(this.talk.start);
      this.retry.onclick = () => this.talk && this.talk.press(this.talk.again);
      const leave = () => this.talk && this.talk.finish(this.talk.allowed);
      this.close.onclick = leave;
      this.dialog.onclose = () => this.dialog.open || leave(); // Escape
      safely(sheet)(this.root, CSS);
    }

    /** @template {keyof HTMLElementTagNameMap} K @param {K} tag @param {ParentNode} into */
    make(tag, into = this.dialog) {
      const node = doc.createElement(tag);
      into.append(node);
      return node;
    }

    /** Also after page code has emptied body. */
    raise() {
      if (this.talk && !this.host.isConnected) {
        this.dialog.open = false;
        (doc.body || html).append(this.host);
        if (this.dialog.showModal) this.dialog.showModal();
        else this.dialog.open = true;
        this.title.focus();
      }
    }

    lower() {
      this.talk = null;
      if (this.dialog.open && this.dialog.close) this.dialog.close(); // gives the focus back
      this.host.remove();
    }

    /** @param {HTMLElement} node */
    put(node, s = '') {
      node.hidden = !s && node !== this.state; // what announces is always there
      if (node.textContent !== s) node.textContent = s;
    }

    /** @param {View} v @param {Talk} talk */
    show(v, talk) {
      this.talk = talk;
      const focused = this.root.activeElement;
      const live = v.session && !v.over ? v.session : null;
      this.dialog.lang = voice.lang;
      this.dialog.dir = voice.dir;
      this.dialog.setAttribute('data-view', v.view);
      this.put(this.title, v.title || t('title'));
      const lines = (v.lines || []).filter(Boolean);
      this.lines.hidden = !lines.length;
      if (this.lines.textContent !== lines.join('')) {
        this.lines.textContent = '';
        for (const line of lines) this.put(this.make('p', this.lines), line);
      }
      const qr = live ? live.qr : '';
      this.put(this.scan, qr && t('scan'));
      this.qr.hidden = !qr;
      this.qr.alt = t('scan');
      // An image can neither run script nor reach the page.
      const src = 'data:image/svg+xml;utf8,' + encodeURIComponent(qr);
      if (qr && this.qr.src !== src) this.qr.src = src;
      const url = live ? live.url : '';
      this.put(this.link, url && t('open_here'));
      this.link.href = url;
      this.put(this.state, v.state);
      this.state.setAttribute('data-state', v.session ? v.session.state : '');
      this.put(this.next, v.next);
      this.put(this.start, v.start ? t('start') : '');
      this.put(this.retry, v.retry ? t('retry') : '');
      this.put(this.close, (!v.over && t('cancel')) || t('close'));
      this.raise();
      if (focused instanceof HTMLElement && focused.hidden) (url ? this.link : this.title).focus();
    }
  }

  /** @type {Dialog | null} */
  let ui = null;

  /** @type {Parts['follow']} */
  async function follow(ask, id, hear, lost, life) {
    const path = '/sessions/' + encodeURIComponent(id);
    const headers = { 'Idgate-Capability': ask.capability };
    let deaf = 0; // streams in a row that told nothing
    let wait = POLL_MS;
    let last = '';
    /** @param {string} raw */
    const tell = (raw) => {
      const s = sessionFrom(JSON.parse(text(raw, MAX_BODY)), ask.config);
      if (!s || s.id !== id || life.aborted) return;
      if (s.state !== last) wait = POLL_MS;
      last = s.state;
      hear(s);
    };
    const poll = () => within(ASK_MS, async (signal) => {
      const r = await api(ask.config, 'GET', path, { signal, headers });
      if (r.ok) tell(await r.text());
      else if (DENIED.includes(r.status) && !life.aborted) lost();
    }).catch(() => {});
    const seen = () => doc.visibilityState === 'visible' && poll(); // a stream may have died unheard
    doc.addEventListener('visibilitychange', seen);
    while (!life.aborted) {
      if (deaf++ < 3) await listen(ask, path + '/events', headers, life, (raw) => ((deaf = 0), tell(raw))).catch(() => {});
      if (!life.aborted) await poll();
      await pause(wait, life);
      wait = Math.min(SLOW_MS, wait * 1.5);
    }
    doc.removeEventListener('visibilitychange', seen);
  }

  /** @type {Parts['listen']} */
  async function listen(ask, path, headers, life, tell) {
    const stop = new AbortController();
    const quit = () => stop.abort();
    let timer = setTimeout(quit, FIRST_BYTE_MS);
    life.addEventListener('abort', quit);
    try {
      const r = await api(ask.config, 'GET', path, { signal: stop.signal, headers });
      if (!r.ok || !r.body) return;
      const reader = r.body.getReader();
      const utf8 = new TextDecoder();
      for (let rest = ''; rest.length < MAX_BODY;) {
        const { done, value } = await reader.read();
        if (done || life.aborted) return;
        clearTimeout(timer);
        timer = setTimeout(quit, SILENCE_MS);
        const blocks = (rest + utf8.decode(value, { stream: true })).split(/\r?\n\r?\n/);
        rest = blocks.pop() || '';
        for (const block of blocks) {
          const data = block.split(/\r?\n/).filter((row) => row.startsWith('data:')).map((row) => row.slice(5));
          if (/^event: ?session\r?$/m.test(block)) tell(data.join('\n'));
        }
      }
    } finally {
      clearTimeout(timer);
      quit();
    }
  }

  class Talk {
    /** @param {Ask} ask @param {(outcome: Outcome) => void} resolve */
    constructor(ask, resolve) {
      this.ask = ask;
      this.resolve = resolve;
      this.word = '';
      /** @type {Session | null} */
      this.ended = null;
      /** @type {AbortController | null} */
      this.life = null;
      this.timer = this.haste = 0;
      this.busy = this.over = this.allowed = false;
      /** What the retry button does. @type {() => Promise<void>} */
      this.again = this.recheck;
      this.blocked = ask.page === 'order_confirmation' ? '' : 'order_blocked';
    }

    /** @param {View} view */
    show(view) {
      try {
        if (!this.over) (ui || (ui = new Dialog())).show(view, this);
      } catch {
        this.finish(false); // no dialog can be shown here: what the server did not allow stays held
      }
    }

    quiet() {
      if (this.life) this.life.abort();
      this.life = null;
      clearTimeout(this.timer);
    }

    /** @param {boolean} allow */
    finish(allow) {
      if (this.over) return;
      this.over = true;
      this.quiet();
      this.resolve({ allow, session: this.ended });
      safely(() => ui && ui.lower())();
    }

    /** @param {() => Promise<void>} fn */
    async press(fn) {
      if (this.busy || this.over || !ui) return;
      this.busy = true;
      ui.dialog.setAttribute('aria-busy', 'true');
      await fn.call(this).catch(() => this.unreachable(fn));
      ui.dialog.removeAttribute('aria-busy');
      this.busy = false;
    }

    /** @param {() => Promise<void>} retry */
    unreachable(retry) {
      this.again = retry;
      this.show({ view: 'unreachable', state: t('unreachable'), next: t(this.blocked), retry: true, over: true });
    }

    async recheck() {
      this.take(await askServer(this.ask));
    }

    /** At once the first time, then ever slower. */
    soon() {
      this.quiet();
      this.timer = setTimeout(() => this.recheck(), this.haste);
      this.haste = Math.min(SLOW_MS, this.haste * 2 || POLL_MS);
    }

    /** @param {Answer} answer */
    take(answer) {
      if (this.over) return;
      this.quiet();
      this.allowed = admits(this.ask, answer);
      if (answer.kind !== 'said') return this.allowed ? this.finish(true) : this.unreachable(this.recheck);
      const { word, session: s } = answer.said;
      this.word = word;
      const ended = !!s && FINAL.test(s.state);
      if (ended) this.ended = s;
      const { why, next } = this.ended || { why: '', next: '' };
      if (this.allowed) {
        if (this.ask.page !== 'order_confirmation') return this.finish(true);
        this.show({ view: 'done', session: s, state: t('done'), over: true });
      } else if (word === 'refuse') {
        this.show({ view: 'refuse', state: why || t('why'), next: next || t(this.blocked), over: true });
      } else if (word === 'review' && (!s || ended)) {
        this.show({ view: 'review', state: t('review'), next });
        this.timer = setTimeout(() => this.recheck(), SLOW_MS);
      } else if (s && (s.state !== 'passed' || s.why)) {
        this.progress(s);
      } else {
        this.show({ view: 'intro', lines: ['why', 'needs', 'duration', 'who_sees'].map(t), start: true });
      }
    }

    /** @param {Session} s */
    progress(s) {
      if (FINAL.test(s.state)) {
        this.quiet();
        this.ended = s;
        this.again = this.start;
        this.show({ view: 'final', session: s, title: t('failed_title'), state: s.why || t(s.state), next: s.next, retry: s.retry, over: true });
        return;
      }
      this.show({ view: 'session', session: s, lines: [t('needs')], state: t(s.state) || t('waiting'), next: s.next });
      if (this.life) return;
      this.life = new AbortController();
      follow(this.ask, s.id, (news) => this.hear(news), () => this.soon(), this.life.signal).catch(() => {});
    }

    /** Whether news of the session opens anything is the server's to say. @param {Session} s */
    hear(s) {
      if (s.state !== 'passed' && s.decision !== 'allow') return this.progress(s);
      if (FINAL.test(s.state)) this.ended = s;
      this.show({ view: 'passed', session: s, state: t('passed'), over: true });
      this.soon();
    }

    async start() {
      for (let tries = 0; tries < 2; tries++) {
        const { config, capability, locale } = this.ask;
        const r = await within(ASK_MS, (signal) => api(config, 'POST', '/sessions', {
          signal, headers: { 'Idgate-Capability': capability }, body: JSON.stringify({ locale }),
        }));
        const body = record(await r.json().catch(() => null));
        const s = r.ok && sessionFrom(body, config);
        if (this.over) return;
        if (s) {
          kept(config, { cart: this.ask.cart, capability });
          return this.hear(s);
        }
        if (r.status === 429) {
          return this.show({ view: 'final', title: t('failed_title'), state: text(record(body.error).message), next: t(this.blocked), over: true });
        }
        // A new Capability, and with it once more; or another word: with the provider down, the merchant's choice.
        await this.recheck();
        if (this.over || this.life || this.word !== 'verify') return;
        if (!DENIED.includes(r.status)) break;
      }
      this.unreachable(this.start);
    }
  }

  let talks = 0;
  let last = Promise.resolve(0);

  /** @type {Parts['engage']} */
  function engage(ask) {
    const nothing = { allow: false, session: null };
    talks++;
    const turn = last.then(async () => {
      const answer = await askServer(ask);
      if ((ask.signal && ask.signal.aborted) || (ask.quiet && answer.kind !== 'said')) return nothing;
      if (admits(ask, answer)) return { allow: true, session: null };
      return new Promise((resolve) => {
        const talk = new Talk(ask, resolve);
        if (ask.signal) ask.signal.addEventListener('abort', () => talk.finish(false));
        talk.take(answer);
      });
    }).catch(() => nothing);
    last = turn.then(() => talks--);
    return turn;
  }

  /* ---- layer 1: the order call ---- */

  /** No order call is held or on its way: a second beside it would be a second order. */
  let landed = () => true;

  /** @type {Parts['orderPath']} */
  function orderPath(call) {
    try {
      const [method, url] = call();
      if (String(method).toUpperCase() !== 'POST') return '';
      const { pathname, origin } = new URL(String(url), doc.baseURI);
      const path = decodeURIComponent(pathname).replace(/\/+/g, '/');
      if (ORDER.test(path)) return path;
      if (/\/orders?$/i.test(path) && origin === location.origin && pageKind() === 'checkout') canary('order_call');
    } catch { /* not a URL, so not the order call */ }
    return '';
  }

  /** @type {Parts['admit']} */
  async function admit(config, path, body, signal) {
    let cart = '';
    try {
      cart = cartID(record(JSON.parse(text(body, MAX_BODY * 4))).cartId);
    } catch { /* then the cart is looked up */ }
    return (await engage(newAsk(config, pageKind(), { cart, path, signal }))).allow;
  }

  const problem = () => JSON.stringify({ status: 403, title: t('title'), detail: t('order_blocked'), type: 'identity_check_required' });

  /** @type {Parts['answer']} */
  function answer(x, call, how) {
    const body = how === 'load' ? problem() : '';
    call.phase = 'over';
    /** @type {Record<string, unknown>} */
    const fakes = {
      readyState: 4, status: 403, statusText: 'Forbidden', responseText: body, response: x.responseType === 'json' ? JSON.parse(body || '0') : body,
      getResponseHeader: /** @param {unknown} name */ (name) => (/^content-type$/i.test(String(name)) ? JSON_TYPE : null),
      getAllResponseHeaders: () => 'content-type: ' + JSON_TYPE + '\r\n',
    };
    if (body) for (const key of (call.faked = Object.keys(fakes))) Object.defineProperty(x, key, { configurable: true, value: fakes[key] });
    x.dispatchEvent(new Event('readystatechange'));
    x.dispatchEvent(new ProgressEvent(how));
    x.dispatchEvent(new ProgressEvent('loadend'));
  }

  /** @type {Parts['on']} */
  function wrapXHR(config) {
    /** @type {WeakMap<XMLHttpRequest, Call>} */
    const calls = new WeakMap();
    /** @type {Parts['reset']} */
    const reset = (x, call) => {
      if (!call) return;
      call.phase = 'over';
      for (const key of call.faked.splice(0)) delete (/** @type {any} */ (x)[key]);
      if (call.stop) call.stop.abort();
    };
    /** @type {Parts['hold']} */
    const hold = (x, call, args) => {
      const free = landed();
      const stop = (call.stop = new AbortController());
      call.phase = 'held';
      if (!call.async) return answer(x, call, 'load');
      if (free) landed = () => call.phase === 'over' || (call.phase === 'sent' && x.readyState % 4 === 0);
      (free ? admit(config, call.path, args[0], stop.signal) : pause(0)).then((allow) => {
        if (call.phase !== 'held') return; // aborted, or opened anew
        if (!allow) return answer(x, call, 'load');
        call.phase = 'sent';
        Reflect.apply(native.send, x, args);
      }).catch(() => safely(answer)(x, call, 'error'));
    };

    Object.assign(xhr, {
      /** @this {XMLHttpRequest} @param {string} method @param {string | URL} url */
      open(method, url) {
        reset(this, calls.get(this));
        const result = Reflect.apply(native.open, this, arguments);
        const path = orderPath(() => [method, url]);
        if (path) calls.set(this, { path, async: arguments.length < 3 || !!arguments[2], phase: '', stop: null, faked: [] });
        else calls.delete(this);
        return result;
      },
      /** @this {XMLHttpRequest} */
      send() {
        const call = calls.get(this);
        if (!call || call.phase === 'sent') return Reflect.apply(native.send, this, arguments);
        if (!call.phase) safely(hold)(this, call, arguments);
      },
      /** @this {XMLHttpRequest} */
      abort() {
        const call = calls.get(this);
        const held = call && call.phase === 'held';
        reset(this, call);
        if (call && held) answer(this, call, 'abort');
        return Reflect.apply(native.abort, this, arguments);
      },
    });
  }

  /** @type {Parts['on']} */
  function wrapFetch(config) {
    /** @type {Parts['holdFetch']} */
    const hold = async (self, args, path) => {
      const { body, signal = record(args[0]).signal } = record(args[1]);
      const left = signal instanceof AbortSignal ? signal : null;
      const free = landed();
      let over = false;
      if (free) landed = () => over;
      try {
        // With its signal aborted meanwhile the browser sends nothing, and rejects as it should.
        if ((free && (await admit(config, path, body, left))) || (left && left.aborted)) return await Reflect.apply(native.fetch, self, args);
        return new Response(problem(), { status: 403, statusText: 'Forbidden', headers: { 'Content-Type': JSON_TYPE } });
      } finally {
        over = true;
      }
    };
    /** @this {unknown} @param {RequestInfo | URL} input @param {RequestInit} [init] */
    window.fetch = function fetch(input, init) {
      const path = orderPath(() => [record(init).method || record(input).method, record(input).url || input]);
      return path ? hold(this, arguments, path) : Reflect.apply(native.fetch, this, arguments);
    };
  }

  /* ---- layers 2 and 3: what can be pressed ---- */

  let lock = '';
  let restyle = () => {};
  /** @type {Set<Element>} */
  const stilled = new Set();

  /** @type {Parts['setLock']} */
  function setLock(state) {
    lock = state;
    if (html.getAttribute('data-idgate') !== state) html.setAttribute('data-idgate', state);
    restyle();
    if (state !== 'open') {
      doc.querySelectorAll(FRAMES + ':not([inert])').forEach((frame) => (stilled.add(frame), frame.setAttribute('inert', '')));
      return;
    }
    stilled.forEach((frame) => frame.removeAttribute('inert'));
    stilled.clear();
  }

  /** @type {Parts['intercept']} */
  function intercept(config, event) {
    const { type } = event;
    if (lock === 'open' || pageKind() === 'order_confirmation' || (event instanceof KeyboardEvent && !/^(Enter| )$/.test(event.key))) return;
    // A form counts by its submit event only, else nothing in it could be pressed.
    const guarded = SUBMIT + ',' + WALLETS + (type === 'submit' ? ',' + FORM : '');
    const found = event.composedPath().find((node) => node instanceof Element && node.matches(guarded));
    if (!found) return;
    event.stopImmediatePropagation();
    if (!/^(click|submit|keydown)$/.test(type)) return; // the click that follows starts the conversation
    event.preventDefault();
    if (!talks) attempt(config, found instanceof Element && found.matches(SUBMIT + ',' + FORM));
  }

  /** @type {Parts['attempt']} */
  async function attempt(config, submit) {
    const { allow } = await engage(newAsk(config, pageKind()));
    /** @type {HTMLButtonElement | null} */
    const button = doc.querySelector('button' + SUBMIT);
    // Wallets want a press of the shopper's own.
    if (allow && submit && lock === 'open' && button) button.click();
  }

  /** @type {Config | null} */
  let here = null;
  const sung = new Set();

  /** @type {Parts['canary']} */
  function canary(missing) {
    if (!here || sung.has(missing)) return;
    sung.add(missing);
    const { shop, channel } = here;
    api(here, 'POST', '/canary', { keepalive: true, body: JSON.stringify({ shop, channel, missing: [missing] }) }).catch(() => {});
  }

  /** @type {Parts['on']} */
  function keepWatch(config) {
    let due = 0;
    let paying = false;
    const unpayable = () => doc.querySelector(PAYMENT) && !doc.querySelector(SUBMIT) && canary('submit_button');
    const tick = safely(() => {
      due = 0;
      if (ui) ui.raise();
      const kind = pageKind();
      if (kind === 'order_confirmation') return;
      const fresh = !paying && !!doc.querySelector(PAYMENT);
      paying = !!doc.querySelector(PAYMENT);
      if (fresh) setTimeout(safely(unpayable), CANARY_MS);
      if (fresh || (!lock && (kind === 'checkout' || doc.querySelector(WALLETS)))) {
        setLock('asking');
        askServer(newAsk(config, kind)); // early, so that a later answer is quick and wallets open
      } else if (lock) setLock(lock);
    });
    new MutationObserver(() => {
      due = due || setTimeout(tick, 50);
    }).observe(html, { childList: true, subtree: true, attributeFilter: ['class'] });
    window.addEventListener('pageshow', (event) => {
      if (!event.persisted) return;
      learned = asked; // no answer still on its way sets the lock
      paying = false;
      setLock('');
      tick();
    });
    tick();
  }

  /** @type {Parts['on']} */
  async function afterOrder(config) {
    await activated();
    const old = kept(config);
    const [cart, capability] = [cartID(old.cart), text(old.capability)];
    if (cart && capability && pageKind() === 'order_confirmation') engage(newAsk(config, 'order_confirmation', { cart, capability, quiet: true }));
  }

  /** @type {Parts['safely']} */
  const safely = (fn) => (...args) => {
    try {
      fn(...args);
    } catch { /* one layer missing must not cost the others */ }
  };

  /** @type {Parts['on']} */
  function guard(config) {
    safely(wrapXHR)(config);
    safely(wrapFetch)(config);
    safely(() => {
      for (const type of ['pointerdown', 'mousedown', 'touchstart', 'click', 'submit', 'keydown']) {
        window.addEventListener(type, (event) => safely(intercept)(config, event), { capture: true, passive: type === 'touchstart' });
      }
    })();
    safely(() => (restyle = sheet(doc, `html[data-idgate]:not([data-idgate=open]) ${FRAMES}{pointer-events:none}`)))();
    safely(keepWatch)(config);
    safely(afterOrder)(config);
  }

  /* ---- window.BlockIDVerify ---- */

  /** @type {unknown} */
  let onComplete;
  let running = false;

  /** @type {Parts['init']} */
  async function init(options) {
    const say = 'BlockIDVerify.init: ';
    const { apiBase, tenantId, cartId, locale, onComplete: callback, ...rest } = record(options);
    for (const key of Object.keys(rest)) console.warn(say + 'unknown option ' + key);
    const base = text(apiBase).replace(/\/+$/, '');
    const shop = text(tenantId);
    const cart = cartID(cartId);
    if (!/^https?:\/\/\w/.test(base) || !/^[\w-]+$/.test(shop)) return console.error(say + 'apiBase (a URL) and tenantId (the store hash) are required');
    if (!cart && (cartId || pageKind() !== 'checkout')) return console.error(say + 'cartId is required outside a BigCommerce-hosted checkout');
    onComplete = callback;
    if (running) return; // the newest onComplete is told
    running = true;
    const known = here && here.base === base ? here : null;
    const config = known && known.shop === shop ? known : { base, shop, channel: 0, clientID: known ? known.clientID : '', open: true, locked: false };
    const { allow, session } = await engage(newAsk(config, 'widget', { cart, quiet: config.open, locale: text(locale) }));
    running = false;
    const { id = null, state = 'passed' } = session || {};
    if ((allow || session) && typeof onComplete === 'function') onComplete({ session_id: id, state });
  }

  safely(() => {
    here = readScript();
    const { locked } = here || { locked: false };
    // Loaded twice, or in two versions: the first to lock the page does it alone.
    const mark = Symbol.for('idgate');
    const loaded = record(window[mark]);
    if (!window[mark]) Object.defineProperty(window, mark, { value: loaded });
    if (loaded.gate || (loaded.widget && !locked)) return;
    loaded.gate = locked;
    if (here && locked) guard(here);
    if (!loaded.widget && window.BlockIDVerify) return; // another's
    loaded.widget = true;
    window.BlockIDVerify = Object.freeze({ init: (/** @type {unknown} */ options) => void init(options).catch((e) => console.error(e)) });
  })();
})();
