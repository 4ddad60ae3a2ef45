/**
 * Where the box is. Mostly the page came from it, and its web server tells the hub's blob. But a page may also have been
 * loaded from elsewhere, with the blob in its address (`?galaxy=`), or from the copy that the service worker keeps; then
 * the hub is the only way, and no web server at the page's own origin may be taken for the box's.
 */
import { parseBlob } from './blob.js';

export class Whereabouts {
  /** What the box says of itself, once known. */
  information = null;
  /** Whether the address has a `?galaxy=` that can't be read. */
  damaged;
  #box;
  #given;
  #remembered;
  #asking = null;
  /** Whether the page's own origin proved to be the box, where that is in question. */
  #proven = false;

  /**
   * @param box its web interface
   * @param search the query of the page's address
   * @param remembered the blob that worked last, as text, or null
   */
  constructor({ box, search, remembered }) {
    const text = new URLSearchParams(search).get('galaxy');
    this.#box = box;
    this.#given = parseBlob(text);
    this.#remembered = parseBlob(remembered);
    this.damaged = Boolean(text) && this.#given === null;
  }

  /** Takes what the box said of itself over the hub, if it did. */
  told(information) {
    this.information = information ?? this.information;
  }

  /** Asks the page's own origin for the box's facts, once at a time; null where it is not the box or does not answer. */
  learn() {
    this.#asking ??= this.#box
      .information()
      .catch(() => null)
      .then((information) => {
        this.#asking = null;
        // The answer of another box says nothing of this one.
        if (!information || this.#isAnother(information)) return null;
        this.#proven = true;
        this.information = information;
        return information;
      });
    return this.#asking;
  }

  /** The newest blob of the box that is known now, or null. The box's own word has the addresses of today. */
  get known() {
    return this.information?.hub ?? this.#given ?? (this.information ? null : this.#remembered);
  }

  /** The blob to dial, or null where the box has no hub. */
  async blob() {
    if (!this.known && !this.information) await this.learn();
    return this.known;
  }

  /** Whether the page's own origin is the box as far as is known, so that its `/api` and its WebSocket are the box's. */
  get atBox() {
    return this.#given === null || this.#proven;
  }

  /** The same, after asking where it is in question. */
  async isOrigin() {
    if (!this.atBox) await this.learn();
    return this.atBox;
  }

  #isAnother({ hub }) {
    return this.#given !== null && hub !== null && hub.fingerprint !== this.#given.fingerprint;
  }
}
