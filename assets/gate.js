// See README.md
'use strict';
{

const ASK_MS = 8000;
const READ_MS = 3000;
const POLL_MS = 2000;
const WAIT_MS = 5000;
const SLOW_MS = 15000;
const MAX_BODY = 262144;

const ORDER = /\/internalapi\/v\d+\/checkout\/order\/*$/i;
const GRAPHQL = /\/graphql\/*$/i;
const SUBMIT = '#checkout-payment-continue';
const FORM = 'form[data-test="payment-form"]';
const WALLETS = '.checkout-button-container,.checkoutRemote,[id$="CheckoutButton"],apple-pay-button';
const FRAMES = `:is(${SUBMIT},${WALLETS}) iframe`;
const PAYMENT = '.checkout-step--payment.checkout-step--current,' + FORM;
const AFTER = 'order_confirmation';
const FINAL = /^(passed|failed|declined|expired|abandoned|error)$/;
const DENIED = [401, 403, 404, 409, 410];
/** @type {Record<string, string>} */
const KINDS = { driver_license: 'driver_licence', passport: 'passport', id_card: 'identity_card' };
const FORBIDDEN = { status: 403, statusText: 'Forbidden' };
const JSON_TYPE = 'application/json; charset=utf-8';
/** @type {Record<string, string>} */
const ENGLISH = {
  title: 'Identity check', retry: 'Try again', close: 'Close',
  unreachable: 'The identity check cannot be reached.',
  order_blocked: 'Your order was not placed. An identity check is needed.',
};

/** @type {Config | null} */
let here = null;
const doc = document;
const html = doc.documentElement;
const xhr = XMLHttpRequest.prototype;
const native = { fetch: window.fetch, open: xhr.open, send: xhr.send, abort: xhr.abort };

/** @type {Parts['record']} */
const record = (x) => (Object(x) === x ? x : {});
/** @type {Parts['text']} */
const text = (x, max = 2000) => (typeof x === 'string' && x.length <= max ? x : '');
/** @type {Parts['text']} */
const cartID = (x) => (/^[\w-]{8,64}$/.test(text(x)) ? text(x) : '');

/** @type {Parts['api']} */
const api = (config, path, init) => native.fetch.call(window, config.base + '/storefront/v1' + path, {
  method: init.body ? 'POST' : 'GET', credentials: 'omit', cache: 'no-store', ...init,
});

/** @type {Parts['pause']} */
const pause = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, signal && signal.aborted ? 0 : ms);
  if (signal) signal.addEventListener('abort', () => (clearTimeout(timer), resolve()));
});

/** @type {Parts['within']} */
const within = (ms, fn) => {
  const stop = new AbortController();
  return Promise.race([fn(stop.signal), pause(ms).then(() => Promise.reject(stop.abort()))]);
};

const activated = async () => doc.prerendering && new Promise((resolve) => doc.addEventListener('prerenderingchange', resolve));

function pageKind() {
  const path = location.pathname;
  if ((here && here.after) || /\/order-confirmation(\/|$)/.test(path)) return AFTER;
  return /\/(embedded-)?checkout(\/|\.php|$)/.test(path) || doc.getElementById('checkout-app') ? 'checkout' : 'other';
}

let memory = record(0);
/** @type {Parts['kept']} */
function kept(config, ask) {
  const key = 'idgate:' + config.shop;
  const change = ask && { cart: ask.cart, capability: ask.capability };
  try {
    memory = { ...record(JSON.parse(sessionStorage.getItem(key) || '{}')), ...change };
    if (change) sessionStorage.setItem(key, JSON.stringify(memory));
  } catch {
    memory = { ...memory, ...change };
  }
  return memory;
}

