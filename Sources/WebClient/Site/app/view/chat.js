/** The chat's panel: beside the pictures on a wide screen, over them on a phone. */
import { words } from '../words.js';
import { $, announce, element, hue, setText } from './dom.js';

/** Messages in the list; older ones leave the page. */
const MAX_ITEMS = 500;
/** How near the end counts as reading along, in pixels. */
const NEAR_END = 80;

export class ChatView {
  #say;
  #unread = 0;
  #narrow = matchMedia('(max-width: 719px)');

  constructor(say) {
    this.#say = say;
    $('chat-open').onclick = () => (this.isOpen ? this.close() : this.open());
    $('chat-close').onclick = () => this.close();
    $('chat-form').onsubmit = (event) => {
      event.preventDefault();
      this.#send();
    };
    $('chat-text').onkeydown = (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    };
    $('chat-text').oninput = () => grow($('chat-text'));
    $('chat-panel').onkeydown = (event) => {
      if (event.key === 'Escape') this.close();
    };
    this.#narrow.onchange = () => this.#cover();
  }

  get isOpen() {
    return !$('chat-panel').hidden;
  }

  open() {
    $('chat-panel').hidden = false;
    $('chat-open').setAttribute('aria-expanded', 'true');
    this.#count(0);
    this.#cover();
    this.#toEnd();
    $('chat-text').focus();
  }

  close() {
    if (!this.isOpen) return;
    $('chat-panel').hidden = true;
    $('chat-open').setAttribute('aria-expanded', 'false');
    this.#cover();
    $('chat-open').focus();
  }

  /** On a phone the panel covers the call: nothing behind it takes the focus. */
  #cover() {
    $('call').inert = this.isOpen && this.#narrow.matches;
  }

  #send() {
    const field = $('chat-text');
    if (field.value.trim() === '') return;
    this.#say(field.value);
    field.value = '';
    grow(field);
    this.#toEnd();
  }

  /** The whole history, after a reload. */
  fill(messages) {
    $('chat-list').replaceChildren();
    for (const message of messages) this.#append(message);
    this.#render();
    this.#toEnd();
  }

  add(message) {
    const list = $('chat-list');
    const follows = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;
    this.#append(message);
    while (list.childElementCount > MAX_ITEMS) list.firstElementChild.remove();
    if (follows || message.own) this.#toEnd();
    this.#render();
    if (this.isOpen || message.own) return;
    this.#count(this.#unread + 1);
    announce(words.chatNew(message.name || words.guest, message.text));
  }

  #append({ name, text, at, own, from }) {
    const time = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    const from_ = words.chatFrom(own ? words.you : name || words.guest, time);
    const item = element('li', { className: own ? 'own' : '' }, element('small', {}, from_), element('p', { dir: 'auto' }, text));
    item.style.setProperty('--hue', hue(from));
    $('chat-list').append(item);
  }

  #render() {
    $('chat-empty').hidden = $('chat-list').childElementCount > 0;
  }

  #count(unread) {
    this.#unread = unread;
    $('chat-badge').hidden = unread === 0;
    setText($('chat-badge'), unread > 99 ? '99+' : String(unread));
    if (unread > 0) $('chat-open').setAttribute('aria-label', words.chatUnread(unread));
    else $('chat-open').removeAttribute('aria-label');
  }

  #toEnd() {
    const list = $('chat-list');
    list.scrollTop = list.scrollHeight;
  }
}

function grow(field) {
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight + 3}px`;
}
