// Each state of the dialog in Chromium with the real words: axe-core finds nothing, nothing is cut off, and the whole story can be told
// by keyboard alone. With PICTURES=folder each state is also kept as a picture, in four languages on two screens.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { CART, CLIENT, ORDER_PATH, PAYMENT_FORM, SHOP, decision, session, startApp, startShop, until } from '../harness.mjs';
import { CHROMIUM, launch } from './chromium.mjs';

const skip = CHROMIUM ? false : 'Chromium is not installed (apt-get install chromium): nothing here was tried';
if (skip && process.env.CI === 'true') throw new Error(skip);
const PICTURES = process.env.PICTURES;
const AXE = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

let browser;
before(async () => {
  if (!skip) browser = await launch();
});
after(() => browser && browser.close());

/** The dialog's words as the server sends them. */
function words(lang) {
  const file = readFileSync(new URL(`../../../app/words/testdata/golden/${lang}.txt`, import.meta.url), 'utf8');
  const [head, , rest] = file.split(/\n\n/);
  const texts = Object.fromEntries(rest.split('\n').map((line) => /^(\w+)\s+(.*)$/.exec(line)).filter(Boolean).map(([, key, text]) => [key, text]));
  assert.ok(texts.title && texts.confirm_code, lang);
  return { texts, lang, dir: /rtl/.test(head) ? 'rtl' : 'ltr' };
}

