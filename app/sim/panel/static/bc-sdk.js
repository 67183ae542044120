// The control panel's SDK as an app in the frame sees it: it calls window.bcAsyncInit, and the app says what a log-out is to do.
(() => {
  window.Bigcommerce = {
    init: ({ onLogout }) =>
      window.addEventListener("message", (e) => {
        if (e.source === window.parent && e.data === "simulated log-out") onLogout();
      }),
  };
  window.bcAsyncInit?.();
})();
