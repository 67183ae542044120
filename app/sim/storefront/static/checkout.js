// The one-page checkout: state, what the shopper may do, and one render function.

import * as api from './api.js';
import { h, mount } from './dom.js';
import { DEMO_SHOPPER, EMPTY_ADDRESS, firstOpenStep, isComplete, missingFields, money, sameAddress, stepsOf, toForm } from './model.js';
import { errorDialog, paymentStep, summary } from './payment.js';
import { billingStep, customerStep, shippingStep } from './steps.js';
import { buyExpress, confirmationURL, describeTotal, openSheet, placeOrder } from './wallet.js';

class CheckoutApp {
  /** @param {HTMLElement} root @param {HTMLElement} portal @param {string} checkoutId @param {{ remount: boolean }} options */
  constructor(root, portal, checkoutId, options) {
    this.checkoutId = checkoutId;
    this.paint = mount(root, options);
    this.paintPortal = mount(portal);
    this.quoting = Promise.resolve(); // the last request for shipping quotes
    this.state = {
      checkout: null, countries: [], methods: [], step: 'customer', busy: '', error: null, loginOpen: false, loginError: '',
      forms: { customer: { email: '', password: '' }, shipping: { ...EMPTY_ADDRESS, orderComment: '' }, billing: { ...EMPTY_ADDRESS } },
      missing: [], billingSame: true, methodId: '', card: {}, mounts: 0,
    };
  }

  async start() {
    const [config, checkout, countries, methods] = await Promise.all([
      api.loadConfig(this.checkoutId), api.loadCheckout(this.checkoutId), api.loadCountries(), api.loadMethods(this.checkoutId)]);
    document.title = `Checkout – ${config.storeConfig.storeProfile.storeName}`;
    this.state = { ...this.state, countries, methods, methodId: methods[0]?.id || '' };
    this.take(checkout);
    this.show(firstOpenStep(checkout));
  }

  /** Opens a step. An address that is known already gets its quotes without a keystroke. */
  show(step) {
    this.set({ step, missing: [] });
    if (step === 'shipping') this.fieldDone('shipping');
  }

  set(change) {
    this.state = { ...this.state, ...change };
    this.render();
  }

  render() {
    const { checkout } = this.state;
    if (!checkout) return;
    this.paint(h('div', { id: 'checkout-page-container', class: 'themeV2' },
      h('div', { class: 'layout optimizedCheckout-contentPrimary' },
        h('div', { class: 'layout-main' }, h('ol', { class: 'checkout-steps' }, customerStep(this), shippingStep(this), billingStep(this), paymentStep(this))),
        summary(this, money))));
    this.paintPortal(errorDialog(this));
  }

  busy(step) { return this.state.busy === step; }

  /** Takes a checkout from the server and fills the forms that the shopper has not begun. */
  take(checkout) {
    const { forms } = this.state;
    const known = checkout.customer.addresses[0];
    const untouched = (form) => sameAddress(form, EMPTY_ADDRESS);
    const shipping = checkout.consignments[0]?.address || known;
    const billing = isComplete(checkout, 'billing') ? checkout.billingAddress : known;
    this.state = {
      ...this.state, checkout,
      forms: {
        customer: { ...forms.customer, email: forms.customer.email || checkout.billingAddress?.email || '' },
        shipping: untouched(forms.shipping) && shipping ? { ...forms.shipping, ...toForm(shipping) } : forms.shipping,
        billing: untouched(forms.billing) && billing ? toForm(billing) : forms.billing,
      },
    };
  }

  /** Runs one step's request: the step is busy meanwhile, a refusal is shown. Resolves to whether it worked. */
  async run(step, work) {
    if (this.state.busy) return false;
    this.set({ busy: step });
    try {
      await work();
      this.set({ busy: '' });
      return true;
    } catch (error) {
      // A refused order mounts the payment form anew, as the hosted checkout does.
      this.set({ busy: '', error, mounts: step === 'payment' ? this.state.mounts + 1 : this.state.mounts });
      return false;
    }
  }

  openStep(step) { if (stepsOf(this.state.checkout).includes(step)) this.show(step); }

  advance() {
    const steps = stepsOf(this.state.checkout);
    const after = steps.slice(steps.indexOf(this.state.step) + 1);
    const step = after.find((s) => !isComplete(this.state.checkout, s)) || 'payment';
    this.show(step);
    document.querySelector(`.checkout-step--${step}`)?.scrollIntoView({ block: 'nearest' });
  }

  setField(form, name, value) {
    this.set({ forms: { ...this.state.forms, [form]: { ...this.state.forms[form], [name]: value } }, missing: this.state.missing.filter((m) => m !== `${form}.${name}`) });
  }

  setCard(name, value) { this.set({ card: { ...this.state.card, [name]: value } }); }

  /** Marks a form's empty required fields; true when there are none. */
  valid(form, missing) {
    this.set({ missing: missing.map((name) => `${form}.${name}`) });
    document.querySelector('.form-field--error input')?.focus();
    return missing.length === 0;
  }

  // --- customer ---

  showLogin(open) { this.set({ loginOpen: open, loginError: '', missing: [] }); }

  async continueAsGuest() {
    const { email } = this.state.forms.customer;
    if (!this.valid('customer', /^\S+@\S+\.\S+$/.test(email) ? [] : ['email'])) return;
    if (await this.run('customer', async () => this.take(await api.saveBilling(this.state.checkout, { email })))) this.advance();
  }