function readScript() {
  const named = /^(https?:\/\/[^?#]*?)\/storefront\/v1\/(?:scripts\/([\w-]+)\/(\d+)\/gate\.\w+\.js|widget\.js)([?#]|$)/;
  for (const script of [doc.currentScript, ...doc.scripts]) {
    const found = named.exec(text(record(script).src));
    if (!found) continue;
    const [, base, shop = '', channel] = found;
    const query = new URL(found.input).searchParams;
    const after = query.get('page') === AFTER;
    return { base, shop, channel: Number(channel || 0), locked: !!shop && !after, after, clientID: query.get('client_id') || '', open: query.get('unreachable') !== 'closed' };
  }
  return null;
}

/** @type {Parts['newAsk']} */
const newAsk = (config, page, more = {}) => ({
  config, page, cart: '', path: '', capability: '', quiet: false, signal: null, ...more, locale: more.locale || html.lang || navigator.language,
});

/** @type {Parts['readShop']} */
const readShop = async (what, ask, signal) => {
  const [folder] = /^\/(?!internalapi|(embedded-)?checkout|cart)[^/]+/.exec(ask.path || location.pathname) || [''];
  for (const root of new Set([folder, ''])) {
    const r = await native.fetch.call(window, root + what, { cache: 'no-store', signal });
    if (r.ok) return text(await r.text(), MAX_BODY * 4);
  }
  return '';
};

/** @type {Read} */
async function customerJWT(ask, signal) {
  const id = ask.config.clientID;
  const token = id && (await readShop('/customer/current.jwt?app_client_id=' + encodeURIComponent(id), ask, signal)).trim();
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) ? token : '';
}

/** @type {Read} */
async function findCart(ask, signal) {
  const carts = await readShop('/api/storefront/carts', ask, signal).then(JSON.parse).catch(() => null);
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
    if (protocol === 'https:' || protocol === new URL(config.base).protocol) url = href;
  } catch {}
  const reason = record(s.reason);
  const qr = text(s.qr, MAX_BODY);
  return { id, state, url, qr: /^\s*<(\?xml|svg)\s/.test(qr) ? qr : '', why: text(reason.text), next: text(reason.next), retry: s.retry === true, here: s.here ? config.base + '/v/here' : '', decision: text(s.decision) };
}

/** @type {Parts['decisionFrom']} */
function decisionFrom(body, ask) {
  const d = record(JSON.parse(text(body, MAX_BODY)));
  const word = text(d.decision);
  if (!/^(allow|verify|review|refuse|mail|none)$/.test(word)) throw 0;
  return {
    word, enforced: d.mode !== 'shadow' && d.mode !== 'off', unnamed: d.unnamed === true, mail: d.mail, unproved: d.mailbox === 'unproved',
    capability: text(d.capability), session: sessionFrom(d.session, ask.config), texts: record(d.texts), lang: text(d.lang), dir: text(d.dir),
    kinds: Object.values(record(d.documents)).map((kind) => text(kind)).filter((kind) => text(KINDS[kind])),
  };
}

/** @type {Read} */
async function findHeld(ask, signal) {
  const id = /\d+/.exec(text(record(doc.querySelector('[data-test*=order-number]')).textContent));
  return id && /"status": ?"MANUAL_/.test(await readShop('/api/storefront/orders/' + id, ask, signal)) ? 'held' : '';
}

let asked = 0;
let learned = 0;
let warned = false;
/** @type {Voice} */
let voice = { texts: {}, lang: 'en', dir: 'ltr', kinds: [] };
const t = (key = '') => text(voice.texts[key]) || ENGLISH[key] || '';

/** @type {Parts['question']} */
async function question(ask, signal) {
  /** @param {Read} fn */
  const read = (fn) => within(READ_MS, (s) => fn(ask, s)).catch(() => '');
  const { config: { shop, channel }, page, locale } = ask;
  let [cart, jwt] = await Promise.all([ask.cart || read(page === AFTER ? findHeld : findCart), read(customerJWT)]);
  if (!cart && (!jwt || page !== AFTER)) return { word: 'nocart' };
  ask.cart = cartID(cart);
  const old = kept(ask.config);
  let capability = ask.capability || (old.cart === cart ? text(old.capability) : '');
  for (;;) {
    const r = await api(ask.config, '/decisions', {
      signal, body: JSON.stringify({ shop, channel, cart_id: cart, customer_jwt: jwt, capability, page: cart === 'held' ? cart : page, locale }),
    });
    if (r.ok) {
      const said = decisionFrom(await r.text(), ask);
      if (said.texts.title) voice = said;
      ask.capability = said.capability || capability;
      ask.said = said.word !== 'none';
      said.ask = ask.capability + ' ' + jwt;
      kept(ask.config, ask);
      return said;
    }
    if (r.status === 401 && jwt) jwt = '';
    else if (DENIED.includes(r.status) && capability) capability = '';
    else if (r.status === 503 || r.status === 429) await pause((Number(r.headers.get('Retry-After')) || 1) * 1000, signal);
    else return { word: '' };
  }
}

/** @type {Parts['askServer']} */
async function askServer(ask) {
  const turn = ++asked;
  /** @type {Answer} */
  let answer = { word: '' };
  try {
    await activated();
    answer = await within(ASK_MS, (signal) => question(ask, signal));
  } catch {}
  if (turn > learned && ask.config.locked) {
    learned = turn;
    if (answer.texts) warned = !admits(ask, answer);
    safely(setLock)(admits(ask, answer) ? 'open' : 'closed');
  }
  return answer;
}

