import assert from 'node:assert/strict';
import test from 'node:test';
import { FIRST_OFFER_WAIT, MAX_RESTARTS, decide, decideAsked, decideOffered } from '../../Sources/WebClient/Site/app/link-policy.js';
import { MAX_OWN } from '../../Sources/WebClient/Site/app/chat.js';
import { World } from './simulation.mjs';

/** Ada and Bob meet; 'kl-a' is the smaller id and dials. */
async function pair() {
  const world = new World();
  const [ada, bob] = [world.page('kl-a'), world.page('kl-b')];
  const links = { ada: ada.meet('kl-b'), bob: bob.meet('kl-a') };
  await world.run(2000);
  return { world, ada, bob, ...links };
}

const numbers = (link) => ({ state: link.state, connections: link.connections, restarts: link.restarts });
const fresh = { state: 'connected', connections: 1, restarts: 0 };

test('two who meet at the same moment make one connection, and only the smaller id offers', async () => {
  const { world, ada, bob } = await pair();
  assert.deepEqual(numbers(ada), fresh);
  assert.deepEqual(numbers(bob), fresh);
  assert.equal(world.offers('kl-a').length, 1);
  assert.equal(world.offers('kl-b').length, 0);
  assert.deepEqual(ada.code, bob.code);
  assert.equal(ada.code.length, 6);
});

test('an offer from the larger id is ignored', async () => {
  const { world, ada } = await pair();
  ada.receive('OFFER', { ...world.offers('kl-a')[0].payload, connection: 'ff'.repeat(8), begins: true });
  await world.run(1000);
  assert.deepEqual(numbers(ada), fresh);
});

test('a working link is left alone while the box is away, however long', async () => {
  const { world, ada, bob } = await pair();
  world.boxUp = false;
  ada.setReachable(false);
  bob.setReachable(false);
  await world.run(60_000);
  world.boxUp = true;
  ada.setReachable(true);
  bob.setReachable(true);
  await world.run(5000);
  assert.deepEqual(numbers(ada), fresh);
  assert.deepEqual(numbers(bob), fresh);
});

test('a dead link is noticed within three seconds and a half', async () => {
  const { world, ada, bob } = await pair();
  world.cut('kl-b');
  await world.run(3500);
  assert.equal(ada.state, 'reconnecting');
  assert.equal(bob.state, 'reconnecting');
});

test('after 30 seconds without Wi-Fi ICE restarts on the same connection, as soon as the box is reached', async () => {
  const { world, ada, bob } = await pair();
  world.cut('kl-b');
  await world.run(2000);
  bob.setReachable(false);
  await world.run(10_000);
  ada.setReachable(false);
  await world.run(18_000);
  world.mend('kl-b');
  bob.setReachable(true);
  ada.setReachable(true);
  await world.run(1500);
  assert.deepEqual(numbers(bob), { state: 'connected', connections: 1, restarts: 1 });
  assert.equal(ada.state, 'connected');
  assert.equal(ada.connections, 1);
  assert.ok(ada.restarts <= 3, 'two in vain while the box did not yet know, one that healed');
});

// Chromium calls the connection failed for a moment after ICE has healed. That was taken for the end of DTLS: in vain was
// the restart, and a new connection was made.
test('the same in a browser whose connection is still called failed when ICE has healed', async () => {
  const { world, ada, bob } = await pair();
  world.tellsLate = true;
  world.cut('kl-b');
  bob.setReachable(false);
  ada.setReachable(false);
  await world.run(30_000);
  assert.deepEqual(world.connections.map((one) => [one.iceConnectionState, one.connectionState]),
    [['disconnected', 'failed'], ['disconnected', 'failed']]);
  world.mend('kl-b');
  bob.setReachable(true);
  ada.setReachable(true);
  await world.run(10_000);
  assert.deepEqual(numbers(ada), { state: 'connected', connections: 1, restarts: 1 });
  assert.deepEqual(numbers(bob), { state: 'connected', connections: 1, restarts: 1 });
});

test('where DTLS has ended, ICE heals in vain, and one new connection is made', async () => {
  const { world, ada, bob } = await pair();
  world.cut('kl-b');
  await world.run(30_000);
  world.endedDTLS = true;
  world.mend('kl-b');
  await world.run(20_000);
  for (const link of [ada, bob]) {
    assert.equal(link.state, 'connected');
    assert.equal(link.connections, 2);
  }
});

