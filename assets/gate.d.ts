/**
 * window.BlockIDVerify, as served by idgate: `{APP_URL}/storefront/v1/widget.js`, or the checkout script itself.
 * The result only says that there is something to ask the server about; it proves nothing.
 */

/** Where an identity check stands. Only the last six are final. */
export type BlockIDVerifyState =
  | 'created' | 'started' | 'processing' | 'review'
  | 'passed' | 'failed' | 'declined' | 'expired' | 'abandoned' | 'error';

export interface BlockIDVerifyResult {
  /** The session that ended, or null when nothing had to be proved. */
  session_id: string | null;
  /** Its final state; 'passed' when nothing had to be proved. */
  state: BlockIDVerifyState;
}

export interface BlockIDVerifyOptions {
  /** The URL of the idgate server, with or without a trailing slash. */
  apiBase: string;
  /** The store hash of the shop. */
  tenantId: string;
  /**
   * Called once for each completed init: when the server allows the cart, or when the shopper closes the dialog after a session
   * has ended otherwise. Not called when the shopper closes it before that, nor when the server cannot be reached.
   */
  onComplete?: (result: BlockIDVerifyResult) => void;
  /** The cart to be allowed. Found by itself on a BigCommerce-hosted checkout; required elsewhere. */
  cartId?: string;
  /** A BCP 47 language tag; the page's language by default. */
  locale?: string;
}

export interface BlockIDVerifyWidget {
  /**
   * Asks the server about the cart and opens the dialog if an identity check is needed. Never throws; a mistake in the options
   * is reported on the console. Called again while it runs, it only replaces onComplete.
   */
  init(options: BlockIDVerifyOptions): void;
}

declare global {
  interface Window {
    BlockIDVerify: BlockIDVerifyWidget;
  }
}
