// Logging out of the control panel, as far as an app in its frame can tell.
document.getElementById("log-out").addEventListener("click", () => {
  const frame = document.getElementById("app-frame");
  frame.contentWindow.postMessage("simulated log-out", new URL(frame.src).origin);
});