test('a short loss heals without a restart', async () => {
  const { world, ada, bob } = await pair();
  world.cut('kl-b');
  await world.run(3500);
  world.mend('kl-b');
  await world.run(3000);
  assert.deepEqual(numbers(ada), fresh);
  assert.deepEqual(numbers(bob), fresh);
});

for (const [reloader, other] of [['kl-a', 'kl-b'], ['kl-b', 'kl-a']]) {
  test(`a reload of the ${reloader === 'kl-a' ? 'dialling' : 'answering'} page brings one new connection`, async () => {
    const { world } = await pair();
    const page = world.pages.get(reloader).reload();
    await world.run(400);
    const link = page.meet(other);
    await world.run(3000);
    assert.deepEqual(numbers(link), fresh);
    assert.deepEqual(numbers(world.pages.get(other).links.get(reloader)), { state: 'connected', connections: 2, restarts: 0 });
  });

  test(`the same when nobody could be told: ${reloader} lost the network, then loaded again`, async () => {
    const { world } = await pair();
    world.cut(reloader);
    const page = world.pages.get(reloader).reload();
    await world.run(3000);
    world.mend(reloader);
    const link = page.meet(other);
    await world.run(9000);
    assert.equal(link.state, 'connected');
    const kept = world.pages.get(other).links.get(reloader);
    assert.equal(kept.state, 'connected');
    assert.equal(kept.connections, 2, 'the page that stayed makes exactly one new connection');
  });
}

test('a lost first offer is sent again', async () => {
  const world = new World();
  world.losses.set('OFFER', 1);
  const ada = world.page('kl-a').meet('kl-b');
  const bob = world.page('kl-b').meet('kl-a');
  await world.run(3000);
  assert.equal(ada.state, 'connected');
  assert.equal(bob.state, 'connected');
  assert.equal(ada.connections, 1);
});

test('a lost answer is made up for', async () => {
  const world = new World();
  world.losses.set('ANSWER', 1);
  const ada = world.page('kl-a').meet('kl-b');
  world.page('kl-b').meet('kl-a');
  await world.run(10_000);
  assert.equal(ada.state, 'connected');
  assert.equal(ada.connections, 1);
});

test('the answering side, which alone sees a loss, asks for the restart', async () => {
  const { world, bob } = await pair();
  const asked = () => world.signals.filter(({ from, payload }) => from === 'kl-b' && payload.restart === true).length;
  const before = asked();
  world.cut('kl-a');
  await world.run(3000);
  assert.equal(bob.state, 'reconnecting');
  await world.run(3000);
  assert.equal(asked(), before + 1);
});

test('nothing is tried for a person the box lists as away, and everything at once when they are back', async () => {
  const { world, ada } = await pair();
  world.cut('kl-b');
  await world.run(1000);
  ada.setReachable(false);
  const before = world.signals.length;
  await world.run(60_000);
  assert.equal(world.signals.length, before);
  world.mend('kl-b');
  ada.setReachable(true);
  await world.run(1000);
  assert.deepEqual(numbers(ada), { state: 'connected', connections: 1, restarts: 1 });
});

// After an ICE restart nobody was told, and what could not be sent meanwhile never was.
test('whoever has something to say is told when frames can be sent, and when they can be sent again', async () => {
  const { world, ada, bob } = await pair();
  const opened = { ada: 0, bob: 0 };
  ada.on('open', () => (opened.ada += 1));
  bob.on('open', () => (opened.bob += 1));
  const frame = { kind: 'chat', log: 'ab'.repeat(8), sequence: 1, text: 'x', age: 0 };
  assert.ok(ada.send(frame));
  world.cut('kl-b');
  await world.run(10_000);
  assert.equal(ada.send(frame), false);
  assert.deepEqual(opened, { ada: 0, bob: 0 });
  world.mend('kl-b');
  await world.run(10_000);
  assert.deepEqual(opened, { ada: 1, bob: 1 });
  assert.ok(ada.send(frame));
  assert.equal(ada.connections, 1);
  world.pages.get('kl-b').reload();
  world.pages.get('kl-b').meet('kl-a');
  await world.run(10_000);
  assert.equal(ada.connections, 2);
  assert.equal(opened.ada, 2, 'once for the new connection');
});

test('a closed link does nothing more', async () => {
  const { world, ada, bob } = await pair();
  ada.close();
  const before = world.offers('kl-a').length;
  await world.run(10_000);
  assert.equal(ada.state, 'closed');
  assert.equal(world.offers('kl-a').length, before);
  assert.equal(bob.state, 'reconnecting');
});