const QR = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 21 21" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h21v21H0z"/><path d="${Array.from({ length: 150 }, (_, i) => `M${(i * i * 5 + i) % 21} ${(i * 13 + ((i * i) % 7)) % 21}h1v1h-1z`).join('')}"/></svg>`;
const live = (state, more) => session(state, { qr: QR, ...more });
const KINDS = ['driver_license', 'passport', 'id_card'];

/** How each state comes about: the server's answer to the question, and what is pressed then. */
const states = [
  { name: 'intro', view: 'intro', said: { documents: KINDS, mail: true, mailbox: 'unproved' } },
  { name: 'session', view: 'session', said: { session: live('created'), mail: true } },
  { name: 'started', view: 'session', said: { session: session('started', { url: '', qr: '' }) } },
  { name: 'link', view: 'mail', said: { mail: true }, press: 'mail' },
  { name: 'code', view: 'mail', said: { mailbox: 'unproved' }, press: 'code' },
  { name: 'passed', view: 'passed', said: { session: live('created') }, then: ({ app, tab }) => {
    app.decide = () => 'hang';
    app.poll = () => [200, live('passed')];
    return tab.eval(`document.dispatchEvent(new Event('visibilitychange'))`);
  } },
  { name: 'final', view: 'final', word: 'verify', said: (w) => ({ documents: KINDS, session: live('failed', { retry: true, reason: { text: w.texts.failed, next: w.texts.needs } }) }) },
  { name: 'final-spent', view: 'final', said: (w) => ({ session: live('declined', { reason: { text: w.texts.declined, next: w.texts.order_blocked } }) }) },
  { name: 'final-not-enough', view: 'final', said: (w) => ({ session: live('passed', { retry: true, reason: { text: w.texts.failed, next: w.texts.needs } }) }),
    colour: 'rgb(255, 238, 238)' }, // passed, and not the one who was asked for
  { name: 'review', view: 'review', word: 'review', said: {} },
  { name: 'refuse', view: 'refuse', word: 'refuse', said: {} },
  { name: 'unreachable', view: 'unreachable', said: { documents: [] }, press: 'start', before: (app) => (app.start = () => [502, '']) },
  { name: 'confirmation', view: 'intro', said: { documents: ['passport'], mail: true }, after: true },
  { name: 'confirmation-done', view: 'done', word: 'mail', said: {}, after: true },
  { name: 'confirmation-held', view: 'done', word: 'mail', said: (w) => ({ texts: { ...w.texts, confirm_title: w.texts.held_title, confirm_mail: w.texts.held_text } }), after: true },
];

const PAGE = (app, w) => `<!doctype html><html lang="${w.lang}" dir="${w.dir}"><head><title>Checkout</title><meta name="viewport" content="width=device-width">
<script src="${app.url}/storefront/v1/scripts/${SHOP}/1/gate.0123456789abcdef.js?client_id=${CLIENT}"></script></head><body style="font:16px sans-serif;margin:0;padding:1rem;background:#f6f6f6"><main><h1>Checkout</h1>
<div id="checkout-app"><div id="checkout-page-container"><div class="checkout-step checkout-step--payment checkout-step--current">${PAYMENT_FORM.replace('<input name="card">', '<label>Card <input name="card"></label>')}</div></div></div></main>
<script src="/shop.js"></script></body></html>`;
const SHOPJS = `window.answers = []; document.addEventListener('submit', (e) => { e.preventDefault();
  const x = new XMLHttpRequest(); x.open('POST', '${ORDER_PATH}'); x.onload = () => answers.push(x.status); x.send(JSON.stringify({ cartId: '${CART}' })); });`;
const $ = `document.querySelector('idgate-dialog')?.shadowRoot`;
const view = `${$}?.querySelector('dialog[open]')?.dataset.view`;

async function onDialog(w, { path = '/checkout', said = {}, word = 'verify', ...screen }, fn) {
  const [shop, app] = await Promise.all([startShop(), startApp()]);
  try {
    shop.pages = { [path]: PAGE(app, w), '/shop.js': SHOPJS, '/empty': '' };
    app.decide = () => decision(word, { ...w, ...said });
    let tab;
    if (path === '/checkout') tab = await browser.open(shop.url + path, screen);
    else {
      tab = await browser.open(shop.url + '/empty', screen);
      await tab.eval(`sessionStorage.setItem('idgate:${SHOP}', '{"cart":"${CART}","capability":"cart.one"}')`);
    }
    await fn({ shop, app, tab, url: shop.url + path, shows: (name) => until('view ' + name, () => tab.eval(`${view} === '${name}'`)) });
    assert.deepEqual(tab.complaints, []);
    await tab.send('Page.close');
  } finally {
    shop.stop();
    app.stop();
  }
}

/** Brings a state about, and hands it over to be looked at. */
const inState = (state, w, screen, look, said = typeof state.said === 'function' ? state.said(w) : state.said) => onDialog(w, {
  ...screen, said, word: state.word, path: state.after ? '/checkout/order-confirmation/7' : '/checkout',
}, async (page) => {
  const { app, tab, shows, url } = page;
  if (said.session) app.poll = () => [200, said.session];
  if (state.before) state.before(app);
  if (state.after) await tab.go(url);
  else {
    await until('the lock', () => tab.eval(`document.documentElement.dataset.idgate === 'closed'`));
    await tab.eval(`document.querySelector('#checkout-payment-continue').click()`);
  }
  if (state.press) {
    await shows('intro');
    await tab.eval(`{ const b = ${$}.querySelector('[data-idgate=${state.press}]'); b.focus(); b.click() }`);
  }
  if (state.then) {
    await shows('session');
    await state.then(page);
  }
  await shows(state.view);
  await until('rest', () => tab.eval(`${$}.querySelector('dialog').getAttribute('aria-busy') !== 'true'`));
  await look(page);
});

async function axe(tab, name) {
  await tab.eval(AXE + ';0');
  const found = await tab.eval(`axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], rules: { region: { enabled: false } } })
    .then((r) => [r.passes.length, r.violations.flatMap((v) => v.nodes.map((n) => v.id + ' ' + n.target.flat().join(' ') + ': ' + n.failureSummary))])`);
  assert.ok(found[0] > 10, 'axe looked at nothing');
  assert.deepEqual(found[1], [], name);
}

/** Nothing sticks out of the screen or of the dialog, and what is longer than the screen can be scrolled to. */
async function fits(tab, name) {
  const [left, right, top, bottom, over, small] = await tab.eval(`(() => { const d = ${$}.querySelector('dialog'), r = d.getBoundingClientRect();
    const small = [...d.querySelectorAll('a,button,input,select')].filter((n) => n.getClientRects().length && n.getBoundingClientRect().height < 24).map((n) => n.id);
    return [r.left, innerWidth - r.right, r.top, innerHeight - r.bottom, d.scrollWidth - d.clientWidth, small] })()`);
  assert.ok(left >= 0 && right >= 0 && top >= 0 && bottom >= 0 && over <= 0 && !small.length, JSON.stringify({ name, left, right, top, bottom, over, small }));
}

const SCREENS = { 1280: { width: 1280, height: 900 }, 390: { width: 390, height: 844, mobile: true } };
const looks = PICTURES ? ['en', 'de', 'ar', 'ja'].flatMap((lang) => [[lang, 1280], [lang, 390]]) : [['en', 1280], ['ar', 390]];
for (const [lang, width] of looks) {
  for (const state of states) {
    test(`dialog: ${state.name} in ${lang} at ${width} px: axe-core finds nothing, nothing is cut off`, { skip }, () => inState(state, words(lang), SCREENS[width], async ({ tab }) => {
      await fits(tab, state.name);
      const [order, dir] = await tab.eval(`[getComputedStyle(${$}.querySelector('[data-idgate=capture]')).flexDirection, getComputedStyle(${$}.querySelector('dialog')).direction]`);
      assert.deepEqual([order, dir], [width === 390 ? 'column-reverse' : 'column', lang === 'ar' ? 'rtl' : 'ltr']);
      if (state.colour) assert.equal(await tab.eval(`getComputedStyle(${$}.querySelector('#state')).backgroundColor`), state.colour);
      if (PICTURES) {
        mkdirSync(PICTURES, { recursive: true });
        writeFileSync(`${PICTURES}/${state.name}-${lang}-${width}.png`, await tab.picture());
      }
      await axe(tab, state.name);
    }));
  }
}

test('dialog: at 200 % and 400 % zoom nothing is lost, and the last button can be reached', { skip }, async () => {
  for (const [width, height] of [[640, 450], [320, 225]]) {
    for (const state of states.slice(0, 2)) {
      await inState(state, words('de'), { width, height }, async ({ tab }) => {
        await fits(tab, `${state.name} ${width}`);
        await tab.eval(`${$}.querySelector('[data-idgate=close]').focus()`);
        assert.ok(await tab.eval(`(() => { const b = ${$}.querySelector('[data-idgate=close]').getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight })()`));
      });
    }
  }
});

test('dialog: nothing moves, for nobody; forced colours keep edges, focus and text', { skip }, () => inState(states[0], words('en'), SCREENS[1280], async ({ tab }) => {
  assert.deepEqual(await tab.eval(`[...${$}.querySelectorAll('*')].filter((n) => { const s = getComputedStyle(n); return parseFloat(s.transitionDuration) || s.animationName !== 'none' }).map((n) => n.id)`), []);
  await tab.send('Emulation.setEmulatedMedia', { features: [{ name: 'forced-colors', value: 'active' }, { name: 'prefers-reduced-motion', value: 'reduce' }] });
  const edges = await tab.eval(`['dialog', '[data-idgate=start]', '[data-idgate=mail]', 'select'].map((s) => { const c = getComputedStyle(${$}.querySelector(s)); return c.borderTopWidth + ' ' + (c.borderTopColor !== 'rgba(0, 0, 0, 0)') })`);
  assert.deepEqual(edges, Array(4).fill('1px true'));
  if (PICTURES) writeFileSync(`${PICTURES}/intro-forced-colours.png`, await tab.picture());
}));

for (const [name, accent, colour] of [["the script's own", undefined, 'rgb(31, 79, 191)'], ["the shop's", '#8a1c4a', 'rgb(138, 28, 74)']]) {
  const said = words('en');
  const coloured = accent ? { ...said, texts: { ...said.texts, accent } } : said;
  test(`dialog: the colour is ${name}`, { skip }, () => inState(states[0], coloured, SCREENS[1280], async ({ tab }) => {
    assert.equal(await tab.eval(`getComputedStyle(${$}.querySelector('[data-idgate=start]')).backgroundColor`), colour);
    assert.equal(await tab.eval(`getComputedStyle(${$}.querySelector('[data-idgate=mail]')).color`), colour);
  }));
}

test('dialog: the whole story by keyboard alone: document, start, failure, retry, mailbox code, order', { skip }, () => onDialog(words('en'), { ...SCREENS[1280], said: { documents: KINDS, mail: true, mailbox: 'unproved' } }, async ({ shop, app, tab, shows }) => {
  const said = { ...words('en'), documents: KINDS, mail: true, mailbox: 'unproved' };
  const at = () => tab.eval(`${$}?.activeElement?.dataset.idgate || document.activeElement.id || document.activeElement.tagName`);
  const tabTo = async (name) => {
    for (let i = 0; i < 12; i++) {
      if ((await at()) === name) return;
      await tab.key('Tab');
      assert.doesNotMatch(await at(), /checkout-payment-continue|INPUT/, 'the focus has left the dialog');
    }
    assert.fail(`no way to ${name} by Tab; now at ${await at()}`);
  };
  const enter = () => tab.key('Enter', 'Enter', '\r');
  await until('the lock', () => tab.eval(`document.documentElement.dataset.idgate === 'closed'`));
  for (let i = 0; i < 6 && (await at()) !== 'checkout-payment-continue'; i++) await tab.key('Tab');
  await tab.eval('window.mark = 1');
  await enter();
  await shows('intro');
  assert.equal(await at(), 'title');
  await tab.key('Escape');
  await until('the end', () => tab.eval(`!document.querySelector('idgate-dialog')`));
  assert.equal(await at(), 'checkout-payment-continue', 'Escape gives the focus back');
  await enter();
  await shows('intro');
  await tabTo('kinds');
  await tab.key('ArrowDown', 'ArrowDown');
  await tabTo('start');
  app.start = () => [201, live('created')];
  await enter();
  await shows('session');
  assert.equal(app.starts[0].document, 'passport');
  assert.equal(await at(), 'link', 'the focus is not lost with the button');
  const failed = live('failed', { retry: true, reason: { text: 'The passport had expired.', next: 'Use another document.' } });
  app.decide = () => decision('verify', { ...said, session: failed });
  app.poll = () => [200, failed];
  await tab.eval(`document.dispatchEvent(new Event('visibilitychange'))`);
  await shows('final');
  assert.equal(await at(), 'title', 'nor with the link');
  await tabTo('retry');
  app.start = () => [201, live('created', { id: 's2' })];
  app.poll = () => [200, live('created', { id: 's2' })];
  await enter();
  await shows('session');
  await tab.key('Escape');
  await until('the end', () => tab.eval(`!document.querySelector('idgate-dialog')`));
  app.decide = () => decision('verify', said);
  await enter(); // where the focus has come back to
  await shows('intro');
  await tabTo('code');
  await enter();
  await shows('mail');
  assert.equal(await at(), 'entry', 'the field is next');
  await tab.key('9', 'Digit9', '9');
  await tab.key('Backspace');
  for (const digit of '123456') await tab.key(digit, 'Digit' + digit, digit);
  assert.equal(await tab.eval(`${$}.querySelector('#entry').value`), '123456', 'as a keyboard types it');
  await tab.key('Tab');
  assert.notEqual(await at(), 'entry', 'and the keyboard gets out of the field again');
  await tabTo('entry');
  app.check = () => [422, { error: { message: 'Not this one' } }];
  await enter();
  await until('the refusal', () => tab.eval(`${$}.querySelector('[role=status]').textContent === 'Not this one'`));
  app.check = () => [200, { decision: 'allow' }];
  app.decide = () => decision('allow');
  await enter();
  await until('the order', () => tab.eval('answers.length'));
  assert.deepEqual(await tab.eval('[answers.join(), window.mark]'), ['200', 1]);
  assert.deepEqual([shop.orders.length, app.checks.at(-1).code], [1, '123456']);
}));
