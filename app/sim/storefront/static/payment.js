// The payment step: the list of methods, the chosen one's fields, and the submit button, which a
// method that draws its own turns into an empty container of the same id.

import { h, classes } from './dom.js';
import { step } from './steps.js';
import { drawButton } from './wallet.js';

/** A method whose provider draws the button in a frame and submits in script. */
const drawsItsOwnButton = (method) => method.initializationData?.drawsButton === true;

export function paymentStep(app) {
  return step(app, 'payment', 'Payment', () => '', () => paymentForm(app));
}

function paymentForm(app) {
  const { methods, methodId, mounts } = app.state;
  const chosen = methods.find((m) => m.id === methodId);
  // A new key after every method change and every refused order: the form is mounted anew.
  return h('form', { key: `payment-${mounts}`, class: 'checkout-form', 'data-test': 'payment-form', novalidate: true, onSubmit: (event) => { event.preventDefault(); app.placeOrder(); } },
    h('fieldset', { class: 'form-fieldset', id: 'checkout-payment-methods' },
      h('legend', { class: 'is-srOnly' }, 'Payment methods'),
      h('ul', { class: 'form-checklist optimizedCheckout-form-checklist paymentMethods' }, methods.map((method) => methodItem(app, method)))),
    h('div', { class: 'form-actions' }, chosen && (drawsItsOwnButton(chosen) ? walletContainer(app, chosen) : submitButton(app, chosen))));
}

function methodItem(app, method) {
  const chosen = method.id === app.state.methodId;
  const id = `radio-${method.id}`;
  return h('li', { key: method.id, class: classes('form-checklist-item optimizedCheckout-form-checklist-item', chosen && 'form-checklist-item--selected optimizedCheckout-form-checklist-item--selected') },
    h('div', { class: 'form-checklist-header' }, h('div', { class: 'form-field' },
      h('input', { type: 'radio', id, name: 'paymentProviderRadio', value: method.id, class: 'form-checklist-checkbox optimizedCheckout-form-checklist-checkbox', checked: chosen, disabled: app.busy('payment'), onChange: () => app.chooseMethod(method.id) }),
      h('label', { for: id, class: 'form-label optimizedCheckout-form-label' },
        h('div', { class: 'paymentProviderHeader-container' },
          h('div', { class: 'paymentProviderHeader-nameContainer', 'data-test': `payment-method-${method.id}` }, h('div', { class: 'paymentProviderHeader-name', 'data-test': 'payment-method-name' }, method.config.displayName)),
          method.supportedCards.length > 0 && h('div', { class: 'paymentProviderHeader-cc' }, method.supportedCards.map((card) => h('span', { key: card, class: 'creditCardTypes-list-item' }, card))))))),
    chosen && h('div', { class: `form-checklist-body paymentMethod paymentMethod--${method.method}` }, methodBody(app, method)));
}

function methodBody(app, method) {
  if (method.method === 'credit-card') return cardFields(app);
  if (drawsItsOwnButton(method)) return h('p', { class: 'paymentMethod-help' }, `You pay with your ${method.config.displayName} account. Nothing is charged in this simulator.`);
  return h('p', { class: 'paymentMethod-help' }, method.config.helpText);
}

const nameOf = (address) => (address ? `${address.firstName} ${address.lastName}`.trim() : '');

/** Card fields are made up: they are never sent anywhere, not even to the simulator. */
function cardFields(app) {
  const input = (id, label, width, value, hint) => h('div', { key: id, class: classes('form-field', `form-field--${id}`, width) },
    h('label', { for: id, class: 'form-label optimizedCheckout-form-label' }, label),
    h('input', { id, name: id, class: 'form-input optimizedCheckout-form-input', inputmode: id === 'ccName' ? 'text' : 'numeric', placeholder: hint, autocomplete: 'off', value: app.state.card[id] ?? value, onInput: (event) => app.setCard(id, event.target.value) }));
  return h('div', { class: 'form-ccFields', 'data-test': 'credit-card-fields' },
    input('ccNumber', 'Credit card number', 'wide', '4111 1111 1111 1111', ''), input('ccExpiry', 'Expiration', 'third', '12 / 30', 'MM / YY'),
    input('ccName', 'Name on card', 'wide', nameOf(app.state.checkout.billingAddress), ''), input('ccCvv', 'CVV', 'third', '123', ''),
    h('p', { class: 'form-ccNote' }, 'Test gateway: these digits stay in the page.'));
}

function submitButton(app, method) {
  const busy = app.busy('payment');
  const label = method.method === 'offline' || method.method === 'credit-card' ? 'Place Order' : `Continue with ${method.config.displayName}`;
  return h('button', { key: 'submit', id: 'checkout-payment-continue', type: 'submit', disabled: busy, class: classes('button button--action button--large button--slab optimizedCheckout-buttonPrimary', busy && 'is-loading') }, busy ? 'Placing order…' : label);
}

