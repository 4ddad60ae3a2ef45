import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { HubTransport } from '../../Sources/WebClient/Site/app/hub.js';
import { IceServers } from '../../Sources/WebClient/Site/app/ice-servers.js';
import { Whereabouts } from '../../Sources/WebClient/Site/app/whereabouts.js';
import { parseBlob } from '../../Sources/WebClient/Site/app/blob.js';

const BLOB = `g1|abcdefgh|${'p'.repeat(24)}|${'A'.repeat(43)}|10.0.0.1~4711`;
const OTHER = `g1|abcdefgh|${'p'.repeat(24)}|B${'A'.repeat(42)}|10.0.0.1~4711`;
const settle = () => new Promise(setImmediate);

class FakeChannel {
  readyState = 'connecting';
  bufferedAmount = 0;
  sent = [];
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 'closing';
  }
  open() {
    this.readyState = 'open';
    this.onopen();
  }
  say(message) {
    this.onmessage({ data: typeof message === 'string' ? message : JSON.stringify(message) });
  }
}

class FakeConnection {
  connectionState = 'new';
  iceConnectionState = 'new';
  closed = false;
  constructor(configuration) {
    this.configuration = configuration;
  }
  createDataChannel(label, options) {
    assert.deepEqual([label, options], ['room', undefined], 'in-band, so that the box learns of it by DCEP');
    return (this.channel = new FakeChannel());
  }
  async createOffer() {
    return { type: 'offer', sdp: 'v=0\r\na=group:BUNDLE 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n' };
  }
  async setLocalDescription(description) {
    this.localDescription = description;
  }
  async setRemoteDescription(description) {
    this.remoteDescription = description;
  }
  enter(state) {
    this.connectionState = this.iceConnectionState = state;
    this.onconnectionstatechange?.();
  }
  close() {
    this.closed = true;
  }
}

async function dialled({ blob = async () => parseBlob(BLOB), token = null } = {}) {
  const events = [];
  const membership = {
    current: null,
    request: () => ({ secret: 's', token }),
    accept(session) {
      this.current = session;
    },
  };
  let connection;
  const transport = new HubTransport({ blob, createConnection: (configuration) => (connection = new FakeConnection(configuration)) });
  const line = transport.open(membership, {
    ready: () => events.push('ready'),
    message: (text) => events.push(JSON.parse(text).type),
    doubted: () => events.push('doubted'),
    closed: (code, refusal) => events.push(refusal ? `closed ${code} ${refusal}` : `closed ${code}`),
  });
  await settle();
  return { line, connection, channel: connection?.channel, membership, events };
}

test('a session and then the broker’s frames over the channel', async () => {
  const { line, connection, channel, membership, events } = await dialled({ token: 'earlier' });
  assert.deepEqual(connection.configuration.iceServers, []);
  assert.match(connection.remoteDescription.sdp, /a=ice-lite[^]*a=ice-ufrag:abcdefgh[^]*10\.0\.0\.1 4711 typ host/);
  assert.deepEqual(events, [], 'nothing is said before the channel is open');
  channel.open();
  assert.deepEqual([events, channel.sent], [['ready'], []], 'ready, and not in the room yet');
  line.attach();
  assert.deepEqual(channel.sent, [{ type: 'SESSION', payload: { secret: 's', token: 'earlier' } }]);
  channel.say({ type: 'SESSION', payload: { id: 'kl-a', token: 't', generation: 1, name: 'Room', iceServers: [{ urls: ['stun:10.0.0.1:3478'] }] } });
  assert.equal(membership.current.id, 'kl-a');
  assert.deepEqual(membership.current.iceServers, [{ urls: ['stun:10.0.0.1:3478'] }]);
  channel.say({ type: 'OPEN' });
  channel.say({ type: 'ROOM', payload: {} });
  line.send(JSON.stringify({ type: 'HEARTBEAT' }));
  assert.deepEqual(events, ['ready', 'OPEN', 'ROOM']);
  assert.deepEqual(channel.sent.at(-1), { type: 'HEARTBEAT' });
});

test('a refused session reaches the page with its word', async () => {
  const { line, channel, events } = await dialled();
  channel.open();
  line.attach();
  assert.deepEqual(channel.sent[0].payload, { secret: 's' });
  channel.say({ type: 'ERROR', payload: { msg: 'The codes were changed.', code: 'rotated' } });
  assert.deepEqual(events, ['ready', 'ERROR']);
});

test('CLOSE says what a close code would; nothing after it is heard', async () => {
  const { line, connection, channel, events } = await dialled();
  channel.open();
  line.attach();
  channel.say({ type: 'CLOSE', payload: { code: 4001, reason: 'rotated' } });
  channel.say({ type: 'ROOM', payload: {} });
  connection.enter('failed');
  assert.deepEqual(events, ['ready', 'closed 4001']);
});

test('every way a channel can die, once', async () => {
  for (const die of [
    ({ channel }) => channel.onclose(),
    ({ connection }) => connection.enter('failed'),
    ({ connection }) => connection.enter('closed'),
    ({ channel }) => channel.say({ type: 'SESSION', payload: { id: 'not ours' } }),
    ({ channel, line }) => ((channel.bufferedAmount = 2 ** 21), line.send('{}')),
    ({ channel, line }) => ((channel.send = () => { throw new Error('closed'); }), line.send('{}')),
  ]) {
    const page = await dialled();
    page.channel.open();
    die(page);
    page.channel.onclose?.();
    assert.deepEqual(page.events, ['ready', 'closed 1006'], String(die));
  }
  const doubted = await dialled();
  doubted.channel.open();
  doubted.connection.enter('disconnected');
  assert.deepEqual(doubted.events, ['ready', 'doubted'], 'a path that may come back is asked, not given up');
});

