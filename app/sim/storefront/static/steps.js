// The customer, shipping and billing steps. Element ids, classes and data-test values are the hosted checkout's own.

import { h, classes } from './dom.js';
import { EXPRESS, isComplete, money, needsShipping } from './model.js';
import { drawButton } from './wallet.js';

/** One step of the list: a header always, its content only while it is open. */
export function step(app, name, heading, summary, content) {
  const { checkout } = app.state;
  const open = app.state.step === name;
  const done = isComplete(checkout, name);
  const editable = done && !open;
  return h('li', { key: name, class: classes('checkout-step optimizedCheckout-checkoutStep', `checkout-step--${name}`, open && 'checkout-step--current') },
    h('div', { class: 'checkout-view-header' },
      h('div', { class: classes('stepHeader', editable ? 'is-clickable' : 'is-readonly'), onClick: editable ? () => app.openStep(name) : () => {} },
        h('div', { class: 'stepHeader-figure stepHeader-column' },
          h('div', { class: classes('icon stepHeader-counter optimizedCheckout-step', done && !open && 'stepHeader-counter--complete'), 'aria-hidden': 'true' }, done && !open ? '✓' : ''),
          h('h2', { class: 'stepHeader-title optimizedCheckout-headingPrimary' }, heading)),
        h('div', { class: 'stepHeader-body stepHeader-column optimizedCheckout-contentPrimary', 'data-test': 'step-info' }, done && !open ? summary() : ''),
        editable && h('div', { class: 'stepHeader-actions stepHeader-column' },
          h('button', { type: 'button', class: 'button button--tertiary button--tiny optimizedCheckout-buttonSecondary', 'data-test': 'step-edit-button', 'aria-expanded': 'false' }, 'Edit')))),
    open && h('div', { key: `${name}-content`, class: 'checkout-view-content', 'aria-busy': String(app.busy(name)) }, content()));
}

/** A labelled text input bound to a form's field. */
function field(app, form, id, name, label, extra = {}) {
  const { required, type = 'text', width = '', autocomplete, prefix = '' } = extra;
  const missing = app.state.missing.includes(`${form}.${name}`);
  return h('div', { class: classes('dynamic-form-field', `dynamic-form-field--${name}`, width, missing && 'form-field--error') },
    h('label', { for: id, class: 'form-label optimizedCheckout-form-label', id: `${id}-label` }, label, !required && h('small', { class: 'optimizedCheckout-contentSecondary' }, ' (Optional)')),
    h('input', {
      id, name: prefix + name, type, autocomplete, class: 'form-input optimizedCheckout-form-input', 'data-test': `${id}-text`,
      'aria-labelledby': `${id}-label`, 'aria-invalid': missing ? 'true' : false, 'aria-describedby': missing ? `${id}-error` : false,
      value: app.state.forms[form][name], onInput: (event) => app.setField(form, name, event.target.value), onChange: () => app.fieldDone(form),
    }),
    missing && h('p', { class: 'form-inlineMessage', id: `${id}-error`, 'aria-live': 'polite' }, `${label} is required`));
}

function select(app, form, id, name, label, options, extra = {}) {
  const { width = '', prefix = '' } = extra;
  return h('div', { class: classes('dynamic-form-field', `dynamic-form-field--${name}`, width) },
    h('label', { for: id, class: 'form-label optimizedCheckout-form-label' }, label),
    h('select', {
      id, name: prefix + name, class: 'form-select optimizedCheckout-form-select', 'data-test': `${id}-select`,
      value: app.state.forms[form][name], onChange: (event) => { app.setField(form, name, event.target.value); app.fieldDone(form); },
    }, options.map(([value, text]) => h('option', { key: `${id}-${value}`, value, selected: app.state.forms[form][name] === value }, text))));
}

