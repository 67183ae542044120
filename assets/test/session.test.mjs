// The conversation: starting, following by stream and by polling, each final state, retrying, and the words.
import test from 'node:test';
import assert from 'node:assert/strict';
import { QR, TEXTS, decision, onPage, quiesce, session, until } from './harness.mjs';

/** Opens the dialog by a held order, with the server saying verify. */
async function talking({ app, page }, said = {}) {
  app.decide = () => decision('verify', said);
  const order = page.order();
  await until('dialog', () => page.view());
  return order;
}

test('the dialog names itself and its language, and announces politely', onPage({}, async ({ app, page }) => {
  await talking({ app, page }, { lang: 'ar', dir: 'rtl' });
  const dialog = page.part('dialog');
  assert.deepEqual([dialog.lang, dialog.dir], ['ar', 'rtl']);
  const root = dialog.getRootNode();
  assert.equal(root.getElementById(dialog.getAttribute('aria-labelledby')).textContent, TEXTS.title);
  assert.match(root.getElementById(dialog.getAttribute('aria-describedby')).textContent, /This order needs it/);
  const live = root.querySelector('[aria-live=polite][role=status]');
  assert.deepEqual([live.hidden, live.textContent], [false, ''], 'there before it has anything to say');
  assert.equal(root.host.parentNode, page.window.document.body);
  assert.equal(page.said('start'), TEXTS.start);
  assert.equal(page.said('close'), TEXTS.cancel);
  assert.equal(page.part('retry'), null);
}));

test('words are text, never markup; only safe links are links', onPage({}, async ({ app, page }) => {
  await talking({ app, page }, { texts: { ...TEXTS, why: '<img src=x onerror="window.pwned=1">' } });
  assert.equal(page.part('lines').querySelector('img'), null);
  assert.match(page.part('lines').textContent, /^<img src=x/);
  const links = ['javascript:window.pwned=1', 'data:text/html,x', 'not a url', '', 7, null, 'ftp://x/'];
  let link;
  app.start = () => [201, session('created', { url: link, qr: '<script>window.pwned=1</script>' })];
  for (link of links) {
    page.press('start');
    await page.shows('session');
    assert.equal(page.part('link'), null, String(link));
    assert.equal(page.part('qr'), null);
    page.press('close');
    await quiesce();
    const order = page.order();
    await page.shows('intro');
    assert.equal(order.xhr.readyState, 1);
  }
  assert.equal(page.window.pwned, undefined);
}));

test('on this device it goes on by a form to our own server, with what no address may hold, where the server says so', onPage({}, async ({ app, page }) => {
  const posted = [];
  page.window.HTMLFormElement.prototype.submit = function () {
    posted.push([this.action, this.method, this.target, ...[...this.elements].map((field) => [field.name, field.value])]);
  };
  await talking({ app, page });
  const go = () => page.part('link').dispatchEvent(new page.window.MouseEvent('click', { bubbles: true, cancelable: true }));
  let here;
  app.start = () => [201, session('created', { here })];
  for (here of [true, 'javascript:window.pwned=1', 'https://evil.example/v/here']) {
    page.press('start');
    await page.shows('session');
    assert.equal(go(), false, 'the link itself is not followed');
    assert.deepEqual(posted.pop(), [app.url + '/v/here', 'post', '_blank', ['ask', 'cart.one ']], here);
    assert.equal(page.part('link').getRootNode().querySelector('form'), null, 'nothing of it stays in the dialog');
    page.press('close');
    await quiesce();
    page.order();
    await page.shows('intro');
  }
  here = undefined;
  page.press('start');
  await page.shows('session');
  assert.equal(go(), true, 'a link as any other');
  assert.deepEqual(posted, []);
  assert.equal(page.window.pwned, undefined);
}));

test('an SVG that carries script stays an image', onPage({}, async ({ app, page }) => {
  await talking({ app, page });
  const qr = QR.replace('<path', '<script>window.pwned=1</script><path');
  app.start = () => [201, session('created', { qr })];
  page.press('start');
  await page.shows('session');
  assert.equal(decodeURIComponent(page.part('qr').src.split('utf8,')[1]), qr);
  assert.equal(page.part('qr').tagName, 'IMG');
  assert.equal(page.part('qr').getRootNode().querySelector('svg'), null);
}));

