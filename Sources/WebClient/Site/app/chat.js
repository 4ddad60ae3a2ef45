/**
 * The chat. Each page keeps what it wrote, numbered within its own log, and sends it over each link's data channel;
 * whoever comes back says how far they had heard, and gets the rest.
 */
import { Emitter, randomId } from './events.js';
import { cleanName, cleanText } from './protocol.js';

/** Messages shown, and own messages kept to be sent again. */
export const MAX_SHOWN = 500;
export const MAX_OWN = 200;
/** People whose place in each other's log is remembered. */
export const MAX_REMEMBERED = 64;

/** Emits `message` (one new message) and `change` (all of them, after a reload). */
export class Chat extends Emitter {
  /** [{key, from, name, text, at, own}], oldest first; `at` in milliseconds of this page's clock. */
  messages = [];
  #log = randomId();
  #sequence = 0;
  #own = [];
  /** author's id → {log, sequence}: the last message heard in order. */
  #heard = new Map();
  /** person's id → the number of own messages written before this person came. */
  #since = new Map();
  /** person's id → {connection, sequence}: the last own message they have, or that is on its way over that connection. */
  #told = new Map();
  #save;

  /**
   * @param saved what `save` was last called with, after a reload
   * @param save keeps a value for the next load of this page
   */
  constructor({ saved, save }) {
    super();
    this.#save = save;
    try {
      this.#restore(saved);
    } catch {
      // Not ours, or of another version: begin anew.
    }
  }

  #restore(saved) {
    if (!saved) return;
    const messages = saved.messages.slice(-MAX_SHOWN).map((message) => ({
      key: String(message.key),
      from: String(message.from),
      name: cleanName(message.name),
      text: cleanText(message.text),
      at: Number(message.at),
      own: message.own === true,
    }));
    const own = saved.own.slice(-MAX_OWN).map(({ sequence, text, at }) => ({
      sequence: Number(sequence),
      text: cleanText(text),
      at: Number(at),
    }));
    this.#log = String(saved.log);
    this.#sequence = Number(saved.sequence);
    this.#heard = new Map(saved.heard);
    this.#since = new Map(saved.since);
    this.#own = own;
    this.messages = messages;
  }

  #keep() {
    this.#save({
      log: this.#log,
      sequence: this.#sequence,
      own: this.#own,
      messages: this.messages,
      heard: [...this.#heard],
      since: [...this.#since],
    });
  }

  /** Someone is in the room: what is written from now on is for them, too. What was written before is not. */
  meet(person) {
    if (this.#since.has(person)) return;
    remember(this.#since, person, this.#sequence);
    this.#keep();
  }

  /** Writes a message; returns it as a frame, or null where there is nothing to say. */
  write(value, self) {
    const text = cleanText(value);
    if (text === '') return null;
    this.#sequence += 1;
    const message = { sequence: this.#sequence, text, at: Date.now() };
    this.#own = [...this.#own, message].slice(-MAX_OWN);
    this.#show({ key: `${self.id}:${this.#log}:${message.sequence}`, from: self.id, name: self.name, text, at: message.at, own: true });
    return this.#frame(message);
  }

  #frame({ sequence, text, at }) {
    return { kind: 'chat', log: this.#log, sequence, text, age: Math.max(0, Date.now() - at) };
  }

  /** What is said first when frames can be sent, and can be sent again: how far this page has heard that person. */
  hello(person) {
    return { kind: 'hello', seen: this.#heard.get(person) ?? null };
  }

  /** That person said, over this connection, how far they heard. */
  greet(person, connection, seen) {
    const before = seen?.log === this.#log ? seen.sequence : (this.#since.get(person) ?? this.#sequence);
    remember(this.#told, person, { connection, sequence: before });
  }

  /**
   * Sends that person what they lack, oldest first, until `send` refuses one: the rest comes with the next call. Before they
   * have said over this connection how far they heard, nothing is sent.
   */
  tell(person, connection, send) {
    const told = this.#told.get(person);
    if (told?.connection !== connection) return;
    for (const message of this.#own) {
      if (message.sequence <= told.sequence) continue;
      if (!send(this.#frame(message))) return;
      told.sequence = message.sequence;
    }
  }

  /** A message arrived; one that was here already is left out. */
  receive(frame, person) {
    const heard = this.#heard.get(person.id);
    if (heard?.log === frame.log && frame.sequence <= heard.sequence) return;
    remember(this.#heard, person.id, { log: frame.log, sequence: frame.sequence });
    this.#show({
      key: `${person.id}:${frame.log}:${frame.sequence}`,
      from: person.id,
      name: person.name,
      text: frame.text,
      at: Date.now() - frame.age,
      own: false,
    });
  }

  #show(message) {
    this.messages = [...this.messages, message].slice(-MAX_SHOWN);
    this.#keep();
    this.emit('message', message);
  }
}

function remember(map, key, value) {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_REMEMBERED) map.delete(map.keys().next().value);
}
