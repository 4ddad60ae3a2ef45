/**
 * The page's line to the box: one at a time, redialled for as long as the person is in the room. Which way it goes, the
 * race decides.
 */
import { Emitter } from './events.js';
import { parseBoxMessage, parseRoster } from './protocol.js';
import { Race, REDIAL_FIRST, REDIAL_LONGEST } from './race.js';

/** After waking up or a change of network, the box has this long to answer a heartbeat, in milliseconds. */
const WAKE_LIMIT = 2000;
/** How often the identity is renewed after the box refused it, before the page says so. */
const MAX_RENEWALS = 3;
/** Between attempts while the room is full. */
const FULL_RETRY = 5000;
/** A way this page gave up may still reach the box for this long, and replace the one that carries. */
const OWN_REPLACEMENT = 2500;
/** Lines of its own history that are kept for support. */
const MAX_HISTORY = 20;

/** The close codes of the room protocol. */
const CLOSE_ROTATED = 4001;
const CLOSE_REPLACED = 4002;

/**
 * Emits `state` (`{state, reason}`: connecting, open, waiting, ended), `identity` (id), `roster`, and `signal`
 * ({type, from, payload}).
 */
export class Signaling extends Emitter {
  state = 'idle';
  /** Why the line ended for good: rotated, replaced, refused; or while waiting: unreachable, full. */
  reason = null;
  #transports;
  #membership;
  #race = null;
  #line = null;
  #transport = null;
  #timers = new Set();
  #renewals = 0;
  #heardAt = 0;
  #openedAt = 0;
  /** Whether only the line that carries can have reached the box since it was dialled. */
  #alone = true;
  #epoch = 0;
  #refusal = null;
  #presence = null;
  #history = [];

  /**
   * @param transports the ways to the box, best first
   * @param membership who this page is to the box
   */
  constructor({ transports, membership }) {
    super();
    this.#transports = transports;
    this.#membership = membership;
  }

  get isOpen() {
    return this.state === 'open';
  }

  /** The name of the way that carries, or null. */
  get carrier() {
    return this.isOpen ? this.#transport.name : null;
  }

  start() {
    this.#renewals = 0;
    this.#dial(0);
  }

  /** Ends the line on purpose; `leave` tells the box that this person is gone and not merely away. */
  stop(leave) {
    if (leave) this.#sendFrame({ type: 'LEAVE' });
    this.#drop();
    this.#membership.forget();
    this.#enter('idle', null);
  }

