// Wallets. What matters about them to a script on the page:
// - the sheet comes up at pointerdown, before any click;
// - their listeners hang on their own element, or in a frame of another origin that lets no event out;
// - they place the order in script: no submit event, and from the customer step or the cart also no payment step.
// Departure from the real thing: the sheet is drawn in the page, where the real one is the system's or a pop-up.

import { finalizeOrder, loadCheckout, saveBilling, saveShippingAddress, selectShippingOption, submitOrder } from './api.js';
import { DEMO_SHOPPER, WALLETS, money, needsShipping } from './model.js';

/** Draws a wallet's own button inside a container; open is called at pointerdown or by keyboard. */
export function drawButton(container, method, open) {
  if (method === 'paypalcommerce') return drawFrame(container, method, open);
  const button = document.createElement(method === 'applepay' ? 'apple-pay-button' : 'button');
  button.className = `wallet-button wallet-button--${method}`;
  button.setAttribute('role', 'button');
  button.setAttribute('aria-label', WALLETS[method].name);
  button.tabIndex = 0;
  if (method === 'applepay') {
    button.setAttribute('buttonstyle', 'black');
    button.setAttribute('type', 'plain');
  } else {
    button.type = 'button';
  }
  button.innerHTML = method === 'applepay' ? '<span aria-hidden="true">&#9679;</span> Pay' : '<b>G</b> Pay';
  button.addEventListener('pointerdown', () => open());
  button.addEventListener('keydown', (event) => { if (event.key === 'Enter' || event.key === ' ') open(); });
  container.replaceChildren(button);
}

/** A button in a frame of its own origin: the sandbox gives it an opaque one. */
function drawFrame(container, method, open) {
  const frame = document.createElement('iframe');
  frame.src = `/sf/wallet/${method}`;
  frame.title = WALLETS[method].name;
  frame.className = 'wallet-frame';
  frame.setAttribute('sandbox', 'allow-scripts');
  const heard = (event) => {
    if (!frame.isConnected) window.removeEventListener('message', heard);
    else if (event.source === frame.contentWindow && event.data === 'wallet:open') open();
  };
  window.addEventListener('message', heard);
  container.replaceChildren(frame);
}

/**
 * Brings up a wallet's sheet; resolves to true when the shopper pays, false when they close it.
 * @param {string} method
 * @param {{ amount: string, payer: string }} what
 */
export function openSheet(method, { amount, payer }) {
  if (document.getElementById('wallet-sheet')) return Promise.resolve(false);
  const sheet = document.createElement('div');
  sheet.id = 'wallet-sheet';
  sheet.className = `wallet-sheet wallet-sheet--${method}`;
  sheet.dataset.method = method;
  sheet.setAttribute('role', 'dialog');
  sheet.setAttribute('aria-label', WALLETS[method].name);
  sheet.innerHTML = `<div class="wallet-sheet-card"><p class="wallet-sheet-brand"></p>
    <dl><dt>Card</dt><dd>Sample card &bull;&bull;&bull;&bull; 4242</dd><dt>Contact</dt><dd class="wallet-sheet-payer"></dd><dt>Pay</dt><dd class="wallet-sheet-amount"></dd></dl>
    <button type="button" class="wallet-sheet-pay"></button><button type="button" class="wallet-sheet-cancel">Cancel</button>
    <p class="wallet-sheet-note">Simulated wallet. On a phone this sheet belongs to the system.</p></div>`;
  sheet.querySelector('.wallet-sheet-brand').textContent = WALLETS[method].name;
  sheet.querySelector('.wallet-sheet-payer').textContent = payer;
  sheet.querySelector('.wallet-sheet-amount').textContent = amount;
  sheet.querySelector('.wallet-sheet-pay').textContent = WALLETS[method].confirm;
  document.documentElement.append(sheet);
  return new Promise((resolve) => {
    const close = (paid) => { sheet.remove(); resolve(paid); };
    sheet.querySelector('.wallet-sheet-pay').addEventListener('click', () => close(true));
    sheet.querySelector('.wallet-sheet-cancel').addEventListener('click', () => close(false));
    sheet.addEventListener('keydown', (event) => { if (event.key === 'Escape') close(false); });
    setTimeout(() => sheet.querySelector('.wallet-sheet-pay')?.focus(), 0);
  });
}

/**
 * Buys a whole checkout from a wallet's button: the wallet supplies the contact and the address,
 * the order follows at once. Resolves to the order's id, or undefined when the sheet was closed.
 * @param {string} method
 * @param {string} checkoutId
 */
export async function buyExpress(method, checkoutId) {
  // The sheet needs the amount now: a wallet may not wait for the network between the press and its sheet.
  const shown = document.querySelector('[data-total]')?.textContent || '';
  const paid = await openSheet(method, { amount: shown, payer: `${DEMO_SHOPPER.firstName} ${DEMO_SHOPPER.lastName}` });
  if (!paid) return undefined;
  let checkout = await loadCheckout(checkoutId);
  const contact = contactOf(checkout);
  if (needsShipping(checkout)) {
    checkout = await saveShippingAddress(checkout, contact);
    const options = checkout.consignments[0].availableShippingOptions;
    const chosen = checkout.consignments[0].selectedShippingOption || options.find((o) => o.isRecommended) || options[0];
    checkout = await selectShippingOption(checkout, chosen.id);
  }
  checkout = await saveBilling(checkout, contact);
  return placeOrder(checkout, method, { token: 'wallet-token' });
}

/** Who the wallet says is paying: the account's first address when signed in, else its own owner. */
function contactOf(checkout) {
  const { customer } = checkout;
  if (customer.isGuest) return { ...DEMO_SHOPPER };
  const address = customer.addresses[0] || { ...DEMO_SHOPPER, firstName: customer.firstName, lastName: customer.lastName };
  const { id, type, ...fields } = address;
  return { ...fields, email: customer.email };
}

/** The order call and its finalising. Resolves to the order's id. */
export async function placeOrder(checkout, method, paymentData) {
  const order = await submitOrder({
    cartId: checkout.id,
    customerMessage: checkout.customerMessage || '',
    payment: { name: method, gateway: null, paymentData },
  });
  await finalizeOrder(order.orderId);
  return order.orderId;
}

export const describeTotal = (checkout) => money(checkout.outstandingBalance, checkout.cart.currency);
export const confirmationURL = (orderId) => `/checkout/order-confirmation/${orderId}`;
