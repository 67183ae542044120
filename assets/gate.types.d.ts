// The shapes gate.js works with. They stand here because gate.js is shipped as it is written and every byte of it is downloaded.

interface Window {
  /** Present where the theme or another script loads BigCommerce's Checkout SDK. */
  checkoutKitLoader?: { load(name: string): Promise<{ createCheckoutService(): CheckoutService }> };
  [key: symbol]: unknown;
}
interface CheckoutService {
  loadCheckout(): Promise<{ data: { getCheckout(): { id: string } | undefined; getCart(): { id: string } | undefined } }>;
}
interface Document {
  readonly prerendering?: boolean;
}

/** Where this script comes from, and what its address says. */
interface Config {
  base: string; // the server's URL, up to /storefront/v1
  shop: string; // store hash; empty for widget.js
  channel: number; // 0: not known
  clientID: string; // the app's, public; empty: customers cannot be named
  open: boolean; // what an unreachable server means: true lets the shopper pay
  locked: boolean; // this script holds the order call on this page
}

/** One purpose for which the server is asked. */
interface Ask {
  config: Config;
  page: string;
  cart: string; // empty: find it
  path: string; // the order call's path, when there is one
  locale: string;
  capability: string; // kept up to date from the answers
  quiet: boolean; // an unreachable server is not worth a dialog
  signal: AbortSignal | null; // aborted: the asker has gone
}

interface Session {
  id: string;
  state: string;
  url: string; // empty unless it is safe to open
  qr: string; // an SVG document
  why: string; // the server's reason for the state, and what to do next
  next: string;
  retry: boolean;
  decision: string;
}

interface Decision {
  word: string; // allow, verify, review, refuse
  enforced: boolean; // false in the modes shadow and off
  unnamed: boolean; // the cart does not say yet who is buying
  capability: string;
  session: Session | null;
  texts: Record<string, string>;
  lang: string;
  dir: string;
}

/** nocart: there is nothing to ask about. unreachable: no usable answer in time. */
type Answer = { kind: 'said'; said: Decision } | { kind: 'unreachable' | 'nocart' };
type Outcome = { allow: boolean; session: Session | null };
type Read = (ask: Ask, signal: AbortSignal) => Promise<string>;

/** An order call: '' opened, held by us, sent by the browser, over (answered by us, aborted or replaced). */
interface Call {
  path: string;
  async: boolean;
  phase: '' | 'held' | 'sent' | 'over';
  stop: AbortController | null;
  faked: string[]; // properties of the XMLHttpRequest that hide the browser's own
}

/** What the dialog shows at one moment; empty parts are hidden. */
interface View {
  view: 'intro' | 'session' | 'passed' | 'final' | 'review' | 'refuse' | 'unreachable' | 'done';
  title?: string;
  lines?: string[];
  session?: Session | null;
  state?: string;
  next?: string;
  start?: boolean;
  retry?: boolean;
  over?: boolean; // nothing more is under way: the last button says close, not cancel
}

/** What the functions of gate.js take and promise. */
interface Parts {
  /** Calls our server: no cookies, no cache, the browser's own fetch. A string body goes as text/plain, which spares a preflight. */
  api(config: Config, method: string, path: string, init: RequestInit): Promise<Response>;
  /** Resolves after ms, or at once when signal is aborted; to nothing. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs fn with a signal that is aborted after ms, and rejects then whether or not fn could be aborted. */
  within: <T>(ms: number, fn: (signal: AbortSignal) => Promise<T>) => Promise<T>;
  /** Reads, and with a change writes, what this tab keeps: the cart's id and its Capability, nothing that names a person. */
  kept(config: Config, change?: Record<string, unknown>): Record<string, unknown>;
  readScript(): Config | null;
  newAsk(config: Config, page: string, more?: Partial<Ask>): Ask;
  /** Reads a same-origin path: the first root's 200 answer, or ''. Shops can live in a sub-folder. */
  readShop(what: string): Read;
  sessionFrom(raw: unknown, config: Config): Session | null;
  /** Throws on garbage. */
  decisionFrom(body: string, config: Config): Decision;
  /** The words for a key, in the shopper's language once the server has been heard. */
  t(key: string): string;
  question(ask: Ask, signal: AbortSignal): Promise<Answer>;
  /** Puts the question within ASK_MS and sets the lock by the answer. Never rejects. */
  askServer(ask: Ask): Promise<Answer>;
  admits(ask: Ask, answer: Answer): boolean;
  /** Adopts a style sheet; returns a function that puts it back if it is gone. */
  sheet(root: Document | ShadowRoot, css: string): () => void;
  /**
   * Tells each state of the session until life ends: server-sent events read by fetch (the Capability travels in a header), and
   * polling where a stream does not come through. lost: the Capability is no longer good.
   */
  follow(ask: Ask, id: string, hear: (s: Session) => void, lost: () => void, life: AbortSignal): Promise<void>;
  /** One stream, to its end. */
  listen(ask: Ask, path: string, headers: HeadersInit, life: AbortSignal, tell: (data: string) => void): Promise<void>;
  /** Asks, talks to the shopper if need be, and says how it ended. One at a time, in order. Never rejects. */
  engage(ask: Ask): Promise<Outcome>;
  /** The path if this is the order call, else ''. */
  orderPath(call: () => [method: unknown, url: unknown]): string;
  /** Waits until the server allows the order; false when the shopper closes the dialog. Never rejects. */
  admit(config: Config, path: string, body: unknown, signal: AbortSignal | null): Promise<boolean>;
  /** Makes an XMLHttpRequest look answered (403, aborted or failed), then tells its listeners. */
  answer(x: XMLHttpRequest, call: Call, how: 'load' | 'abort' | 'error'): void;
  /** Ends what was held or faked, so that the object can be used anew. */
  reset(x: XMLHttpRequest, call?: Call): void;
  hold(x: XMLHttpRequest, call: Call, args: IArguments): void;
  holdFetch(self: unknown, args: IArguments, path: string): Promise<Response>;
  /** asking, closed or open; '' while there is nothing to guard. Also the attribute of <html>. */
  setLock(state: string): void;
  intercept(config: Config, event: Event): void;
  /** A press that was stopped: asks, and presses the submit button again once the server allows. */
  attempt(config: Config, submit: boolean): Promise<void>;
  /** Tells the server that the page is not as we know it, for its Health page; once per page and thing. */
  canary(missing: string): void;
  /** Runs fn and swallows what it throws. */
  safely: <A extends unknown[]>(fn: (...args: A) => unknown) => (...args: A) => void;
  on(config: Config): void | Promise<void>;
  init(options: unknown): Promise<void>;
}
