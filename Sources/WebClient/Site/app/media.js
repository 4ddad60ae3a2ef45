/** This person's camera and microphone. */
import { Emitter } from './events.js';

/** Enough for one large tile; each link scales it down further as people come. */
const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/**
 * Emits `change` when the tracks, the wishes or the devices changed, and `problem` with 'denied', 'missing', 'busy', 'unplugged-camera',
 * 'unplugged-microphone', 'unplugged-both'.
 */
export class Media extends Emitter {
  /** What the person wants; what there is, is in `audio` and `video`. */
  wantsCamera = false;
  wantsMicrophone = true;
  /** Tracks that are sent, or null. */
  audio = null;
  video = null;
  cameras = [];
  facing = 'user';
  asking = false;
  #devices = globalThis.navigator?.mediaDevices;
  #deviceId = null;
  #stream = null;
  /** Kinds whose device ended by itself and that are taken back when it is there again. */
  #lost = new Set();
  /** 'denied', 'missing' or 'busy' after a question that got no tracks. */
  lastProblem = null;

  constructor() {
    super();
    this.#devices?.addEventListener?.('devicechange', () => this.#devicesChanged());
  }

  /** Whether this page may ask for a camera at all: only a secure origin may. */
  get available() {
    return typeof this.#devices?.getUserMedia === 'function';
  }

  /** Whether the browser will give the camera or microphone without asking the person. */
  async granted(kind) {
    if (!this.available) return false;
    try {
      const { state } = await navigator.permissions.query({ name: kind === 'video' ? 'camera' : 'microphone' });
      if (state === 'granted') return true;
    } catch {
      // Not every browser tells; labels are only readable where permission was given.
    }
    const devices = await this.#devices.enumerateDevices().catch(() => []);
    return devices.some((device) => device.kind === `${kind}input` && device.label !== '');
  }

  /** Camera and microphone in one question. Each that there is none of is left out. */
  async start({ camera = true, microphone = true } = {}) {
    if (!this.available) return;
    this.wantsCamera = camera;
    if (!camera && !microphone) return;
    const wanted = { audio: microphone ? MICROPHONE : false, video: camera ? this.#cameraConstraints() : false };
    let stream = await this.#ask(wanted, !(camera && microphone));
    if (!stream && camera && microphone && this.lastProblem !== 'denied') {
      stream = (await this.#ask({ audio: MICROPHONE, video: false }, true)) ?? null;
      if (stream) {
        const pictures = await this.#ask({ audio: false, video: this.#cameraConstraints() }, true);
        pictures?.getTracks().forEach((track) => stream.addTrack(track));
      } else {
        stream = await this.#ask({ audio: false, video: this.#cameraConstraints() }, true);
      }
    } else if (!stream && this.lastProblem === 'denied') {
      this.emit('problem', 'denied');
    }
    for (const track of stream?.getTracks() ?? []) this.#use(track);
    if (!this.video) this.wantsCamera = false;
    await this.#listCameras();
    this.emit('change');
  }

  async #ask(constraints, tell) {
    this.asking = true;
    this.emit('change');
    try {
      const stream = await this.#devices.getUserMedia(constraints);
      this.lastProblem = null;
      return stream;
    } catch (error) {
      const problems = { NotAllowedError: 'denied', SecurityError: 'denied', NotFoundError: 'missing', OverconstrainedError: 'missing' };
      this.lastProblem = problems[error?.name] ?? 'busy';
      if (tell) this.emit('problem', this.lastProblem);
      return null;
    } finally {
      this.asking = false;
    }
  }

  #cameraConstraints() {
    return this.#deviceId
      ? { ...CAMERA, deviceId: { exact: this.#deviceId } }
      : { ...CAMERA, facingMode: this.facing };
  }

  #use(track) {
    const old = track.kind === 'video' ? this.video : this.audio;
    if (old) {
      old.onended = null;
      old.stop();
    }
    this[track.kind] = track;
    if (track.kind === 'audio') track.enabled = this.wantsMicrophone;
    else track.contentHint = 'motion';
    track.onended = () => this.#ended(track);
  }

  /** The device went away: unplugged, taken by another program, or the phone was locked. */
  #ended(track) {
    if (this[track.kind] !== track) return;
    this[track.kind] = null;
    this.#lost.add(track.kind);
    const both = this.#lost.size === 2;
    this.emit('problem', both ? 'unplugged-both' : track.kind === 'video' ? 'unplugged-camera' : 'unplugged-microphone');
    this.emit('change');
  }

