/**
 * Dials the box every way there is at once, each again and again by itself, until one carries. The box lets a page in
 * once: of two lines of the same person the newer replaces the older. So ways only get ready side by side, and attach
 * one after the other: the best first, another where the best has failed or had its head start.
 *
 * A transport is an object with a `name`, `heartbeat` and `silence` in milliseconds, and `open(membership, handlers)`
 * that returns `{attach(), send(text), close()}`, perhaps `renew()`, and calls `handlers.ready()` when it could attach,
 * `message(text)`, `doubted()` when the path looks dead, and, once, `closed(code, refusal)`.
 */
import { parseBoxMessage } from './protocol.js';

/** The first wait before a redial and the longest, in milliseconds. */
export const REDIAL_FIRST = 250;
export const REDIAL_LONGEST = 3000;
/** How long a better way may keep another one waiting that is ready, in milliseconds. */
export const HEAD_START = 1000;
/** A way that is not ready, or has attached and got no OPEN, in this time is given up; milliseconds. */
export const READY_LIMIT = 6000;
export const OPEN_LIMIT = 5000;
/** A dial younger than this is not given up when the network comes back. */
const YOUNG_DIAL = 1000;

/** The close code that ends a generation of the room. */
const CLOSE_ROTATED = 4001;
/** Words of the box that concern every way alike. */
const FINAL = ['rotated', 'full', 'forbidden'];

export class Race {
  /**
   * {transport, state: waiting | preparing | ready | attaching, since, line, handlers, failures, timer,
   * attached: whether it ever tried to, hurried: whether it was dialled early because another way got ready}
   */
  #ways;
  #membership;
  #events;
  #over = false;
  #timer = null;

  /**
   * @param transports the ways, best first
   * @param delay before the first dial, in milliseconds
   * @param events opened({transport, line, handlers, alone}): `alone` says that no other way of this page may have got
   *   through to the box; refused(code): no way will do; active(boolean): whether anything is being dialled now
   */
  constructor({ transports, membership, delay = 0, events }) {
    this.#membership = membership;
    this.#events = events;
    this.#ways = transports.map((transport) => ({
      transport,
      state: 'waiting',
      since: performance.now(),
      line: null,
      handlers: null,
      failures: delay > 0 ? 1 : 0,
      timer: null,
      attached: false,
      hurried: false,
    }));
    for (const way of this.#ways) {
      if (delay > 0) this.#later(way, delay);
      else this.#open(way);
    }
  }

  /** What is being dialled: {websocket: 'attaching', hub: 'preparing'}. */
  get states() {
    return Object.fromEntries(this.#ways.map(({ transport, state }) => [transport.name, state]));
  }

  stop() {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const way of this.#ways) this.#drop(way);
  }

  /** The network or the person came back: everything that waits or has got stuck is dialled now. */
  hurry() {
    for (const way of this.#ways) {
      if (this.#over) return;
      way.failures = 0;
      const stuck = way.state !== 'ready' && performance.now() - way.since > YOUNG_DIAL;
      if (way.state !== 'waiting' && !stuck) continue;
      this.#drop(way);
      this.#open(way);
    }
  }

  #open(way) {
    this.#enter(way, 'preparing');
    // Handlers of a line that was let go of are not heard.
    const mine = (action) => (...details) => {
      if (way.handlers === handlers) action(...details);
    };
    const handlers = {
      ready: mine(() => this.#ready(way)),
      message: mine((text) => this.#receive(way, text)),
      closed: mine((code, refusal) => this.#failed(way, code === CLOSE_ROTATED ? 'rotated' : refusal)),
      doubted: () => {},
    };
    way.handlers = handlers;
    try {
      way.line = way.transport.open(this.#membership, handlers);
    } catch {
      this.#failed(way);
      return;
    }
    this.#consider();
  }

  #ready(way) {
    if (way.state !== 'preparing') return;
    this.#enter(way, 'ready');
    // The box lives, so a better way that waits for its redial gets its chance now.
    for (const better of this.#ways.slice(0, this.#ways.indexOf(way))) {
      if (better.state === 'waiting' && !better.hurried) {
        better.hurried = true;
        clearTimeout(better.timer);
        this.#open(better);
      }
    }
    this.#consider();
  }

  /** Gives up what has had its time, lets the best way attach that may, and looks again when the next time is up. */
  #consider() {
    if (this.#over) return;
    clearTimeout(this.#timer);
    const now = performance.now();
    let next = Infinity;
    /** Whether `limit` milliseconds since `since` are still to come; their end is looked at again. */
    const within = (since, limit) => {
      const left = since + limit - now;
      if (left > 0) next = Math.min(next, left);
      return left > 0;
    };
    const ready = this.#ways.find(({ state }) => state === 'ready');
    const attaching = this.#ways.find(({ state }) => state === 'attaching');
    // Its end looks at all of this again.
    const late =
      this.#ways.find((way) => way.state === 'preparing' && !within(way.since, READY_LIMIT)) ??
      (attaching && !within(attaching.since, OPEN_LIMIT) ? attaching : null) ??
      (attaching && ready && !within(Math.max(attaching.since, ready.since), HEAD_START) ? attaching : null);
    if (late) {
      this.#failed(late);
      return;
    }
    if (ready && !attaching) {
      const better = this.#ways.slice(0, this.#ways.indexOf(ready)).find(({ state }) => state === 'preparing');
      if (!better || !within(Math.max(better.since, ready.since), HEAD_START)) {
        this.#attach(ready);
        return;
      }
    }
    if (next < Infinity) this.#timer = setTimeout(() => this.#consider(), next);
  }

  #attach(way) {
    this.#enter(way, 'attaching');
    way.attached = true;
    way.line.attach();
    this.#consider();
  }

  #receive(way, text) {
    const message = parseBoxMessage(text);
    switch (message?.type) {
      case 'OPEN':
        this.#won(way);
        break;
      case 'ERROR':
        this.#failed(way, typeof message.payload.code === 'string' ? message.payload.code : 'refused');
        break;
      case 'ID-TAKEN':
        this.#failed(way, 'forbidden');
        break;
      case 'ROTATED':
        this.#failed(way, 'rotated');
        break;
    }
  }

  #won(way) {
    if (way.state !== 'attaching') return;
    const { transport, line, handlers } = way;
    const alone = !this.#ways.some((other) => other !== way && other.attached);
    way.line = null;
    this.stop();
    this.#events.opened({ transport, line, handlers: this.#handOver(handlers), alone });
  }

  /** The line's handlers, whose actions the owner of the line sets from now on. */
  #handOver(handlers) {
    return (actions) => Object.assign(handlers, actions);
  }

  #failed(way, refusal) {
    if (this.#over || way.state === 'waiting') return;
    this.#drop(way);
    if (FINAL.includes(refusal)) {
      this.stop();
      this.#events.refused(refusal);
      return;
    }
    const backoff = Math.min(REDIAL_FIRST * 2 ** Math.min(way.failures, 10), REDIAL_LONGEST);
    way.failures += 1;
    this.#later(way, refusal === 'slow-down' ? REDIAL_LONGEST : backoff);
    this.#consider();
  }

  #later(way, delay) {
    this.#enter(way, 'waiting');
    way.timer = setTimeout(() => this.#open(way), delay);
  }

  #enter(way, state) {
    way.state = state;
    way.since = performance.now();
    if (this.#over) return;
    this.#events.active(this.#ways.some((any) => any.state !== 'waiting'));
  }

  #drop(way) {
    clearTimeout(way.timer);
    way.handlers = null;
    const { line } = way;
    way.line = null;
    line?.close();
  }
}