  async signIn() {
    const { email, password } = this.state.forms.customer;
    if (!this.valid('customer', [!email && 'email', !password && 'password'].filter(Boolean))) return;
    this.set({ busy: 'customer', loginError: '' });
    try {
      await api.signIn(email, password);
      this.take(await api.loadCheckout(this.checkoutId));
      this.set({ busy: '', loginOpen: false });
      this.show(firstOpenStep(this.state.checkout));
    } catch (error) {
      this.set({ busy: '', loginError: error.status === 404 ? 'The email or password you entered is incorrect. Please try again.' : error.message });
    }
  }

  async signOut() {
    await this.run('customer', api.signOut);
    location.reload();
  }

  // --- shipping and billing ---

  /** Quotes come as soon as the address is whole, without waiting for the button. */
  async fieldDone(form) {
    const { checkout, forms } = this.state;
    if (form !== 'shipping' || missingFields(forms.shipping).length > 0) return;
    if (sameAddress(checkout.consignments[0]?.address, forms.shipping)) return;
    // The step is not busy meanwhile: a press on Continue that caused this must not be lost.
    this.quoting = this.quoting.then(() => this.saveShipping()).catch((error) => this.set({ error }));
    await this.quoting;
  }

  async saveShipping() {
    const { orderComment, ...address } = this.state.forms.shipping;
    this.take(await api.saveShippingAddress(this.state.checkout, address));
    const consignment = this.state.checkout.consignments[0];
    const option = consignment.availableShippingOptions.find((o) => o.isRecommended) || consignment.availableShippingOptions[0];
    if (!consignment.selectedShippingOption && option) this.take(await api.selectShippingOption(this.state.checkout, option.id));
    this.render();
  }

  async chooseShipping(id) { await this.run('shipping', async () => this.take(await api.selectShippingOption(this.state.checkout, id))); }

  async continueShipping() {
    const { forms, billingSame } = this.state;
    if (!this.valid('shipping', missingFields(forms.shipping))) return;
    const worked = await this.run('shipping', async () => {
      await this.quoting;
      const consignment = this.state.checkout.consignments[0];
      if (!consignment?.selectedShippingOption || !sameAddress(consignment.address, forms.shipping)) await this.saveShipping();
      if (forms.shipping.orderComment) this.take(await api.request('PUT', `/api/storefront/checkout/${this.checkoutId}`, { customerMessage: forms.shipping.orderComment }));
      if (billingSame) await this.saveBilling(this.state.forms.shipping);
    });
    if (!worked) return;
    if (billingSame) this.set({ forms: { ...this.state.forms, billing: toForm(forms.shipping) } });
    if (billingSame) this.advance();
    else this.set({ step: 'billing' });
  }

  async saveBilling({ orderComment, ...address }) {
    const { checkout, forms } = this.state;
    const email = checkout.customer.isGuest ? checkout.billingAddress?.email || forms.customer.email : checkout.customer.email;
    this.take(await api.saveBilling(checkout, { ...address, email }));
  }

  async continueBilling() {
    if (!this.valid('billing', missingFields(this.state.forms.billing))) return;
    if (await this.run('billing', () => this.saveBilling(this.state.forms.billing))) this.advance();
  }

  // --- payment ---

  chooseMethod(methodId) { this.set({ methodId, mounts: this.state.mounts + 1 }); }

  placeOrder() {
    return this.run('payment', async () => {
      const { checkout, methodId } = this.state;
      await this.checkUnchanged(checkout);
      location.assign(confirmationURL(await placeOrder(checkout, methodId, {})));
      await new Promise(() => {}); // stay busy until the next page is there
    });
  }

  /** The SDK reads the checkout once more before it orders, and stops when somebody changed it. */
  async checkUnchanged(checkout) {
    const now = await api.loadCheckout(checkout.id);
    if (now.outstandingBalance !== checkout.outstandingBalance || now.cart.cartAmount !== checkout.cart.cartAmount) {
      this.take(now);
      throw new Error('An update to your shopping cart has been detected and your available shipping costs have been updated.');
    }
  }

  async payByWallet(method) {
    const { checkout } = this.state;
    const payer = `${checkout.billingAddress.firstName} ${checkout.billingAddress.lastName}`;
    if (!(await openSheet(method, { amount: describeTotal(checkout), payer }))) return;
    await this.run('payment', async () => {
      location.assign(confirmationURL(await placeOrder(checkout, method, { token: 'wallet-token' })));
      await new Promise(() => {});
    });
  }

  async buyExpress(method) {
    try {
      const orderId = await buyExpress(method, this.checkoutId);
      if (orderId) location.assign(confirmationURL(orderId));
    } catch (error) {
      this.set({ error });
    }
  }

  closeError() { this.set({ error: null }); }

  /** The simulator's *fill in* button: writes a shopper into the step that is open. */
  fill() {
    const { forms, step } = this.state;
    const { email, ...address } = DEMO_SHOPPER;
    const next = { ...forms };
    if (step === 'customer') next.customer = { ...forms.customer, email };
    if (step === 'shipping') next.shipping = { ...forms.shipping, ...address };
    if (step === 'billing') next.billing = { ...address };
    this.set({ forms: next, missing: [] });
    if (step === 'shipping') this.fieldDone('shipping');
  }
}

const root = document.getElementById('checkout-app');
const app = new CheckoutApp(root, document.getElementById('checkout-portal'), root.dataset.checkoutId, { remount: new URLSearchParams(location.search).has('remount') });
document.addEventListener('demo:fill', () => app.fill());
app.start().catch((error) => {
  root.innerHTML = '<div class="page-note"><h1>We could not load this checkout</h1><p></p><a class="button button--primary" href="/cart.php">Back to the cart</a></div>';
  root.querySelector('p').textContent = error.message;
});
