/**
 * Loads the page's parts. A phone that just joined the Wi-Fi may change its network in the middle of it; a part that
 * failed once stays failed in this document, so the page is then loaded again, a few times.
 */

/** Loads of the page in a row that may fail before only the words on the screen help. */
const MAX_RELOADS = 5;
const RELOAD_DELAY = 700;
const KEY = 'kibitz-local.reloads';

function counted() {
  try {
    return Number(sessionStorage.getItem(KEY));
  } catch {
    // Without a count there is no end: better not begin.
    return MAX_RELOADS;
  }
}

function count(reloads) {
  try {
    sessionStorage.setItem(KEY, String(reloads));
  } catch {
    // See above.
  }
}

/** The style sheet, too, may have failed to come. */
function styled() {
  return [...document.styleSheets].some((sheet) => sheet.href?.endsWith('/styles.css'));
}

try {
  await import('./main.js');
  if (!styled()) throw new Error('no style sheet');
  count(0);
} catch (error) {
  console.warn('start', error);
  const reloads = counted();
  if (reloads < MAX_RELOADS) {
    count(reloads + 1);
    setTimeout(() => location.reload(), RELOAD_DELAY * (reloads + 1));
  }
}