test('frames arrive, and a flood of them is cut', async () => {
  const { world, ada, bob } = await pair();
  const heard = [];
  bob.on('frame', (frame) => heard.push(frame.sequence));
  assert.equal(ada.connection, bob.connection);
  for (let sequence = 1; sequence <= 500; sequence += 1) ada.send({ kind: 'chat', log: 'ab'.repeat(8), sequence, text: 'x', age: 0 });
  await world.run(500);
  assert.deepEqual(heard.slice(0, 3), [1, 2, 3]);
  // Whoever was away gets up to MAX_OWN messages at once; of a shorter burst the end was lost.
  assert.ok(heard.length >= MAX_OWN && heard.length < 300, `${heard.length}`);
});

// The policy by itself.

const down = {
  dials: true, reachable: true, healthy: false, opened: true, broken: false, failed: false, interruptedAt: 0,
  attemptedAt: -Infinity, offeredAt: -Infinity, attempts: 0, peerInstance: 'aa', connection: 'c1', answered: true, attempt: 1,
};

test('restarts come before a new connection, and there are only so many', () => {
  const actions = [];
  let facts = { ...down };
  for (let now = 0; now <= 120_000; now += 500) {
    const action = decide(facts, now);
    if (action === 'none') continue;
    actions.push(action);
    facts = { ...facts, attempts: facts.attempts + 1, attemptedAt: now };
    if (actions.length > MAX_RESTARTS + 1) break;
  }
  assert.deepEqual(actions, ['restart', 'restart', 'restart', 'restart', 'dial']);
});

// Firefox ended DTLS in the middle of an ICE restart, and four seconds passed before a new connection was asked for.
test('what can not be healed is replaced at once, but not again and again', () => {
  const tried = { ...down, attempts: 1, attemptedAt: 0 };
  assert.equal(decide(tried, 2500), 'none');
  assert.equal(decide({ ...tried, broken: true }, 1500), 'none');
  assert.equal(decide({ ...tried, broken: true }, 2500), 'dial');
  assert.equal(decide({ ...tried, broken: true, dials: false }, 2500), 'ask');
  assert.equal(decide({ ...tried, broken: true, attempts: MAX_RESTARTS + 1 }, 2500), 'none');
});

test('the answering side never dials', () => {
  for (const broken of [false, true]) {
    for (const opened of [false, true]) {
      const action = decide({ ...down, dials: false, broken, opened, attempts: 9 }, 1e6);
      assert.equal(action, 'ask');
    }
  }
  assert.equal(decide({ ...down, dials: false, opened: false, interruptedAt: 0 }, FIRST_OFFER_WAIT - 1), 'none');
});

test('a request to restart: what is already under way is not begun again', () => {
  const asked = { instance: 'aa', connection: 'c1' };
  assert.equal(decideAsked({ ...down, attemptedAt: 1000, offeredAt: 1010 }, asked, 1500), 'none');
  assert.equal(decideAsked({ ...down, attemptedAt: 1000, offeredAt: 1010 }, asked, 9000), 'restart');
  assert.equal(decideAsked({ ...down, attemptedAt: 1000, offeredAt: 1010 }, { ...asked, instance: 'bb' }, 1500), 'dial');
  assert.equal(decideAsked({ ...down, attemptedAt: 1000, offeredAt: 1010 }, { ...asked, connection: null }, 1500), 'dial');
  assert.equal(decideAsked({ ...down, opened: false }, asked, 1500), 'dial');
  const begun = { ...down, answered: false, peerInstance: null };
  assert.equal(decideAsked({ ...begun, attemptedAt: 1000, offeredAt: 900 }, { ...asked, connection: null }, 1100), 'none');
  assert.equal(decideAsked({ ...begun, attemptedAt: 1000, offeredAt: 1010 }, { ...asked, connection: null }, 1100), 'none');
  assert.equal(decideAsked({ ...begun, attemptedAt: 1000, offeredAt: 1010 }, { ...asked, connection: null }, 1500), 'restart');
});

test('offers: a stale one is dropped, one for an unknown connection is only taken if it begins one', () => {
  assert.equal(decideOffered({ ...down, attempt: 2 }, { connection: 'c1', attempt: 2, begins: false }), 'none');
  assert.equal(decideOffered({ ...down, attempt: 2 }, { connection: 'c1', attempt: 3, begins: false }), 'answer');
  assert.equal(decideOffered(down, { connection: 'c2', attempt: 1, begins: true }), 'open');
  assert.equal(decideOffered(down, { connection: 'c2', attempt: 5, begins: false }), 'ask');
});
