import assert from 'node:assert/strict';
import test from 'node:test';
import { Mesh } from '../../Sources/WebClient/Site/app/mesh.js';
import { parseRoster } from '../../Sources/WebClient/Site/app/protocol.js';

function mesh(t) {
  const environment = {
    time: 0,
    instance: '00'.repeat(8),
    relayOnly: false,
    signal: () => true,
    iceServers: () => new Promise(() => {}),
    createConnection: () => assert.fail('not here'),
    tracks: () => ({ audio: null, video: null }),
    outgoing: () => null,
    now: () => environment.time,
  };
  const mesh = new Mesh(environment);
  const left = [];
  mesh.on('left', ({ id }) => left.push(id));
  mesh.start('kl-m');
  t.after(() => mesh.stop(false));
  const roster = (...ids) => mesh.update(parseRoster({ you: 'kl-m', people: ['kl-m', ...ids].map((id) => ({ id, name: id })) }));
  const pass = (milliseconds) => {
    for (const end = environment.time + milliseconds; environment.time < end; ) {
      environment.time += 500;
      mesh.tick();
    }
  };
  return { mesh, left, roster, pass };
}

/** Makes the link of a person look as if it carried data. */
const heal = (mesh, id) => (mesh.people.get(id).link.state = 'connected');

test('who is missing from a later roster of the same line has left', (t) => {
  const { mesh: m, left, roster } = mesh(t);
  m.setSignaling(true);
  roster('kl-a', 'kl-b');
  roster('kl-a');
  assert.deepEqual(left, ['kl-b']);
  assert.deepEqual([...m.people.keys()], ['kl-a']);
});

test('after a restart of the box whoever is not yet back keeps the link that works', (t) => {
  const { mesh: m, left, roster, pass } = mesh(t);
  m.setSignaling(true);
  roster('kl-a', 'kl-b');
  heal(m, 'kl-a');
  m.setSignaling(false);
  m.setSignaling(true);
  roster();
  roster('kl-c');
  assert.deepEqual(left, []);
  // kl-a's link works although the box does not list it; kl-b has neither.
  m.people.get('kl-a').link.tick = () => {};
  pass(25_000);
  assert.deepEqual(left, ['kl-b']);
  roster('kl-a', 'kl-c');
  roster('kl-c');
  assert.deepEqual(left, ['kl-b', 'kl-a']);
});

test('without the box a dead link is kept for two minutes', (t) => {
  const { mesh: m, left, roster, pass } = mesh(t);
  m.setSignaling(true);
  roster('kl-a');
  m.setSignaling(false);
  pass(119_000);
  assert.deepEqual(left, []);
  pass(2000);
  assert.deepEqual(left, ['kl-a']);
});

test('signals of strangers are not heard', (t) => {
  const { mesh: m, roster } = mesh(t);
  m.setSignaling(true);
  roster('kl-a');
  for (const from of ['kl-z', 'someone', '__proto__', null]) m.receive({ type: 'OFFER', from, payload: {} });
  assert.deepEqual([...m.people.keys()], ['kl-a']);
});

test('a newcomer’s signals that come before the roster are heard when it lists the newcomer, in order, once', (t) => {
  const { mesh: m, roster, pass } = mesh(t);
  const heard = [];
  m.setSignaling(true);
  roster();
  const say = (from, type) => m.receive({ type, from, payload: { type } });
  // The links are made by the roster that also lets them hear, so it is their prototype that is listened to.
  const prototype = Object.getPrototypeOf((roster('kl-x'), m.people.get('kl-x').link));
  const original = prototype.receive;
  t.after(() => (prototype.receive = original));
  prototype.receive = function (type) {
    heard.push(`${[...m.people].find(([, person]) => person.link === this)[0]} ${type}`);
  };
  say('kl-a', 'OFFER');
  say('kl-b', 'OFFER');
  say('kl-a', 'CANDIDATE');
  assert.deepEqual(heard, []);
  roster('kl-x', 'kl-a');
  assert.deepEqual(heard, ['kl-a OFFER', 'kl-a CANDIDATE']);
  pass(3500);
  roster('kl-x', 'kl-a', 'kl-b');
  assert.deepEqual(heard, ['kl-a OFFER', 'kl-a CANDIDATE'], 'what is old is for an earlier page of kl-b');
  for (let count = 0; count < 1000; count += 1) say('kl-c', 'CANDIDATE');
  roster('kl-x', 'kl-a', 'kl-b', 'kl-c');
  assert.equal(heard.length, 2 + 64, 'bounded');
  say('kl-d', 'OFFER');
  m.start('kl-n');
  m.update(parseRoster({ you: 'kl-n', people: [{ id: 'kl-n' }, { id: 'kl-d' }] }));
  assert.equal(heard.length, 2 + 64, 'another identity begins anew');
});

test('counts are what the box is told', (t) => {
  const { mesh: m, roster } = mesh(t);
  m.setSignaling(true);
  roster('kl-a', 'kl-b');
  heal(m, 'kl-a');
  m.people.get('kl-a').link.kind = 'relayed';
  assert.deepEqual(m.counts(), { total: 2, healthy: 1, relayed: 1 });
});

test('another identity begins anew', (t) => {
  const { mesh: m, left, roster } = mesh(t);
  m.setSignaling(true);
  roster('kl-a');
  m.start('kl-n');
  assert.deepEqual(left, ['kl-a']);
});
