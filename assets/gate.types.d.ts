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
  channel?: number; // absent: not known
  clientID: string; // the app's, public; empty: customers cannot be named
  open: boolean; // what an unreachable server means: true lets the shopper pay
  locked?: boolean; // this script holds the order call on this page
  after?: boolean; // it was placed on the page after the order
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
  said?: boolean; // the server has said something, after the order: not that there is nothing to say yet
}

interface Session {
  id: string;
  state: string;
  url: string; // empty unless it is safe to open
  qr: string; // an SVG document
  why: string; // the server's reason for the state, and what to do next
  next: string;
  retry: boolean;
  here: string; // where it goes on by our hosted page on this device, which can lead back to the account: ever on our own server; empty: at the provider's
  decision: string;
}

interface Decision {
  word: string; // allow, verify, review, refuse; after the order also mail (the mail says what to do) and none
  enforced: boolean; // false in the modes shadow and off
  unnamed: boolean; // the cart does not say yet who is buying
  capability: string;
  session: Session | null;
  mail: unknown; // the server can mail a link to the cart's own mailbox
  unproved: boolean; // somebody with this mailbox has a Proof: showing control of it, by a code, might do
  texts: Record<string, unknown>;
  lang: string;
  dir: string;
  kinds: string[]; // of documents, to choose from
  ask?: string; // the Capability, a space, and the token of who is signed in: what our hosted page is opened with, in a form and never in an address
}
type Voice = Pick<Decision, 'texts' | 'lang' | 'dir' | 'kinds' | 'ask'>;

/** What the inline lock, lock.js, leaves for gate.js under the mark's key `lock`. */
interface Lock {
  opened: WeakMap<XMLHttpRequest, IArguments>; // order calls opened before gate.js came, with the arguments of open
  go(take: Take): void; // hands over what is being held; the lock lets everything else pass from then on
}
/** Takes over a call that the lock has held. send is the browser's own, beneath whatever has wrapped it since. */
type Take = (x: XMLHttpRequest, args: IArguments, send: Function, opened: IArguments) => void;

/** nocart: there is nothing to ask about; empty: no usable answer in time. */
type Answer = Decision | { word: 'nocart' | ''; texts?: undefined };
type Outcome = { allow: boolean; session: Session | null };
type Read = (ask: Ask, signal: AbortSignal) => Promise<string>;

/** An order call: '' opened, held by us, sent by the browser, over (answered by us, aborted or replaced). */
interface Call {
  path: string;
  async: boolean;
  phase: '' | 'held' | 'sent' | 'over';
  stop: AbortController | null;
  send: Function; // the browser's, as it was before us
  faked: string[]; // properties of the XMLHttpRequest that hide the browser's own
}

type Act = () => Promise<void>;
/** A button: what it says (empty: it is not there), and what it does. */
type Way = [label: string, act: Act];
/** What the dialog shows at one moment; empty parts are hidden. */
interface View {
  view: 'intro' | 'session' | 'mail' | 'passed' | 'final' | 'review' | 'refuse' | 'unreachable' | 'done';
  title?: string;
  lines?: string[];
  session?: Session | null;
  state?: string;
  next?: string;
  choice?: boolean; // a document may be chosen
  acts?: Record<string, Way>;
  over?: boolean; // nothing more is under way: the last button says close, not cancel
}

/** A View, with what its buttons call. */
interface Shown extends View {
  acts: Record<string, Way>;
  press(act?: Act): Promise<void>; // one at a time
  leave(): void;
}

/** The dialog on the page. */
interface Ui {
  show(v: Shown): void;
  /** Puts it on the page, again if page code has emptied body. */
  raise(): void;
  /** Takes it away, and gives the focus back. */
  lower(): void;
  busy(yes: boolean): void;
  /** What was typed as the code, and the kind of document that was chosen. */
  typed(): string;
  kind(): string;
}

/** One conversation with the shopper. */
interface Talk {
  show(view: View): void;
  ways(): Record<'start' | 'code' | 'mail', Way>;
  write(there: unknown, door: string, first: string): Way;
  progress(s: Session, tries?: string): void;
  hear(s: Session): void;
  post(path: string, more?: object): Promise<[r: Response, body: Record<string, unknown>, message: string]>;
  /** Shows what the server has said. */
  take(answer: Answer): void;
  /** Ends it; the first time counts. */
  finish(allow?: boolean): void;
}

