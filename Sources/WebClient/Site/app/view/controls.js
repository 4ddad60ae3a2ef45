/** The microphone and camera buttons; the same ones in the lobby and in the room. */
import { $, setIcon } from './dom.js';
import { words } from '../words.js';

export class Controls {
  #media;

  constructor(media) {
    this.#media = media;
    $('toggle-microphone').onclick = () => media.setMicrophone(!this.#microphoneOn);
    $('toggle-camera').onclick = () => media.setCamera(!this.#cameraOn);
    $('switch-camera').onclick = () => media.switchCamera();
    media.on('change', () => this.render());
    this.render();
  }

  get #microphoneOn() {
    return this.#media.wantsMicrophone && (this.#media.audio !== null || this.#media.asking);
  }

  get #cameraOn() {
    return this.#media.wantsCamera && (this.#media.video !== null || this.#media.asking);
  }

  /** Moves the buttons into the lobby's preview or the room's bar. */
  place(screen) {
    const home = $(screen === 'lobby' ? 'preview-controls' : 'room-controls');
    home.append($('toggle-microphone'), $('toggle-camera'), $('switch-camera'));
  }

  render() {
    const { available, cameras, video } = this.#media;
    this.#toggle($('toggle-microphone'), 'microphone', this.#microphoneOn, words.microphoneOn, words.microphoneOff);
    this.#toggle($('toggle-camera'), 'camera', this.#cameraOn, words.cameraOn, words.cameraOff);
    $('toggle-microphone').hidden = $('toggle-camera').hidden = !available;
    $('switch-camera').hidden = !available || cameras.length < 2 || video === null;
  }

  #toggle(button, kind, on, whenOn, whenOff) {
    button.setAttribute('aria-pressed', String(on));
    button.title = on ? whenOn : whenOff;
    setIcon(button, on ? kind : `${kind}-off`);
  }
}