function walletContainer(app, method) {
  return h('div', { key: `wallet-${method.id}`, id: 'checkout-payment-continue', class: 'submitButtonContainer', opaque: true, ref: (node) => drawButton(node, method.id, () => app.payByWallet(method.id)) });
}

/** Order summary, beside the steps on a wide screen and above them on a narrow one. */
export function summary(app, money) {
  const { checkout } = app.state;
  const { cart } = checkout;
  const amount = (value) => money(value, cart.currency);
  const items = [...cart.lineItems.physicalItems, ...cart.lineItems.digitalItems];
  const pieces = items.reduce((n, item) => n + item.quantity, 0);
  const row = (label, value, test) => h('div', { key: label, 'data-test': test }, h('div', { class: 'cart-priceItem optimizedCheckout-contentPrimary' }, h('span', { class: 'cart-priceItem-label' }, label), h('span', { class: 'cart-priceItem-value' }, value)));
  const shipping = cart.lineItems.physicalItems.length === 0 ? [] : [row('Shipping', checkout.consignments[0]?.selectedShippingOption ? amount(checkout.shippingCostTotal) : '--', 'cart-shipping')];
  return h('aside', { key: 'summary', class: 'layout-cart' }, h('article', { class: 'cart optimizedCheckout-orderSummary', 'data-test': 'cart' },
    h('header', { class: 'cart-header' }, h('h3', { class: 'cart-title optimizedCheckout-headingSecondary' }, 'Order Summary'), h('a', { class: 'cart-header-link', id: 'cart-edit-link', 'data-test': 'cart-edit-link', href: '/cart.php' }, 'Edit Cart')),
    h('section', { class: 'cart-section optimizedCheckout-orderSummary-cartSection' },
      h('h4', { class: 'cart-section-heading optimizedCheckout-contentPrimary', 'data-test': 'cart-count-total' }, pieces === 1 ? '1 Item' : `${pieces} Items`),
      h('ul', { class: 'productList' }, items.map((item) => h('li', { key: item.id, class: 'productList-item is-visible' },
        h('div', { class: 'product', 'data-test': 'cart-item' },
          h('figure', { class: 'product-column product-figure' }, h('img', { src: item.imageUrl, alt: '', width: '56', height: '56' })),
          h('div', { class: 'product-column product-body' }, h('h4', { class: 'product-title optimizedCheckout-contentPrimary', 'data-test': 'cart-item-product-title' }, `${item.quantity} x ${item.name}`)),
          h('div', { class: 'product-column product-actions' }, h('div', { class: 'product-price optimizedCheckout-contentPrimary', 'data-test': 'cart-item-product-price' }, amount(item.extendedSalePrice)))))))),
    h('section', { class: 'cart-section optimizedCheckout-orderSummary-cartSection' },
      row('Subtotal', amount(checkout.subtotal), 'cart-subtotal'), ...shipping, row('Tax', checkout.taxTotal ? amount(checkout.taxTotal) : 'Included', 'cart-taxes')),
    h('section', { class: 'cart-section optimizedCheckout-orderSummary-cartSection' },
      h('div', { 'data-test': 'cart-total' }, h('div', { class: 'cart-priceItem optimizedCheckout-contentPrimary cart-priceItem--total' },
        h('span', { class: 'cart-priceItem-label' }, `Total (${cart.currency.code})`), h('span', { class: 'cart-priceItem-value', 'data-total': '' }, amount(checkout.outstandingBalance)))))));
}

/** The checkout's own error dialog, in a root of its own as a portal is. */
export function errorDialog(app) {
  const { error } = app.state;
  if (!error) return [];
  return h('div', { key: 'error', class: 'ReactModalPortal' }, h('div', { class: 'ReactModal__Overlay modalOverlay' },
    h('div', { class: 'ReactModal__Content modal optimizedCheckout-contentPrimary modal--error', role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': 'errorModalMessage', tabindex: '-1', onKeyDown: (event) => { if (event.key === 'Escape') app.closeError(); } },
      h('div', { class: 'modal-header' }, h('h2', { class: 'modal-header-title', role: 'alert' }, error.title || "Something's gone wrong")),
      h('div', { class: 'modal-body' }, h('p', { id: 'errorModalMessage', role: 'alert' }, error.message)),
      h('div', { class: 'modal-footer' }, h('button', { type: 'button', class: 'button button--small', id: 'errorModalClose', ref: (node) => node.focus(), onClick: () => app.closeError() }, 'Ok')))));
}