test('no blob, no dial; an answer the browser refuses is an end, too', async () => {
  const none = await dialled({ blob: async () => null });
  assert.deepEqual([none.connection, none.events], [undefined, ['closed 1006 no-hub']]);
  mock.method(FakeConnection.prototype, 'setRemoteDescription', async () => {
    throw new Error('refused');
  });
  assert.deepEqual((await dialled()).events, ['closed 1006']);
  mock.restoreAll();
});

test('what was sent last goes out before the connection is closed', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { line, connection, channel, events } = await dialled();
  channel.open();
  line.send(JSON.stringify({ type: 'LEAVE' }));
  line.close();
  assert.deepEqual([channel.readyState, connection.closed], ['closing', false]);
  channel.onclose();
  assert.deepEqual([connection.closed, events], [true, ['ready']]);
  const stuck = await dialled();
  stuck.channel.open();
  stuck.line.close();
  mock.timers.tick(1000);
  assert.equal(stuck.connection.closed, true, 'a dead channel does not keep it');
  const early = await dialled();
  early.line.close();
  assert.equal(early.connection.closed, true);
});

test('a fresh session on the open line brings fresh TURN credentials', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { line, channel } = await dialled();
  channel.open();
  const renewed = line.renew();
  channel.say({ type: 'SESSION', payload: { id: 'kl-a', token: 't2', iceServers: [{ urls: 'turn:10.0.0.1', username: 'u', credential: 'c' }] } });
  assert.equal((await renewed).iceServers[0].username, 'u');
  const late = line.renew();
  mock.timers.tick(2000);
  assert.equal(await late, null);
});

// TURN credentials

test('credentials: those of the session while fresh, then the line, then the web server, then the last known', async () => {
  let now = 0;
  let renewed = [];
  let asked = 0;
  let answer = null;
  const servers = new IceServers({
    ask: async () => {
      asked += 1;
      if (!answer) throw new Error('unreachable');
      return answer;
    },
    renew: async () => {
      const next = renewed.shift();
      if (next) servers.bring(next);
      return Boolean(next);
    },
    now: () => now,
  });
  answer = ['web'];
  assert.deepEqual(await servers.get(), ['web']);
  assert.deepEqual([await servers.get(), asked], [['web'], 1], 'links that restart together share one answer');
  now += 2000;
  await servers.get();
  assert.equal(asked, 2);
  servers.bring(['session']);
  assert.deepEqual(await servers.get(), ['session']);
  now += 400_000;
  renewed = [['line']];
  assert.deepEqual([await servers.get(), asked], [['line'], 2]);
  now += 400_000;
  answer = null;
  assert.deepEqual([await servers.get(), asked], [['line'], 3]);
});

// Where the box is

const information = (hub) => ({ name: 'Box', http: 80, https: 443, hub: parseBlob(hub) });

function page(search, remembered, answer) {
  let asked = 0;
  const box = {
    information: async () => {
      asked += 1;
      if (!answer) throw new Error('unreachable');
      return answer;
    },
  };
  const found = new Whereabouts({ box, search, remembered });
  return { found, asked: () => asked };
}

test('a page from the box learns the blob from it', async () => {
  const { found, asked } = page('', null, information(BLOB));
  assert.deepEqual([await found.isOrigin(), asked()], [true, 0], 'its web server is not in question');
  assert.equal((await found.blob()).text, BLOB);
  assert.equal(found.known.text, BLOB);
});

test('a page from the copy goes by the blob it remembers, until the box tells another', async () => {
  const gone = page('', BLOB, null);
  assert.equal((await gone.found.blob()).text, BLOB);
  const there = page('', BLOB, information(OTHER));
  await there.found.learn();
  assert.equal((await there.found.blob()).text, OTHER);
  const off = page('', BLOB, information(null));
  await off.found.learn();
  assert.equal(await off.found.blob(), null, 'the box has no hub any more');
});

test('with a blob in the address the origin has to prove that it is the box', async () => {
  const search = `?galaxy=${encodeURIComponent(BLOB)}`;
  const elsewhere = page(search, null, null);
  assert.deepEqual([elsewhere.found.atBox, await elsewhere.found.isOrigin()], [false, false]);
  assert.equal((await elsewhere.found.blob()).text, BLOB);
  const another = page(search, null, information(OTHER));
  assert.equal(await another.found.isOrigin(), false);
  assert.equal(another.found.information, null, 'what another box says of itself is not believed');
  assert.equal((await another.found.blob()).text, BLOB);
  const box = page(`?galaxy=${BLOB}`, null, information(BLOB.replace('10.0.0.1', '10.0.0.9')));
  assert.equal(await box.found.isOrigin(), true);
  assert.equal((await box.found.blob()).endpoints[0].address, '10.0.0.9', 'the box knows its addresses of today');
  elsewhere.found.told(information(BLOB));
  elsewhere.found.told(null);
  assert.equal(elsewhere.found.information.https, 443);
  assert.equal(elsewhere.found.atBox, false, 'what the hub says makes the origin no box');
});

test('a damaged blob is told from none', () => {
  assert.equal(page('?galaxy=g1%7Cabc', null, null).found.damaged, true);
  assert.equal(page('?galaxy=', null, null).found.damaged, false);
  assert.equal(page('?relay=1', null, null).found.damaged, false);
});
