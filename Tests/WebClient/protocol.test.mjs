import assert from 'node:assert/strict';
import test from 'node:test';
import * as protocol from '../../Sources/WebClient/Site/app/protocol.js';

const HEX = '0123456789abcdef';
const person = { id: 'kl-a', name: 'Ada', camera: true, microphone: false, away: false };

/** Values of every wrong kind for a field. */
const WRONG = [undefined, null, true, 0, -1, 1.5, NaN, '', 'x', [], {}, () => {}, 'x'.repeat(200_000)];

test('a roster keeps good people and leaves malformed ones out', () => {
  const roster = protocol.parseRoster({ generation: 3, you: 'kl-a', people: [person, null, {}, { id: '../x' }, { id: 'kl-b', name: 7 }] });
  assert.equal(roster.generation, 3);
  assert.deepEqual([...roster.people.values()], [person, { id: 'kl-b', name: '', camera: false, microphone: false, away: false }]);
});

test('a roster of the wrong shape is refused, a long one is cut', () => {
  for (const wrong of WRONG) {
    assert.equal(protocol.parseRoster(wrong), null);
    assert.equal(protocol.parseRoster({ you: wrong, people: [] }), null);
    if (!Array.isArray(wrong)) assert.equal(protocol.parseRoster({ you: 'kl-a', people: wrong }), null);
  }
  const people = Array.from({ length: 1000 }, (_, index) => ({ ...person, id: `kl-${index}` }));
  assert.equal(protocol.parseRoster({ you: 'kl-a', people }).people.size, protocol.MAX_PEOPLE);
});

test('messages from the box', () => {
  assert.deepEqual(protocol.parseBoxMessage('{"type":"OPEN"}'), { type: 'OPEN', src: null, payload: {} });
  assert.deepEqual(protocol.parseBoxMessage('{"type":"X","src":"kl-a","payload":[1]}'), { type: 'X', src: 'kl-a', payload: {} });
  for (const text of ['', 'null', '[]', '"x"', '{', '{"type":5}', `{"type":"X","payload":"${'x'.repeat(300_000)}"}`]) {
    assert.equal(protocol.parseBoxMessage(text), null, text.slice(0, 40));
  }
});

test('names lose what can deceive and what is too long', () => {
  assert.equal(protocol.cleanName('  Ada \u0000 Love\u202Elace\n'), 'Ada Love lace');
  assert.equal(protocol.cleanName('👩‍🚀'), '👩‍🚀');
  const long = protocol.cleanName('ß'.repeat(100));
  assert.equal(new TextEncoder().encode(long).length, protocol.MAX_NAME_BYTES);
  assert.ok(new TextEncoder().encode(protocol.cleanName('👩'.repeat(100))).length <= protocol.MAX_NAME_BYTES);
  for (const wrong of WRONG) if (typeof wrong !== 'string') assert.equal(protocol.cleanName(wrong), '');
});

test('chat text keeps its lines and nothing that deceives', () => {
  assert.equal(protocol.cleanText(' a\r\nb\u0007\u202Ec '), 'a\nb  c');
  assert.equal(protocol.cleanText('x'.repeat(9999)).length, protocol.MAX_CHAT_LENGTH);
});

test('descriptions: every field is checked', () => {
  const good = { description: { type: 'offer', sdp: 'v=0' }, attempt: 1, connection: HEX, instance: HEX, begins: true };
  assert.deepEqual(protocol.parseDescription(good, 'offer'), good);
  assert.equal(protocol.parseDescription(good, 'answer'), null);
  for (const wrong of WRONG) {
    assert.equal(protocol.parseDescription(wrong, 'offer'), null);
    assert.equal(protocol.parseDescription({ ...good, description: wrong }, 'offer'), null);
    assert.equal(protocol.parseDescription({ ...good, connection: wrong }, 'offer'), null);
    assert.equal(protocol.parseDescription({ ...good, instance: wrong }, 'offer'), null);
    if (wrong !== 0) assert.equal(protocol.parseDescription({ ...good, attempt: wrong }, 'offer'), null);
  }
});