/** An address form with the hosted checkout's input ids; prefix is what stands before each input's name. */
export function addressForm(app, form, prefix) {
  const country = app.state.countries.find((c) => c.code === app.state.forms[form].countryCode);
  const regions = country?.subdivisions || [];
  return h('fieldset', { key: `${form}-address`, class: 'form-fieldset', id: form === 'shipping' ? 'checkoutShippingAddress' : 'checkoutBillingAddress' },
    h('legend', { class: 'form-legend optimizedCheckout-headingSecondary' }, form === 'shipping' ? 'Shipping address' : 'Billing address'),
    h('div', { class: 'checkout-address', 'data-test': 'address-form' },
      field(app, form, 'firstNameInput', 'firstName', 'First name', { required: true, width: 'half', autocomplete: 'given-name', prefix }),
      field(app, form, 'lastNameInput', 'lastName', 'Last name', { required: true, width: 'half', autocomplete: 'family-name', prefix }),
      field(app, form, 'companyInput', 'company', 'Company name', { width: 'half', autocomplete: 'organization', prefix }),
      field(app, form, 'phoneInput', 'phone', 'Phone number', { width: 'half', type: 'tel', autocomplete: 'tel', prefix }),
      field(app, form, 'addressLine1Input', 'address1', 'Address', { required: true, autocomplete: 'address-line1', prefix }),
      field(app, form, 'addressLine2Input', 'address2', 'Apartment, suite, building', { autocomplete: 'address-line2', prefix }),
      field(app, form, 'cityInput', 'city', 'City', { required: true, autocomplete: 'address-level2', prefix }),
      select(app, form, 'countryCodeInput', 'countryCode', 'Country', app.state.countries.map((c) => [c.code, c.name]), { width: 'third', prefix }),
      regions.length
        ? select(app, form, 'provinceCodeInput', 'stateOrProvinceCode', 'State/Province', [['', 'Select a state'], ...regions.map((r) => [r.code, r.name])], { width: 'third', prefix })
        : field(app, form, 'provinceInput', 'stateOrProvince', 'State/Province', { width: 'third', prefix }),
      field(app, form, 'postCodeInput', 'postalCode', 'Postal code', { required: true, width: 'third', autocomplete: 'postal-code', prefix })));
}

/** The express wallets. Each container is the wallet's own ground: rendering never touches what is in it. */
export function expressButtons(app) {
  return h('div', { key: 'express', class: 'checkout-button-container' },
    h('p', { class: 'checkout-button-heading' }, 'Check out faster with:'),
    h('div', { class: `checkoutRemote checkout-buttons--${EXPRESS.length}` },
      EXPRESS.map((method) => h('div', {
        key: method, id: `${method}CheckoutButton`, class: 'checkout-button', opaque: true,
        ref: (node) => drawButton(node, method, () => app.buyExpress(method)),
      }))),
    h('div', { class: 'checkout-separator' }, h('span', null, 'or')));
}

export function customerStep(app) {
  const { checkout, loginOpen } = app.state;
  const { customer } = checkout;
  return step(app, 'customer', 'Customer',
    () => h('div', { class: 'customerView', 'data-test': 'checkout-customer-info' },
      h('div', { class: 'customerView-body optimizedCheckout-contentPrimary', 'data-test': 'customer-info' }, customer.isGuest ? checkout.billingAddress.email : customer.email),
      !customer.isGuest && h('div', { class: 'customerView-actions' },
        h('button', { type: 'button', class: 'button button--tertiary button--tiny optimizedCheckout-buttonSecondary', 'data-test': 'sign-out-link', id: 'checkout-customer-signout', onClick: (event) => { event.stopPropagation(); app.signOut(); } }, 'Sign out'))),
    () => {
      if (!customer.isGuest) return memberForm(app);
      return [expressButtons(app), loginOpen ? loginForm(app) : guestForm(app)];
    });
}

function memberForm(app) {
  return h('div', { key: 'member', class: 'checkout-form' },
    expressButtons(app),
    h('p', null, 'Signed in as ', h('strong', null, app.state.checkout.customer.email), '.'),
    h('div', { class: 'form-actions' },
      h('button', { type: 'button', id: 'checkout-customer-continue', class: 'button button--primary optimizedCheckout-buttonPrimary', 'data-test': 'customer-continue-button', onClick: () => app.advance() }, 'Continue'),
      h('button', { type: 'button', class: 'button optimizedCheckout-buttonSecondary', 'data-test': 'sign-out-link', id: 'checkout-customer-signout', onClick: () => app.signOut() }, 'Sign out')));
}

