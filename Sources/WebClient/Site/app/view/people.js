/** The roster: who is here, how they are connected, and the safety code with each. */
import { words } from '../words.js';
import { $, element, hue, icon, initial, setText } from './dom.js';
import { stateWords } from './tiles.js';

export class PeopleView {
  #room;
  #whereabouts;
  #rows = new Map();

  constructor(room, whereabouts) {
    this.#room = room;
    this.#whereabouts = whereabouts;
    $('people-open').onclick = () => this.open(null);
  }

  /** Opens the roster, with one person's details where `id` says so. */
  open(id) {
    $('people-dialog').showModal();
    this.render();
    const row = id && this.#rows.get(id);
    if (row) {
      row.details.open = true;
      row.summary.focus();
    }
  }

  render() {
    const count = this.#room.mesh.people.size + 1;
    setText($('people-count'), String(count));
    $('people-open').setAttribute('aria-label', words.peopleCount(count));
    if (!$('people-dialog').open) return;
    this.#renderLine();
    const list = $('people-list');
    if (list.childElementCount === 0) list.append(element('li', { className: 'person' }));
    this.#renderSelf(list.firstElementChild);
    const { people } = this.#room.mesh;
    for (const [id, row] of this.#rows) {
      if (people.has(id)) continue;
      row.item.remove();
      this.#rows.delete(id);
    }
    for (const person of people.values()) {
      if (!this.#rows.has(person.id)) {
        this.#rows.set(person.id, build(person));
        list.append(this.#rows.get(person.id).item);
      }
      renderRow(this.#rows.get(person.id), person);
    }
  }

  /** Which way the line to the box goes. */
  #renderLine() {
    const carrier = { websocket: words.lineWebSocket, hub: words.lineHub }[this.#room.signaling.carrier];
    setText($('people-line'), carrier ?? words.lineDown);
    const discovery = this.#whereabouts.information?.discovery === true;
    setText($('people-discovery'), discovery ? words.discovery : '');
    $('people-discovery').hidden = !discovery;
  }

  #renderSelf(item) {
    const name = this.#room.name || words.guest;
    const { camera, microphone } = this.#room.sends;
    const key = JSON.stringify([name, camera, microphone]);
    if (item.dataset.key === key) return;
    item.dataset.key = key;
    const row = element('div', {}, picture(this.#room.id ?? '', name), element('span', { className: 'who' }, element('b', {}, words.youNamed(name))));
    row.append(...devices({ camera, microphone }));
    item.replaceChildren(row);
  }
}

function picture(id, name) {
  const mark = element('i', { attributes: { 'aria-hidden': 'true' } }, initial(name));
  mark.style.setProperty('--hue', hue(id));
  return mark;
}

function devices({ camera, microphone }) {
  const shown = [];
  for (const [kind, on, off] of [['microphone', microphone, words.microphoneIsOff], ['camera', camera, words.cameraIsOff]]) {
    if (on) continue;
    shown.push(icon(`${kind}-off`), element('span', { className: 'spoken' }, off));
  }
  return shown;
}

function build(person) {
  const name = element('b');
  const link = element('small');
  const marks = element('span', { className: 'marks' });
  const summary = element(
    'summary',
    {},
    picture(person.id, person.name || words.guest),
    element('span', { className: 'who' }, name, link),
    marks,
    element('span', { className: 'pill' }, words.safety)
  );
  const body = element('div', { className: 'body' });
  const details = element('details', {}, summary, body);
  return { item: element('li', { className: 'person' }, details), details, summary, body, name, link, marks, key: null };
}

function renderRow(row, person) {
  const name = person.name || words.guest;
  const { code, kind } = person.link;
  const key = JSON.stringify([name, person.camera, person.microphone, stateWords(person), kind, code]);
  if (row.key === key) return;
  row.key = key;
  setText(row.name, name);
  setText(row.link, stateWords(person) ?? { direct: words.linkDirect, relayed: words.linkRelayed }[kind] ?? words.linkUnknown);
  row.marks.replaceChildren(...devices(person));
  if (!code) {
    row.body.replaceChildren(element('p', { className: 'hint' }, words.safetyMissing));
    return;
  }
  const spoken = words.safetySpoken(code.map((picture) => picture.name).join(', '));
  const pictures = element('div', { className: 'code', role: 'img', attributes: { role: 'img', 'aria-label': spoken } });
  for (const entry of code) {
    pictures.append(element('div', {}, element('span', {}, entry.picture), element('small', {}, entry.name)));
  }
  row.body.replaceChildren(pictures, element('p', { className: 'hint' }, words.safetyHint(name)));
}