/** @type {Parts['admits']} */
function admits(ask, answer) {
  const { word, texts } = answer;
  const placing = ask.path || ask.page === 'widget';
  if (texts) return word === 'allow' || !answer.enforced || (word === 'none' && ask.page === AFTER) || (word === 'verify' && answer.unnamed && !placing);
  return (word === 'nocart' && ask.page === 'other' && !placing) || (ask.config.open && !warned);
}

/* layer 4 */

const CSS = `:host{all:initial}
*{box-sizing:border-box}
dialog{width:min(30rem,calc(100vw - 1.5rem));padding:1.5rem;border:1px solid #0000;border-radius:.75rem;background:#fff;color:#222;font:1rem/1.5 system-ui}
::backdrop{background:#000b}
h2{margin:0;outline:0!important}
p{margin:.75rem 0}
label{font-weight:600}
[hidden]{display:none!important}
#state:not(:empty){padding:.75rem;border:1px solid #0000;border-radius:.4rem;background:#eef2f7}
#state[data-state=passed]{background:#dfe}
:is([data-view=final],[data-view=refuse],[data-view=unreachable]) #state{background:#fee}
div{display:flex;flex-direction:column}
@media(max-width:40rem){div{flex-direction:column-reverse}}
img{width:12rem;margin:auto}
a,button,input,select{display:block;width:100%;margin:.5rem 0 0;padding:.75rem;border:1px solid;border-radius:.4rem;background:#fff;color:#1f4fbf;font:inherit;font-weight:600;text-align:center;text-decoration:none}
a,#start,#retry,#confirm{background:#1f4fbf;color:#fff}
#confirm:not([hidden])~#start{background:#fff;color:#1f4fbf}
:focus-visible{outline:3px solid #b45309;outline-offset:2px}`;

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

