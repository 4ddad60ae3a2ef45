/**
 * The link to one other person: one RTCPeerConnection at a time, which is healed by ICE restarts for as long as both
 * pages live, and replaced only where that is impossible. Of two people the one with the smaller id dials and makes
 * every offer, so there is never glare; the other side asks.
 */
import { MAX_OWN } from './chat.js';
import { Emitter, randomId } from './events.js';
import { parseCandidate, parseDescription, parseFrame, MAX_FRAME_LENGTH } from './protocol.js';
import { BEAT_INTERVAL, SILENCE_LIMIT, decide, decideAsked, decideOffered } from './link-policy.js';
import { limitSender } from './quality.js';
import { safetyCode } from './safety.js';
import { readStatistics } from './statistics.js';

/** Signals and own candidates of one link waiting for their turn. */
const MAX_PENDING = 128;
/** Bytes waiting in the heartbeat channel; beyond it a beat is left out. */
const MAX_BEATS_BUFFERED = 1024;
/** Bytes waiting in the data channel; beyond it a frame is not sent now. */
const MAX_FRAMES_BUFFERED = 512 * 1024;
/** Frames taken from one person: a burst, more than all that the chat sends to who was away, and so many a second afterwards. */
const FRAME_BURST = MAX_OWN + 40;
const FRAME_RATE = 20;
/** New connections taken from one person: a burst, and so many a second afterwards. */
const OPEN_BURST = 6;
const OPEN_RATE = 0.2;
/** Silence after which the statistics are read for what else arrives, in milliseconds. */
const DOUBT = 1200;
/** Lines of its own history that a link keeps for support. */
const MAX_HISTORY = 40;
/**
 * How long ICE must live and the connection be called failed before DTLS counts as ended, in milliseconds. The two states
 * come one after the other: when ICE heals, Chromium still calls the connection failed for a moment.
 */
const FAILED_DOUBT = 400;
/** Between two readings of the statistics of a link that works, in milliseconds. */
const STATISTICS_INTERVAL = 5000;

class Allowance {
  constructor(burst, rate, now) {
    Object.assign(this, { burst, rate, left: burst, at: now });
  }

  take(now) {
    this.left = Math.min(this.burst, this.left + ((now - this.at) / 1000) * this.rate);
    this.at = now;
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }
}

/**
 * Emits `change` (state, kind, code), `media` ({stream}) when the tracks are other ones, `open` when frames can be sent, and
 * whenever they can be sent again, and `frame` with each checked frame.
 */
export class Link extends Emitter {
  /** connecting (never worked yet), connected, reconnecting, closed */
  state = 'connecting';
  /** 'direct', 'relayed' or null while unknown */
  kind = null;
  /** [{picture, name}] or null */
  code = null;
  restarts = 0;
  connections = 0;

  #environment;
  #dials;
  #pc = null;
  #frames = null;
  #beats = null;
  #stream = null;
  #connection = null;
  #attempt = 0;
  #answered = false;
  #described = false;
  #ownCandidates = [];
  #theirCandidates = [];
  #peerInstance = null;
  #reachable = false;
  #broken = false;
  #failed = false;
  #contradictedAt = null;
  #sends = false;
  #attempts = 0;
  #attemptedAt = -Infinity;
  #offeredAt = -Infinity;
  #interruptedAt;
  #heardAt = -Infinity;
  #beatAt = -Infinity;
  #readAt = -Infinity;
  #bytes = null;
  #reading = false;
  #pending = 0;
  #chain = Promise.resolve();
  #frameAllowance;
  #openAllowance;
  #history = [];

  /**
   * @param environment
   *   self, peer: both ids; instance: this page load
   *   signal(type, payload): sends through the box
   *   iceServers(): fresh servers; relayOnly: whether to use TURN alone
   *   createConnection(configuration): an RTCPeerConnection
   *   tracks(): {audio, video}, each a track or null; outgoing(): the stream they belong to
   *   quality(): what a sender may send
   *   now(): milliseconds on a clock that never goes back
   */
  constructor(environment) {
    super();
    this.#environment = environment;
    this.#dials = environment.self < environment.peer;
    const now = environment.now();
    this.#interruptedAt = now;
    this.#frameAllowance = new Allowance(FRAME_BURST, FRAME_RATE, now);
    this.#openAllowance = new Allowance(OPEN_BURST, OPEN_RATE, now);
  }

  #note(what) {
    this.#history.push(`${(this.#environment.now() / 1000).toFixed(1)} ${what}`);
    if (this.#history.length > MAX_HISTORY) this.#history.shift();
  }

