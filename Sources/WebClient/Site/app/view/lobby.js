/** The page before the room: preview, name, join. Emits `join` (name). */
import { Emitter } from '../events.js';
import { cleanName } from '../protocol.js';
import { words } from '../words.js';
import { $, setText } from './dom.js';

export class Lobby extends Emitter {
  #media;
  #shown = null;

  constructor(media) {
    super();
    this.#media = media;
    $('join-form').onsubmit = (event) => {
      event.preventDefault();
      this.#join();
    };
    $('name').oninput = () => this.#complain('');
    media.on('change', () => this.render());
  }

  open(name) {
    if ($('name').value === '') $('name').value = name;
    this.#complain('');
    this.render();
    // On a phone the keyboard would cover the preview: there the person taps the field.
    if (matchMedia('(pointer: fine)').matches) $($('name').value === '' ? 'name' : 'join').focus();
  }

  /** Names the room; `discovery` brings a word of warning. */
  showRoom(name, discovery) {
    setText($('lobby-room'), name);
    setText($('lobby-discovery'), discovery ? words.discovery : '');
    $('lobby-discovery').hidden = !discovery;
  }

  #join() {
    const name = cleanName($('name').value);
    if (name === '') {
      this.#complain(words.nameMissing);
      $('name').focus();
      return;
    }
    this.emit('join', name);
  }

  #complain(text) {
    setText($('name-error'), text);
    if (text) $('name').setAttribute('aria-invalid', 'true');
    else $('name').removeAttribute('aria-invalid');
  }

  render() {
    const { video, available, asking, mirrored } = this.#media;
    const preview = $('preview-video');
    if (this.#shown !== video) {
      this.#shown = video;
      preview.srcObject = video ? new MediaStream([video]) : null;
      if (video) preview.play().catch(() => {});
    }
    preview.hidden = video === null;
    preview.classList.toggle('mirrored', mirrored);
    const text = asking ? words.previewAsking : available ? words.previewOff : words.previewInsecure;
    setText($('preview-text'), video ? '' : text);
  }
}
