import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { HEAD_START, REDIAL_FIRST, REDIAL_LONGEST } from '../../Sources/WebClient/Site/app/race.js';
import { Signaling } from '../../Sources/WebClient/Site/app/signaling.js';

/** A transport the test plays the box on. `prepare` is what it does before it is ready, a session for one. */
class FakeTransport {
  lines = [];
  heartbeat = 5000;
  silence = 12_000;
  prepare;

  constructor(name = 'websocket', prepare = async (membership) => membership.accept({ id: 'kl-a', token: 't' })) {
    this.name = name;
    this.prepare = prepare;
  }

  open(membership, handlers) {
    const line = { handlers, sent: [], attached: false, closed: false };
    this.lines.push(line);
    this.prepare(membership).then(
      () => line.closed || handlers.ready(),
      (error) => line.closed || handlers.closed(1006, error.code)
    );
    return {
      attach: () => (line.attached = true),
      send: (text) => line.sent.push(JSON.parse(text)),
      close: () => (line.closed = true),
    };
  }

  get last() {
    return this.lines[this.lines.length - 1];
  }

  say(message) {
    this.last.handlers.message(JSON.stringify(message));
  }

  close(code) {
    this.last.handlers.closed(code);
  }
}

class FakeMembership {
  current = null;
  forgotten = 0;
  accept(session) {
    this.current = session;
  }
  forget() {
    this.current = null;
    this.forgotten += 1;
  }
}

const settle = () => new Promise(setImmediate);

async function prepared(prepare) {
  const transport = new FakeTransport('websocket', prepare);
  const membership = new FakeMembership();
  const signaling = new Signaling({ transports: [transport], membership });
  const states = [];
  signaling.on('state', ({ state, reason }) => states.push(reason ? `${state} ${reason}` : state));
  return { transport, membership, signaling, states };
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
  });
  slow.signaling.start();
  await pass(5000);
  assert.equal(asked, 3);
  assert.deepEqual(slow.transport.lines.map(({ attached }) => attached), [false, false, true]);
});

