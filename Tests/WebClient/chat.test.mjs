import assert from 'node:assert/strict';
import test from 'node:test';
import { Chat, MAX_OWN, MAX_SHOWN } from '../../Sources/WebClient/Site/app/chat.js';
import { parseFrame } from '../../Sources/WebClient/Site/app/protocol.js';

const ada = { id: 'kl-a', name: 'Ada' };
const bob = { id: 'kl-b', name: 'Bob' };
const wire = (frame) => parseFrame(JSON.stringify(frame));
const texts = (chat) => chat.messages.map(({ text }) => text);

function page(saved = null) {
  const kept = { value: saved };
  const chat = new Chat({ saved, save: (value) => (kept.value = JSON.parse(JSON.stringify(value))) });
  return { chat, kept };
}

let connections = 0;

/** `from` and `to` have a new channel: each hears what it missed. */
function greet(from, to, fromPerson, toPerson) {
  connections += 1;
  const connection = `connection ${connections}`;
  for (const [author, reader, authorPerson, readerPerson] of [[from, to, fromPerson, toPerson], [to, from, toPerson, fromPerson]]) {
    author.greet(readerPerson.id, connection, wire(reader.hello(authorPerson.id)).seen);
    author.tell(readerPerson.id, connection, (frame) => {
      reader.receive(wire(frame), authorPerson);
      return true;
    });
  }
}

test('who was cut off gets what was written meanwhile, once and in order', () => {
  const [one, other] = [page().chat, page().chat];
  one.meet(bob.id);
  other.meet(ada.id);
  other.receive(wire(one.write('first', ada)), ada);
  one.write('second', ada);
  one.write('third', ada);
  greet(one, other, ada, bob);
  greet(one, other, ada, bob);
  assert.deepEqual(texts(other), ['first', 'second', 'third']);
});

// What was written while there was no path came after a new connection alone; where ICE healed the one there was, never.
test('what can not be sent now is sent as soon as it can, in order, and nothing before the greeting', () => {
  const [one, other] = [page().chat, page().chat];
  one.meet(bob.id);
  let path = true;
  const offered = [];
  const tell = (connection) => one.tell(bob.id, connection, (frame) => {
    offered.push(frame.text);
    if (path) other.receive(wire(frame), ada);
    return path;
  });
  one.write('nobody said how far they heard', ada);
  tell('first');
  assert.deepEqual(offered, []);
  one.greet(bob.id, 'first', wire(other.hello(ada.id)).seen);
  tell('first');
  path = false;
  for (const text of ['one', 'two']) {
    one.write(text, ada);
    tell('first');
  }
  assert.equal(other.messages.length, 1);
  path = true;
  one.write('three', ada);
  tell('first');
  tell('first');
  assert.deepEqual(texts(other), ['nobody said how far they heard', 'one', 'two', 'three']);
  assert.deepEqual(offered, ['nobody said how far they heard', 'one', 'one', 'one', 'two', 'three']);
  one.write('over another connection', ada);
  tell('second');
  assert.equal(other.messages.length, 4, 'how much of it came over the first is not known yet');
});

test('a newcomer does not get what was written before', () => {
  const [one, other] = [page().chat, page().chat];
  one.write('before', ada);
  one.meet(bob.id);
  one.write('after', ada);
  greet(one, other, ada, bob);
  assert.deepEqual(texts(other), ['after']);
});

test('the history, the own log and what others heard outlive a reload', () => {
  const [one, other] = [page(), page()];
  one.chat.meet(bob.id);
  other.chat.receive(wire(one.chat.write('first', ada)), ada);
  one.chat.write('while Bob was away', ada);
  const again = page(one.kept.value).chat;
  again.write('after the reload', ada);
  greet(again, other.chat, ada, bob);
  assert.deepEqual(texts(other.chat), ['first', 'while Bob was away', 'after the reload']);
  assert.deepEqual(texts(again), ['first', 'while Bob was away', 'after the reload']);
  const reader = page(other.kept.value).chat;
  greet(again, reader, ada, bob);
  assert.equal(reader.messages.length, 3, 'nothing twice');
});

test('an author whose memory is gone begins a new log and is heard', () => {
  const other = page().chat;
  const before = page().chat;
  for (const text of ['a', 'b', 'c']) other.receive(wire(before.write(text, ada)), ada);
  other.receive(wire(page().chat.write('d', ada)), ada);
  assert.deepEqual(texts(other), ['a', 'b', 'c', 'd']);
});

test('lists are bounded, and a spoilt memory is no end', () => {
  const { chat, kept } = page();
  chat.meet(bob.id);
  for (let index = 0; index < MAX_SHOWN + 50; index += 1) chat.write(`${index}`, ada);
  assert.equal(chat.messages.length, MAX_SHOWN);
  let told = 0;
  chat.greet(bob.id, 'first', null);
  chat.tell(bob.id, 'first', () => (told += 1));
  assert.equal(told, MAX_OWN);
  assert.equal(page(kept.value).chat.messages.length, MAX_SHOWN);
  for (const spoilt of [{}, [], 'x', 5, { messages: 5 }, { messages: [], own: [{}], heard: 3 }]) {
    assert.deepEqual(page(spoilt).chat.messages, []);
  }
});

test('nothing to say is not said', () => {
  assert.equal(page().chat.write('  \n ', ada), null);
});
