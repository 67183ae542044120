// The cart page's express wallets: they buy the cart without any checkout page.

import { EXPRESS } from './model.js';
import { buyExpress, confirmationURL, drawButton } from './wallet.js';

const place = document.getElementById('cart-express');
if (place) {
  for (const method of EXPRESS) {
    const container = document.getElementById(`${method}CheckoutButton`);
    drawButton(container, method, async () => {
      try {
        const orderId = await buyExpress(method, place.dataset.checkoutId);
        if (orderId) location.assign(confirmationURL(orderId));
      } catch (error) {
        const note = document.getElementById('cart-error');
        note.textContent = error.message;
        note.hidden = false;
      }
    });
  }
}
