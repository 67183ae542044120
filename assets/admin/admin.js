// @ts-check
/**
 * idgate's pages work without this file. It makes them quicker:
 * copy buttons, the way to what was refused, a waiting page that looks again without reloading,
 * and BigCommerce's log-out, which ends the sign-in here as well.
 *
 * It keeps nothing, sets no cookie and takes its words from the page.
 */
(() => {
  "use strict";

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
      if (document.hidden) return again(seconds);
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
        if (answer.status >= 500) throw new Error(answer.statusText);
        const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("state");
        if (!next) return location.reload(); // another page altogether, such as one that says the link has expired
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
    const form = document.getElementById("logout");
    if (!(form instanceof HTMLFormElement)) return;
    const w = /** @type {any} */ (window);
    w.bcAsyncInit = () => w.Bigcommerce?.init({ onLogout: () => form.requestSubmit() });
  };

  logout();
  copyButtons();
  refused();
  refresh();
})();