test('a forgotten token is renewed, a few times', async (t) => {
  const pass = clock(t);
  const { transport, membership, signaling, states } = await prepared();
  signaling.start();
  for (let round = 0; round < 10 && states.at(-1) !== 'ended refused'; round += 1) {
    await pass(4000);
    if (signaling.state !== 'connecting') continue;
    transport.say({ type: 'ERROR', payload: { code: 'forbidden' } });
    transport.last.handlers.closed(4003);
  }
  assert.equal(states.at(-1), 'ended refused');
  assert.equal(membership.forgotten, 4);
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

/** A page that has both ways; each way gets ready when the test says so. */
function both() {
  const gates = { websocket: [], hub: [] };
  const make = (name) =>
    new FakeTransport(name, async (membership) => {
      await new Promise((resolve, reject) => gates[name].push({ resolve, reject }));
      if (name === 'websocket') membership.current ??= { id: 'kl-a', token: 't' };
    });
  const ways = { websocket: make('websocket'), hub: make('hub') };
  const membership = new FakeMembership();
  const signaling = new Signaling({ transports: [ways.websocket, ways.hub], membership });
  const open = async (name) => {
    gates[name].at(-1).resolve();
    await settle();
  };
  /** The hub's SESSION comes before its OPEN. */
  const carry = (name) => {
    if (name === 'hub') membership.accept({ id: 'kl-a', token: 't' });
    ways[name].say({ type: 'OPEN' });
  };
  const fail = async (name, code) => {
    gates[name].at(-1).reject(Object.assign(new Error(name), { code }));
    await settle();
  };
  return { ways, membership, signaling, open, carry, fail };
}

test('both ways are dialled at once; the WebSocket goes first where it is ready in time, and the hub is let go', async (t) => {
  const pass = clock(t);
  const { ways, signaling, open, carry } = both();
  signaling.start();
  await open('hub');
  await pass(HEAD_START - 200);
  assert.equal(ways.hub.last.attached, false, 'the hub waits');
  await open('websocket');
  assert.equal(ways.websocket.last.attached, true);
  await pass(100);
  carry('websocket');
  assert.equal(signaling.carrier, 'websocket');
  assert.deepEqual([ways.hub.last.attached, ways.hub.last.closed], [false, true], 'never two lines of one person');
  await pass(10_000);
  assert.equal(ways.hub.lines.length, 1, 'a line that is not needed costs the phone and the box nothing');
});

test('the hub carries where the WebSocket has had its head start', async (t) => {
  const pass = clock(t);
  const { ways, signaling, open, carry } = both();
  signaling.start();
  await open('hub');
  await pass(HEAD_START + 50);
  assert.equal(ways.hub.last.attached, true);
  carry('hub');
  assert.equal(signaling.carrier, 'hub');
  assert.equal(ways.websocket.last.closed, true);
});

test('the hub carries at once where the WebSocket is refused', async (t) => {
  const pass = clock(t);
  const { ways, signaling, open, carry } = both();
  signaling.start();
  await open('websocket');
  ways.websocket.close(1006);
  await open('hub');
  // The box has just shown that it lives: the WebSocket gets one more try, and fails it.
  await open('websocket');
  ways.websocket.close(1006);
  await pass(50);
  assert.equal(ways.hub.last.attached, true);
  carry('hub');
  assert.equal(signaling.carrier, 'hub');
  assert.equal(ways.websocket.lines.length, 2);
});

test('an attaching WebSocket that hangs gives way to a hub that is ready', async (t) => {
  const pass = clock(t);
  const { ways, signaling, open, carry } = both();
  signaling.start();
  await open('websocket');
  assert.equal(ways.websocket.last.attached, true);
  await open('hub');
  await pass(HEAD_START - 100);
  assert.equal(ways.hub.last.attached, false);
  await pass(200);
  assert.deepEqual([ways.websocket.lines[0].closed, ways.hub.last.attached], [true, true]);
  carry('hub');
  // The given-up WebSocket got through late and replaced the hub's line: that is no other tab.
  ways.hub.close(4002);
  assert.equal(signaling.state, 'waiting');
  await pass(500);
  assert.equal(signaling.state, 'connecting');
});

test('a line replaced by another tab ends, though both ways were dialled', async (t) => {
  const pass = clock(t);
  const once = both();
  once.signaling.start();
  await once.open('websocket');
  await once.open('hub');
  once.carry('websocket');
  await pass(300);
  once.ways.websocket.close(4002);
  assert.deepEqual([once.signaling.state, once.signaling.reason], ['ended', 'replaced'], 'only this line ever reached the box');
  const late = both();
  late.signaling.start();
  await late.open('websocket');
  await late.open('hub');
  await pass(HEAD_START + 100);
  late.carry('hub');
  await pass(3000);
  late.ways.hub.close(4002);
  assert.deepEqual([late.signaling.state, late.signaling.reason], ['ended', 'replaced'], 'the given-up one is long gone');
});

test('when the carrying line dies, both are dialled again and the one that carried goes first', async (t) => {
  const pass = clock(t);
  const { ways, signaling, open, carry } = both();
  signaling.start();
  await open('hub');
  await pass(HEAD_START + 50);
  carry('hub');
  ways.hub.close(1006);
  await pass(REDIAL_FIRST + 50);
  assert.deepEqual([ways.hub.lines.length, ways.websocket.lines.length], [2, 2]);
  await open('websocket');
  assert.equal(ways.websocket.last.attached, false, 'held back a moment');
  await open('hub');
  assert.equal(ways.hub.last.attached, true);
  carry('hub');
  ways.hub.close(1006);
  await pass(REDIAL_FIRST + 50);
  await open('websocket');
  await pass(HEAD_START + 50);
  assert.equal(ways.websocket.last.attached, true, 'the hub does not answer any more');
  carry('websocket');
  assert.equal(signaling.carrier, 'websocket');
});

test('a way that failed is dialled again by itself while another one is still trying', async (t) => {
  const pass = clock(t);
  const { ways, signaling, fail } = both();
  signaling.start();
  for (let round = 1; round <= 4; round += 1) {
    await fail('websocket', 'unreachable');
    await pass(REDIAL_LONGEST);
    assert.ok(ways.websocket.lines.length > round);
  }
  assert.equal(signaling.state, 'connecting');
  assert.ok(ways.hub.lines.length <= 3, 'a dial of the hub has its time');
});

test('what the box says of the code ends every way', async (t) => {
  const pass = clock(t);
  for (const [say, expected] of [
    [({ ways }) => ways.hub.say({ type: 'ERROR', payload: { code: 'rotated', msg: 'x' } }), ['ended', 'rotated']],
    [({ ways }) => ways.hub.close(4001), ['ended', 'rotated']],
    [({ ways }) => ways.hub.say({ type: 'ERROR', payload: { code: 'full' } }), ['waiting', 'full']],
    [({ ways }) => ways.hub.say({ type: 'ID-TAKEN', payload: {} }), ['waiting', 'unreachable']],
  ]) {
    const page = both();
    page.signaling.start();
    await page.open('hub');
    await pass(HEAD_START + 50);
    say(page);
    assert.deepEqual([page.signaling.state, page.signaling.reason], expected);
    assert.equal(page.ways.websocket.last.closed, true);
  }
});

test('waking up dials everything that waits or is stuck', async (t) => {
  const pass = clock(t);
  const { ways, signaling, fail } = both();
  signaling.start();
  await fail('websocket', 'unreachable');
  await pass(1200);
  const before = [ways.websocket.lines.length, ways.hub.lines.length];
  signaling.wake();
  await settle();
  assert.deepEqual([ways.websocket.lines.length, ways.hub.lines.length].map((count, index) => count - before[index]), [0, 1]);
  await fail('websocket', 'unreachable');
  signaling.wake();
  assert.equal(ways.websocket.lines.length, before[0] + 1);
});

test('leaving in the middle of dialling leaves nothing behind', async (t) => {
  const pass = clock(t);
  const { ways, signaling, open } = both();
  signaling.on('state', ({ state }) => state === 'waiting' && signaling.stop(false));
  signaling.start();
  await open('websocket');
  signaling.stop(true);
  await open('hub');
  await pass(20_000);
  assert.deepEqual([ways.websocket.lines.length, ways.hub.lines.length, signaling.state], [1, 1, 'idle']);
  assert.ok(ways.websocket.last.closed && ways.hub.last.closed);
});
