// npm run sdk-bundle: the pinned Checkout SDK as one classic script, test/sdk/dist/checkout-sdk.js (ignored by git).
// The package ships ESM and CJS only; a page wants a script.
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
export const OUT = at('dist/checkout-sdk.js');

export async function bundle(outfile = OUT) {
  const { version } = JSON.parse(readFileSync(at('../../node_modules/@bigcommerce/checkout-sdk/package.json'), 'utf8'));
  const wanted = JSON.parse(readFileSync(at('../../package.json'), 'utf8')).devDependencies['@bigcommerce/checkout-sdk'];
  // An unpinned install on an older Node silently takes a version years older.
  if (version !== wanted) throw new Error(`@bigcommerce/checkout-sdk is ${version}, not ${wanted}: run npm ci`);
  await build({
    entryPoints: [at('entry.mjs')], outfile, bundle: true, format: 'iife', platform: 'browser', target: 'es2020', minify: true,
    define: { 'process.env.NODE_ENV': '"production"' }, banner: { js: `/* @bigcommerce/checkout-sdk ${version} (MIT), bundled for tests */` }, logLevel: 'warning',
  });
  return { outfile, version };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { outfile, version } = await bundle();
  console.log(`@bigcommerce/checkout-sdk ${version} -> ${outfile}`);
}
