/**
 * The page's line to the box: one transport at a time, redialled for as long as the person is in the room.
 *
 * A transport is an object with `open(credentials, handlers)` that returns `{send(text), close()}` and calls
 * `handlers.message(text)` and, once, `handlers.closed(code)`. The WebSocket is the first; where it fails, the next
 * in the list is tried.
 */
import { Emitter } from './events.js';
import { parseBoxMessage, parseRoster } from './protocol.js';

/** The first wait before a redial and the longest, in milliseconds. */
export const REDIAL_FIRST = 250;
export const REDIAL_LONGEST = 3000;
/** A dial that got no OPEN in this time is given up. */
const OPEN_LIMIT = 5000;
/** A heartbeat goes out this often, and a line silent for SILENCE_LIMIT is dead. */
const HEARTBEAT_INTERVAL = 5000;
const SILENCE_LIMIT = 12_000;
/** After waking up or a change of network, the box has this long to answer a heartbeat. */
const WAKE_LIMIT = 2000;
/** A dial younger than this is not given up when the network comes back. */
const YOUNG_DIAL = 1000;

/** How often the identity is renewed after the box refused it, before the page says so. */
const MAX_RENEWALS = 3;
/** Between attempts while the room is full. */
const FULL_RETRY = 5000;

/** The close codes of the room protocol. */
const CLOSE_ROTATED = 4001;
const CLOSE_REPLACED = 4002;

export class WebSocketTransport {
  name = 'websocket';
  #base;

  constructor(base) {
    this.#base = base;
  }

  open({ id, token }, handlers) {
    const query = new URLSearchParams({ key: 'peerjs', id, token, version: '1.5.5' });
    const socket = new WebSocket(`${this.#base}/peerjs?${query}`);
    let done = false;
    const finish = (code) => {
      if (done) return;
      done = true;
      handlers.closed(code);
    };
    socket.onmessage = (event) => {
      if (!done && typeof event.data === 'string') handlers.message(event.data);
    };
    socket.onclose = (event) => finish(event.code);
    socket.onerror = () => finish(1006);
    return {
      send: (text) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(text);
      },
      // A socket on a dead network may take minutes to close by itself: it is let go of at once.
      close: () => {
        done = true;
        socket.close();
      },
    };
  }
}

/**
 * Emits `state` (`{state, reason}`: connecting, open, waiting, ended), `identity` ({id, changed}), `roster`, and
 * `signal` ({type, from, payload}).
 */
export class Signaling extends Emitter {
  state = 'idle';
  /** Why the line ended for good: rotated, replaced, refused; or while waiting: unreachable, full. */
  reason = null;
  #transports;
  #authorize;
  #credentials = null;
  #line = null;
  #timers = new Set();
  #failures = 0;
  #renewals = 0;
  #dialledAt = 0;
  #heardAt = 0;
  #epoch = 0;
  #refusal = null;
  #presence = null;

  /**
   * @param transports the ways to the box, best first
   * @param authorize async (renew) → {id, token}; throws a BoxError
   */
  constructor({ transports, authorize }) {
    super();
    this.#transports = transports;
    this.#authorize = authorize;
  }

  get isOpen() {
    return this.state === 'open';
  }

  start() {
    this.#failures = 0;
    this.#renewals = 0;
    this.#dial();
  }

  /** Ends the line on purpose; `leave` tells the box that this person is gone and not merely away. */
  stop(leave) {
    if (leave) this.#sendFrame({ type: 'LEAVE' });
    this.#drop();
    this.#credentials = null;
    this.#enter('idle', null);
  }