  /** Takes back what ended while the page was away or the device was unplugged. */
  async recover() {
    if (!this.available || this.asking || document.visibilityState === 'hidden') return;
    for (const kind of [...this.#lost]) {
      this.#lost.delete(kind);
      if (kind === 'video' ? !this.wantsCamera : !this.wantsMicrophone) continue;
      if (!(await this.granted(kind))) continue;
      this.#deviceId = kind === 'video' ? null : this.#deviceId;
      const constraints = kind === 'video' ? { video: this.#cameraConstraints() } : { audio: MICROPHONE };
      const stream = await this.#ask(constraints, false);
      stream?.getTracks().forEach((track) => this.#use(track));
      if (!stream) this.#lost.add(kind);
      this.emit('change');
    }
  }

  async setMicrophone(on) {
    this.wantsMicrophone = on;
    if (on && !this.audio && this.available) {
      const stream = await this.#ask({ audio: MICROPHONE }, true);
      stream?.getTracks().forEach((track) => this.#use(track));
    }
    if (this.audio) this.audio.enabled = on;
    this.emit('change');
  }

  /** Off stops the camera, so that its light goes out. */
  async setCamera(on) {
    this.wantsCamera = on;
    if (!on) {
      this.#stopVideo();
    } else if (!this.video && this.available) {
      const stream = await this.#ask({ video: this.#cameraConstraints() }, true);
      if (!this.wantsCamera) stream?.getTracks().forEach((track) => track.stop());
      else stream?.getTracks().forEach((track) => this.#use(track));
      if (!this.video) this.wantsCamera = false;
      await this.#listCameras();
    }
    this.emit('change');
  }

  /** The next camera; phones change between front and back. */
  async switchCamera() {
    if (!this.video || this.asking) return;
    await this.#listCameras();
    const before = { deviceId: this.#deviceId, facing: this.facing };
    const after = { deviceId: this.#nextCamera(), facing: this.facing === 'user' ? 'environment' : 'user' };
    // Many phones give the second camera only when the first is free.
    this.#stopVideo();
    for (const choice of [after, before]) {
      this.#deviceId = choice.deviceId;
      this.facing = choice.facing;
      const stream = await this.#ask({ video: this.#cameraConstraints() }, choice === before);
      stream?.getTracks().forEach((track) => this.#use(track));
      if (this.video) break;
    }
    this.facing = this.video?.getSettings?.().facingMode || this.facing;
    if (!this.video) this.wantsCamera = false;
    this.emit('change');
  }

  /** The device to go to; null where front and back are what people mean: phones list every lens. */
  #nextCamera() {
    if (matchMedia('(pointer: coarse)').matches) return null;
    const present = this.video.getSettings?.().deviceId;
    const index = this.cameras.findIndex((camera) => camera.deviceId === present);
    return this.cameras[(index + 1) % Math.max(this.cameras.length, 1)]?.deviceId ?? null;
  }

  /** Whether the own picture is shown as in a mirror. */
  get mirrored() {
    return this.facing === 'user';
  }

  stop() {
    this.#stopVideo();
    if (this.audio) {
      this.audio.onended = null;
      this.audio.stop();
      this.audio = null;
    }
    this.emit('change');
  }

  #stopVideo() {
    if (!this.video) return;
    this.video.onended = null;
    this.video.stop();
    this.video = null;
  }

  async #listCameras() {
    const devices = await this.#devices.enumerateDevices().catch(() => []);
    this.cameras = devices.filter((device) => device.kind === 'videoinput');
  }

  async #devicesChanged() {
    await this.#listCameras();
    this.emit('change');
    await this.recover();
  }

  /** The stream that says which tracks belong together, for lip sync. */
  get outgoing() {
    this.#stream ??= typeof MediaStream === 'function' ? new MediaStream() : null;
    return this.#stream;
  }
}