/** What the functions of gate.js take and promise. */
interface Parts {
  /** What may be read by name: x itself if it is an object, else nothing. */
  record(x: any): Record<string, unknown>;
  /** A string of at most so many characters; '' for anything else. */
  text(x: unknown, max?: number): string;
  /** Calls our server: no cookies, no cache, the browser's own fetch. A string body goes as text/plain, which spares a preflight. */
  api(config: Config, path: string, init: RequestInit): Promise<Response>;
  /** Resolves after ms, or at once when signal is aborted; to nothing. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs fn with a signal that is aborted after ms, and rejects then whether or not fn could be aborted. */
  within: <T>(ms: number, fn: (signal: AbortSignal) => Promise<T>) => Promise<T>;
  /** Reads, and with an Ask writes, what this tab keeps: the cart's id and its Capability, nothing that names a person. */
  kept(config: Config, ask?: Ask): Record<string, unknown>;
  newAsk(config: Config, page: string, more?: Partial<Ask>): Ask;
  /** Reads a same-origin path: the first root's 200 answer, or ''. Shops can live in a sub-folder. */
  readShop(what: string, ask: Ask, signal: AbortSignal): Promise<string>;
  sessionFrom(raw: unknown, config: Config): Session | null;
  /** Throws on garbage. */
  decisionFrom(body: string, ask: Ask): Decision;
  /** The words for a key, in the shopper's language once the server has been heard. */
  t(key: string): string;
  question(ask: Ask, signal: AbortSignal): Promise<Answer>;
  /** Puts the question within ASK_MS and sets the lock by the answer. Never rejects. */
  askServer(ask: Ask): Promise<Answer>;
  admits(ask: Ask, answer: Answer): boolean;
  /** Adopts a style sheet; returns a function that puts it back if it is gone. */
  sheet(root: Document | ShadowRoot, css: string): () => void;
  /**
   * Tells each state of the session until life ends: by server-sent events read by fetch (the Capability travels in a header), and
   * by polling: 2 s to 15 s where no stream comes through, and each 15 s beside one, which may have died unheard or be buffered on its
   * way. lost: the Capability is no longer good.
   */
  follow(ask: Ask, id: string, hear: (s: Session) => void, lost: () => void, life: AbortSignal): Promise<void>;
  /** Asks, talks to the shopper if need be, and says how it ended. One at a time, in order. Never rejects. */
  engage(ask: Ask): Promise<Outcome>;
  /** The path if this is the order call or may be, else ''. */
  orderPath(call: () => unknown[]): string;
  /** Whether a call to such a path makes an order. */
  orders(path: string, body: unknown): boolean;
  /**
   * Waits until the server allows the order; false when the shopper closes the dialog, and beside another order call that is held or
   * on its way: it would be a second order. over tells when this one is. Never rejects.
   */
  admit(config: Config, path: string, body: unknown, signal: AbortSignal | null, over: () => boolean): Promise<boolean>;
  /** Makes an XMLHttpRequest look answered (403, aborted or failed), then tells its listeners. */
  answer(x: XMLHttpRequest, call: Call, how: 'load' | 'abort' | 'error'): void;
  /** Ends what was held or faked, so that the object can be used anew. */
  reset(x: XMLHttpRequest, call?: Call): void;
  /** Remembers an order call that has been opened. */
  track(x: XMLHttpRequest, args: IArguments, send: Function): void;
  hold(x: XMLHttpRequest, call: Call, args: IArguments): void;
  holdFetch(self: unknown, args: IArguments, path: string): Promise<Response>;
  make<K extends keyof HTMLElementTagNameMap>(tag: K, name: string, into: ParentNode, attributes?: Record<string, string>): HTMLElementTagNameMap[K];
  newDialog(): Ui;
  /** One conversation, from the server's first word to its last or to the shopper's leaving. */
  converse(ask: Ask, resolve: (outcome: Outcome) => void): Pick<Talk, 'take' | 'finish'>;
  wrapXHR(config: Config, lock?: Lock): Take;
  guard(config: Config, lock?: Lock): void;
  /** asking, closed or open; '' while there is nothing to guard. Also the attribute of <html>. */
  setLock(state: string): void;
  /** Stops a press; the last event of one asks, and presses the submit button again once the server allows. */
  intercept(config: Config, event: Event): void;
  /** Tells the server that the page is not as we know it, for its Health page; once per page and thing. */
  canary(missing: string): void;
  /** Runs fn and swallows what it throws. */
  safely: <A extends unknown[]>(fn: (...args: A) => unknown) => (...args: A) => void;
  on(config: Config): void | Promise<void>;
  init(options: unknown): Promise<void>;
}
