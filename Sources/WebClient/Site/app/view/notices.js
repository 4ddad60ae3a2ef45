/** One line above the picture that says what is the matter; the newest of those that still hold. */
import { $, setText } from './dom.js';

/** How long a notice that nothing ends stays, in milliseconds. */
export const PASSING = 6000;

export class Notices {
  /** key → {text, action, run, timer}, oldest first; keys are the page's own, so there are few */
  #notices = new Map();

  constructor() {
    $('notice-action').onclick = () => this.#act();
  }

  /** Shows a notice until it is cleared, or for `passing` milliseconds. */
  show(key, text, { action = null, run = null, passing = 0 } = {}) {
    this.#forget(key);
    const timer = passing > 0 ? setTimeout(() => this.clear(key), passing) : null;
    this.#notices.set(key, { key, text, action, run, timer });
    this.#render();
  }

  clear(key) {
    this.#forget(key);
    this.#render();
  }

  clearAll() {
    for (const key of [...this.#notices.keys()]) this.#forget(key);
    this.#render();
  }

  get text() {
    return this.#newest()?.text ?? null;
  }

  #forget(key) {
    clearTimeout(this.#notices.get(key)?.timer);
    this.#notices.delete(key);
  }

  #newest() {
    return [...this.#notices.values()].pop();
  }

  #act() {
    const notice = this.#newest();
    if (!notice) return;
    this.clear(notice.key);
    notice.run?.();
  }

  #render() {
    const notice = this.#newest();
    $('notice').hidden = !notice;
    setText($('notice-text'), notice?.text ?? '');
    $('notice-action').hidden = !notice?.action;
    setText($('notice-action'), notice?.action ?? '');
  }
}
