// The order confirmation page.

import { loadOrder } from './api.js';
import { h, mount } from './dom.js';
import { allItems, money } from './model.js';

const REVIEWED = ['MANUAL_VERIFICATION_REQUIRED', 'AWAITING_PAYMENT'];
const STATUS_TEXT = {
  INCOMPLETE: 'Your payment has not finished. Nothing will be sent until it has.',
  PENDING: 'Your payment is being processed.',
  CANCELLED: 'This order was cancelled.',
  DECLINED: 'This order was declined.',
};

function statusText(order) {
  if (REVIEWED.includes(order.status)) return 'Your order is being reviewed. We will let you know as soon as it is on its way.';
  return STATUS_TEXT[order.status] || 'Your order is confirmed. An email with its details is on its way to you.';
}

function view(order) {
  const amount = (value) => money(value, order.currency);
  const row = (label, value) => h('div', { key: label, class: 'cart-priceItem' }, h('span', { class: 'cart-priceItem-label' }, label), h('span', { class: 'cart-priceItem-value' }, value));
  return h('div', { class: 'layout optimizedCheckout-contentPrimary' },
    h('div', { class: 'layout-main' }, h('div', { class: 'orderConfirmation' },
      h('h1', { class: 'optimizedCheckout-headingPrimary', 'data-test': 'order-confirmation-heading' }, `Thank you, ${order.billingAddress.firstName}!`),
      h('section', { class: 'orderConfirmation-section' },
        h('p', { 'data-test': 'order-confirmation-order-number-text' }, 'Your order number is ', h('strong', null, String(order.orderId))),
        h('p', { 'data-test': 'order-confirmation-order-status-text', 'data-status': order.status, class: REVIEWED.includes(order.status) ? 'orderConfirmation-status is-review' : 'orderConfirmation-status' }, statusText(order)),
        order.hasDigitalItems && h('p', { 'data-test': 'order-confirmation-digital-items-text' }, order.isDownloadable ? 'Your downloads are ready in your account.' : 'Your downloads will be ready once the order has been approved.')),
      h('div', { class: 'continueButtonContainer' }, h('a', { class: 'button button--primary optimizedCheckout-buttonPrimary', href: '/' }, 'Continue Shopping')))),
    h('aside', { class: 'layout-cart' }, h('article', { class: 'cart optimizedCheckout-orderSummary', 'data-test': 'cart' },
      h('header', { class: 'cart-header' }, h('h3', { class: 'cart-title' }, 'Order Summary')),
      h('section', { class: 'cart-section' }, h('ul', { class: 'productList' }, allItems(order.lineItems).map((item) => h('li', { key: item.id, class: 'productList-item' },
        h('div', { class: 'product' }, h('figure', { class: 'product-column product-figure' }, h('img', { src: item.imageUrl, alt: '', width: '56', height: '56' })),
          h('div', { class: 'product-column product-body' }, h('h4', { class: 'product-title' }, `${item.quantity} x ${item.name}`)),
          h('div', { class: 'product-column product-actions' }, h('div', { class: 'product-price' }, amount(item.extendedSalePrice)))))))),
      h('section', { class: 'cart-section' }, row('Subtotal', amount(order.baseAmount)), order.lineItems.physicalItems.length > 0 && row('Shipping', amount(order.shippingCostTotal))),
      h('section', { class: 'cart-section' }, h('div', { class: 'cart-priceItem cart-priceItem--total' }, h('span', { class: 'cart-priceItem-label' }, `Total (${order.currency.code})`), h('span', { class: 'cart-priceItem-value' }, amount(order.orderAmount)))))));
}

const root = document.getElementById('checkout-app');
const paint = mount(root);
loadOrder(Number(root.dataset.orderId)).then((order) => paint(h('div', { id: 'checkout-page-container', class: 'themeV2' }, view(order))))
  .catch(() => { root.innerHTML = '<div class="page-note"><h1>We cannot show this order here</h1><p>An order is shown only in the browser that placed it, or signed in to the account that did.</p><a class="button button--primary" href="/">Back to the shop</a></div>'; });
