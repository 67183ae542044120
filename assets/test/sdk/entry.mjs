// What a shop's checkoutKitLoader hands out, made from the npm package for tests: window.checkoutKit and the loader in front of it.
import { createCheckoutService } from '@bigcommerce/checkout-sdk';

window.checkoutKit = { createCheckoutService };
window.checkoutKitLoader = { load: async () => window.checkoutKit };
