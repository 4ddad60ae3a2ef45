/** The box's HTTP interface, at the page's own origin. */
import { parseIceServers, parseRoomInformation, parseSession } from './protocol.js';

/** How long the box may take to answer, in milliseconds. */
const ANSWER_LIMIT = 5000;
/** Shorter for TURN credentials: a restart goes on with the last ones rather than wait. */
const TURN_LIMIT = 2000;

/** The box did not answer, or not usefully. `code` is the box's word, or `unreachable`. */
export class BoxError extends Error {
  constructor(code, message) {
    super(message ?? code);
    this.code = code;
  }
}

export class Box {
  async information() {
    return parseRoomInformation(await this.#ask('api/room', {}, ANSWER_LIMIT));
  }

  /** Proves knowledge of the room's secret; a token of earlier keeps its id. Throws a BoxError. */
  async session({ secret, token }) {
    const body = token ? { secret, token } : { secret };
    const answer = await this.#ask(
      'api/session',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
      ANSWER_LIMIT
    );
    const session = parseSession(answer);
    if (!session) throw new BoxError('unreachable', 'The box gave an answer this page does not understand.');
    return session;
  }

  /** ICE servers with fresh credentials. */
  async iceServers() {
    return parseIceServers(await this.#ask('api/turn', { cache: 'no-store' }, TURN_LIMIT));
  }

  async #ask(path, options, limit) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), limit);
    try {
      const response = await fetch(`/${path}`, { ...options, signal: controller.signal });
      const value = await response.json().catch(() => null);
      if (response.ok) return value;
      const code = typeof value?.error === 'string' ? value.error.slice(0, 64) : `http-${response.status}`;
      throw new BoxError(code, typeof value?.message === 'string' ? value.message.slice(0, 500) : undefined);
    } catch (error) {
      throw error instanceof BoxError ? error : new BoxError('unreachable');
    } finally {
      clearTimeout(timer);
    }
  }
}
