/** Everyone else in the room, and the link to each. */
import { Emitter } from './events.js';
import { Link } from './link.js';
import { isPersonId, MAX_PEOPLE } from './protocol.js';
import { qualityFor } from './quality.js';

/** Between two looks at every link, in milliseconds. */
const TICK = 500;
/** A gap between two looks longer than this means that the page slept. */
const SLEPT = 3000;
/**
 * A person the box does not list, after a restart of the box for one, stays for as long as the link works, and this
 * long without either; milliseconds.
 */
const UNLISTED_LIMIT = 20_000;
/**
 * A newcomer's first signals may come before the roster that lists the newcomer: they wait for it so long, in
 * milliseconds, and so many of them do, of all people together.
 */
const EARLY_LIMIT = 3000;
const MAX_EARLY = 64;
/** Without the box, a person whose link is dead stays this long; milliseconds. */
const LOST_LIMIT = 120_000;

/** Emits `people` when anything shown of anyone changed, `media` (person), `open` (person), `frame` ({person, frame}), and `left` (person). */
export class Mesh extends Emitter {
  /** id → {id, name, camera, microphone, away, listed, link} */
  people = new Map();
  #environment;
  #self = null;
  #linkEnvironment;
  #timer = null;
  #signalingOpen = false;
  #openedAt = 0;
  #firstRoster = true;
  #tickedAt = 0;
  #relayOnly;
  /** Signals of people no roster has listed yet: {at, from, type, payload}, the oldest first. */
  #early = [];

  /** @param environment what every Link needs, less `self`, `peer` and `quality`; `signal(type, to, payload)` */
  constructor(environment) {
    super();
    this.#environment = environment;
    this.#relayOnly = environment.relayOnly;
    this.#linkEnvironment = (peer) => ({
      ...environment,
      self: this.#self,
      peer,
      relayOnly: this.#relayOnly,
      signal: (type, payload) => environment.signal(type, peer, payload),
      quality: () => qualityFor(this.people.size),
    });
  }

  /** This person's id; another one than before (the box lost its key) ends every link of the old one. */
  start(self) {
    if (this.#self !== null && this.#self !== self) this.#clear();
    this.#self = self;
    if (this.#timer !== null) return;
    this.#tickedAt = this.#environment.now();
    this.#timer = setInterval(() => this.tick(), TICK);
  }

  /** Ends every link; `leave` tells the others that this person is gone. */
  stop(leave) {
    if (leave) this.broadcast({ kind: 'bye' });
    clearInterval(this.#timer);
    this.#timer = null;
    this.#self = null;
    this.#clear();
  }

  #clear() {
    for (const person of [...this.people.values()]) this.#remove(person);
    this.#early = [];
  }

  /** The line to the box opened or closed. The first roster of a new line tells nobody's leaving. */
  setSignaling(open) {
    if (open === this.#signalingOpen) return;
    this.#signalingOpen = open;
    this.#firstRoster = true;
    this.#openedAt = this.#environment.now();
    for (const person of this.people.values()) this.#updateReachable(person);
    this.emit('people');
  }

  update(roster) {
    if (this.#self === null) return;
    for (const entry of roster.people.values()) {
      if (entry.id === this.#self) continue;
      const person = this.people.get(entry.id) ?? this.#add(entry.id);
      if (!person) continue;
      Object.assign(person, entry, { listed: true });
    }
    for (const person of [...this.people.values()]) {
      if (roster.people.has(person.id)) continue;
      if (person.listed && !this.#firstRoster) this.#remove(person);
      else person.listed = false;
    }
    this.#firstRoster = false;
    for (const person of this.people.values()) this.#updateReachable(person);
    this.#hearEarly();
    this.emit('people');
  }

  #updateReachable(person) {
    person.link.setReachable(this.#signalingOpen && person.listed && !person.away);
  }

  #add(id) {
    if (this.people.size >= MAX_PEOPLE) return null;
    const link = new Link(this.#linkEnvironment(id));
    const person = { id, name: '', camera: false, microphone: false, away: false, listed: true, link };
    this.people.set(id, person);
    link.on('change', () => this.emit('people'));
    link.on('media', () => this.emit('media', person));
    link.on('open', () => this.emit('open', person));
    link.on('frame', (frame) => this.#receiveFrame(person, frame));
    this.#peopleCountChanged();
    return person;
  }

  #remove(person) {
    if (!this.people.delete(person.id)) return;
    person.link.close();
    this.emit('left', person);
    this.emit('people');
    this.#peopleCountChanged();
  }

  #peopleCountChanged() {
    for (const person of this.people.values()) person.link.limitSenders();
  }

  /** A signal through the box. */
  receive({ type, from, payload }) {
    if (!isPersonId(from) || from === this.#self) return;
    const person = this.people.get(from);
    if (person) {
      person.link.receive(type, payload);
      return;
    }
    const now = this.#environment.now();
    this.#early = this.#early.filter(({ at }) => now - at < EARLY_LIMIT);
    if (this.#early.length < MAX_EARLY) this.#early.push({ at: now, from, type, payload });
  }

  /** Takes up the signals of those whom the roster lists now; what waits in vain is for nobody here. */
  #hearEarly() {
    const now = this.#environment.now();
    const early = this.#early;
    this.#early = early.filter(({ from }) => !this.people.has(from));
    for (const { at, from, type, payload } of early) {
      if (now - at < EARLY_LIMIT) this.people.get(from)?.link.receive(type, payload);
    }
  }

  #receiveFrame(person, frame) {
    if (frame.kind === 'bye') {
      // While the box is there, its roster says who left; without it, the person's own word does.
      if (!this.#signalingOpen || !person.listed) this.#remove(person);
    } else if (frame.kind === 'state') {
      Object.assign(person, { name: frame.name, camera: frame.camera, microphone: frame.microphone });
      this.emit('people');
    } else {
      this.emit('frame', { person, frame });
    }
  }

  /** Sends a frame to everyone whose channel is up. */
  broadcast(frame) {
    for (const person of this.people.values()) person.link.send(frame);
  }

  async replaceTracks() {
    await Promise.all([...this.people.values()].map((person) => person.link.replaceTracks()));
  }

  /** The page woke up, or the network changed. */
  wake() {
    this.#tickedAt = this.#environment.now();
    for (const person of this.people.values()) person.link.wake();
  }

  tick() {
    const now = this.#environment.now();
    if (now - this.#tickedAt > SLEPT) this.wake();
    this.#tickedAt = now;
    for (const person of [...this.people.values()]) {
      person.link.tick();
      const down = person.link.downFor(now);
      const unlisted = this.#signalingOpen && !person.listed && now - this.#openedAt > UNLISTED_LIMIT;
      if ((unlisted && down > UNLISTED_LIMIT) || (!this.#signalingOpen && down > LOST_LIMIT)) this.#remove(person);
    }
  }

  /** {total, healthy, relayed}: what the box's `status` shows of this page. */
  counts() {
    const links = [...this.people.values()].map((person) => person.link);
    return {
      total: links.length,
      healthy: links.filter((link) => link.healthy).length,
      relayed: links.filter((link) => link.kind === 'relayed').length,
    };
  }
}
