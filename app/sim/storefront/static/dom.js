// A renderer with the habits of React 17 and later that matter to somebody else's script on the page:
// - one listener per event type, on the root container, never on the nodes themselves;
// - a render puts every attribute back to what the view says, so what an outsider set is gone;
// - a node whose key changes is unmounted, with everything that was hung on it.

/**
 * @typedef {{ tag: string, key: string, props: Record<string, any>, children: (VNode | string)[] }} VNode
 */

/** Event types the views may listen to, by prop name. */
const EVENTS = {
  onClick: 'click', onSubmit: 'submit', onInput: 'input', onChange: 'change',
  onKeyDown: 'keydown', onFocusOut: 'focusout',
};

/** Handlers and keys of mounted nodes; a WeakMap so that nothing shows on the node. */
const mounted = new WeakMap();

/**
 * Makes a virtual node. Children that are false, null or undefined are skipped; arrays are flattened.
 * Props besides attributes: key, on*, ref (called once with the node, after it is mounted),
 * opaque (children belong to somebody else), html (trusted markup of our own).
 * @param {string} tag
 * @param {Record<string, any> | null} [props]
 * @param {...any} children
 * @returns {VNode}
 */
export function h(tag, props, ...children) {
  const { key = '', ...rest } = props || {};
  return { tag, key: String(key), props: rest, children: children.flat(9).filter((c) => c !== false && c != null).map((c) => (typeof c === 'object' ? c : String(c))) };
}

/** @param {...any} names */
export const classes = (...names) => names.filter(Boolean).join(' ');

/**
 * Mounts an app: attaches the listeners once and returns its render function.
 * @param {HTMLElement} root
 * @param {{ remount?: boolean }} [options] remount: replace every node at every render
 */
export function mount(root, options = {}) {
  for (const type of new Set(Object.values(EVENTS))) {
    root.addEventListener(type, (event) => dispatch(root, type, event));
  }
  /** @param {VNode | VNode[]} view */
  return (view) => {
    const focused = options.remount && root.contains(document.activeElement) ? document.activeElement : null;
    const caret = focused && focused.selectionStart;
    if (options.remount) root.replaceChildren();
    const refs = [];
    patchChildren(root, [view].flat(), refs);
    for (const run of refs) run();
    if (focused && focused.id) restoreFocus(document.getElementById(focused.id), caret);
  };
}

/** A remounted field goes on where its predecessor was. */
function restoreFocus(node, caret) {
  if (!node) return;
  node.focus();
  if (typeof caret === 'number') node.setSelectionRange(caret, caret);
}

function dispatch(root, type, event) {
  for (let node = event.target; node && node !== root; node = node.parentNode) {
    const handler = mounted.get(node)?.handlers[type];
    if (handler) handler(event, node);
    if (event.cancelBubble) return;
  }
}

function patchChildren(parent, children, refs) {
  const keyed = new Map();
  const loose = [];
  for (const node of parent.childNodes) {
    const key = mounted.get(node)?.key;
    if (key) keyed.set(key, node);
    else loose.push(node);
  }
  let at = 0;
  const wanted = children.map((child) => {
    if (typeof child === 'string') {
      const old = loose[at]?.nodeType === 3 ? loose[at++] : document.createTextNode('');
      if (old.data !== child) old.data = child;
      return old;
    }
    let old = child.key ? keyed.get(child.key) : loose[at];
    if (!child.key && old) at++;
    if (!old || old.nodeType !== 1 || old.localName !== child.tag || !mounted.has(old)) old = undefined;
    return patchNode(old, child, refs);
  });
  const keep = new Set(wanted);
  for (const node of [...parent.childNodes]) if (!keep.has(node)) node.remove();
  wanted.forEach((node, i) => {
    if (parent.childNodes[i] !== node) parent.insertBefore(node, parent.childNodes[i] || null);
  });
}

function patchNode(old, vnode, refs) {
  const node = old || document.createElement(vnode.tag);
  const handlers = {};
  const attributes = new Map();
  for (const [name, value] of Object.entries(vnode.props)) {
    if (EVENTS[name]) handlers[EVENTS[name]] = value;
    else if (['ref', 'opaque', 'html', 'value', 'checked'].includes(name)) continue;
    else if (value !== false && value != null) attributes.set(name, value === true ? '' : String(value));
  }
  mounted.set(node, { key: vnode.key, handlers });
  for (const { name } of [...node.attributes]) if (!attributes.has(name)) node.removeAttribute(name);
  for (const [name, value] of attributes) if (node.getAttribute(name) !== value) node.setAttribute(name, value);

  if (vnode.props.html !== undefined) {
    if (!old) node.innerHTML = vnode.props.html;
  } else if (!vnode.props.opaque) {
    patchChildren(node, vnode.children, refs);
  }
  if ('value' in vnode.props && node.value !== String(vnode.props.value ?? '')) node.value = vnode.props.value ?? '';
  if ('checked' in vnode.props) node.checked = Boolean(vnode.props.checked);
  if (!old && vnode.props.ref) refs.push(() => vnode.props.ref(node));
  return node;
}
