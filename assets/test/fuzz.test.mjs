// Whatever the server says and whatever becomes of the page, nothing is thrown into it, each order call comes to an end, and none goes
// that the server has not allowed. The seed is printed; FUZZ_SEED=n repeats a run, FUZZ_RUNS=n makes it longer.
import test from 'node:test';
import assert from 'node:assert/strict';
import { PAYMENT_FORM, QR, TEXTS, decision, onPage, session, until } from './harness.mjs';

const seed = Number(process.env.FUZZ_SEED) || (Date.now() % 1e6);
const runs = Number(process.env.FUZZ_RUNS) || 120;

/** mulberry32: small, and good enough to choose with. */
function random(state) {
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) % n;
  };
}

const junk = [null, 0, -1, 1e308, '', 'allow', 'passed', '\u0000', '\ud800', '<svg onload=alert(1)>', 'javascript:alert(1)', 'x'.repeat(3000), [], ['allow'], {}, { toString: 1 }, { length: 2 }, true, false, { __proto__: null, id: {} }];
const words = ['allow', 'verify', 'review', 'refuse', 'none', 'mail', 'perhaps', ''];
const states = ['created', 'started', 'processing', 'review', 'passed', 'failed', 'declined', 'expired', 'abandoned', 'error', 'won'];

const mutate = (pick, value) => {
  if (!value || typeof value !== 'object') return value;
  const made = { ...value };
  for (let i = pick(4); i > 0; i--) {
    const keys = Object.keys(made);
    const key = keys[pick(keys.length)];
    if (pick(3)) made[key] = junk[pick(junk.length)];
    else delete made[key];
  }
  return made;
};
const someSession = (pick) => pick(3) === 0 ? null : mutate(pick, session(states[pick(states.length)], { retry: !!pick(2), qr: QR, reason: mutate(pick, { code: 'x', text: 'y', next: 'z' }) }));
const someDecision = (pick) => mutate(pick, decision(words[pick(words.length)], { session: someSession(pick), texts: mutate(pick, TEXTS), documents: ['passport', 'id_card', junk[pick(junk.length)]], mail: !!pick(2), mailbox: ['', 'unproved'][pick(2)], mode: ['enforce', 'enforce', 'shadow', 'off'][pick(4)] }));
/** The bytes sent: mostly the JSON, at times cut, doubled, or something else altogether. */
const someBody = (pick, value) => {
  const json = JSON.stringify(value);
  return [json, json, json, json, json.slice(0, pick(json.length + 1)), json + json, '<!doctype html><title>Down</title>', '\ufeff' + json][pick(8)];
};

/** Whether the answer opens this cart, read as the contract has it. */
function opens(status, body) {
  if (status !== 200) return false;
  let d;
  try {
    d = JSON.parse(body.replace(/^\ufeff/, '')); // which reading as UTF-8 drops
  } catch {
    return false;
  }
  if (!d || typeof d !== 'object' || !words.slice(0, 6).includes(d.decision)) return false;
  return d.decision === 'allow' || d.mode === 'shadow' || d.mode === 'off';
}

