/** Who this page is to the box, whichever way it goes there: one person, one id, one token. */
import { Emitter } from './events.js';

/** Emits `session` with each session the box gave. */
export class Membership extends Emitter {
  /** The session this page goes by now, or null: `{id, token, name}`. */
  current = null;
  #secret;
  #identity;

  /**
   * @param secret the room's secret
   * @param identity where the token is kept
   */
  constructor({ secret, identity }) {
    super();
    this.#secret = secret;
    this.#identity = identity;
  }

  /** What a session is asked for with; a token of earlier keeps its id. */
  request() {
    return { secret: this.#secret, token: this.#identity.token };
  }

  accept(session) {
    this.current = session;
    this.#identity.token = session.token;
    this.#identity.secret = this.#secret;
    this.emit('session', session);
  }

  /** The next line asks for a session anew. The token stays: it keeps the id where the box still knows it. */
  forget() {
    this.current = null;
  }
}
