/** STUN and TURN for the links: credentials of the box, from whichever way it can be asked now. */

/** Restarts of several links at the same moment share one answer; milliseconds. */
const SHARED = 1500;
/** Credentials that came with a session are as good as fresh for this long, in milliseconds. */
const FRESH = 300_000;

export class IceServers {
  #ask;
  #renew;
  #now;
  #servers = [];
  #brought = -Infinity;
  #asked = -Infinity;
  #answer = null;

  /**
   * @param ask async () → servers, by the box's web server
   * @param renew async () → whether servers were brought anew over the line, where that is the one that carries
   * @param now milliseconds on a clock that never goes back
   */
  constructor({ ask, renew, now }) {
    this.#ask = ask;
    this.#renew = renew;
    this.#now = now;
  }

  /** A session over the hub brought these. */
  bring(servers) {
    this.#servers = servers;
    this.#brought = this.#now();
  }

  /** Fresh servers; the last known where the box does not answer in time. */
  get() {
    const now = this.#now();
    if (now - this.#brought < FRESH) return Promise.resolve(this.#servers);
    if (now - this.#asked > SHARED) {
      this.#asked = now;
      this.#answer = this.#fetch();
    }
    return this.#answer;
  }

  async #fetch() {
    if (await this.#renew()) return this.#servers;
    const servers = await this.#ask().catch(() => null);
    if (servers) this.#servers = servers;
    return this.#servers;
  }
}
