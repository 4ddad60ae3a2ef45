/**
 * The page /panel: the picture on the box's panel, kept up to date. The box shows it to its own machine, and to whoever
 * knows the room's secret, which this browser keeps once it was in the room.
 */
import { Identity } from './identity.js';

/** From one look at the panel to the next, in milliseconds. */
const INTERVAL = 2000;
/** How long the box may take to answer, in milliseconds. */
const PATIENCE = 8000;

const picture = document.getElementById('panel-picture');
const status = document.getElementById('panel-status');

async function look() {
  const secret = new Identity().secret;
  const response = await fetch('panel.png', {
    cache: 'no-store',
    headers: secret === null ? {} : { authorization: `Bearer ${secret}` },
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (response.status === 403) return 'Join the room first: the panel shows its codes.';
  if (!response.ok) return (await response.text()) || 'The panel has no picture.';
  const former = picture.src;
  picture.src = URL.createObjectURL(await response.blob());
  await picture.decode();
  if (former) URL.revokeObjectURL(former);
  return '';
}

async function follow() {
  for (;;) {
    let words;
    try {
      words = await look();
    } catch {
      words = 'The box does not answer. Are you on its Wi-Fi?';
    }
    // A picture of before would be scanned in vain.
    picture.hidden = words !== '';
    status.textContent = words;
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}

follow();