test('candidates and requests to restart', () => {
  const candidate = { candidate: 'candidate:1 1 udp 1 10.0.0.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'ab' };
  const good = { candidate, connection: HEX, instance: HEX };
  assert.deepEqual(protocol.parseCandidate(good), { kind: 'candidate', ...good });
  assert.equal(protocol.parseCandidate({ ...good, candidate: null }).candidate, null);
  assert.deepEqual(protocol.parseCandidate({ restart: true, instance: HEX }), { kind: 'restart', connection: null, instance: HEX });
  assert.equal(protocol.parseCandidate({ restart: true }), null);
  assert.equal(protocol.parseCandidate({ ...good, connection: 'zz' }), null);
  for (const wrong of WRONG) {
    if (wrong !== null) assert.equal(protocol.parseCandidate({ ...good, candidate: wrong }), null);
    const odd = protocol.parseCandidate({ ...good, candidate: { ...candidate, sdpMid: wrong, sdpMLineIndex: wrong, usernameFragment: wrong } });
    assert.ok(odd === null || odd.candidate.sdpMid === null || odd.candidate.sdpMid.length <= 32);
  }
});

test('frames of the data channel', () => {
  const chat = { kind: 'chat', log: HEX, sequence: 4, text: 'hi', age: 10 };
  assert.deepEqual(protocol.parseFrame(JSON.stringify(chat)), chat);
  assert.equal(protocol.parseFrame(JSON.stringify({ ...chat, age: -5 })).age, 0);
  assert.equal(protocol.parseFrame(JSON.stringify({ ...chat, age: 1e20 })).age, 86_400_000);
  assert.deepEqual(protocol.parseFrame('{"kind":"hello","seen":{"log":"x","sequence":1}}'), { kind: 'hello', seen: null });
  assert.deepEqual(protocol.parseFrame('{"kind":"bye","more":1}'), { kind: 'bye' });
  for (const wrong of WRONG) {
    assert.equal(protocol.parseFrame(wrong), null);
    assert.equal(protocol.parseFrame(JSON.stringify({ ...chat, log: wrong })), null);
    assert.equal(protocol.parseFrame(JSON.stringify({ ...chat, sequence: wrong })), null);
    assert.equal(protocol.parseFrame(JSON.stringify({ kind: wrong })), null);
  }
  assert.equal(protocol.parseFrame(JSON.stringify({ ...chat, text: 'x'.repeat(protocol.MAX_FRAME_LENGTH) })), null);
});

test('ICE servers: only STUN and TURN, TURN only with credentials', () => {
  const servers = protocol.parseIceServers({
    iceServers: [
      { urls: ['stun:10.0.0.1:3478', 'http://x'] },
      { urls: 'turn:10.0.0.1:3478?transport=udp', username: 'u', credential: 'c' },
      { urls: ['turn:10.0.0.1'] },
      { urls: 5 },
      null,
    ],
  });
  assert.deepEqual(servers, [
    { urls: ['stun:10.0.0.1:3478'] },
    { urls: ['turn:10.0.0.1:3478?transport=udp'], username: 'u', credential: 'c' },
  ]);
  assert.equal(protocol.parseIceServers({ iceServers: 'x' }), null);
});

test('sessions and facts about the box', () => {
  assert.deepEqual(protocol.parseSession({ id: 'kl-a', token: 't', name: 'Room' }), { id: 'kl-a', token: 't', name: 'Room' });
  assert.equal(protocol.parseSession({ id: 'x-a', token: 't' }), null);
  assert.equal(protocol.parseSession({ id: 'kl-a', token: '' }), null);
  const facts = protocol.parseRoomInformation({ name: 'R', version: '1', http: 80, https: 99_999, certificate: '?' });
  assert.deepEqual(facts, {
    name: 'R', version: '1', http: 80, https: null, certificate: 'own', scheme: 'http', hub: null, base: null,
    discovery: false,
  });
  assert.equal(protocol.parseRoomInformation({ name: 'Another web server', version: '1' }), null);
  const blob = `g1|abcdefgh|${'p'.repeat(24)}|${'A'.repeat(43)}|10.0.0.1~4711`;
  const withHub = protocol.parseRoomInformation({ http: 80, https: 443, hub: blob, discovery: true });
  assert.deepEqual([withHub.hub.text, withHub.discovery], [blob, true]);
  const bases = ['https://kibitz.chat', 'https://example.org/kibitz', 'http://10.0.0.1:8080', 'javascript:alert(1)', 'https://a/?x', 'https://a/#x', 'https://a/', 'https://', 7];
  assert.deepEqual(
    bases.map((base) => protocol.parseRoomInformation({ http: 80, hub: blob, base }).base),
    [...bases.slice(0, 3), null, null, null, null, null, null],
  );
  const session = { id: 'kl-a', token: 't', name: 'Room' };
  const iceServers = [{ urls: ['stun:10.0.0.1:3478'] }];
  assert.deepEqual(protocol.parseHubSession({ ...session, iceServers }), { ...session, iceServers, information: null });
  assert.equal(protocol.parseHubSession({ iceServers }), null);
  assert.deepEqual([{ code: 4001 }, { code: '4001' }, { code: 70_000 }, null].map((close) => protocol.parseClose(close).code), [4001, 1006, 1006, 1006]);
});
