// What the page knows, and what follows from it. No DOM and no requests here.

/** @typedef {'customer' | 'shipping' | 'billing' | 'payment'} Step */

export const EMPTY_ADDRESS = {
  firstName: '', lastName: '', company: '', phone: '', address1: '', address2: '',
  city: '', countryCode: 'US', stateOrProvince: '', stateOrProvinceCode: '', postalCode: '',
};

/** What a wallet or the simulator's *fill in* button knows about its owner. */
export const DEMO_SHOPPER = {
  email: 'alex.rivers@mail.example', firstName: 'Alex', lastName: 'Rivers', company: '', phone: '15125550137',
  address1: '48 Harbor Street', address2: '', city: 'Austin', countryCode: 'US',
  stateOrProvince: 'Texas', stateOrProvinceCode: 'TX', postalCode: '78701',
};

export const needsShipping = (checkout) => checkout.cart.lineItems.physicalItems.some((item) => item.isShippingRequired);

/** @returns {Step[]} */
export const stepsOf = (checkout) => (needsShipping(checkout) ? ['customer', 'shipping', 'billing', 'payment'] : ['customer', 'billing', 'payment']);

const addressDone = (address) => Boolean(address && address.firstName && address.lastName && address.address1 && address.city && address.countryCode && address.postalCode);

/** @param {Step} step */
export function isComplete(checkout, step) {
  switch (step) {
    case 'customer': return !checkout.customer.isGuest || Boolean(checkout.billingAddress?.email);
    case 'shipping': return Boolean(checkout.consignments[0]?.selectedShippingOption) && addressDone(checkout.consignments[0].address);
    case 'billing': return addressDone(checkout.billingAddress);
    case 'payment': return false;
  }
}

/** The step that opens by itself: the first one still to do. */
export const firstOpenStep = (checkout) => stepsOf(checkout).find((step) => !isComplete(checkout, step)) || 'payment';

/** Required fields that are empty, by field name. */
export function missingFields(address) {
  const required = ['firstName', 'lastName', 'address1', 'city', 'countryCode', 'postalCode'];
  return required.filter((name) => !String(address[name] || '').trim());
}

/** Copies the fields of a form out of whatever the server sent. */
export function toForm(address) {
  const form = { ...EMPTY_ADDRESS };
  for (const name of Object.keys(form)) if (address?.[name]) form[name] = address[name];
  return form;
}

export const sameAddress = (a, b) => Object.keys(EMPTY_ADDRESS).every((name) => (a?.[name] || '') === (b?.[name] || ''));

export function money(amount, currency) {
  return new Intl.NumberFormat('en-US', { style: 'currency', currency: currency.code }).format(amount);
}

export const allItems = (lineItems) => [...lineItems.physicalItems, ...lineItems.digitalItems];

/** Wallets that may buy from the customer step and the cart, without the payment step. */
export const EXPRESS = ['applepay', 'googlepaybraintree', 'paypalcommerce'];

/** How each wallet signs its sheet. */
export const WALLETS = {
  applepay: { name: 'Apple Pay', confirm: 'Pay with passcode' },
  googlepaybraintree: { name: 'Google Pay', confirm: 'Pay now' },
  paypalcommerce: { name: 'PayPal', confirm: 'Complete purchase' },
};
