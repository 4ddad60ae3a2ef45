/** Which of the four screens is shown: start, message, lobby, room. The one notice moves along. */
import { $, setText } from './dom.js';

export function showScreen(name) {
  // Only in the room does a notice lie above what is there.
  $({ message: 'message-slot', lobby: 'lobby-slot' }[name] ?? 'notices').prepend($('notice'));
  document.body.dataset.screen = name;
}

/** A screen with nothing but a title and perhaps one button; what it says is the notice. The focus goes to its title. */
export function showMessage({ title, action, run }) {
  setText($('message-title'), title);
  const button = $('message-action');
  button.hidden = !action;
  button.textContent = action ?? '';
  button.onclick = run ?? null;
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  showScreen('message');
  document.title = `${title} · Kibitz Local`;
  $('message-title').focus();
}