/** @type {Parts['newDialog']} */
function newDialog() {
  const host = doc.createElement('idgate-dialog');
  const root = host.attachShadow({ mode: 'open' });
  /** @type {Shown} */
  let now;
  /** @type {Parts['make']} */
  const make = (tag, name, into, attributes) => {
    const node = doc.createElement(tag);
    into.append(node);
    for (const [key, value] of Object.entries({ id: name, 'data-idgate': name, ...attributes })) node.setAttribute(key, value);
    return node;
  };
  const dialog = make('dialog', 'dialog', root, { 'aria-labelledby': 'title', 'aria-describedby': 'lines' });
  const title = make('h2', 'title', dialog, { tabindex: '-1' });
  const lines = make('section', 'lines', dialog);
  const capture = make('div', 'capture', dialog);
  const scan = make('p', 'scan', capture);
  const qr = make('img', 'qr', capture);
  const link = make('a', 'link', capture, { target: '_blank', rel: 'noreferrer' });
  const state = make('p', 'state', dialog, { role: 'status', 'aria-live': 'polite' });
  const next = make('p', 'next', dialog);
  const choice = make('label', 'choice', dialog);
  const which = make('span', 'which', choice);
  const kinds = make('select', 'kinds', choice);
  const label = make('label', 'form', dialog);
  const asks = make('span', 'asks', label);
  const code = make('input', 'entry', label, { inputmode: 'numeric', autocomplete: 'one-time-code', 'aria-describedby': 'state' });
  const act = (name = '') => now.press((now.acts[name] || [])[1]);
  const buttons = ['confirm', 'start', 'retry', 'code', 'mail'].map((name) => {
    const button = make('button', name, dialog);
    button.onclick = () => act(name);
    return button;
  });
  const close = make('button', 'close', dialog);
  qr.onerror = () => (qr.hidden = scan.hidden = true);
  code.onkeydown = ({ key }) => key !== 'Enter' || act('confirm');
  close.onclick = () => now.leave();
  link.onclick = () => {
    const action = now.session && now.session.here;
    if (!action) return;
    const form = make('form', 'here', dialog, { method: 'post', target: '_blank', action });
    make('input', 'ask', form, { name: 'ask', value: voice.ask + '' });
    form.submit();
    form.remove();
    return false;
  };
  dialog.onclose = () => dialog.open || now.leave();
  safely(sheet)(root, CSS.replace(/#1f4fbf/g, t('accent') || '$&'));

  const put = (node = host, s = '') => {
    node.hidden = !s && node !== state;
    if (node.textContent !== s) node.textContent = s;
  };
  const raise = () => {
    if (host.isConnected) return;
    dialog.open = false;
    (doc.body || html).append(host);
    if (dialog.showModal) dialog.showModal();
    else dialog.open = true;
    title.focus();
  };
  return {
    raise,
    lower() {
      if (dialog.open && dialog.close) dialog.close();
      host.remove();
    },
    busy: (yes) => dialog.setAttribute('aria-busy', String(yes)),
    typed: () => code.value.trim(),
    kind: () => voice.kinds[kinds.selectedIndex] || '',
    show(v) {
      now = v;
      const focused = root.activeElement;
      const live = v.session && !v.over ? v.session : { qr: '', url: '' };
      dialog.lang = voice.lang;
      dialog.dir = voice.dir;
      dialog.setAttribute('data-view', v.view);
      put(title, v.title || t('title'));
      lines.replaceChildren(...(v.lines || []).filter(Boolean).map((line) => Object.assign(doc.createElement('p'), { textContent: line })));
      choice.hidden = !v.choice || voice.kinds.length < 2;
      which.textContent = t('choose_document');
      if (kinds.length !== voice.kinds.length) kinds.replaceChildren(...voice.kinds.map((kind) => new Option(t(KINDS[kind]))));
      put(scan, live.qr && t('scan'));
      qr.hidden = !live.qr;
      qr.alt = t('qr_alt');
      const src = 'data:image/svg+xml;utf8,' + encodeURIComponent(live.qr);
      if (live.qr && qr.src !== src) qr.src = src;
      put(link, live.url && t('open_here'));
      link.href = live.url;
      link.title = t('new_tab');
      put(state, v.state);
      state.setAttribute('data-state', v.session ? v.session.state : '');
      put(next, v.next);
      label.hidden = !v.acts.confirm;
      asks.textContent = t('code');
      for (const button of buttons) put(button, (v.acts[button.id] || [])[0]);
      put(close, (!v.over && t('cancel')) || t('close'));
      raise();
      if (focused && focused.closest('[hidden]')) (v.acts.confirm ? code : live.url ? link : title).focus();
    },
  };
}

/** @type {Ui | null} */
let ui = null;

/** @type {Parts['follow']} */
async function follow(ask, id, hear, lost, life) {
  const path = '/sessions/' + encodeURIComponent(id);
  const init = { headers: { 'Idgate-Capability': ask.capability }, signal: life };
  let [wait, last, streams, polls, heard] = [POLL_MS, '', 0, 0, 0];
  const tell = (raw = '', turn = polls) => {
    const s = sessionFrom(JSON.parse(text(raw, MAX_BODY)), ask.config);
    if (!s || s.id !== id || life.aborted) return;
    if (s.state !== last) wait = POLL_MS;
    last = s.state;
    heard = turn;
    hear(s);
  };
  const listen = async () => {
    const r = await api(ask.config, path + '/events', init);
    const reader = r.ok && r.body && r.body.getReader();
    const utf8 = new TextDecoder();
    for (let rest = ''; reader && rest.length < MAX_BODY;) {
      const { done, value } = await reader.read();
      if (done) return;
      streams = 1;
      const blocks = (rest + utf8.decode(value, { stream: true })).split(/\r?\n\r?\n/);
      rest = blocks.pop() || '';
      for (const block of blocks) {
        const [, data = ''] = /^event: ?session\r?\ndata:(.*)/m.exec(block) || [];
        if (data) safely(tell)(data);
        wait = SLOW_MS;
      }
    }
  };
  const poll = () => within(ASK_MS, async (signal) => {
    const turn = ++polls;
    const r = await api(ask.config, path, { ...init, signal });
    if (r.ok && turn > heard) tell(await r.text(), turn);
    else if (DENIED.includes(r.status) && !life.aborted) lost();
  }).catch(() => {});
  const seen = () => doc.visibilityState === 'visible' && !life.aborted && poll();
  doc.addEventListener('visibilitychange', seen);
  let open = false;
  while (!life.aborted) {
    if (!open && streams++ < 3) {
      open = true;
      listen().catch(() => {}).then(() => (open = false));
    }
    await poll();
    await pause(wait, life);
    wait = Math.min(SLOW_MS, wait * 1.5);
  }
  doc.removeEventListener('visibilitychange', seen);
}

/** @type {Parts['converse']} */
function converse(ask, resolve) {
  const { config } = ask;
  const after = ask.page === AFTER;
  const blocked = after ? '' : 'order_blocked';
  let [busy, over, allowed] = [false, false, false];
  let [timer, haste, due] = [0, 0, 0];
  let mails = '';
  /** @type {Decision | null} */
  let said = null;
  /** @type {Session | null} */
  let ended = null;
  /** @type {AbortController | null} */
  let life = null;

  const quiet = () => {
    if (life) life.abort();
    life = null;
    clearTimeout(timer);
  };
  const finish = (allow = false) => {
    if (over) return;
    over = true;
    quiet();
    resolve({ allow, session: ended });
    safely(() => ui && ui.lower())();
    ui = null;
  };
  /** @type {Shown['press']} */
  const press = async (act) => {
    if (busy || over || !ui || !act) return;
    const { busy: tell } = ui;
    tell((busy = true));
    await act().catch(() => unreachable(act));
    tell((busy = false));
  };
  /** @type {Talk['show']} */
  const show = (view) => {
    try {
      if (!over) (ui || (ui = newDialog())).show({ acts: {}, ...(after && { title: t('confirm_title') }), ...view, press, leave: () => finish(allowed) });
    } catch {
      finish();
    }
  };
  const recheck = async () => take(await askServer(ask));
  const unreachable = (act = recheck) => show({ view: 'unreachable', state: t('unreachable'), next: t(blocked), acts: { retry: [t('retry'), act] }, over: true });
  const later = (ms = 0) => (timer = setTimeout(recheck, ms));
  const soon = () => {
    quiet();
    later(haste);
    haste = Math.min(SLOW_MS, haste * 2 || POLL_MS);
  };

  /** @type {Talk['take']} */
  const take = (answer) => {
    if (over) return;
    quiet();
    allowed = admits(ask, answer);
    if (!answer.texts) return allowed ? finish(true) : unreachable();
    said = answer;
    const { word, session } = said;
    const before = ended;
    if (session && FINAL.test(session.state)) ended = session;
    const s = !session || (before && before.id === session.id) ? ended : session;
    const { why, next } = ended || { why: '', next: '' };
    if (allowed && !after) return finish(true);
    if (allowed || word === 'mail') {
      show({ view: 'done', session: s, title: t(allowed ? 'passed' : 'confirm_title'), state: t(allowed ? 'done' : 'confirm_mail'), over: true });
    } else if (word === 'refuse') {
      show({ view: 'refuse', state: why || t('why'), next, over: true });
    } else if (word === 'review' && (!s || s === ended)) {
      show({ view: 'review', state: t('review'), next });
      later(SLOW_MS);
    } else if (mails && (!s || s.state === 'created' || s === before)) {
      mailed();
    } else if (s && (s.state !== 'passed' || s.why)) {
      progress(s, t('tries_left'));
    } else {
      const acts = ways();
      show({ view: 'intro', lines: [after ? 'confirm_text' : 'why', 'needs', 'duration', 'who_sees', acts.code[0] && 'mailbox_why'].map(t), choice: true, acts });
    }
  };

  /** @type {Talk['ways']} */
  const ways = () => {
    /** @type {Talk['write']} */
    const write = (there, door, first) => [there && due < Date.now() ? t(mails === door ? 'resend' : first) : '', () => send(door)];
    return {
      start: [t(after ? 'confirm_start' : 'start'), start],
      code: write(said && said.unproved, '/codes', 'send_code'),
      mail: write(said && said.mail, '/links', 'send_link'),
    };
  };

  /** @type {Talk['progress']} */
  const progress = (s, tries = '') => {
    mails = '';
    if (FINAL.test(s.state)) {
      quiet();
      ended = s;
      const next = tries && s.retry ? s.next + ' ' + tries : s.next;
      return show({ view: 'final', session: s, title: t('failed_title'), state: s.why || t(s.state), next, choice: s.retry, acts: { retry: [s.retry ? t('retry') : '', start] }, over: true });
    }
    show({ view: 'session', session: s, lines: [s.url && 'needs', 'deadline_by'].map(t), state: t(s.state) || t('waiting'), next: s.next, acts: { mail: ways().mail } });
    if (life) return;
    life = new AbortController();
    follow(ask, s.id, hear, soon, life.signal).catch(() => {});
  };

  /** @type {Talk['hear']} */
  const hear = (s) => {
    if (s.state !== 'passed' && s.decision !== 'allow') {
      progress(s);
      if (ended === s) later(0);
      return;
    }
    if (FINAL.test(s.state)) ended = s;
    show({ view: 'passed', session: s, state: t('passed'), over: true });
    soon();
  };

  /** @type {Talk['post']} */
  const post = (path, more) => within(ASK_MS, async (signal) => {
    const { capability, locale } = ask;
    const r = await api(config, path, { signal, headers: { 'Idgate-Capability': capability }, body: JSON.stringify({ locale, ...more }) });
    const body = record(await r.json().catch(() => null));
    return [r, body, text(record(body.error).message)];
  });

  const start = async () => {
    for (let tries = 0; tries < 2; tries++) {
      const [r, body, message] = await post('/sessions', { document: ui ? ui.kind() : '' });
      const s = r.ok && sessionFrom(body, config);
      if (over) return;
      if (s) {
        kept(config, ask);
        quiet();
        return hear(s);
      }
      if (r.status === 429) return show({ view: 'final', title: t('failed_title'), state: message, next: t(blocked), over: true });
      await recheck();
      if (over || life || !said || said.word !== 'verify') return;
      if (!DENIED.includes(r.status)) break;
    }
    unreachable(start);
  };

  const send = async (door = '') => {
    const [r, body, message] = await post(door);
    if (over) return;
    const wait = Number(r.ok ? body.resend_after : r.headers.get('Retry-After')) || 60;
    if (r.ok || r.status === 429) due = Date.now() + wait * 1000;
    if (r.ok) mails = door;
    mailed(r.ok ? '' : message || t('link_not_sent'));
  };

  const mailed = (problem = '') => {
    quiet();
    const typing = mails === '/codes';
    const left = due - Date.now();
    const next = left > 0 ? t('resend_in').replace('{time}', new Date(left).toISOString().slice(14, 19)) : '';
    show({ view: 'mail', state: problem || t(typing ? 'code_sent' : 'link_sent'), next, acts: { ...ways(), ...(typing && { confirm: [t('confirm_code'), check] }) } });
    timer = setTimeout(typing ? () => mailed(problem) : recheck, WAIT_MS);
  };

  const check = async () => {
    const [r, , message] = await post('/codes/check', { code: ui && ui.typed() });
    if (over) return;
    if (!r.ok) return mailed(message || t(r.status === 410 ? 'code_expired' : 'code_wrong'));
    mails = '';
    show({ view: 'passed', state: t('mailbox_shown'), over: true });
    soon();
  };

  return { take, finish };
}

let talks = 0;
let last = Promise.resolve(0);

/** @type {Parts['engage']} */
function engage(ask) {
  const nothing = { allow: false, session: null };
  talks++;
  const turn = last.then(async () => {
    const answer = await askServer(ask);
    if ((ask.signal && ask.signal.aborted) || (ask.quiet && !answer.texts)) return nothing;
    if (admits(ask, answer)) return { allow: true, session: null };
    return new Promise((resolve) => {
      const talk = converse(ask, resolve);
      if (ask.signal) ask.signal.addEventListener('abort', () => talk.finish());
      talk.take(answer);
    });
  }).catch(() => nothing);
  last = turn.then(() => talks--);
  return turn;
}

/* layer 1 */

let landed = () => true;

/** @type {Parts['orderPath']} */
function orderPath(call) {
  try {
    const [method, url] = call();
    if (!/^post$/i.test(String(method))) return '';
    const { pathname, origin } = new URL(String(url), doc.baseURI);
    const path = decodeURIComponent(pathname).replace(/\/+/g, '/');
    if (ORDER.test(path) || GRAPHQL.test(path)) return path;
    if (/\/orders?$/i.test(path) && origin === location.origin && pageKind() === 'checkout') canary('order_call');
  } catch {}
  return '';
}

/** @type {Parts['orders']} */
const orders = (path, body) => !GRAPHQL.test(path) || /completeCheckout\b/.test(String(body));

/** @type {Parts['admit']} */
async function admit(config, path, body, signal, over) {
  if (!landed()) return false;
  landed = over;
  let cart = '';
  safely(() => (cart = cartID(record(JSON.parse(text(body, MAX_BODY * 4))).cartId)))();
  return (await engage(newAsk(config, pageKind(), { cart, path, signal }))).allow;
}

const problem = () => JSON.stringify({ status: 403, title: t('title'), detail: t('order_blocked'), type: 'identity_check_required' });

/** @type {Parts['answer']} */
function answer(x, call, how) {
  const body = how === 'load' ? problem() : '';
  call.phase = 'over';
  const fakes = record({
    ...FORBIDDEN, readyState: 4, responseText: body, response: x.responseType === 'json' ? JSON.parse(body || '0') : body,
    getResponseHeader: (name = '') => (/^content-type$/i.test(name) ? JSON_TYPE : null),
    getAllResponseHeaders: () => 'content-type: ' + JSON_TYPE + '\r\n',
  });
  if (body) for (const key of (call.faked = Object.keys(fakes))) Object.defineProperty(x, key, { configurable: true, value: fakes[key] });
  for (const type of ['readystatechange', how, 'loadend']) x.dispatchEvent(new ProgressEvent(type));
}

/** @type {Parts['wrapXHR']} */
function wrapXHR(config, lock) {
  /** @type {WeakMap<XMLHttpRequest, Call>} */
  const calls = new WeakMap();
  /** @type {Parts['track']} */
  const track = (x, args, send) => {
    const path = orderPath(() => [args[0], args[1]]);
    if (path) calls.set(x, { path, async: args.length < 3 || !!args[2], phase: '', stop: null, faked: [], send });
    else calls.delete(x);
  };
  /** @type {Parts['reset']} */
  const reset = (x, call) => {
    if (!call) return;
    call.phase = 'over';
    for (const key of call.faked.splice(0)) delete (/** @type {any} */ (x)[key]);
    if (call.stop) call.stop.abort();
  };
  /** @type {Parts['hold']} */
  const hold = (x, call, args) => {
    call.phase = 'held';
    if (!call.async) return answer(x, call, 'load');
    const over = () => call.phase === 'over' || (call.phase === 'sent' && x.readyState % 4 === 0);
    admit(config, call.path, args[0], (call.stop = new AbortController()).signal, over).then((allow) => {
      if (call.phase !== 'held') return;
      if (!allow) return answer(x, call, 'load');
      call.phase = 'sent';
      Reflect.apply(call.send, x, args);
    }).catch(() => safely(answer)(x, call, 'error'));
  };

  Object.assign(xhr, /** @type {ThisType<XMLHttpRequest>} */ ({
    open() {
      reset(this, calls.get(this));
      const result = Reflect.apply(native.open, this, arguments);
      track(this, arguments, native.send);
      return result;
    },
    send() {
      const early = lock && lock.opened.get(this);
      if (early && !calls.has(this)) track(this, early, native.send);
      const call = calls.get(this);
      if (!call || call.phase === 'sent' || !orders(call.path, arguments[0])) return Reflect.apply(native.send, this, arguments);
      if (!call.phase) safely(hold)(this, call, arguments);
    },
    abort() {
      const call = calls.get(this);
      const held = call && call.phase === 'held';
      reset(this, call);
      if (call && held) answer(this, call, 'abort');
      return Reflect.apply(native.abort, this, arguments);
    },
  }));
  return (x, args, send, opened) => {
    track(x, opened, send);
    const call = calls.get(x);
    call ? hold(x, call, args) : Reflect.apply(send, x, args);
  };
}

/** @type {Parts['on']} */
function wrapFetch(config) {
  /** @type {Parts['holdFetch']} */
  const hold = async (self, args, path) => {
    const { body, signal = record(args[0]).signal } = record(args[1]);
    if (!orders(path, body || (args[0] instanceof Request && (await args[0].clone().text())))) return Reflect.apply(native.fetch, self, args);
    const left = signal instanceof AbortSignal ? signal : null;
    let over = false;
    try {
      if ((await admit(config, path, body, left, () => over)) || (left && left.aborted)) return await Reflect.apply(native.fetch, self, args);
      return new Response(problem(), { ...FORBIDDEN, headers: { 'Content-Type': JSON_TYPE } });
    } finally {
      over = true;
    }
  };
  window.fetch = function fetch(input, init) {
    const path = orderPath(() => [record(init).method || record(input).method, record(input).url || input]);
    return path ? hold(this, arguments, path) : Reflect.apply(native.fetch, this, arguments);
  };
}

function wrapBeacon() {
  const { sendBeacon } = navigator;
  navigator.sendBeacon = function (url) {
    return !orderPath(() => ['POST', url]) && Reflect.apply(sendBeacon, this, arguments);
  };
}

/* layers 2, 3 */

let lock = '';
let restyle = () => {};

function setLock(state = '') {
  lock = state;
  if (html.dataset.idgate !== state) html.dataset.idgate = state;
  restyle();
  const shut = state !== 'open';
  doc.querySelectorAll(FRAMES + (shut ? ':not([inert])' : '[inert=idgate]')).forEach((frame) => {
    shut ? frame.setAttribute('inert', 'idgate') : frame.removeAttribute('inert');
    record(frame.parentNode).tabIndex = -!shut;
  });
}

/** @type {Parts['intercept']} */
function intercept(config, event) {
  const { type } = event;
  if (lock === 'open' || pageKind() === AFTER || (event instanceof KeyboardEvent && !/^(Enter| )$/.test(event.key))) return;
  const guarded = SUBMIT + ',' + WALLETS + (type === 'submit' ? ',' + FORM : '');
  const found = event.composedPath().find((node) => node instanceof Element && node.matches(guarded));
  if (!found) return;
  event.stopImmediatePropagation();
  if (!/^(click|submit|keydown)$/.test(type)) return;
  event.preventDefault();
  const submit = found instanceof Element && found.matches(SUBMIT + ',' + FORM);
  if (!talks) engage(newAsk(config, pageKind())).then(({ allow }) => {
    const button = doc.querySelector('button' + SUBMIT);
    if (allow && submit && lock === 'open' && button instanceof HTMLElement) button.click();
  });
}

const sung = new Set();

function canary(missing = '') {
  if (!here || sung.has(missing)) return;
  sung.add(missing);
  const { shop, channel } = here;
  api(here, '/canary', { keepalive: true, body: JSON.stringify({ shop, channel, missing: [missing] }) }).catch(() => {});
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
    if (kind === AFTER) return;
    const was = paying;
    paying = !!doc.querySelector(PAYMENT);
    const fresh = paying && !was;
    if (fresh) setTimeout(safely(unpayable), WAIT_MS);
    if (fresh || (!lock && (kind === 'checkout' || doc.querySelector(WALLETS)))) {
      setLock('asking');
      askServer(newAsk(config, kind));
    } else if (lock) setLock(lock);
  });
  new MutationObserver(() => {
    due = due || setTimeout(tick, 50);
  }).observe(html, { childList: true, subtree: true, attributeFilter: ['class'] });
  window.addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    learned = asked;
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
  const ask = newAsk({ ...config, locked: false }, AFTER, { cart: text(old.capability) && cartID(old.cart), quiet: true });
  for (const wait of pageKind() === AFTER ? [0, WAIT_MS, SLOW_MS] : []) {
    await pause(wait).catch(() => {});
    if (!ask.said) await engage(ask);
  }
}

