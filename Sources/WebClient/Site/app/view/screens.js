/** Which of the four screens is shown: start, message, lobby, room. */
import { $, setText } from './dom.js';

export function showScreen(name) {
  document.body.dataset.screen = name;
}

export function currentScreen() {
  return document.body.dataset.screen;
}

/** A screen with nothing but words and perhaps one button; the focus goes to its title. */
export function showMessage({ title, text, action, run }) {
  setText($('message-title'), title);
  setText($('message-text'), text);
  const button = $('message-action');
  button.hidden = !action;
  button.textContent = action ?? '';
  button.onclick = run ?? null;
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  showScreen('message');
  document.title = `${title} · Kibitz Local`;
  $('message-title').focus();
}