test(`fuzzed answers (seed ${seed}, ${runs} runs): an order goes exactly when the server allows it`, onPage(null, async ({ shop, app, open }) => {
  const pick = random(seed);
  app.decide = () => decision('refuse');
  const page = await open({ query: '&unreachable=closed' });
  await page.locked('closed');
  for (let run = 0; run < runs; run++) {
    const status = [200, 200, 200, 200, 400, 404, 500][pick(7)];
    const body = someBody(pick, someDecision(pick));
    app.decide = () => [status, body];
    app.start = () => [[200, 201, 429, 500, 503][pick(5)], someBody(pick, someSession(pick))];
    app.poll = () => [[200, 200, 403, 500][pick(4)], someBody(pick, someSession(pick))];
    app.mail = () => [[202, 429, 409, 404][pick(4)], someBody(pick, { resend_after: junk[pick(junk.length)], error: mutate(pick, { message: 'no' }) })];
    app.check = () => [[200, 422, 410][pick(3)], someBody(pick, mutate(pick, { decision: 'allow' }))];
    const before = shop.orders.length;
    const what = `run ${run}, seed ${seed}: ${status} ${body.slice(0, 300)}`;
    const { xhr, ended } = page.order();
    await until('an end or a dialog, ' + what, () => xhr.readyState === 4 || page.view());
    for (let i = pick(4); i > 0 && xhr.readyState !== 4; i--) {
      const buttons = ['start', 'retry', 'code', 'mail', 'confirm'].filter((name) => page.part(name));
      if (buttons.length) page.press(buttons[pick(buttons.length)]);
      await new Promise((r) => setTimeout(r, 5));
    }
    await until('the close button, or the end, ' + what, () => xhr.readyState === 4 || page.part('close'));
    if (xhr.readyState !== 4) page.press('close');
    await ended;
    assert.equal(shop.orders.length - before, opens(status, body) ? 1 : 0, what);
    assert.equal(xhr.status, opens(status, body) ? 200 : 403, what);
    assert.deepEqual(page.errors, [], what);
    assert.equal(page.window.document.querySelectorAll('idgate-dialog').length, 0, what);
  }
}));

test(`a fuzzed page (seed ${seed}): whatever is drawn, wiped or pressed, nothing is thrown and nothing is ordered`, onPage(null, async ({ shop, app, open }) => {
  const pick = random(seed + 1);
  app.decide = () => decision('refuse');
  const page = await open({});
  await page.locked('closed');
  const { window } = page;
  const { document } = window;
  const pieces = [PAYMENT_FORM, '<div class="checkoutRemote"><iframe></iframe><b>Pay</b></div>', '<apple-pay-button></apple-pay-button>', '<form><form>', '<li class="checkout-step checkout-step--payment checkout-step--current">', '<template><form data-test="payment-form"></template>', '<svg><a class="checkoutRemote"></a></svg>', ''];
  const acts = [
    () => (document.body.innerHTML = pieces[pick(pieces.length)]),
    () => document.body.insertAdjacentHTML('beforeend', pieces[pick(pieces.length)]),
    () => document.documentElement.setAttribute('data-idgate', ['open', '', 'x'][pick(3)]),
    () => document.documentElement.removeAttribute('data-idgate'),
    () => [...document.querySelectorAll('*')].at(1 + pick(9))?.remove(), // not the root itself
    () => document.head?.remove(),
    () => document.body?.replaceChildren(),
    () => window.dispatchEvent(Object.assign(new window.Event('pageshow'), { persisted: true })),
    () => window.history.pushState(null, '', ['/checkout', '/cart.php', '/x', '/checkout/order-confirmation'][pick(4)]),
    () => (window.sessionStorage.setItem('idgate:abc123', ['{', '7', '{"cart":[]}'][pick(3)])),
  ];
  for (let run = 0; run < runs * 4; run++) {
    if (!document.body) document.documentElement.append(document.createElement('body'));
    acts[pick(acts.length)]();
    const nodes = [document, window, ...document.querySelectorAll('*')];
    const type = ['click', 'submit', 'keydown', 'pointerdown', 'touchstart'][pick(5)];
    const event = type === 'keydown' ? new window.KeyboardEvent(type, { key: 'Enter', bubbles: true, cancelable: true }) : new window.Event(type, { bubbles: true, cancelable: true });
    nodes[pick(nodes.length)].dispatchEvent(event);
    if (run % 40 === 0) await new Promise((r) => setTimeout(r, 60)); // a turn of the observer
    const close = page.part('close');
    if (close) close.click();
  }
  window.history.pushState(null, '', '/checkout');
  const { xhr } = page.order();
  await until('a refusal or a dialog', () => xhr.readyState === 4 || page.view());
  assert.deepEqual([page.errors, shop.orders.length], [[], 0]);
}));
