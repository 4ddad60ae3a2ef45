/** The pictures: one tile for each person, and the own one. */
import { words } from '../words.js';
import { $, announce, element, hue, icon, initial, setText } from './dom.js';
import { cornerRectangle, gridRectangles } from './layout.js';

const GAP = 8;
/** Tiles narrower than this say less. */
const TINY = 150;
/** A picture whose shape differs more than this from its tile's is shown whole instead of cut. */
const CUT_LIMIT = 1.9;
/** How often the loudness is looked at, in milliseconds, and what counts as speech (0 to 1). */
const LEVEL_INTERVAL = 300;
const SPEECH_LEVEL = 0.02;

export class Tiles {
  #media;
  #onDetails;
  #tiles = new Map();
  #own;
  #levelTimer = null;

  constructor(media, onDetails) {
    this.#media = media;
    this.#onDetails = onDetails;
    this.#own = this.#build(null);
    media.on('change', () => this.renderOwn());
    new ResizeObserver(() => this.layout()).observe($('stage'));
    $('unmute').onclick = () => this.hear();
  }

  open(self) {
    this.#own.person = self;
    $('tiles').append(this.#own.item);
    this.renderOwn();
    this.layout();
    this.#levelTimer ??= setInterval(() => this.#renderLevels(), LEVEL_INTERVAL);
  }

  close() {
    clearInterval(this.#levelTimer);
    this.#levelTimer = null;
    for (const id of [...this.#tiles.keys()]) this.#remove(id);
    this.#own.item.remove();
    $('unmute').hidden = true;
  }

  #build(person) {
    const video = element('video', { autoplay: true, muted: true, playsInline: true, disablePictureInPicture: true });
    video.setAttribute('muted', '');
    const audio = person ? element('audio', { autoplay: true }) : null;
    const name = element('b');
    const muted = icon('microphone-off');
    const label = element('span', {}, name, muted);
    const chip = person
      ? element('button', { type: 'button', className: 'tile-name' }, label)
      : element('div', { className: 'tile-name' }, label);
    const state = element('p', { className: 'tile-state' });
    const avatar = element('span', { className: 'avatar', attributes: { 'aria-hidden': 'true' } });
    const item = element('li', { className: 'tile' }, video, avatar, state, chip);
    if (audio) item.append(audio);
    const tile = { person, item, video, audio, name, muted, chip, state, avatar, words: null, shape: null };
    video.onresize = video.onloadeddata = () => {
      this.#renderPicture(tile);
      this.#fit(tile);
    };
    if (person) {
      item.dataset.peerId = person.id;
      item.style.setProperty('--hue', hue(person.id));
      chip.onclick = () => this.#onDetails(person.id);
    } else {
      item.classList.add('own');
      video.setAttribute('aria-label', words.preview);
    }
    return tile;
  }

  #remove(id) {
    const tile = this.#tiles.get(id);
    this.#tiles.delete(id);
    tile.video.srcObject = null;
    tile.audio.srcObject = null;
    tile.item.remove();
  }

  /** Shows exactly the people one sees in the call, each as they are now. */
  render(everyone) {
    const people = new Map([...everyone].filter(([, person]) => isInCall(person)));
    const before = this.#tiles.size;
    for (const id of [...this.#tiles.keys()]) if (!people.has(id)) this.#remove(id);
    for (const person of people.values()) {
      let tile = this.#tiles.get(person.id);
      if (!tile) {
        tile = this.#build(person);
        this.#tiles.set(person.id, tile);
        $('tiles').insertBefore(tile.item, this.#own.item);
        this.setMedia(person);
        this.#renderPerson(tile);
        this.layout();
      } else {
        this.#renderPerson(tile);
      }
    }
    if (this.#tiles.size !== before) this.layout();
    $('alone').hidden = this.#tiles.size > 0;
  }

  #renderPerson(tile) {
    const { person } = tile;
    const name = person.name || words.guest;
    setText(tile.name, name);
    setText(tile.avatar, initial(name));
    tile.muted.toggleAttribute('hidden', person.microphone);
    tile.chip.setAttribute('aria-label', words.details(name) + (person.microphone ? '' : `, ${words.microphoneIsOff}`));
    tile.video.setAttribute('aria-label', name);
    const text = stateWords(person);
    tile.item.classList.toggle('troubled', text !== null);
    if (tile.words !== text) {
      tile.state.replaceChildren(...(text ? [element('span', {}, text)] : []));
      if (text) announce(text);
      else if (tile.words) announce(words.connected(name));
      tile.words = text;
    }
    this.#renderPicture(tile);
  }

  #renderPicture(tile) {
    const has = tile.video.videoWidth > 0 && tile.video.srcObject !== null;
    const shows = tile.person && tile !== this.#own ? tile.person.camera : this.#media.video !== null;
    tile.item.classList.toggle('pictured', has && shows);
  }

  /** The person's tracks are other ones. The old picture stays until the new one moves. */
  setMedia(person) {
    const tile = this.#tiles.get(person.id);
    const stream = person.link.stream;
    if (!tile || !stream) return;
    const { video, audio } = stream;
    if (audio && tile.audio.srcObject?.getTracks()[0] !== audio) {
      tile.audio.srcObject = new MediaStream([audio]);
      this.#play(tile.audio);
    }
    if (video && tile.video.srcObject?.getTracks()[0] !== video) {
      const show = () => {
        if (person.link.stream?.video !== video) return;
        tile.video.srcObject = new MediaStream([video]);
        tile.video.play().catch(() => {});
      };
      if (tile.video.srcObject === null || !video.muted) show();
      else video.addEventListener('unmute', show, { once: true });
    }
  }

  async #play(audio) {
    try {
      await audio.play();
    } catch (error) {
      // The browser plays no sound before the person touched the page.
      if (error.name === 'NotAllowedError') $('unmute').hidden = false;
    }
  }

  /** Starts every sound that was held back. */
  hear() {
    $('unmute').hidden = true;
    for (const tile of this.#tiles.values()) {
      if (tile.audio.srcObject && tile.audio.paused) this.#play(tile.audio);
      if (tile.video.srcObject && tile.video.paused) tile.video.play().catch(() => {});
    }
  }

  renderOwn() {
    const tile = this.#own;
    const { video, audio, wantsMicrophone, mirrored, available } = this.#media;
    if (!tile.person) return;
    const name = tile.person.name || words.guest;
    setText(tile.name, words.you);
    setText(tile.avatar, initial(name));
    if (tile.person.id) tile.item.style.setProperty('--hue', hue(tile.person.id));
    if (tile.track !== video) {
      tile.track = video;
      tile.video.srcObject = video ? new MediaStream([video]) : null;
      if (video) tile.video.play().catch(() => {});
    }
    tile.video.classList.toggle('mirrored', mirrored);
    tile.muted.toggleAttribute('hidden', !available || (audio !== null && wantsMicrophone));
    this.#renderPicture(tile);
  }

  #renderLevels() {
    for (const tile of this.#tiles.values()) {
      const { microphone, link } = tile.person;
      const speaks = microphone && link.healthy && link.audioLevel() > SPEECH_LEVEL;
      tile.item.classList.toggle('speaking', speaks);
    }
  }

  layout() {
    const { clientWidth: width, clientHeight: height } = $('stage');
    const others = [...this.#tiles.values()];
    const pair = others.length === 1;
    const shown = pair ? others : [...others, this.#own];
    const rectangles = gridRectangles(shown.length, width, height, GAP);
    shown.forEach((tile, index) => place(tile, rectangles[index]));
    if (pair) {
      const [stage] = rectangles;
      const corner = cornerRectangle(stage?.width ?? 0, stage?.height ?? 0, GAP + 2);
      place(this.#own, stage && { ...corner, x: corner.x + stage.x, y: corner.y + stage.y });
    }
    this.#own.item.classList.toggle('small', pair);
    for (const tile of [...others, this.#own]) this.#fit(tile);
  }

  #fit(tile) {
    const { videoWidth, videoHeight } = tile.video;
    if (!videoWidth || !videoHeight || !tile.shape) return;
    const difference = Math.abs(Math.log(videoWidth / videoHeight / tile.shape));
    const small = tile.item.classList.contains('small');
    tile.item.classList.toggle('whole', !small && difference > Math.log(CUT_LIMIT));
  }
}

function place(tile, rectangle) {
  if (!rectangle) return;
  const { x, y, width, height } = rectangle;
  Object.assign(tile.item.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
  tile.item.classList.toggle('tiny', width < TINY);
  tile.shape = width / height;
}

/** Somebody who was away before this page came has no place in its call until they are back. */
function isInCall(person) {
  return !person.away || person.link.connections > 0;
}

/** What the tile says of its link, or null where all is well. */
export function stateWords(person) {
  const name = person.name || words.guest;
  if (person.link.healthy) return null;
  if (person.away) return words.away(name);
  return person.link.state === 'connecting' ? words.connecting(name) : words.reconnecting(name);
}
