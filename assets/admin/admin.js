// @ts-check
/**
 * idgate's pages work without scripts. htmx puts pages into each other's place instead of loading them whole; this keeps
 * files and frames out of its way, and adds copy buttons, the way to what was refused, a waiting page that looks again by
 * itself, and BigCommerce's log-out, which ends the sign-in here as well. Where a browser refuses even partitioned cookies
 * in frames, it carries the sign-in.
 *
 * It sets no cookie, keeps nothing beyond its document, and takes its words from the page.
 */
(() => {
  "use strict";

  /** The sign-in, where the browser keeps no cookie of ours in this frame: a bearer token that lives as long as this document. */
  let bearer = "";
  /** @returns {Record<string, string>} headers */
  const signed = () => (bearer ? { Authorization: "Bearer " + bearer } : {});

  /** @param {string} url @param {RequestInit} [init] */
  const ask = (url, init) => fetch(url, { ...init, headers: { Accept: "text/html", ...signed() }, cache: "no-store" });

  /** On the page that BigCommerce opens: finds out whether cookies are kept here, and goes on. */
  const opening = async () => {
    const next = document.querySelector("a[data-bearer]");
    if (!(next instanceof HTMLAnchorElement)) return;
    const token = next.dataset.bearer ?? "";
    next.removeAttribute("data-bearer");
    try {
      if ((await ask(next.href, { method: "HEAD" })).status === 401) bearer = token;
    } catch {
      return; // the link is there to be pressed
    }
    if (!next.hasAttribute("data-go")) return;
    if (bearer) next.click();
    else location.replace(next.href);
  };

  /** What htmx sends carries the sign-in; what it puts in place is made ready. */
  const carry = () => {
    document.addEventListener("htmx:configRequest", (e) => Object.assign(/** @type {CustomEvent} */ (e).detail.headers, signed()));
    document.addEventListener("htmx:historyCacheMiss", (e) => {
      for (const [name, value] of Object.entries(signed())) /** @type {CustomEvent} */ (e).detail.xhr.setRequestHeader(name, value);
    });
    document.addEventListener("htmx:beforeSwap", (e) => {
      const detail = /** @type {CustomEvent} */ (e).detail;
      detail.serverResponse = waiting(detail.serverResponse);
    });
    document.addEventListener("htmx:historyCacheMissLoad", (e) => {
      const detail = /** @type {CustomEvent} */ (e).detail;
      detail.response = waiting(detail.response);
    });
    for (const done of ["htmx:afterSettle", "htmx:historyRestore"]) {
      document.addEventListener(done, () => {
        // Who pressed a link or a button goes on from the new page's beginning.
        if (document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true });
        page();
      });
    }
    for (const failed of ["htmx:sendError", "htmx:timeout", "htmx:historyCacheMissLoadError"]) {
      document.addEventListener(failed, () => {
        const note = document.getElementById("unreachable");
        if (note) note.hidden = false;
      });
    }
    // Files are the browser's to fetch, not htmx's; but a browser knows of no sign-in besides cookies.
    const file = (/** @type {Event} */ e) => {
      const a = e.target instanceof Element && e.target.closest("a[download]");
      if (!(a instanceof HTMLAnchorElement) || a.origin !== location.origin) return;
      e.stopPropagation();
      if (!bearer) return;
      e.preventDefault();
      ask(a.href).then(save);
    };
    document.addEventListener("click", file, { capture: true });
    // Likewise what a form shows in a frame: htmx knows of no frame, and would put it in the page's place.
    document.addEventListener("submit", (e) => {
      const form = e.target, by = e.submitter;
      const name = by?.getAttribute("formtarget");
      const frame = name && document.querySelector(`iframe[name=${CSS.escape(name)}]`);
      if (!(frame instanceof HTMLIFrameElement && form instanceof HTMLFormElement && by instanceof HTMLButtonElement)) return;
      e.stopPropagation();
      if (!bearer) return;
      e.preventDefault();
      fill(frame, by.formAction, { method: "POST", body: new FormData(form) });
    }, { capture: true });
  };

  /** The newest question of each frame: an answer that comes late is not shown. @type {WeakMap<HTMLIFrameElement, number>} */
  const asked = new WeakMap();

  /**
   * Shows an answer in a frame, which cannot ask with the sign-in itself. The document is then ours in the browser's eyes: it keeps to this
   * page's Content-Security-Policy, so inline styles (a mail's) are put in by hand. Nothing runs in it, as before.
   *
   * @param {HTMLIFrameElement} frame @param {string} url @param {RequestInit} [init]
   */
  const fill = async (frame, url, init) => {
    const turn = (asked.get(frame) ?? 0) + 1;
    asked.set(frame, turn);
    const text = await (await ask(url, init)).text();
    if (asked.get(frame) !== turn) return;
    frame.setAttribute("sandbox", "allow-same-origin");
    frame.onload = () => {
      /** @type {NodeListOf<HTMLElement>} */ (frame.contentDocument?.querySelectorAll("[data-style]"))?.forEach((e) => (e.style.cssText = e.dataset.style ?? ""));
    };
    frame.srcdoc = text.replace(/ style="/g, ' data-style="');
  };

  /** The frames of a page that has just come. */
  const frames = () => {
    if (!bearer) return;
    for (const f of document.querySelectorAll("iframe")) if (!asked.has(f)) fill(f, f.dataset.src ?? f.src);
  };

  /** Keeps the frames of a page that is about to come from asking by themselves, without the sign-in. @param {string} html */
  const waiting = (html) => (bearer ? html.replace(/(<iframe [^>]*?)\bsrc="/g, '$1data-src="') : html);

  /** @param {Response} answer */
  const save = async (answer) => {
    const a = document.createElement("a");
    a.href = URL.createObjectURL(await answer.blob());
    a.download = /filename="?([^";]+)/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "idgate";
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 60_000);
  };

  /** Copies the field that a button names, and says so where screen readers hear it. */
  const copyButtons = () => {
    for (const button of document.querySelectorAll("button[data-copy]")) {
      if (!(button instanceof HTMLButtonElement)) continue;
      button.hidden = false;
      button.addEventListener("click", () => copy(button));
    }
  };

  /** @param {HTMLButtonElement} button */
  const copy = async (button) => {
    const id = button.dataset.copy ?? "";
    const field = document.querySelector(id);
    if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) return;
    let done = false;
    try {
      await navigator.clipboard.writeText(field.value);
      done = true;
    } catch {
      // The clipboard is closed to frames that were not given it; the old way is not.
      field.select();
      done = document.execCommand("copy");
    }
    const status = [...document.querySelectorAll("[data-copied]")].find((e) => e.getAttribute("data-copied") === id);
    if (status) status.textContent = done ? "Copied." : "Select the text and copy it.";
  };

  /** Takes the reader to what was refused. */
  const refused = () => {
    const summary = document.getElementById("errors");
    if (summary) return summary.focus();
    const field = document.querySelector("[aria-invalid=true]");
    if (!(field instanceof HTMLElement)) return;
    field.focus({ preventScroll: true });
    setTimeout(() => field.scrollIntoView({ block: "center" })); // once it has settled, htmx goes to the page's beginning
  };

  /** A page that waits fetches itself and takes over the part that changed, so that nothing is read out or loses focus for nothing. */
  const refresh = () => {
    const state = document.getElementById("state");
    const seconds = Number(state?.dataset.refresh);
    if (!state || !(seconds > 0)) return;
    let failures = 0;
    /** @param {number} s */
    const again = (s) => setTimeout(look, s * 1000);
    const look = async () => {
      if (!state.isConnected) return;
      if (document.hidden) return again(seconds);
      try {
        const answer = await ask(location.href);
        if (answer.status >= 500) throw new Error(answer.statusText);
        const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("state");
        if (!next) return location.reload(); // another page altogether, such as one that says the link has expired
        failures = 0;
        if (next.innerHTML !== state.innerHTML) {
          state.innerHTML = next.innerHTML;
          /** @type {any} */ (window).htmx?.process(state);
        }
        if (!next.dataset.refresh) return state.removeAttribute("data-refresh");
      } catch {
        failures = Math.min(failures + 1, 6);
      }
      again(seconds * 2 ** failures);
    };
    again(seconds);
  };

  /** BigCommerce's bc-sdk.js calls this when it is there. */
  const logout = () => {
    const w = /** @type {any} */ (window);
    const onLogout = () => {
      const form = document.getElementById("logout");
      if (form instanceof HTMLFormElement) form.requestSubmit();
    };
    w.bcAsyncInit = () => w.Bigcommerce?.init({ onLogout });
  };

  /** What a page needs when it has come. */
  const page = () => {
    copyButtons();
    refused();
    refresh();
    frames();
  };

  logout();
  carry();
  page();
  opening();
})();