for (const [state, text] of Object.entries({ created: 'waiting', started: 'started', processing: 'processing', review: 'review' })) {
  test(`a live session (${state}) is taken up again after a reload`, onPage({}, async ({ app, page }) => {
    await talking({ app, page }, { session: session(state) });
    assert.equal(page.view(), 'session');
    assert.equal(page.said('state'), TEXTS[text]);
    assert.equal(app.starts.length, 0);
    await until('the poll', () => app.polls.length);
    assert.equal(app.polls[0], 'cart.one');
  }));
}

for (const state of ['failed', 'declined', 'expired', 'abandoned', 'error']) {
  for (const retry of [true, false]) {
    test(`final state ${state}, retry ${retry}: its own words and next step`, onPage({}, async ({ shop, app, page }) => {
      const { xhr, ended } = await talking({ app, page }, { session: session('started') });
      app.poll = () => [200, session(state, { retry, reason: { code: state, text: 'Because ' + state, next: 'Then do this' } })];
      await until('final', () => (page.advance(2000), page.view() === 'final'));
      assert.equal(page.said('title'), TEXTS.failed_title);
      assert.equal(page.said('state'), 'Because ' + state);
      assert.equal(page.said('next'), 'Then do this');
      assert.equal(page.part('state').getAttribute('data-state'), state);
      assert.equal(page.said('close'), TEXTS.close);
      assert.deepEqual([!!page.part('retry'), page.part('qr'), page.part('link'), page.part('start')], [retry, null, null, null]);
      const polls = app.polls.length;
      page.advance(60000);
      await quiesce();
      assert.equal(app.polls.length, polls, 'a final state is not asked about again');
      if (retry) {
        app.start = () => [201, session('created', { id: 's2' })];
        app.poll = () => [200, session('passed', { id: 's2' })];
        page.press('retry');
        await until('the second session', () => app.starts.length === 1);
        app.decide = () => decision('allow');
        await until('the end', () => (page.advance(2000), xhr.readyState === 4));
        assert.equal(xhr.status, 200);
        assert.equal(shop.orders.length, 1);
      } else {
        page.press('close');
        await ended;
        assert.equal(xhr.status, 403);
        assert.equal(shop.orders.length, 0);
      }
    }));
  }
}

test('a refusal gives the session\'s reason where there is one', onPage({}, async ({ app, page }) => {
  await talking({ app, page }, { decision: 'refuse', session: session('failed', { retry: true, reason: { code: 'too_young', text: 'You must be 21', next: 'Choose something else' } }) });
  assert.equal(page.view(), 'refuse');
  assert.deepEqual([page.said('state'), page.said('next'), page.part('retry')], ['You must be 21', 'Choose something else', null]);
}));

test('two presses of start make one session', onPage({}, async ({ app, page }) => {
  await talking({ app, page });
  const start = page.part('start');
  start.click();
  start.click();
  await page.shows('session');
  assert.equal(app.starts.length, 1);
}));

test('closed while a session is being made: it is not followed', onPage({}, async ({ app, page }) => {
  const { ended } = await talking({ app, page });
  let late;
  app.start = () => new Promise((resolve) => (late = () => resolve([201, session('created')])));
  page.press('start');
  await until('the start', () => late);
  page.press('close');
  await ended;
  late();
  await quiesce();
  assert.deepEqual([app.listens, app.polls.length, page.view()], [0, 0, '']);
}));

test('no tries left: the server says so, and there is no retry', onPage({}, async ({ app, page }) => {
  await talking({ app, page });
  app.start = () => [429, { error: { code: 'retries_spent', message: 'Three tries were all' } }];
  page.press('start');
  await page.shows('final');
  assert.equal(page.said('state'), 'Three tries were all');
  assert.equal(page.part('retry'), null);
}));

