/** Keeps the screen on while the person is in the room, where the browser can. */
export class WakeLock {
  #wanted = false;
  #lock = null;

  set(wanted) {
    this.#wanted = wanted;
    this.refresh();
  }

  /** The browser drops the lock whenever the page is hidden. */
  async refresh() {
    if (!this.#wanted) {
      this.#lock?.release().catch(() => {});
      this.#lock = null;
      return;
    }
    if (document.visibilityState !== 'visible' || (this.#lock && !this.#lock.released)) return;
    try {
      this.#lock = (await navigator.wakeLock?.request('screen')) ?? null;
    } catch {
      // Low battery, or not allowed: the screen goes dark as it always does.
    }
  }
}
