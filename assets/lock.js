// Holds the order call until gate.js has come: README.md
(({ prototype: xhr }, tag, mark) => {
  if (window[mark] || !tag) return;
  const { open, send } = xhr, { fetch } = window, opened = new WeakMap();
  const closed = tag.dataset.unreachable == 'closed', lock = { opened };
  let gate;
  const come = new Promise((go) => {
    lock.go = (take) => go((gate = take));
    setTimeout(go, 1e4);
  });
  const order = (method, url) => /^post$/i.test(method) && /\/checkout\/order\/*([?#]|$)/i.test(url);
  const hold = (kind, x, args, send, fail) => come.then(() => gate ? gate[kind](x, args, send, opened.get(x)) : closed ? fail() : send.apply(x, args));
  Object.defineProperty(window, mark, { value: { lock } });
  xhr.open = function (method, url) {
    opened[order(method, url) ? 'set' : 'delete'](this, arguments);
    return open.apply(this, arguments);
  };
  xhr.send = function () {
    if (gate || !opened.has(this)) return send.apply(this, arguments);
    hold('xhr', this, arguments, send, () => this.dispatchEvent(new ProgressEvent('error')));
  };
  window.fetch = function (url, init) {
    if (gate || !order(Object(init || url).method, Object(url).url || url)) return fetch.apply(this, arguments);
    return hold('fetch', this, arguments, fetch, () => Promise.reject(TypeError()));
  };
})(XMLHttpRequest, document.currentScript, Symbol.for('idgate'));
