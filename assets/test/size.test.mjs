// The shipped file is the written file: what its bytes must be.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import vm from 'node:vm';
import { GATE } from './harness.mjs';

const LIMIT = 12000;

test(`gate.js is at most ${LIMIT} bytes when gzipped`, (t) => {
  const size = gzipSync(GATE, { level: 9 }).length;
  t.diagnostic(`${GATE.length} bytes, ${size} gzipped`);
  assert.ok(size <= LIMIT, `${size} bytes`);
});

test('it is one classic script: no import, no export, nothing left in the global scope', () => {
  const script = new vm.Script(GATE, { filename: 'gate.js' });
  assert.ok(script);
  const globals = vm.createContext({});
  try {
    script.runInContext(globals);
  } catch { /* no document here */ }
  assert.deepEqual(Object.keys(globals), []);
});

test('it uses nothing that a content security policy or a review would stop at', () => {
  const code = GATE.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/ .*/g, '');
  for (const word of ['eval(', 'new Function', 'innerHTML', 'outerHTML', 'insertAdjacentHTML', 'document.write', 'document.cookie', 'localStorage', 'postMessage', "'message'", 'debugger', 'import(']) {
    assert.ok(!code.includes(word), word);
  }
});

test('htmx.min.js is the pinned version, byte for byte', () => {
  const read = (/** @type {string} */ path) => readFileSync(new URL(path, import.meta.url), 'utf8');
  assert.equal(read('../admin/htmx.min.js'), read('../node_modules/htmx.org/dist/htmx.min.js'));
});

test('package.json pins every version, and the lock file names no registry and no machine', () => {
  const { devDependencies, dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  assert.equal(dependencies, undefined);
  for (const [name, version] of Object.entries(devDependencies)) assert.match(version, /^\d+\.\d+\.\d+$/, name);
  const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
  for (const [path, entry] of Object.entries(lock.packages)) {
    assert.equal(entry.resolved, undefined, path);
    if (path) assert.match(entry.integrity, /^sha512-/, path);
  }
});
