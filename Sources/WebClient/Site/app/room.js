/**
 * One person's stay in the room: the line to the box, the links to the others, the chat and the presence, kept
 * together over everything that comes and goes.
 */
import { Emitter } from './events.js';
import { Signaling } from './signaling.js';
import { IceServers } from './ice-servers.js';
import { Membership } from './membership.js';
import { Mesh } from './mesh.js';
import { Chat } from './chat.js';
import { cleanName } from './protocol.js';

/** Changes of presence closer together than this go out as one, in milliseconds. */
const PRESENCE_DELAY = 250;

/**
 * Emits `state`, `session` (with each that the box gave), `people`, `media` (person), `left` (person), `chat` (message), `online` (whether the line to the box is up).
 */
export class Room extends Emitter {
  /** out, joining, joined, rotated, replaced, refused */
  state = 'out';
  id = null;
  name = '';
  mesh;
  chat;
  signaling;
  #identity;
  #media;
  #box;
  #whereabouts;
  #membership;
  #presenceTimer = null;
  #announced = '';

  /**
   * @param box its web interface
   * @param whereabouts where the box is
   * @param transports the ways to it, best first
   * @param createConnection (configuration) → an RTCPeerConnection
   */
  constructor({ box, whereabouts, identity, media, transports, secret, relayOnly, createConnection }) {
    super();
    this.#box = box;
    this.#whereabouts = whereabouts;
    this.#identity = identity;
    this.#media = media;
    this.#membership = new Membership({ secret, identity });
    this.signaling = new Signaling({ transports, membership: this.#membership });
    const iceServers = new IceServers({
      ask: async () => ((await whereabouts.isOrigin()) ? box.iceServers() : null),
      renew: async () => (await this.signaling.renew())?.iceServers?.length > 0,
      now: () => performance.now(),
    });
    this.#membership.on('session', (session) => {
      if (session.iceServers?.length > 0) iceServers.bring(session.iceServers);
      whereabouts.told(session.information);
      this.emit('session', session);
    });
    this.mesh = new Mesh({
      instance: identity.instance,
      relayOnly,
      signal: (type, to, payload) => this.signaling.signal(type, to, payload),
      iceServers: () => iceServers.get(),
      createConnection,
      tracks: () => ({ audio: media.audio, video: media.video }),
      outgoing: () => media.outgoing,
      now: () => performance.now(),
    });
    this.chat = new Chat({ saved: identity.chat, save: (value) => (identity.chat = value) });
    this.#listen();
  }

  #listen() {
    const { signaling, mesh, chat } = this;
    signaling.on('state', ({ state, reason }) => {
      mesh.setSignaling(state === 'open');
      if (state === 'ended') this.#end(reason);
      else this.emit('online', state === 'open');
    });
    signaling.on('identity', (id) => {
      this.id = id;
      mesh.start(id);
    });
    signaling.on('roster', (roster) => {
      if (this.state === 'joining') this.#enter('joined');
      mesh.update(roster);
      for (const id of mesh.people.keys()) chat.meet(id);
    });
    signaling.on('signal', (signal) => mesh.receive(signal));
    mesh.on('people', () => {
      this.#announceSoon();
      this.emit('people');
    });
    mesh.on('media', (person) => this.emit('media', person));
    mesh.on('left', (person) => this.emit('left', person));
    mesh.on('open', (person) => {
      person.link.send(chat.hello(person.id));
      person.link.send(this.#state());
      this.#tell(person);
    });
    mesh.on('frame', ({ person, frame }) => {
      if (frame.kind === 'hello') {
        chat.greet(person.id, person.link.connection, frame.seen);
        this.#tell(person);
      } else if (frame.kind === 'chat') {
        chat.receive(frame, person);
      }
    });
    chat.on('message', (message) => this.emit('chat', message));
    this.#media.on('change', () => this.#mediaChanged());
  }

  #tell({ id, link }) {
    this.chat.tell(id, link.connection, (frame) => link.send(frame));
  }

  /** Asks the box whether the code still opens the room, before anybody joins. */
  async check() {
    if (!(await this.#whereabouts.isOrigin())) return;
    try {
      this.#membership.accept(await this.#box.session(this.#membership.request()));
    } catch (error) {
      if (error.code === 'rotated' && !this.inside) this.#end('rotated');
    }
  }

  join(name) {
    this.name = cleanName(name);
    this.#identity.name = this.name;
    this.#remember();
    this.#enter('joining');
    this.signaling.announce(this.#presence());
    this.signaling.start();
  }

  leave() {
    this.#identity.joined = null;
    this.#stop(true);
    this.#enter('out');
  }

  #end(reason) {
    this.#identity.joined = null;
    if (reason === 'rotated') {
      this.#identity.secret = null;
      this.#identity.chat = null;
    }
    this.#stop(false);
    this.#enter(reason);
  }

  #stop(leave) {
    clearTimeout(this.#presenceTimer);
    this.#presenceTimer = null;
    this.#announced = '';
    this.mesh.stop(leave);
    this.signaling.stop(leave);
  }

  #enter(state) {
    if (this.state === state) return;
    this.state = state;
    this.emit('state', state);
  }

  get inside() {
    return this.state === 'joining' || this.state === 'joined';
  }

  /** The page or the network came back. */
  wake() {
    if (!this.inside) return;
    this.signaling.wake();
    this.mesh.wake();
  }

  /** Says `text` to everyone; whoever is not reachable gets it when they come back. */
  say(text) {
    if (!this.chat.write(text, { id: this.id, name: this.name })) return;
    for (const person of this.mesh.people.values()) this.#tell(person);
  }

  #mediaChanged() {
    if (!this.inside) return;
    this.#remember();
    this.mesh.replaceTracks();
    this.mesh.broadcast(this.#state());
    this.#announceSoon();
  }

  #remember() {
    const { wantsCamera, wantsMicrophone } = this.#media;
    this.#identity.joined = { camera: wantsCamera, microphone: wantsMicrophone };
  }

  get sends() {
    return { camera: this.#media.video !== null, microphone: this.#media.audio !== null && this.#media.wantsMicrophone };
  }

  #state() {
    return { kind: 'state', name: this.name, ...this.sends };
  }

  #presence() {
    return { name: this.name, ...this.sends, links: this.mesh.counts() };
  }

  #announceSoon() {
    if (!this.inside || this.#presenceTimer !== null) return;
    this.#presenceTimer = setTimeout(() => {
      this.#presenceTimer = null;
      const presence = this.#presence();
      const text = JSON.stringify(presence);
      if (text === this.#announced) return;
      this.#announced = text;
      this.signaling.announce(presence);
    }, PRESENCE_DELAY);
  }
}
