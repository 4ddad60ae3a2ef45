/**
 * The way to the box over its hub: a WebRTC data channel dialled from the blob alone, which needs no certificate the
 * phone trusts and no web server. On the channel `room` a SESSION frame is the twin of `POST /api/session`; after its
 * answer the channel is a connection of the broker like a WebSocket, and CLOSE says what a close code would.
 */
import { buildAnswer, dialKnown } from './answer.js';
import { parseBoxMessage, parseClose, parseHubSession } from './protocol.js';

/** Bytes waiting in the channel; beyond it the line is as good as dead. */
const MAX_BUFFERED = 1024 * 1024;
/** How long a line that is closed may take to send what it was given last, in milliseconds. */
const CLOSING_LIMIT = 1000;
/** How long the box may take for a fresh session, in milliseconds: an ICE restart waits for it. */
const RENEWAL_LIMIT = 2000;

export class HubTransport {
  name = 'hub';
  /**
   * Shorter than a WebSocket's: a box that was killed and started again has no way to tell this phone that it does not
   * know it any more.
   */
  heartbeat = 2000;
  silence = 6000;
  #blob;
  #createConnection;

  /**
   * @param blob async () → the parsed blob, or null where none is known
   * @param createConnection (configuration) → an RTCPeerConnection
   */
  constructor({ blob, createConnection }) {
    this.#blob = blob;
    this.#createConnection = createConnection;
  }

  open(membership, handlers) {
    const line = new HubLine(membership, handlers);
    line.dial(this.#blob, this.#createConnection);
    return line;
  }
}

class HubLine {
  #membership;
  #handlers;
  #connection = null;
  #channel = null;
  #done = false;
  /** Resolves the promise of `renew`. */
  #renewed = null;

  constructor(membership, handlers) {
    this.#membership = membership;
    this.#handlers = handlers;
  }

  async dial(blob, createConnection) {
    try {
      const found = await blob();
      if (this.#done) return;
      if (!found) {
        this.#finish(1006, 'no-hub');
        return;
      }
      // The box is on this very network: no STUN or TURN server is needed to reach it.
      this.#connection = createConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
      this.#listen();
      await dialKnown(this.#connection, (offer) => buildAnswer(offer, found));
    } catch {
      this.#finish(1006);
    }
  }

  #listen() {
    const connection = this.#connection;
    const changed = () => {
      const states = [connection.connectionState, connection.iceConnectionState];
      if (states.includes('failed') || states.includes('closed')) this.#finish(1006);
      else if (!this.#done && states.includes('disconnected')) this.#handlers.doubted();
    };
    connection.onconnectionstatechange = changed;
    connection.oniceconnectionstatechange = changed;
    this.#channel = connection.createDataChannel('room');
    this.#channel.onopen = () => {
      if (!this.#done) this.#handlers.ready();
    };
    this.#channel.onmessage = (event) => {
      if (!this.#done && typeof event.data === 'string') this.#receive(event.data);
    };
    this.#channel.onclose = () => this.#finish(1006);
  }

  attach() {
    this.#ask();
  }

  #ask() {
    const { secret, token } = this.#membership.request();
    this.send(JSON.stringify({ type: 'SESSION', payload: token ? { secret, token } : { secret } }));
  }

  #receive(text) {
    const message = parseBoxMessage(text);
    switch (message?.type) {
      case 'SESSION': {
        const session = parseHubSession(message.payload);
        if (!session) {
          this.#finish(1006);
          return;
        }
        // The box has attached this channel under this id, whatever another way was told meanwhile.
        this.#membership.accept(session);
        this.#renewed?.(session);
        return;
      }
      case 'CLOSE': {
        const { code } = parseClose(message.payload);
        this.#finish(code);
        return;
      }
    }
    this.#handlers.message(text);
  }

  /** Asks for a session anew on the open line, for fresh TURN credentials; null where the box does not answer in time. */
  async renew() {
    const answer = new Promise((resolve) => {
      this.#renewed = resolve;
      setTimeout(() => resolve(null), RENEWAL_LIMIT);
    });
    this.#ask();
    return answer;
  }

  send(text) {
    if (this.#channel?.readyState !== 'open') return;
    if (this.#channel.bufferedAmount > MAX_BUFFERED) {
      this.#finish(1006);
      return;
    }
    try {
      this.#channel.send(text);
    } catch {
      this.#finish(1006);
    }
  }

  #finish(code, refusal) {
    if (this.#done) return;
    this.close();
    this.#handlers.closed(code, refusal);
  }

  close() {
    if (this.#done) return;
    this.#done = true;
    const connection = this.#connection;
    const channel = this.#channel;
    if (!connection) return;
    connection.onconnectionstatechange = connection.oniceconnectionstatechange = null;
    const end = () => connection.close();
    if (channel.readyState !== 'open') {
      end();
      return;
    }
    // What was sent last, LEAVE for one, goes out before the channel closes.
    channel.onclose = end;
    channel.close();
    setTimeout(end, CLOSING_LIMIT);
  }
}