  /** The network or the person came back: look at once whether the line lives, and redial if not. */
  wake() {
    if (this.#race) this.#race.hurry();
    else if (this.state === 'waiting') this.#dial(0);
    else if (this.state === 'open') this.#doubt();
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

  /** A fresh session over the line itself, where it is one that gives them; else null. */
  async renew() {
    return (this.isOpen && (await this.#line.renew?.())) || null;
  }

  #sendFrame(frame) {
    if (!this.isOpen) return false;
    this.#line?.send(JSON.stringify(frame));
    return true;
  }

  #dial(delay) {
    this.#drop();
    this.#refusal = null;
    const epoch = this.#epoch;
    const mine = this.#mine();
    // What carried last goes first: the other way may be one that this phone or its network refuses.
    const transports = [...this.#transports].sort((a, b) => (b === this.#transport) - (a === this.#transport));
    const race = new Race({
      transports,
      membership: this.#membership,
      delay,
      events: {
        opened: mine((opened) => this.#opened(opened)),
        refused: mine((code) => this.#ended(null, code)),
        active: mine((active) => {
          if (active) this.#enter('connecting', this.reason);
          else this.#enter('waiting', 'unreachable');
        }),
      },
    });
    // Who heard that the line is dialled may have stopped it.
    if (epoch === this.#epoch) this.#race = race;
    else race.stop();
  }

  #opened({ transport, line, handlers, alone }) {
    this.#race = null;
    this.#transport = transport;
    this.#line = line;
    this.#alone = alone;
    this.#renewals = 0;
    this.#openedAt = this.#heardAt = performance.now();
    const mine = this.#mine();
    handlers({
      message: mine((text) => this.#receive(text)),
      closed: mine((code) => this.#ended(code, null)),
      doubted: mine(() => {
        this.#note('no path');
        this.#doubt();
      }),
    });
    this.#note(`${transport.name} carries`);
    this.emit('identity', this.#membership.current.id);
    this.#enter('open', null);
    if (this.#presence) this.#sendFrame({ type: 'PRESENCE', payload: this.#presence });
    const beat = () => {
      if (performance.now() - this.#heardAt > transport.silence) {
        this.#ended(1006, null);
        return;
      }
      this.#sendFrame({ type: 'HEARTBEAT' });
      this.#after(transport.heartbeat, beat);
    };
    beat();
  }

  #receive(text) {
    this.#heardAt = performance.now();
    const message = parseBoxMessage(text);
    if (!message) return;
    switch (message.type) {
      case 'ERROR':
        this.#refusal = typeof message.payload.code === 'string' ? message.payload.code : 'refused';
        break;
      case 'ROTATED':
        this.#ended(CLOSE_ROTATED, null);
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

  /** Asks the box for a sign of life. */
  #doubt() {
    const asked = performance.now();
    this.#sendFrame({ type: 'HEARTBEAT' });
    this.#after(WAKE_LIMIT, () => {
      if (this.#heardAt < asked) this.#ended(1006, null);
    });
  }

  /** The line closed with a code, or all ways were refused with a word. */
  #ended(code, word) {
    const refusal = word ?? this.#refusal;
    this.#note(`ended: ${refusal ?? code}`);
    // Two lines of this page crossed on their way to the box: nobody else took its place.
    const ownDoing = !this.#alone && performance.now() - this.#openedAt < OWN_REPLACEMENT;
    this.#drop();
    if (code === CLOSE_REPLACED && !ownDoing) {
      this.#enter('ended', 'replaced');
    } else if (code === CLOSE_ROTATED || refusal === 'rotated') {
      this.#enter('ended', 'rotated');
    } else if (refusal === 'full') {
      this.#enter('waiting', 'full');
      this.#after(FULL_RETRY, () => this.#dial(0));
    } else if (refusal === 'forbidden') {
      // The box no longer knows this token: its key is new. The secret still opens the room.
      this.#membership.forget();
      this.#renewals += 1;
      if (this.#renewals > MAX_RENEWALS) this.#enter('ended', 'refused');
      else this.#dial(Math.min(REDIAL_FIRST * 2 ** this.#renewals, REDIAL_LONGEST));
    } else {
      this.#dial(REDIAL_FIRST);
    }
  }

  #enter(state, reason) {
    if (this.state === state && this.reason === reason) return;
    this.state = state;
    this.reason = reason;
    this.emit('state', { state, reason });
  }

  /** Wraps an action so that it is not run once the present line or race was let go of. */
  #mine() {
    const epoch = this.#epoch;
    return (action) => (detail) => {
      if (epoch === this.#epoch) action(detail);
    };
  }

  #after(delay, action) {
    const mine = this.#mine();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      mine(action)();
    }, delay);
    this.#timers.add(timer);
  }

  /** Lets go of the line and of everything that waits for it. */
  #drop() {
    this.#epoch += 1;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#race?.stop();
    this.#race = null;
    this.#line?.close();
    this.#line = null;
  }

  #note(what) {
    this.#history.push(`${(performance.now() / 1000).toFixed(1)} ${what}`);
    if (this.#history.length > MAX_HISTORY) this.#history.shift();
  }

  /** What the test hook and support want to know. */
  get snapshot() {
    return { state: this.state, carrier: this.carrier, dialling: this.#race?.states ?? {}, history: [...this.#history] };
  }
}
