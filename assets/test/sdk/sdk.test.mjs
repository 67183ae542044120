// gate.js beside the real Checkout SDK: what it reads, the order call it makes, and the error it shows.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CART, TEXTS, decision, onPage, session, until } from '../harness.mjs';
import { bundle } from './bundle.mjs';
import { reads } from './shop.mjs';

const { outfile, version } = await bundle();
const SDK = readFileSync(outfile, 'utf8');

test('the bundle is the pinned version and offers what a shop\'s loader offers', onPage({}, async ({ page }) => {
  assert.equal(version, '1.983.2');
  page.window.eval(SDK);
  assert.equal(typeof page.window.checkoutKit.createCheckoutService, 'function');
  const kit = await page.window.checkoutKitLoader.load('checkout-sdk');
  const customers = [];
  kit.createCheckoutService().subscribe((state) => customers.push(state.data.getCustomer()));
  assert.deepEqual(customers, [undefined], 'at once, and empty');
}));

test('loadCheckout resolves beside the gate', onPage({}, async ({ shop, page }) => {
  shop.json = reads;
  page.window.eval(SDK);
  const { data } = await page.window.checkoutKit.createCheckoutService().loadCheckout(CART);
  assert.equal(data.getCheckout().id, CART);
  assert.equal(data.getCustomer().isGuest, true);
}));

test('the gate finds the cart through the SDK when the shop\'s own list is empty', onPage({}, async ({ shop, app, page }) => {
  shop.json = reads;
  shop.carts = [];
  page.window.eval(SDK);
  app.asks.length = 0;
  await page.order({ body: '{}' }).ended;
  assert.equal(app.asks[0].cart_id, CART);
}));

test('the SDK\'s order call is held; refused, it shows our words; allowed, it goes once', onPage({}, async ({ shop, app, page }) => {
  shop.json = reads;
  app.decide = () => decision('verify', { session: session('created') });
  page.window.eval(SDK);
  const service = page.window.checkoutKit.createCheckoutService();
  await service.loadCheckout(CART);
  const refused = service.submitOrder({ useStoreCredit: false }).then(() => null, (e) => e);
  await page.shows('session');
  assert.equal(app.asks.at(-1).cart_id, CART);
  page.press('close');
  const error = await refused;
  assert.equal(error.message, TEXTS.order_blocked);
  assert.equal(error.status, 403);
  assert.equal(shop.orders.length, 0);

  const placed = service.submitOrder({ useStoreCredit: false });
  await page.shows('session');
  app.decide = () => decision('allow');
  app.poll = () => [200, session('passed')];
  await until('the order', () => (page.advance(2000), shop.orders.length));
  await placed;
  assert.equal(shop.orders.length, 1);
  assert.equal(JSON.parse(shop.orders[0].body).cartId, CART);
}));
