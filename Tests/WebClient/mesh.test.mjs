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
