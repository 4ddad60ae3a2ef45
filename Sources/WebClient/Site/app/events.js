/** The smallest event emitter that does: named events, any number of listeners, one detail each. */
export class Emitter {
  #listeners = new Map();

  /** Calls `listener(detail)` at each `name`; returns a function that stops it. */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(name, listeners);
    return () => listeners.delete(listener);
  }

  emit(name, detail) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(detail);
  }
}

/** A random id of `bytes` bytes as hex; `crypto.randomUUID` is missing on plain http. */
export function randomId(bytes = 8) {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