  get stream() {
    return this.#stream;
  }

  /** The name of the present connection, null before the first: the same on both sides, and no two have the same. */
  get connection() {
    return this.#connection;
  }

  get healthy() {
    return this.state === 'connected';
  }

  /**
   * Whether data may be sent. Without a path it may not: where the phone's Wi-Fi is off, Firefox ends DTLS at the first
   * packet of a data channel that it can't send, and with DTLS the connection, which no ICE restart heals.
   */
  get #hasPath() {
    return /^(connected|completed)$/.test(this.#pc?.iceConnectionState ?? '');
  }

  /** Whether frames can be sent now. */
  get #canSend() {
    return this.#frames?.readyState === 'open' && this.#hasPath;
  }

  /** How long the link has not worked, in milliseconds. */
  downFor(now) {
    return this.healthy ? 0 : now - this.#interruptedAt;
  }

  /** Whether signals can reach the person now. Becoming reachable again ends any waiting. */
  setReachable(reachable) {
    const regained = reachable && !this.#reachable;
    if (reachable !== this.#reachable) this.#note(reachable ? 'reachable' : 'out of reach');
    this.#reachable = reachable;
    if (!regained) return;
    if (!this.healthy) {
      this.#attempts = 0;
      this.#attemptedAt = -Infinity;
    }
    this.tick();
  }

  /** The network changed or the page woke up: the next silence is counted from now on. */
  wake() {
    const now = this.#environment.now();
    if (this.healthy) this.#heardAt = Math.max(this.#heardAt, now - SILENCE_LIMIT + BEAT_INTERVAL + 500);
    this.#beatAt = -Infinity;
    this.tick();
  }

  /** Called twice a second and after every event that may change a decision. */
  tick() {
    if (this.state === 'closed') return;
    const now = this.#environment.now();
    this.#beat(now);
    this.#watch(now);
    this.#followPath();
    const action = decide(this.#facts(), now);
    if (action !== 'none') this.#act(action, now);
  }

  #facts() {
    return {
      dials: this.#dials,
      reachable: this.#reachable,
      healthy: this.healthy,
      opened: this.#pc !== null,
      broken: this.#broken,
      failed: this.#failed,
      interruptedAt: this.#interruptedAt,
      attemptedAt: this.#attemptedAt,
      offeredAt: this.#offeredAt,
      attempts: this.#attempts,
      peerInstance: this.#peerInstance,
      connection: this.#connection,
      answered: this.#answered,
      attempt: this.#attempt,
    };
  }

  #act(action, now) {
    if (action === 'none') return;
    this.#note(action);
    this.#attempts += 1;
    this.#attemptedAt = now;
    if (action === 'ask') this.#ask();
    else if (action === 'dial') this.#enqueue(() => this.#dial());
    else this.#enqueue(() => this.#restart());
  }

  #ask() {
    const { instance } = this.#environment;
    this.#environment.signal('CANDIDATE', { restart: true, connection: this.#broken ? null : this.#connection, instance });
  }

  // MARK: Signals

  /** A message from this person through the box. */
  receive(type, payload) {
    if (this.state === 'closed') return;
    if (type === 'OFFER') {
      const offer = parseDescription(payload, 'offer');
      if (offer && !this.#dials) this.#enqueue(() => this.#offered(offer));
    } else if (type === 'ANSWER') {
      const answer = parseDescription(payload, 'answer');
      if (answer && this.#dials) this.#enqueue(() => this.#accept(answer));
    } else {
      const message = parseCandidate(payload);
      if (message?.kind === 'candidate') this.#enqueue(() => this.#addCandidate(message));
      else if (message && this.#dials) this.#enqueue(() => this.#asked(message));
    }
  }

  /** Runs one signaling step after the other; each sees the state the one before it left. */
  #enqueue(step) {
    if (this.#pending >= MAX_PENDING) return;
    this.#pending += 1;
    this.#chain = this.#chain
      .then(() => (this.state === 'closed' ? undefined : step()))
      .catch((error) => {
        // A description this browser refuses: the connection is of no use any more.
        this.#note(`refused: ${error}`);
        this.#broken = true;
      })
      .then(() => {
        this.#pending -= 1;
      });
  }

  async #dial() {
    const servers = await this.#environment.iceServers();
    this.#open(randomId(), servers);
    this.#peerInstance = null;
    const { audio, video } = this.#environment.tracks();
    const streams = this.#streams();
    this.#pc.addTransceiver(audio ?? 'audio', { direction: 'sendrecv', streams });
    this.#pc.addTransceiver(video ?? 'video', { direction: 'sendrecv', streams });
    await this.#offer({});
  }

  async #restart() {
    const pc = this.#pc;
    const servers = await this.#environment.iceServers();
    if (pc === null || pc !== this.#pc) return;
    this.#configure(servers);
    this.restarts += 1;
    this.#failed = false;
    await this.#offer({ iceRestart: true });
  }

  async #offer(options) {
    const pc = this.#pc;
    this.#described = false;
    // An offer that nobody answered is taken back first: Firefox ends DTLS at a second restart on top of one.
    if (this.#answered && pc.signalingState === 'have-local-offer') await pc.setLocalDescription({ type: 'rollback' });
    const offer = await pc.createOffer(options);
    await pc.setLocalDescription(offer);
    this.#attempt += 1;
    this.#describe('OFFER', { begins: !this.#answered });
    this.#offeredAt = this.#environment.now();
  }

  async #offered(offer) {
    const action = decideOffered(this.#facts(), offer);
    this.#note(`offer ${offer.attempt}: ${action}`);
    if (action === 'none') return;
    const now = this.#environment.now();
    if (action === 'ask') {
      this.#broken = true;
      this.#act('ask', now);
      return;
    }
    if (action === 'open' && !this.#openAllowance.take(now)) return;
    const servers = await this.#environment.iceServers();
    if (action === 'open') this.#open(offer.connection, servers);
    else this.#configure(servers);
    if (action === 'answer') this.restarts += 1;
    this.#attemptedAt = now;
    this.#attempts = Math.max(this.#attempts, 1);
    this.#failed = false;
    this.#attempt = offer.attempt;
    this.#peerInstance = offer.instance;
    const pc = this.#pc;
    this.#described = false;
    await pc.setRemoteDescription(offer.description);
    await this.#sendBack();
    await this.#flushTheirCandidates();
    await pc.setLocalDescription(await pc.createAnswer());
    this.#answered = true;
    this.#describe('ANSWER', {});
    this.#readCode();
  }

  /** The answering side sends in the sections the offer opened. */
  async #sendBack() {
    const tracks = this.#environment.tracks();
    for (const transceiver of this.#pc.getTransceivers()) {
      const kind = transceiver.receiver.track.kind;
      transceiver.direction = 'sendrecv';
      transceiver.sender.setStreams?.(...this.#streams());
      if (transceiver.sender.track !== tracks[kind]) await transceiver.sender.replaceTrack(tracks[kind]);
    }
  }

  async #accept(answer) {
    const pc = this.#pc;
    this.#note(`answer ${answer.attempt} to ${this.#attempt}`);
    if (!pc || answer.connection !== this.#connection || answer.attempt !== this.#attempt) return;
    if (pc.signalingState !== 'have-local-offer') return;
    if (this.#answered && this.#peerInstance !== null && answer.instance !== this.#peerInstance) {
      this.#broken = true;
      return;
    }
    this.#peerInstance = answer.instance;
    await pc.setRemoteDescription(answer.description);
    this.#answered = true;
    await this.#flushTheirCandidates();
    this.#readCode();
  }

  #asked(message) {
    const now = this.#environment.now();
    const action = decideAsked(this.#facts(), message, now);
    this.#note(`asked: ${action}`);
    if (action === 'dial' && !this.#openAllowance.take(now)) return;
    this.#peerInstance = message.instance;
    if (action === 'dial') this.#interrupt();
    this.#act(action, now);
  }

  #describe(type, more) {
    const { type: kind, sdp } = this.#pc.localDescription;
    const description = { type: kind, sdp };
    const { instance, signal } = this.#environment;
    signal(type, { description, attempt: this.#attempt, connection: this.#connection, instance, ...more });
    this.#described = true;
    for (const candidate of this.#ownCandidates.splice(0)) this.#sendCandidate(candidate);
  }

  #sendCandidate(candidate) {
    const { instance, signal } = this.#environment;
    signal('CANDIDATE', { candidate, connection: this.#connection, instance });
  }

  async #addCandidate(message) {
    if (message.connection !== this.#connection || !this.#pc) return;
    if (this.#pc.remoteDescription) await this.#applyCandidate(message.candidate);
    else if (this.#theirCandidates.length < MAX_PENDING) this.#theirCandidates.push(message.candidate);
  }

  async #flushTheirCandidates() {
    for (const candidate of this.#theirCandidates.splice(0)) await this.#applyCandidate(candidate);
  }

  async #applyCandidate(candidate) {
    try {
      // The end of candidates is only a hint, and not every browser takes it.
      if (candidate) await this.#pc.addIceCandidate(candidate);
    } catch {
      // A candidate of an earlier ICE generation, or of a kind this browser does not know.
    }
  }

  // MARK: The connection

  #streams() {
    const stream = this.#environment.outgoing();
    return stream ? [stream] : [];
  }

  #configuration(iceServers) {
    return {
      iceServers,
      iceTransportPolicy: this.#environment.relayOnly ? 'relay' : 'all',
      bundlePolicy: 'max-bundle',
    };
  }

  #configure(iceServers) {
    try {
      this.#pc.setConfiguration({ ...this.#pc.getConfiguration(), ...this.#configuration(iceServers) });
    } catch {
      // The servers it has must do.
    }
  }

  #open(connection, iceServers) {
    this.#closeConnection();
    this.#connection = connection;
    this.#attempt = 0;
    this.#answered = false;
    this.#broken = false;
    this.#failed = false;
    this.#contradictedAt = null;
    this.#bytes = null;
    this.#ownCandidates = [];
    this.#theirCandidates = [];
    this.connections += 1;
    const pc = this.#environment.createConnection(this.#configuration(iceServers));
    this.#pc = pc;
    const mine = (handler) => (event) => {
      if (this.#pc === pc && this.state !== 'closed') handler(event);
    };
    pc.onicecandidate = mine(({ candidate }) => {
      const plain = candidate ? candidate.toJSON() : null;
      if (this.#described) this.#sendCandidate(plain);
      else if (this.#ownCandidates.length < MAX_PENDING) this.#ownCandidates.push(plain);
    });
    pc.ontrack = mine(({ track }) => this.#addTrack(track));
    pc.oniceconnectionstatechange = mine(() => this.#iceChanged());
    pc.onconnectionstatechange = mine(() => this.#iceChanged());
    // Both channels are agreed beforehand: no event to wait for, and the same code on both sides.
    this.#frames = pc.createDataChannel('kibitz-local', { negotiated: true, id: 0 });
    this.#beats = pc.createDataChannel('beats', { negotiated: true, id: 1, ordered: false, maxRetransmits: 0 });
    this.#frames.onopen = mine(() => {
      this.#heard();
      this.#followPath();
    });
    this.#frames.onmessage = mine((event) => this.#receiveFrame(event.data));
    this.#beats.onmessage = mine(() => this.#heard());
    for (const channel of [this.#frames, this.#beats]) {
      // The other page closed it, or is gone: no ICE restart brings it back.
      channel.onclose = mine(() => {
        this.#note('channel closed');
        this.#broken = true;
        this.#interrupt();
      });
    }
  }

  #addTrack(track) {
    if (!this.#stream || this.#stream.connection !== this.#connection) {
      this.#stream = { connection: this.#connection, audio: null, video: null };
    }
    this.#stream[track.kind] = track;
    this.emit('media');
  }

  #iceChanged() {
    const { iceConnectionState, connectionState } = this.#pc;
    this.#note(`ICE ${iceConnectionState}, connection ${connectionState}`);
    if (iceConnectionState === 'failed') {
      this.#failed = true;
      this.#interrupt();
    } else if (iceConnectionState === 'disconnected') {
      this.#interrupt();
    }
    this.tick();
  }

  #closeConnection() {
    const pc = this.#pc;
    this.#pc = null;
    if (!pc) return;
    for (const channel of [this.#frames, this.#beats]) channel.onclose = channel.onmessage = channel.onopen = null;
    this.#frames = this.#beats = null;
    this.#sends = false;
    pc.close();
  }

  close() {
    if (this.state === 'closed') return;
    this.#closeConnection();
    this.state = 'closed';
    this.emit('change');
  }

  // MARK: Is it alive?

  #beat(now) {
    if (now - this.#beatAt < BEAT_INTERVAL || this.#beats?.readyState !== 'open' || !this.#hasPath) return;
    this.#beatAt = now;
    if (this.#beats.bufferedAmount > MAX_BEATS_BUFFERED) return;
    this.#beats.send('beat');
  }

  #heard() {
    this.#heardAt = this.#environment.now();
    if (this.healthy || this.#broken) return;
    this.state = 'connected';
    this.#note('connected');
    this.#attempts = 0;
    this.#failed = false;
    this.#readCode();
    this.#readAt = -Infinity;
    this.limitSenders();
    this.emit('change');
  }

  #interrupt() {
    if (this.state !== 'connected') return;
    this.state = 'reconnecting';
    this.#note('interrupted');
    this.#interruptedAt = this.#environment.now();
    this.#attempts = 0;
    this.#attemptedAt = -Infinity;
    this.kind = null;
    this.emit('change');
  }

  /** What could not be sent without a path is not lost: whoever wrote it is told when there is one again. */
  #followPath() {
    const before = this.#sends;
    this.#sends = this.#canSend;
    if (this.#sends && !before) this.emit('open');
  }

  #watch(now) {
    if (!this.#pc) return;
    if (!this.#hasPath || this.#pc.connectionState !== 'failed') {
      this.#contradictedAt = null;
    } else if (now - (this.#contradictedAt ??= now) >= FAILED_DOUBT && !this.#broken) {
      this.#note('DTLS ended');
      this.#broken = true;
      this.#interrupt();
    }
    const silence = now - this.#heardAt;
    const doubtful = this.healthy ? silence > DOUBT : this.#answered;
    if (doubtful || now - this.#readAt > STATISTICS_INTERVAL) this.#read(now);
    // Only where the statistics, too, show nothing arriving is the link called interrupted: after an outage the data
    // channel may stay mute for long while pictures already move.
    if (this.healthy && silence > SILENCE_LIMIT && this.#bytes !== null && now - this.#bytes.at >= BEAT_INTERVAL) {
      this.#interrupt();
    }
  }

  async #read(now) {
    if (this.#reading) return;
    this.#reading = true;
    const readBefore = this.#readAt;
    this.#readAt = now;
    const pc = this.#pc;
    const statistics = await readStatistics(pc);
    this.#reading = false;
    if (this.#pc !== pc || this.state === 'closed') return;
    const before = this.#bytes?.count ?? statistics.bytes;
    if (this.#bytes === null || statistics.bytes !== before) this.#bytes = { count: statistics.bytes, at: now };
    // Growth since an old reading says nothing of the present.
    const recent = now - readBefore <= BEAT_INTERVAL;
    if (recent && statistics.bytes > before && pc.connectionState === 'connected') this.#heard();
    if (this.healthy && statistics.kind !== this.kind) {
      this.kind = statistics.kind;
      this.emit('change');
    }
  }

  #readCode() {
    const code = safetyCode(this.#pc?.localDescription?.sdp, this.#pc?.remoteDescription?.sdp);
    const spoken = (pictures) => pictures?.map(({ name }) => name).join() ?? '';
    if (spoken(code) === spoken(this.code)) return;
    this.code = code;
    this.emit('change');
  }

  // MARK: Media and frames

  /** Sends other tracks from now on. */
  async replaceTracks() {
    const tracks = this.#environment.tracks();
    for (const transceiver of this.#pc?.getTransceivers() ?? []) {
      const track = tracks[transceiver.receiver.track.kind];
      if (transceiver.sender.track === track) continue;
      await transceiver.sender.replaceTrack(track).catch(() => {});
    }
    await this.limitSenders();
  }

  /** How loud the person is now, 0 to 1. */
  audioLevel() {
    const receiver = this.#pc?.getReceivers().find(({ track }) => track.kind === 'audio');
    return receiver?.getSynchronizationSources?.()[0]?.audioLevel ?? 0;
  }

  async limitSenders() {
    const quality = this.#environment.quality();
    for (const sender of this.#pc?.getSenders() ?? []) await limitSender(sender, quality);
  }

  /** Sends a frame to this person alone; false where it can't be sent now. */
  send(frame) {
    if (!this.#canSend || this.#frames.bufferedAmount > MAX_FRAMES_BUFFERED) return false;
    const text = JSON.stringify(frame);
    if (text.length > MAX_FRAME_LENGTH) return false;
    try {
      this.#frames.send(text);
      return true;
    } catch {
      return false;
    }
  }

  #receiveFrame(text) {
    this.#heard();
    if (!this.#frameAllowance.take(this.#environment.now())) return;
    const frame = parseFrame(text);
    if (frame) this.emit('frame', frame);
  }

  /** What the test hook and support want to know. */
  async snapshot() {
    const statistics = this.#pc ? await readStatistics(this.#pc) : { framesDecoded: 0, bytes: 0, kind: null };
    return {
      state: this.state,
      kind: this.kind ?? statistics.kind,
      framesDecoded: statistics.framesDecoded,
      bytesReceived: statistics.bytes,
      restarts: this.restarts,
      connections: this.connections,
      safetyCode: this.code?.map(({ picture }) => picture).join('') ?? null,
      history: [...this.#history],
    };
  }
}
