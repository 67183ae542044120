// The platform wraps XMLHttpRequest too, to add its CSRF header to the shop's own requests.
// It is here so that a script which wraps it again meets the company it will have in a real shop.
(() => {
  const token = Math.random().toString(36).slice(2);
  const { open, send } = XMLHttpRequest.prototype;
  const own = new WeakSet();
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    const target = new URL(url, location.href);
    if (target.origin === location.origin && !/^(get|head|options)$/i.test(method)) own.add(this);
    else own.delete(this);
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (body) {
    if (own.has(this)) this.setRequestHeader('X-XSRF-TOKEN', token);
    return send.call(this, body);
  };
})();