function guestForm(app) {
  const busy = app.busy('customer');
  return h('form', { key: 'guest', id: 'checkout-customer-guest', class: 'checkout-form', 'data-test': 'checkout-customer-guest', novalidate: true, onSubmit: (event) => { event.preventDefault(); app.continueAsGuest(); } },
    h('fieldset', { class: 'form-fieldset' },
      h('legend', { class: 'is-srOnly' }, 'Guest customer'),
      h('div', { class: 'customerEmail-container' },
        h('div', { class: 'customerEmail-body' }, emailField(app)),
        h('div', { class: 'form-actions customerEmail-action' },
          h('button', { id: 'checkout-customer-continue', type: 'submit', disabled: busy, class: classes('button customerEmail-button button--primary optimizedCheckout-buttonPrimary', busy && 'is-loading'), 'data-test': 'customer-continue-as-guest-button' }, 'Continue'))),
      h('p', { class: 'customer-login-link' }, 'Already have an account? ',
        h('a', { 'data-test': 'customer-continue-button', id: 'checkout-customer-login', role: 'button', tabindex: '0', onClick: () => app.showLogin(true), onKeyDown: (event) => { if (event.key === 'Enter') app.showLogin(true); } }, 'Sign in now'))));
}

function emailField(app) {
  return field(app, 'customer', 'email', 'email', 'Email', { required: true, type: 'email', autocomplete: 'email' });
}

function loginForm(app) {
  const busy = app.busy('customer');
  return h('form', { key: 'login', id: 'checkout-customer-returning', class: 'checkout-form', 'data-test': 'checkout-customer-returning', novalidate: true, onSubmit: (event) => { event.preventDefault(); app.signIn(); } },
    h('fieldset', { class: 'form-fieldset' },
      h('legend', { class: 'is-srOnly' }, 'Returning customer'),
      app.state.loginError && h('div', { class: 'alertBox alertBox--error', 'data-test': 'customer-login-error-message', role: 'alert' }, app.state.loginError),
      emailField(app),
      field(app, 'customer', 'password', 'password', 'Password', { required: true, type: 'password', autocomplete: 'current-password' }),
      h('div', { class: 'form-actions' },
        h('button', { id: 'checkout-customer-continue', type: 'submit', disabled: busy, class: classes('button button--primary optimizedCheckout-buttonPrimary', busy && 'is-loading'), 'data-test': 'customer-continue-button' }, 'Sign in'),
        h('a', { id: 'checkout-customer-cancel', href: '#', class: 'button optimizedCheckout-buttonSecondary', 'data-test': 'customer-cancel-button', onClick: (event) => { event.preventDefault(); app.showLogin(false); } }, 'Cancel'))));
}

export function staticAddress(address) {
  const place = [address.city, address.stateOrProvinceCode || address.stateOrProvince, address.postalCode].filter(Boolean).join(', ');
  return h('div', { class: 'vcard checkout-address--static', 'data-test': 'static-address' },
    h('p', { class: 'fn address-entry' }, `${address.firstName} ${address.lastName}`),
    h('p', { class: 'address-entry' }, [address.address1, address.address2].filter(Boolean).join(', ')),
    h('p', { class: 'address-entry' }, `${place} / ${address.country || address.countryCode}`));
}