for (const { name, start } of [
  { name: 'fails', start: () => [502, 'bad gateway'] },
  { name: 'talks nonsense', start: () => [201, { id: 1, state: 'passed', decision: 'allow' }] },
  { name: 'knows states we do not', start: () => [201, session('victorious')] },
  { name: 'drops the connection', start: () => 'drop' },
]) {
  test(`starting ${name}: says so, and tries again on request`, onPage({}, async ({ shop, app, page }) => {
    await talking({ app, page });
    app.start = start;
    page.press('start');
    await page.shows('unreachable');
    assert.equal(page.said('state'), TEXTS.unreachable);
    app.start = () => [201, session('created')];
    page.press('retry');
    await page.shows('session');
    assert.equal(shop.orders.length, 0);
  }));
}

for (const { name, start } of [
  { name: 'there is nothing to prove any more', start: [409, { error: { code: 'nothing_to_verify' } }] },
  { name: 'the provider is down and the merchant lets that pass', start: [503, { error: { code: 'provider_down' } }] },
]) {
  test(`starting when ${name}: the server is asked again, and its allow counts`, onPage({}, async ({ shop, app, page }) => {
    const { ended } = await talking({ app, page });
    app.start = () => start;
    app.decide = () => decision('allow', { texts: undefined, lang: undefined });
    page.press('start');
    await ended;
    assert.equal(shop.orders.length, 1);
  }));
}

test('an ended Capability is replaced by asking again', onPage({}, async ({ app, page }) => {
  await talking({ app, page }, { capability: 'cart.old' });
  app.decide = () => decision('verify', { capability: 'cart.new' });
  app.start = (capability) => (capability === 'cart.new' ? [201, session('created')] : [410, { error: { code: 'expired' } }]);
  page.press('start');
  await page.shows('session');
  assert.deepEqual(app.starts.map((s) => s.capability), ['cart.old', 'cart.new']);
}));

test('a Capability lost while following: asked again, ever slower', onPage({}, async ({ app, page }) => {
  await talking({ app, page }, { session: session('started') });
  await page.shows('session');
  app.asks.length = 0;
  app.poll = () => [403, {}];
  await until('the question', () => (page.advance(2000), app.asks.length === 1));
  await quiesce();
  assert.equal(app.asks.length, 1, 'the next one waits');
  await until('the next', () => (page.advance(2000), app.asks.length === 2));
}));

test('events: split anywhere, with comments, CRLF and other events between', onPage({}, async ({ shop, app, page }) => {
  const data = JSON.stringify(session('processing', { reason: { text: 'Grüße', next: '' } }));
  const bytes = Buffer.from(`: beat\r\n\r\nevent: other\r\ndata: {"id":"s1","state":"passed"}\r\n\r\nevent: session\r\ndata: ${data}\r\n\r\nevent: session\ndata: not json\n\n`);
  app.stream = async (res) => {
    for (const byte of bytes) {
      res.write(Buffer.from([byte]));
      await new Promise((r) => setImmediate(r));
    }
  };
  await talking({ app, page }, { session: session('created') });
  await until('processing', () => page.said('state') === TEXTS.processing);
  assert.equal(shop.orders.length, 0);
}));

test('events about another session are not ours', onPage({}, async ({ app, page }) => {
  app.stream = (res) => res.write(`event: session\ndata: ${JSON.stringify(session('passed', { id: 's9' }))}\n\n`);
  await talking({ app, page }, { session: session('created') });
  app.asks.length = 0;
  await until('the stream', () => app.streams.length);
  await quiesce();
  assert.equal(page.view(), 'session');
  assert.equal(app.asks.length, 0);
}));

