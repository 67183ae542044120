// The calls of the checkout page, in the way the platform's own SDK makes them: XMLHttpRequest
// (never fetch), answers read in onload, the body parsed when the answer says it is JSON.

const JSON_TYPE = /application\/([\w.-]+\+)?json/;

/** An answer that is not 2xx, or none at all (status 0). */
export class RequestError extends Error {
  /** @param {{ status: number, body: any }} response */
  constructor({ status, body }) {
    const said = body && typeof body === 'object' ? body : {};
    super(said.detail || said.title || (status ? `The server answered ${status}.` : 'Unable to reach the store. Check your connection and try again.'));
    this.status = status;
    this.title = said.detail && said.title ? said.title : '';
    this.type = said.type || '';
  }
}

/**
 * @param {string} method
 * @param {string} url
 * @param {any} [body]
 * @returns {Promise<any>} the parsed body
 */
export function request(method, url, body) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, url, true);
    xhr.setRequestHeader('Accept', 'application/vnd.bc.v1+json');
    if (body !== undefined) xhr.setRequestHeader('Content-Type', 'application/json');
    xhr.onload = () => {
      const response = { status: xhr.status, body: parse(xhr) };
      if (xhr.status >= 200 && xhr.status < 300) resolve(response.body);
      else reject(new RequestError(response));
    };
    xhr.onerror = () => reject(new RequestError({ status: 0, body: null }));
    xhr.onabort = xhr.onerror;
    xhr.ontimeout = xhr.onerror;
    xhr.send(body === undefined ? null : JSON.stringify(body));
  });
}

function parse(xhr) {
  const headers = xhr.getAllResponseHeaders().toLowerCase();
  const type = /^content-type:\s*(.*)$/m.exec(headers)?.[1] || '';
  if (!xhr.response || !JSON_TYPE.test(type)) return xhr.response;
  try {
    return JSON.parse(xhr.response);
  } catch {
    return null;
  }
}

const INCLUDES = ['cart.lineItems.physicalItems.options', 'cart.lineItems.digitalItems.options',
  'customer', 'customer.customerGroup', 'payments', 'promotions.banners', 'consignments.availableShippingOptions'].join(',');

/** @param {string} id */
export const loadCheckout = (id) => request('GET', `/api/storefront/checkout/${id}?include=${INCLUDES}`);
/** @param {string} id */
export const loadConfig = (id) => request('GET', `/api/storefront/checkout-settings?checkoutId=${id}`);
export const loadCountries = () => request('GET', '/internalapi/v1/store/countries').then((body) => body.data);
/** @param {string} id */
export const loadMethods = (id) => request('GET', `/api/storefront/payments?checkoutId=${id}`);
/** @param {number} id */
export const loadOrder = (id) => request('GET', `/api/storefront/orders/${id}?include=payments,lineItems.physicalItems.options,lineItems.digitalItems.options`);

export const signIn = (email, password) => request('POST', '/internalapi/v1/checkout/customer', { email, password });
export const signOut = () => request('DELETE', '/internalapi/v1/checkout/customer');

/** Creates the billing address, or changes the one there is. */
export function saveBilling(checkout, address) {
  const base = `/api/storefront/checkouts/${checkout.id}/billing-address`;
  const id = checkout.billingAddress?.id;
  return request(id ? 'PUT' : 'POST', `${id ? `${base}/${id}` : base}?include=${INCLUDES}`, address);
}

/** Ships everything that needs shipping to one address. */
export function saveShippingAddress(checkout, address) {
  const lineItems = checkout.cart.lineItems.physicalItems.map((item) => ({ itemId: item.id, quantity: item.quantity }));
  const base = `/api/storefront/checkouts/${checkout.id}/consignments`;
  const id = checkout.consignments[0]?.id;
  return id
    ? request('PUT', `${base}/${id}?include=${INCLUDES}`, { address, lineItems })
    : request('POST', `${base}?include=${INCLUDES}`, [{ address, lineItems }]);
}

export const selectShippingOption = (checkout, shippingOptionId) => request('PUT',
  `/api/storefront/checkouts/${checkout.id}/consignments/${checkout.consignments[0].id}?include=${INCLUDES}`, { shippingOptionId });

export const applyCoupon = (checkout, couponCode) => request('POST', `/api/storefront/checkouts/${checkout.id}/coupons?include=${INCLUDES}`, { couponCode });

/** The order call: every order made in a browser goes through this one request. */
export const submitOrder = (body) => request('POST', '/internalapi/v1/checkout/order', body).then((answer) => answer.data.order);
/** @param {number} id */
export const finalizeOrder = (id) => request('POST', `/internalapi/v1/checkout/order/${id}`);
