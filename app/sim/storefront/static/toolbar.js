// The simulator's own toolbar. It is not part of the shop: nothing like it exists on a real page.

const bar = document.getElementById('demo-toolbar');

function say(text, href) {
  const note = document.getElementById('demo-note');
  note.replaceChildren(href ? Object.assign(document.createElement('a'), { href, textContent: text }) : document.createTextNode(text));
}

async function post(path, body) {
  const response = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || `The simulator answered ${response.status}.`);
  return answer;
}

function on(id, work) {
  document.getElementById(id)?.addEventListener('click', async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      await work(button);
    } catch (error) {
      say(error.message);
    }
    button.disabled = false;
  });
}

if (bar) {
  on('demo-place-api-order', async () => {
    const { order_id: id, status } = await post('/sf/demo/place-api-order', {});
    say(`Order ${id} was placed round the script (${status})`, `/checkout/order-confirmation/${id}`);
  });
  on('demo-block-script', async (button) => {
    await post('/sf/demo/block-script', { blocked: button.getAttribute('aria-pressed') !== 'true' });
    location.reload();
  });
  on('demo-fill', () => document.dispatchEvent(new Event('demo:fill')));
  on('demo-hide', () => bar.remove());
}