test('polling: 2 s, slower up to 15 s, quick again on news', onPage({}, async ({ app, page }) => {
  await talking({ app, page }, { session: session('created') });
  const waits = [];
  const step = async () => {
    const n = app.polls.length;
    const newest = () => [...page.timers.values()].at(-1).left;
    waits.push(await until('the pause between polls', () => newest() !== 8000 && newest()));
    page.advance(waits.at(-1));
    await until('the poll', () => app.polls.length === n + 1);
  };
  await until('the first poll', () => app.polls.length === 1);
  for (let i = 0; i < 7; i++) await step();
  assert.deepEqual(waits, [2000, 3000, 4500, 6750, 10125, 15000, 15000]);
  assert.equal(app.listens, 3, 'a stream that never tells anything is tried three times');
  app.poll = () => [200, session('started')];
  await step();
  waits.length = 0;
  await step();
  assert.deepEqual(waits, [2000]);
}));

test('a stream that stays silent is no hindrance: what is polled counts', onPage({}, async ({ app, page }) => {
  app.stream = () => {};
  await talking({ app, page }, { session: session('created') });
  await until('the stream', () => app.streams.length);
  app.poll = () => [200, session('processing')];
  await until('the news', () => (page.advance(2000), page.said('state') === TEXTS.processing));
  assert.equal(app.listens, 1, 'and it is not opened again while it stands');
}));

test('beside a living stream there is a question each 15 s only', onPage({}, async ({ app, page }) => {
  app.stream = (res) => res.write(`event: session\ndata: ${JSON.stringify(session('started'))}\n\n`);
  let answer;
  app.poll = () => new Promise((resolve) => (answer = () => resolve([200, session('started')])));
  await talking({ app, page }, { session: session('created') });
  await until('the news', () => page.said('state') === TEXTS.started && answer);
  answer();
  await until('the pause', () => [...page.timers.values()].at(-1).left === 15000);
  page.advance(14000);
  await quiesce();
  assert.equal(app.polls.length, 1);
}));

test('a stream that ends is opened again', onPage({}, async ({ app, page }) => {
  app.stream = (res) => res.end(`event: session\ndata: ${JSON.stringify(session('started'))}\n\n`);
  await talking({ app, page }, { session: session('created') });
  await until('five streams', () => (page.advance(2000), app.listens === 5));
}));

test('coming back from the other tab asks at once', onPage({}, async ({ app, page }) => {
  app.stream = () => {};
  await talking({ app, page }, { session: session('created') });
  await until('the stream', () => app.streams.length);
  app.poll = () => [200, session('processing')];
  page.window.document.dispatchEvent(new page.window.Event('visibilitychange'));
  await until('the news', () => page.said('state') === TEXTS.processing);
}));

test('closing the dialog ends the stream and the polling', onPage({}, async ({ app, page }) => {
  app.stream = () => {};
  const { ended } = await talking({ app, page }, { session: session('created') });
  let answer;
  app.poll = () => new Promise((resolve) => (answer = () => resolve([200, session('created')])));
  await until('the stream and a question under way', () => (page.advance(2000), app.streams.length && answer));
  page.press('close');
  await ended;
  await until('the end of the stream', () => !app.streams.length);
  const polls = app.polls.length;
  page.advance(60000);
  page.window.document.dispatchEvent(new page.window.Event('visibilitychange'));
  answer();
  await quiesce();
  assert.equal(app.polls.length, polls);
}));

test('a merchant who allows meanwhile opens it', onPage({}, async ({ shop, app, page }) => {
  const { ended } = await talking({ app, page }, { session: session('review') });
  app.poll = () => [200, session('review', { decision: 'allow' })];
  app.decide = () => decision('allow');
  await until('the end', () => (page.advance(2000), shop.orders.length));
  await ended;
  assert.equal(shop.orders.length, 1);
}));

test('a session that says allow while the decision says verify is not asked about in a hot loop', onPage({}, async ({ app, page }) => {
  app.stream = (res) => res.write(`event: session\ndata: ${JSON.stringify(session('review', { decision: 'allow' }))}\n\n`);
  await talking({ app, page }, { session: session('review') });
  await quiesce();
  await quiesce();
  assert.ok(app.asks.length <= 4, String(app.asks.length));
}));

test('the dialog survives a page that empties its body', onPage({}, async ({ app, page }) => {
  await talking({ app, page });
  page.window.document.body.innerHTML = '<p>new</p>';
  await page.shows('intro');
  page.press('start');
  await page.shows('session');
}));
