// What the Checkout SDK reads of a shop: the least that loadCheckout and submitOrder are content with.
import { CART } from '../harness.mjs';

const cart = { id: CART, customerId: 0, lineItems: { physicalItems: [], digitalItems: [], giftCertificates: [], customItems: [] }, coupons: [], discounts: [], currency: { code: 'USD', decimalPlaces: 2 } };

export const reads = {
  '/api/storefront/checkout-settings': {
    context: { checkoutId: CART, payment: {} }, customization: {},
    storeConfig: { formFields: {}, checkoutSettings: { features: {} }, paymentSettings: { bigpayBaseUrl: '' }, storeProfile: { storeHash: 'abc123' }, currency: {}, shopperCurrency: {}, links: {} },
  },
  '/api/storefront/form-fields': { customerAccount: [], shippingAddress: [], billingAddress: [] },
  ['/api/storefront/checkout/' + CART]: {
    id: CART, cart, billingAddress: null, consignments: [], coupons: [], giftCertificates: [], payments: [], promotions: [], taxes: [],
    customer: { id: 0, isGuest: true, email: '', addresses: [] }, outstandingBalance: 0, grandTotal: 0, isStoreCreditApplied: false,
  },
  '/api/storefront/orders/7': { orderId: 7, lineItems: cart.lineItems, payments: [] },
};
