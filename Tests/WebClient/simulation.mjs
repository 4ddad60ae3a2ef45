/**
 * A room without browsers: pages with real Links, connections that behave as WebRTC's do as far as a Link can tell,
 * a box that passes signals on, and a clock that the test turns.
 */
import { Link } from '../../Sources/WebClient/Site/app/link.js';

/** Milliseconds a step of the clock takes, a signal needs through the box, a frame needs on a link. */
const STEP = 50;
const TICK = 500;
/** When ICE calls a silent path disconnected and when it gives it up, in milliseconds; near what browsers do. */
const DISCONNECTED_AFTER = 5000;
const FAILED_AFTER = 15_000;

export class World {
  time = 0;
  boxUp = true;
  /**
   * Whether connections tell as Chromium does: ICE stays disconnected where the connection has failed, and when ICE
   * heals, the connection's state follows in events of its own.
   */
  tellsLate = false;
  /** Whether DTLS has ended everywhere, as Firefox ends it by itself: ICE heals, the connection does not. */
  endedDTLS = false;
  /** Signals of these types are lost: type → how many more. */
  losses = new Map();
  /** Every signal the box passed on: {from, to, type, payload}. */
  signals = [];
  pages = new Map();
  connections = [];
  #cut = new Set();
  #events = [];
  #nextFingerprint = 1;

  page(id) {
    return (this.pages.get(id) ?? new Page(this, id));
  }

  cut(id) {
    this.#cut.add(id);
  }

  mend(id) {
    this.#cut.delete(id);
  }

  hasPath(one, other) {
    return !this.#cut.has(one) && !this.#cut.has(other);
  }

