// The identity provider's printed calls, as a merchant would paste them, with what happens written underneath.

const { apiBase, tenant } = document.getElementById('sample-script').dataset;

function log(text) {
  const line = document.createElement('li');
  line.textContent = text;
  document.getElementById('sample-log').append(line);
}

/** The widget may already be there: on the hosted checkout the shop's own script brings it. */
function loadWidget() {
  if (window.BlockIDVerify) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `${apiBase}/storefront/v1/widget.js`;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${script.src} did not load.`));
    document.head.append(script);
  });
}

/** Away from the hosted checkout the widget has to be told the cart. */
async function cartId() {
  if (location.pathname === '/checkout') return undefined;
  const [cart] = await (await fetch('/api/storefront/carts', { headers: { Accept: 'application/json' } })).json();
  return cart?.id;
}

const report = (result) => fetch(`${apiBase}/bc/result`, { method: 'POST', body: JSON.stringify({ store_hash: tenant, result }) });

document.getElementById('sample-init').addEventListener('click', async () => {
  try {
    await loadWidget();
    const cart = await cartId();
    log(`BlockIDVerify.init for shop ${tenant}${cart ? `, cart ${cart.slice(0, 8)}…` : ''}`);
    window.BlockIDVerify.init({
      apiBase,
      tenantId: tenant,
      ...(cart ? { cartId: cart } : {}),
      onComplete: async (result) => {
        log(`onComplete: ${JSON.stringify(result)}`);
        const answer = await report(result);
        log(`POST /bc/result: ${answer.status}`);
      },
    });
  } catch (error) {
    log(error.message);
  }
});

document.getElementById('sample-forge').addEventListener('click', async () => {
  try {
    const answer = await report({ session_id: 'made-up', state: 'passed', ial: 3, vc_token: 'forged' });
    log(`A forged result was answered ${answer.status}. It changes nothing: the server asks the provider itself.`);
  } catch (error) {
    log(`The forged result was not taken at all: ${error.message}`);
  }
});
