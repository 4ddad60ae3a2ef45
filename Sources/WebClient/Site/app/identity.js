/**
 * Who this tab is. A person's token lives in localStorage, in one of a few slots; the tab that uses a slot holds a
 * Web Lock on it, so two tabs are two people and a closed tab's place is free at once. Where there are no locks
 * (plain http), the token lives in sessionStorage: a reload keeps it, another tab never shares it.
 */
import { cleanName } from './protocol.js';
import { randomId } from './events.js';

/** Tabs of one browser that can be different people. */
export const MAX_SLOTS = 8;
/** How long a reloaded tab waits for its own slot, which the page before it may still hold, in milliseconds. */
const OWN_SLOT_WAIT = 1500;
const PREFIX = 'kibitz-local.';

/** A Storage that keeps nothing, for browsers that refuse theirs (Apple's sign-in window does). */
class NoStorage {
  getItem() { return null; }
  setItem() {}
  removeItem() {}
}

/** The page's storage of that name, or one that keeps nothing. */
export function storage(name) {
  try {
    const found = globalThis[name];
    found.getItem(PREFIX);
    return found;
  } catch {
    return new NoStorage();
  }
}

export function readJSON(store, key) {
  try {
    return JSON.parse(store.getItem(PREFIX + key));
  } catch {
    return null;
  }
}

/** Writes, or removes where `value` is null; a full or refused storage is no error of ours. */
export function writeJSON(store, key, value) {
  try {
    if (value === null) store.removeItem(PREFIX + key);
    else store.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // The page works without; only a reload forgets.
  }
}

/**
 * What the link's fragment says: `#<secret>`, or `#<secret>&t=<token>&n=<name>&m=<mark>` after the move to https.
 */
export function parseFragment(hash) {
  const [secret, ...rest] = hash.replace(/^#/, '').split('&');
  const parameters = new URLSearchParams(rest.join('&'));
  const valid = /^[A-Za-z0-9_.~-]{1,128}$/.test(secret);
  return {
    secret: valid ? secret : null,
    token: valid ? parameters.get('t')?.slice(0, 1024) || null : null,
    name: valid ? cleanName(parameters.get('n') ?? '') : '',
    mark: valid ? parameters.get('m') : null,
  };
}

const MARK_COOKIE = 'kibitz-local-move';
/** How long a move to https may take, warnings included, in seconds. */
const MOVE_LIMIT = 600;

/**
 * Marks this browser as on its way from http to https. A cookie is the one thing both origins of a host share; it tells
 * the person's own move from a link somebody made, which must not lead straight into the room with the camera on.
 */
export function markMove() {
  const mark = randomId();
  document.cookie = `${MARK_COOKIE}=${mark}; path=/; max-age=${MOVE_LIMIT}; samesite=strict`;
  return mark;
}

/** Whether `mark` is this browser's own; each counts once. */
export function claimMove(mark) {
  const own = document.cookie.split('; ').includes(`${MARK_COOKIE}=${mark}`);
  if (own) document.cookie = `${MARK_COOKIE}=; path=/; max-age=0; samesite=strict`;
  return own && mark !== null;
}

export class Identity {
  /** This page load, as other people's pages know it: a new one means that old connections are gone. */
  instance = randomId();
  #slot = null;
  #locks;
  #lasting;
  #session;

  constructor({ locks = globalThis.navigator?.locks, lasting = storage('localStorage'), session = storage('sessionStorage') } = {}) {
    this.#locks = locks;
    this.#lasting = lasting;
    this.#session = session;
  }

  /** Takes a slot; call once before anything else. */
  async open() {
    if (!this.#locks) return;
    const own = readJSON(this.#session, 'slot');
    if (Number.isInteger(own) && own >= 0 && own < MAX_SLOTS && (await this.#take(own, OWN_SLOT_WAIT))) return;
    // A copied tab brings its original's sessionStorage along: it is another person, who has not joined yet.
    if (own !== null) this.forgetTab();
    for (let slot = 0; slot < MAX_SLOTS; slot += 1) {
      if (await this.#take(slot, 0)) return;
    }
  }

  async #take(slot, wait) {
    const controller = new AbortController();
    const timer = wait > 0 ? setTimeout(() => controller.abort(), wait) : null;
    const taken = await new Promise((resolve) => {
      const options = wait > 0 ? { signal: controller.signal } : { ifAvailable: true };
      this.#locks
        .request(`${PREFIX}slot.${slot}`, options, (lock) => {
          resolve(lock !== null);
          // Held as long as the page lives.
          return lock === null ? undefined : new Promise(() => {});
        })
        .catch(() => resolve(false));
    });
    clearTimeout(timer);
    if (taken) {
      this.#slot = slot;
      writeJSON(this.#session, 'slot', slot);
    }
    return taken;
  }

  get #tokenPlace() {
    return this.#slot === null ? [this.#session, 'token'] : [this.#lasting, `token.${this.#slot}`];
  }

  get token() {
    const token = readJSON(...this.#tokenPlace);
    return typeof token === 'string' ? token : null;
  }

  set token(value) {
    writeJSON(...this.#tokenPlace, value);
  }

  /** The last room's secret, for a page opened from the home screen, whose address has none. */
  get secret() {
    const secret = readJSON(this.#lasting, 'secret');
    return typeof secret === 'string' ? parseFragment(secret).secret : null;
  }

  set secret(value) {
    writeJSON(this.#lasting, 'secret', value);
  }

  /** The blob of the hub that let this page into the room of `secret` last, as text; null for any other room. */
  hub(secret) {
    const hub = readJSON(this.#lasting, 'hub');
    return hub && hub.secret === secret && typeof hub.blob === 'string' ? hub.blob : null;
  }

  rememberHub(secret, blob) {
    writeJSON(this.#lasting, 'hub', { secret, blob });
  }

  get name() {
    return cleanName(readJSON(this.#session, 'name') ?? readJSON(this.#lasting, `name.${this.#slot ?? 0}`));
  }

  set name(value) {
    writeJSON(this.#session, 'name', value);
    writeJSON(this.#lasting, `name.${this.#slot ?? 0}`, value);
  }

  /** Whether this tab was in the room, and with what: `{camera, microphone}`; null when it was not. */
  get joined() {
    const joined = readJSON(this.#session, 'joined');
    return joined && typeof joined === 'object'
      ? { camera: joined.camera === true, microphone: joined.microphone === true }
      : null;
  }

  set joined(value) {
    writeJSON(this.#session, 'joined', value);
  }

  /** The chat as it was before a reload. */
  get chat() {
    return readJSON(this.#session, 'chat');
  }

  set chat(value) {
    writeJSON(this.#session, 'chat', value);
  }

  forgetTab() {
    for (const key of ['slot', 'joined', 'chat', 'token', 'name']) writeJSON(this.#session, key, null);
  }
}
