// @ts-check
/**
 * idgate's pages work without this file. It makes them quicker:
 * copy buttons, the way to what was refused, a waiting page that looks again without reloading,
 * and BigCommerce's log-out, which ends the sign-in here as well. Where a browser refuses even partitioned
 * cookies in frames, it is what carries the sign-in.
 *
 * It sets no cookie, keeps nothing beyond its document, and takes its words from the page.
 */
(() => {
  "use strict";

  /** The sign-in, where the browser keeps no cookie of ours in this frame. It lives in this document only: pages are fetched and put in place. */
  let bearer = "";

  /**
   * @param {string} url of our own origin
   * @param {RequestInit} [init]
   */
  const ask = (url, init = {}) => {
    const headers = { Accept: "text/html", ...(bearer && { Authorization: "Bearer " + bearer }) };
    return fetch(url, { ...init, headers, cache: "no-store" });
  };

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
    if (bearer) show(next.href);
    else location.replace(next.href);
  };

  /** Fetches a page with the sign-in and puts it in this one's place; what is no page is saved as a file.
   * @param {string} url
   * @param {RequestInit} [init]
   * @param {boolean} [back] it is gone back to: it stands in the history already
   */
  const show = async (url, init, back = false) => {
    document.documentElement.setAttribute("aria-busy", "true");
    try {
      const answer = await ask(url, init);
      if (!(answer.headers.get("Content-Type") ?? "").startsWith("text/html")) return save(answer);
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      const { hash } = new URL(url, location.href);
      if (!back) history.pushState(null, "", answer.url + hash);
      document.documentElement.lang = next.documentElement.lang;
      document.documentElement.dir = next.documentElement.dir;
      document.title = next.title;
      document.body.replaceWith(document.adoptNode(next.body));
      page();
      const target = hash && document.getElementById(hash.slice(1));
      if (target) target.scrollIntoView();
      else if (document.activeElement === document.body) document.getElementById("main")?.focus();
    } catch {
      const note = document.getElementById("unreachable");
      if (note) note.hidden = false;
    } finally {
      document.documentElement.removeAttribute("aria-busy");
    }
  };

  /** @param {Response} answer */
  const save = async (answer) => {
    const a = document.createElement("a");
    a.href = URL.createObjectURL(await answer.blob());
    a.download = /filename="?([^";]+)/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "idgate";
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 60_000);
  };

  /** What a browser does with links, forms and its own Back, done with the sign-in. */
  const carry = () => {
    document.addEventListener("click", (e) => {
      const a = e.target instanceof Element && e.target.closest("a[href]");
      if (!bearer || e.defaultPrevented || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
      if (!(a instanceof HTMLAnchorElement) || a.target || a.origin !== location.origin) return;
      if (a.hash && a.pathname === location.pathname && a.search === location.search) return;
      e.preventDefault();
      show(a.href);
    });
    document.addEventListener("submit", (e) => {
      const form = e.target;
      if (!bearer || e.defaultPrevented || !(form instanceof HTMLFormElement)) return;
      e.preventDefault();
      const button = e.submitter;
      const said = (/** @type {string} */ name) => button?.getAttribute("form" + name) ?? form.getAttribute(name) ?? "";
      const url = new URL(said("action") || location.href, location.href);
      if (url.origin !== location.origin) return;
      const data = new FormData(form, button);
      const fields = new URLSearchParams();
      for (const [name, value] of data) fields.append(name, typeof value === "string" ? value : value.name);
      if (said("method").toLowerCase() !== "post") {
        url.search = fields.toString();
        show(url.href);
      } else {
        show(url.href, { method: "POST", body: said("enctype") === "multipart/form-data" ? data : fields });
      }
    });
    window.addEventListener("popstate", () => bearer && show(location.href, undefined, true));
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
    if (field instanceof HTMLElement) field.focus();
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
        if (!next) return bearer ? show(location.href, undefined, true) : location.reload(); // another page altogether, such as one that says the link has expired
        failures = 0;
        if (next.innerHTML !== state.innerHTML) state.innerHTML = next.innerHTML;
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
  };

  logout();
  carry();
  page();
  opening();
})();