/** @type {Parts['safely']} */
const safely = (fn) => (...args) => {
  try {
    fn(...args);
  } catch {}
};

/** @type {Parts['guard']} */
function guard(config, early) {
  safely(() => {
    const take = wrapXHR(config, early);
    if (early) early.go(take);
  })();
  safely(wrapFetch)(config);
  safely(wrapBeacon)();
  safely(() => {
    for (const type of ['pointerdown', 'mousedown', 'touchstart', 'click', 'submit', 'keydown']) {
      window.addEventListener(type, (event) => safely(intercept)(config, event), { capture: true, passive: type === 'touchstart' });
    }
  })();
  safely(() => (restyle = sheet(doc, `html[data-idgate]:not([data-idgate=open]) ${FRAMES}{pointer-events:none}`)))();
  safely(keepWatch)(config);
  safely(afterOrder)(config);
}

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
  if (!/^https?:\/\/\w/.test(base) || !/^[\w-]+$/.test(shop)) return console.error(say + 'apiBase and tenantId are required');
  if (!cart && (cartId || pageKind() !== 'checkout')) return console.error(say + 'cartId is required on this page');
  onComplete = callback;
  if (running) return;
  running = true;
  const config = here && here.base === base && here.shop === shop ? here : { base, shop, clientID: here ? here.clientID : '', open: true };
  const { allow, session } = await engage(newAsk(config, 'widget', { cart, quiet: config.open, locale: text(locale) }));
  running = false;
  const { id = null, state = 'passed' } = session || {};
  if ((allow || session) && typeof onComplete === 'function') onComplete({ session_id: id, state });
}

safely(() => {
  here = readScript();
  const mark = Symbol.for('idgate');
  const loaded = record(window[mark]);
  if (!window[mark]) Object.defineProperty(window, mark, { value: loaded });
  const gate = !!here && !!here.shop;
  if (loaded.gate || (loaded.widget && !gate)) return;
  loaded.gate = gate;
  if (here && here.after) afterOrder(here);
  else if (here && gate) guard(here, /** @type {Lock} */ (loaded.lock));
  if (!loaded.widget && window.BlockIDVerify) return;
  loaded.widget = true;
  window.BlockIDVerify = Object.freeze({ init: (/** @type {unknown} */ options) => void init(options).catch((e) => console.error(e)) });
})();
}