  signal(from, to, type, payload) {
    if (!this.boxUp || this.#cut.has(from.id)) return false;
    this.signals.push({ from: from.id, to, type, payload });
    const losses = this.losses.get(type) ?? 0;
    if (losses > 0) {
      this.losses.set(type, losses - 1);
      return true;
    }
    const copy = JSON.parse(JSON.stringify(payload));
    this.after(STEP, () => {
      if (this.boxUp && !this.#cut.has(to)) this.pages.get(to)?.links.get(from.id)?.receive(type, copy);
    });
    return true;
  }

  after(delay, action) {
    this.#events.push({ at: this.time + delay, action });
  }

  fingerprint() {
    return Array.from({ length: 32 }, () => (this.#nextFingerprint++ & 0xff).toString(16).padStart(2, '0')).join(':');
  }

  /** Turns the clock, ticks every link, and lets every promise settle in between. */
  async run(milliseconds) {
    const end = this.time + milliseconds;
    while (this.time < end) {
      this.time += STEP;
      const due = this.#events.filter(({ at }) => at <= this.time);
      this.#events = this.#events.filter(({ at }) => at > this.time);
      for (const { action } of due) action();
      for (const connection of this.connections) connection.step();
      if (this.time % TICK === 0) {
        for (const page of this.pages.values()) for (const link of page.links.values()) link.tick();
      }
      await new Promise(setImmediate);
    }
  }

  offers(from) {
    return this.signals.filter((signal) => signal.type === 'OFFER' && signal.from === from);
  }
}

let instances = 0;

export class Page {
  links = new Map();
  instance = (++instances).toString(16).padStart(16, '0');

  constructor(world, id) {
    this.world = world;
    this.id = id;
    world.pages.set(id, this);
  }

  link(peer) {
    if (this.links.has(peer)) return this.links.get(peer);
    const { world } = this;
    const link = new Link({
      self: this.id,
      peer,
      instance: this.instance,
      relayOnly: false,
      signal: (type, payload) => world.signal(this, peer, type, payload),
      iceServers: async () => [],
      createConnection: () => new FakeConnection(world, this),
      tracks: () => ({ audio: null, video: null }),
      outgoing: () => null,
      quality: () => ({}),
      now: () => world.time,
    });
    this.links.set(peer, link);
    return link;
  }

  meet(peer) {
    this.link(peer).setReachable(true);
    return this.link(peer);
  }

  /** The page is loaded again: everything it had is gone, and it comes back under the same id. */
  reload() {
    for (const link of this.links.values()) link.close();
    return new Page(this.world, this.id);
  }
}

class FakeChannel {
  readyState = 'connecting';
  bufferedAmount = 0;

  constructor(connection, id) {
    Object.assign(this, { connection, id });
  }

  send(data) {
    const { connection, id } = this;
    connection.world.after(STEP, () => {
      const other = connection.other;
      if (connection.flows) other?.channels.get(id)?.onmessage?.({ data });
    });
  }
}

/** What a Link needs of an RTCPeerConnection. */
class FakeConnection {
  signalingState = 'stable';
  iceConnectionState = 'new';
  connectionState = 'new';
  localDescription = null;
  remoteDescription = null;
  channels = new Map();
  other = null;
  #generation = 0;
  #silentSince = null;
  #transceivers = [];
  #bytes = 0;

  constructor(world, page) {
    Object.assign(this, { world, page, name: world.connections.length, print: world.fingerprint() });
    world.connections.push(this);
  }

  createDataChannel(_label, { id }) {
    this.channels.set(id, new FakeChannel(this, id));
    return this.channels.get(id);
  }

  addTransceiver(kind) {
    this.#transceivers.push({ receiver: { track: { kind } }, sender: { track: null, replaceTrack: async () => {} } });
  }

  getTransceivers() {
    return this.#transceivers;
  }

  getSenders() {
    return [];
  }

  getConfiguration() {
    return {};
  }

  setConfiguration() {}

  async addIceCandidate() {}

  async getStats() {
    return new Map([['pair', { type: 'candidate-pair', bytesReceived: this.#bytes, nominated: true, state: 'succeeded' }]]);
  }

  #sdp() {
    return `v=0\r\na=fingerprint:sha-256 ${this.print}\r\na=x-name:${this.name}\r\na=ice-ufrag:${this.#generation}\r\n`;
  }

  async createOffer({ iceRestart = false } = {}) {
    if (this.localDescription === null || iceRestart) this.#generation += 1;
    return { type: 'offer', sdp: this.#sdp() };
  }

  async createAnswer() {
    this.#generation += 1;
    return { type: 'answer', sdp: this.#sdp() };
  }

  async setLocalDescription(description) {
    this.localDescription = description;
    this.signalingState = description.type === 'offer' ? 'have-local-offer' : 'stable';
    this.#settled();
  }

  async setRemoteDescription(description) {
    const before = this.remoteDescription;
    const print = (sdp) => /fingerprint:sha-256 (\S+)/.exec(sdp)[1];
    if (before && print(before.sdp) !== print(description.sdp)) throw new Error('another fingerprint on a running DTLS');
    this.remoteDescription = description;
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable';
    this.other = this.world.connections[Number(/x-name:(\d+)/.exec(description.sdp)[1])];
    this.#settled();
  }

  #settled() {
    if (this.signalingState !== 'stable' || !this.remoteDescription) return;
    if (this.iceConnectionState === 'failed' || this.iceConnectionState === 'new') this.#ice('checking', 'connecting');
  }

  /** Whether both ends agreed on the same ICE generation. */
  get agreed() {
    return (
      this.connectionState !== 'closed' &&
      this.other !== null &&
      this.other.other === this &&
      this.other.connectionState !== 'closed' &&
      this.remoteDescription?.sdp === this.other.localDescription?.sdp &&
      this.localDescription?.sdp === this.other.remoteDescription?.sdp
    );
  }

  get flows() {
    return this.connectionState === 'connected' && this.other !== null && this.world.hasPath(this.page.id, this.other.page.id);
  }

  step() {
    if (this.connectionState === 'closed' || this.other === null) return;
    const { time } = this.world;
    const path = this.world.hasPath(this.page.id, this.other.page.id);
    if (path && this.agreed && !['connected', 'failed'].includes(this.iceConnectionState)) {
      if (this.world.endedDTLS && this.channels.get(0)?.readyState === 'open') {
        this.#ice('connected', 'failed');
        return;
      }
      if (this.connectionState === 'failed') {
        this.#ice('connected', 'failed');
        this.#ice('connected', 'disconnected');
      }
      this.#ice('connected', 'connected');
      for (const channel of this.channels.values()) {
        if (channel.readyState === 'open') continue;
        channel.readyState = 'open';
        channel.onopen?.();
      }
    }
    if (path && this.connectionState === 'connected') {
      this.#silentSince = null;
      return;
    }
    this.#silentSince ??= time;
    const silence = time - this.#silentSince;
    if (silence >= FAILED_AFTER && this.iceConnectionState === 'disconnected') {
      if (this.connectionState !== 'failed') this.#ice(this.world.tellsLate ? 'disconnected' : 'failed', 'failed');
    } else if (silence >= DISCONNECTED_AFTER && this.iceConnectionState === 'connected') {
      this.#ice('disconnected', 'disconnected');
    }
  }

  #ice(iceConnectionState, connectionState) {
    Object.assign(this, { iceConnectionState, connectionState });
    if (iceConnectionState === 'checking') this.#silentSince = null;
    this.oniceconnectionstatechange?.();
  }

  close() {
    if (this.connectionState === 'closed') return;
    this.connectionState = 'closed';
    const { other } = this;
    const told = this.other !== null && this.world.hasPath(this.page.id, this.other.page.id);
    // SCTP and DTLS say goodbye where there is a path; nothing does where there is none.
    if (told) {
      this.world.after(STEP, () => {
        for (const channel of other.channels.values()) {
          channel.readyState = 'closed';
          channel.onclose?.();
        }
      });
    }
  }
}
