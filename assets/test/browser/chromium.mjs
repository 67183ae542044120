// Chromium by its debugging pipe: just enough of the protocol to open a page, evaluate, press keys, click and take pictures.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const CHROMIUM = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => p && existsSync(p));

export async function launch() {
  const dir = mkdtempSync(join(tmpdir(), 'idgate-chromium-'));
  const child = spawn(CHROMIUM, [
    '--headless=new', '--remote-debugging-pipe', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-extensions', '--user-data-dir=' + dir, 'about:blank',
  ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const [, , , into, from] = child.stdio;
  const waiting = new Map();
  const listeners = new Set();
  let next = 0;
  let rest = '';
  from.setEncoding('utf8').on('data', (chunk) => {
    const parts = (rest + chunk).split('\0');
    rest = parts.pop();
    for (const part of parts) {
      const m = JSON.parse(part);
      if (!m.id) listeners.forEach((fn) => fn(m));
      else if (m.error) waiting.get(m.id).reject(new Error(JSON.stringify(m.error)));
      else waiting.get(m.id).resolve(m.result);
      waiting.delete(m.id);
    }
  });
  const send = (method, params = {}, sessionId) => new Promise((resolve, reject) => {
    waiting.set(++next, { resolve, reject });
    into.write(JSON.stringify({ id: next, method, params, sessionId }) + '\0');
  });
  return {
    async open(url, { width = 1280, height = 900, mobile = false } = {}) {
      const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
      const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
      const page = (method, params) => send(method, params, sessionId);
      const complaints = [];
      listeners.add((m) => {
        if (m.sessionId !== sessionId) return;
        if (m.method === 'Runtime.exceptionThrown') complaints.push(m.params.exceptionDetails.exception?.description || m.params.exceptionDetails.text);
        if (m.method === 'Log.entryAdded' && m.params.entry.source === 'security') complaints.push(m.params.entry.text);
      });
      await Promise.all([page('Page.enable'), page('Runtime.enable'), page('Log.enable')]);
      await page('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile });
      const go = async (to) => {
        const loaded = new Promise((resolve) => {
          const fn = (m) => m.sessionId === sessionId && m.method === 'Page.loadEventFired' && listeners.delete(fn) && resolve();
          listeners.add(fn);
        });
        await page('Page.navigate', { url: to });
        await loaded;
      };
      await go(url);
      return {
        complaints, go, send: page,
        async eval(expression) {
          const r = await page('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, userGesture: true });
          if (r.exceptionDetails) throw new Error(r.exceptionDetails.exception?.description || r.exceptionDetails.text);
          return r.result.value;
        },
        async key(key, code = key, text) {
          const windowsVirtualKeyCode = { Escape: 27, Tab: 9, Enter: 13, Backspace: 8 }[key] || key.charCodeAt(0);
          await page('Input.dispatchKeyEvent', { type: text ? 'keyDown' : 'rawKeyDown', key, code, text, windowsVirtualKeyCode });
          await page('Input.dispatchKeyEvent', { type: 'keyUp', key, code, windowsVirtualKeyCode });
        },
        async click(x, y) {
          for (const type of ['mousePressed', 'mouseReleased']) await page('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 });
        },
        picture: async () => Buffer.from((await page('Page.captureScreenshot', { format: 'png' })).data, 'base64'),
      };
    },
    async close() {
      const gone = new Promise((resolve) => child.on('exit', resolve));
      send('Browser.close').catch(() => {});
      const hung = setTimeout(() => child.kill('SIGKILL'), 5000);
      await gone;
      clearTimeout(hung);
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