  /** The network or the person came back: look at once whether the line lives, and redial if not. */
  wake() {
    if (this.state === 'waiting') {
      this.#failures = 0;
      this.#dial();
    } else if (this.state === 'connecting' && performance.now() - this.#dialledAt > YOUNG_DIAL) {
      this.#dial();
    } else if (this.state === 'open') {
      const asked = performance.now();
      this.#sendFrame({ type: 'HEARTBEAT' });
      this.#after(WAKE_LIMIT, () => {
        if (this.#heardAt < asked) this.#dial();
      });
    }
  }

  /** Sends to one person through the box; false where the line is down. */
  signal(type, dst, payload) {
    return this.#sendFrame({ type, dst, payload });
  }

  /** Says what the others' rosters show of this person; repeated after each redial. */
  announce(presence) {
    this.#presence = presence;
    if (this.isOpen) this.#sendFrame({ type: 'PRESENCE', payload: presence });
  }

  #sendFrame(frame) {
    if (!this.isOpen) return false;
    this.#line?.send(JSON.stringify(frame));
    return true;
  }

  async #dial() {
    this.#drop();
    const epoch = this.#epoch;
    this.#dialledAt = performance.now();
    this.#refusal = null;
    this.#enter('connecting', this.reason);
    try {
      if (!this.#credentials) {
        const credentials = await this.#authorize();
        if (epoch !== this.#epoch) return;
        this.#credentials = credentials;
        this.emit('identity', credentials.id);
      }
    } catch (error) {
      if (epoch !== this.#epoch) return;
      if (error.code === 'rotated') this.#enter('ended', 'rotated');
      else this.#wait(error.code === 'slow-down' ? REDIAL_LONGEST : null, 'unreachable');
      return;
    }
    const transport = this.#transports[this.#failures % this.#transports.length];
    const handlers = {
      message: (text) => {
        if (epoch === this.#epoch) this.#receive(text);
      },
      closed: (code) => {
        if (epoch === this.#epoch) this.#closed(code);
      },
    };
    try {
      this.#line = transport.open(this.#credentials, handlers);
    } catch {
      this.#closed(1006);
      return;
    }
    this.#after(OPEN_LIMIT, () => {
      if (this.state === 'connecting') this.#closed(1006);
    });
  }

  #receive(text) {
    this.#heardAt = performance.now();
    const message = parseBoxMessage(text);
    if (!message) return;
    switch (message.type) {
      case 'OPEN':
        this.#opened();
        break;
      case 'ERROR':
        this.#refusal = typeof message.payload.code === 'string' ? message.payload.code : 'refused';
        break;
      case 'ID-TAKEN':
        this.#refusal = 'forbidden';
        break;
      case 'ROTATED':
        this.#refusal = 'rotated';
        this.#closed(CLOSE_ROTATED);
        break;
      case 'ROOM': {
        const roster = parseRoster(message.payload);
        if (roster) this.emit('roster', roster);
        break;
      }
      case 'OFFER':
      case 'ANSWER':
      case 'CANDIDATE':
        if (message.src) this.emit('signal', { type: message.type, from: message.src, payload: message.payload });
        break;
    }
  }

  #opened() {
    this.#failures = 0;
    this.#renewals = 0;
    this.#enter('open', null);
    if (this.#presence) this.#sendFrame({ type: 'PRESENCE', payload: this.#presence });
    const beat = () => {
      if (performance.now() - this.#heardAt > SILENCE_LIMIT) {
        this.#closed(1006);
        return;
      }
      this.#sendFrame({ type: 'HEARTBEAT' });
      this.#after(HEARTBEAT_INTERVAL, beat);
    };
    beat();
  }

  #closed(code) {
    const refusal = this.#refusal;
    this.#drop();
    if (code === CLOSE_REPLACED) {
      this.#enter('ended', 'replaced');
    } else if (code === CLOSE_ROTATED || refusal === 'rotated') {
      this.#enter('ended', 'rotated');
    } else if (refusal === 'full') {
      this.#wait(FULL_RETRY, 'full');
    } else if (refusal === 'forbidden') {
      // The box no longer knows this token: its key is new. The secret still opens the room.
      this.#credentials = null;
      this.#renewals += 1;
      if (this.#renewals > MAX_RENEWALS) this.#enter('ended', 'refused');
      else this.#wait(null, 'unreachable');
    } else {
      this.#wait(null, 'unreachable');
    }
  }

  #wait(delay, reason) {
    const backoff = Math.min(REDIAL_FIRST * 2 ** Math.min(this.#failures, 10), REDIAL_LONGEST);
    this.#failures += 1;
    this.#enter('waiting', reason);
    this.#after(delay ?? backoff, () => this.#dial());
  }

  #enter(state, reason) {
    if (this.state === state && this.reason === reason) return;
    this.state = state;
    this.reason = reason;
    this.emit('state', { state, reason });
  }

  #after(delay, action) {
    const epoch = this.#epoch;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (epoch === this.#epoch) action();
    }, delay);
    this.#timers.add(timer);
  }

  /** Lets go of the line and of everything that waits for it. */
  #drop() {
    this.#epoch += 1;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#line?.close();
    this.#line = null;
  }
}