export function shippingStep(app) {
  const { checkout } = app.state;
  if (!needsShipping(checkout)) return false;
  const consignment = checkout.consignments[0];
  return step(app, 'shipping', 'Shipping',
    () => h('div', { class: 'staticConsignment' }, staticAddress(consignment.address),
      h('div', { class: 'shippingOption shippingOption--alt', 'data-test': 'static-shipping-option' },
        h('span', null, consignment.selectedShippingOption.description), h('span', null, money(consignment.shippingCost, checkout.cart.currency)))),
    () => h('form', { key: 'shipping', class: 'checkout-form', 'data-test': 'checkout-shipping-address', autocomplete: 'on', novalidate: true, onSubmit: (event) => { event.preventDefault(); app.continueShipping(); } },
      addressForm(app, 'shipping', 'shippingAddress.'),
      h('div', { class: 'form-body' }, h('div', { class: 'form-field' },
        h('input', { type: 'checkbox', id: 'sameAsBilling', name: 'billingSameAsShipping', class: 'form-checkbox optimizedCheckout-form-checkbox', 'data-test': 'billingSameAsShipping', checked: app.state.billingSame, onChange: (event) => app.set({ billingSame: event.target.checked }) }),
        h('label', { for: 'sameAsBilling', class: 'form-label optimizedCheckout-form-label' }, 'My billing address is the same as my shipping address.'))),
      shippingOptions(app),
      h('div', { class: 'form-field' },
        h('label', { for: 'orderComment', class: 'form-label optimizedCheckout-form-label' }, 'Order comments ', h('small', { class: 'optimizedCheckout-contentSecondary' }, '(Optional)')),
        h('input', { id: 'orderComment', name: 'orderComment', class: 'form-input optimizedCheckout-form-input', maxlength: '2000', value: app.state.forms.shipping.orderComment || '', onInput: (event) => app.setField('shipping', 'orderComment', event.target.value) })),
      h('div', { class: 'form-actions' },
        h('button', { id: 'checkout-shipping-continue', type: 'submit', disabled: app.busy('shipping'), class: classes('button button--primary optimizedCheckout-buttonPrimary', app.busy('shipping') && 'is-loading') }, 'Continue'))));
}

function shippingOptions(app) {
  const { checkout } = app.state;
  const consignment = checkout.consignments[0];
  const options = consignment?.availableShippingOptions || [];
  return h('fieldset', { key: 'options', id: 'checkout-shipping-options', class: 'form-fieldset' },
    h('legend', { class: 'form-legend optimizedCheckout-headingSecondary' }, 'Shipping method'),
    options.length === 0
      ? h('div', { class: 'shippingOptions-panel optimizedCheckout-overlay' }, h('p', { class: 'shippingOptions-panel-message optimizedCheckout-primaryContent' }, 'Please enter a shipping address in order to see shipping quotes'))
      : h('ul', { class: 'form-checklist optimizedCheckout-form-checklist shippingOptions', 'data-test': 'shipping-options' }, options.map((option) => {
        const id = `shippingOptionRadio-${consignment.id}-${option.id}`;
        const chosen = consignment.selectedShippingOption?.id === option.id;
        return h('li', { key: option.id, class: classes('form-checklist-item optimizedCheckout-form-checklist-item', chosen && 'form-checklist-item--selected optimizedCheckout-form-checklist-item--selected') },
          h('div', { class: 'form-checklist-header' }, h('div', { class: 'form-field' },
            h('input', { type: 'radio', id, name: `shippingOptionIds.${consignment.id}`, value: option.id, class: 'form-checklist-checkbox optimizedCheckout-form-checklist-checkbox', checked: chosen, onChange: () => app.chooseShipping(option.id) }),
            h('label', { for: id, class: 'form-label optimizedCheckout-form-label' },
              h('div', { class: 'shippingOptionLabel', 'data-test': 'shipping-option' },
                h('span', { class: 'shippingOption-desc' }, option.description, h('small', null, option.transitTime)),
                h('span', { class: 'shippingOption-price' }, money(option.cost, checkout.cart.currency)))))));
      })));
}

export function billingStep(app) {
  return step(app, 'billing', 'Billing',
    () => staticAddress(app.state.checkout.billingAddress),
    () => h('form', { key: 'billing', class: 'checkout-form', 'data-test': 'checkout-billing-address', autocomplete: 'on', novalidate: true, onSubmit: (event) => { event.preventDefault(); app.continueBilling(); } },
      addressForm(app, 'billing', ''),
      h('div', { class: 'form-actions' },
        h('button', { id: 'checkout-billing-continue', type: 'submit', disabled: app.busy('billing'), class: classes('button button--primary optimizedCheckout-buttonPrimary', app.busy('billing') && 'is-loading') }, 'Continue'))));
}
