import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { REDIAL_FIRST, REDIAL_LONGEST, Signaling } from '../../Sources/WebClient/Site/app/signaling.js';

/** A transport the test plays the box on. */
class FakeTransport {
  lines = [];

  open(credentials, handlers) {
    const line = { credentials, handlers, sent: [], closed: false };
    this.lines.push(line);
    return { send: (text) => line.sent.push(JSON.parse(text)), close: () => (line.closed = true) };
  }

  get last() {
    return this.lines[this.lines.length - 1];
  }

  say(message) {
    this.last.handlers.message(JSON.stringify(message));
  }
}

const settle = () => new Promise(setImmediate);

async function prepared(authorize = async () => ({ id: 'kl-a', token: 't' })) {
  const transport = new FakeTransport();
  const signaling = new Signaling({ transports: [transport], authorize });
  const states = [];
  signaling.on('state', ({ state, reason }) => states.push(reason ? `${state} ${reason}` : state));
  return { transport, signaling, states };
}

function clock(t) {
  let now = 0;
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(performance, 'now', () => now);
  t.after(() => {
    mock.timers.reset();
    mock.restoreAll();
  });
  return async (milliseconds) => {
    for (let passed = 0; passed < milliseconds; passed += 50) {
      now += 50;
      mock.timers.tick(50);
      await settle();
    }
  };
}

test('opens, announces, beats, and redials ever more slowly until the longest wait', async (t) => {
  const pass = clock(t);
  const { transport, signaling, states } = await prepared();
  signaling.announce({ name: 'Ada' });
  signaling.start();
  await settle();
  transport.say({ type: 'OPEN' });
  assert.deepEqual(transport.last.sent, [{ type: 'PRESENCE', payload: { name: 'Ada' } }, { type: 'HEARTBEAT' }]);
  assert.deepEqual(states, ['connecting', 'open']);
  let before = transport.lines.length;
  for (let wait = REDIAL_FIRST; wait <= 8 * REDIAL_LONGEST; wait *= 2) {
    transport.last.handlers.closed(1006);
    await pass(Math.min(wait, REDIAL_LONGEST) - 50);
    assert.equal(transport.lines.length, before, `not before ${wait}`);
    await pass(100);
    assert.equal(transport.lines.length, ++before);
  }
});

test('a silent line is given up after 12 seconds, a line that answers is kept', async (t) => {
  const pass = clock(t);
  const { transport, signaling } = await prepared();
  signaling.start();
  await settle();
  transport.say({ type: 'OPEN' });
  for (let second = 0; second < 30; second += 5) {
    await pass(5000);
    transport.say({ type: 'HEARTBEAT' });
  }
  assert.equal(transport.lines.length, 1);
  await pass(17_500);
  assert.equal(transport.lines[0].closed, true);
  assert.ok(transport.lines.length >= 2);
});

test('a dial that hangs is given up', async (t) => {
  const pass = clock(t);
  const { transport, signaling } = await prepared();
  signaling.start();
  await pass(6000);
  assert.ok(transport.lines.length >= 2);
  assert.equal(transport.lines[0].closed, true);
});

test('waking up asks the box at once, and redials if it does not answer in two seconds', async (t) => {
  const pass = clock(t);
  const { transport, signaling } = await prepared();
  signaling.start();
  await settle();
  transport.say({ type: 'OPEN' });
  await pass(1000);
  signaling.wake();
  transport.say({ type: 'HEARTBEAT' });
  await pass(2500);
  assert.equal(transport.lines.length, 1);
  signaling.wake();
  await pass(2500);
  assert.equal(transport.lines.length, 2);
  transport.last.handlers.closed(1006);
  signaling.wake();
  await settle();
  assert.equal(transport.lines.length, 3, 'no wait after waking up');
});

test('replaced and rotated end the line; nothing redials', async (t) => {
  const pass = clock(t);
  for (const [end, reason] of [
    [(transport) => transport.last.handlers.closed(4002), 'replaced'],
    [(transport) => transport.last.handlers.closed(4001), 'rotated'],
    [(transport) => transport.say({ type: 'ROTATED', payload: { msg: 'x' } }), 'rotated'],
    [(transport) => (transport.say({ type: 'ERROR', payload: { code: 'rotated' } }), transport.last.handlers.closed(4001)), 'rotated'],
  ]) {
    const { transport, signaling, states } = await prepared();
    signaling.start();
    await settle();
    transport.say({ type: 'OPEN' });
    end(transport);
    await pass(20_000);
    assert.equal(transport.lines.length, 1);
    assert.equal(states.at(-1), `ended ${reason}`);
  }
});

test('a session refused for its secret ends; one refused for the moment is asked again', async (t) => {
  const pass = clock(t);
  const error = (code) => Object.assign(new Error(code), { code });
  const rotated = await prepared(async () => {
    throw error('rotated');
  });
  rotated.signaling.start();
  await pass(5000);
  assert.deepEqual(rotated.states, ['connecting', 'ended rotated']);
  let asked = 0;
  const slow = await prepared(async () => {
    asked += 1;
    if (asked < 3) throw error(asked === 1 ? 'unreachable' : 'slow-down');
    return { id: 'kl-a', token: 't' };
  });
  slow.signaling.start();
  await pass(5000);
  assert.equal(asked, 3);
  assert.equal(slow.transport.lines.length, 1);
});

test('a forgotten token is renewed, a few times', async (t) => {
  const pass = clock(t);
  let renewed = 0;
  const { transport, signaling, states } = await prepared(async () => ({ id: 'kl-a', token: `t${(renewed += 1)}` }));
  signaling.start();
  for (let round = 0; round < 10 && states.at(-1) !== 'ended refused'; round += 1) {
    await pass(4000);
    if (signaling.state !== 'connecting') continue;
    transport.say({ type: 'ERROR', payload: { code: 'forbidden' } });
    transport.last.handlers.closed(4003);
  }
  assert.equal(states.at(-1), 'ended refused');
  assert.equal(renewed, 4);
});

test('a full room is tried again, slowly', async (t) => {
  const pass = clock(t);
  const { transport, signaling, states } = await prepared();
  signaling.start();
  await settle();
  transport.say({ type: 'ERROR', payload: { code: 'full' } });
  transport.last.handlers.closed(4005);
  assert.equal(states.at(-1), 'waiting full');
  await pass(4900);
  assert.equal(transport.lines.length, 1);
  await pass(200);
  assert.equal(transport.lines.length, 2);
});

test('what a line that was let go of says is not heard', async () => {
  const { transport, signaling } = await prepared();
  const rosters = [];
  signaling.on('roster', (roster) => rosters.push(roster));
  signaling.start();
  await settle();
  const old = transport.last.handlers;
  signaling.stop(false);
  old.message('{"type":"OPEN"}');
  old.message('{"type":"ROOM","payload":{"you":"kl-a","people":[]}}');
  old.closed(1006);
  assert.equal(signaling.state, 'idle');
  assert.deepEqual(rosters, []);
});
