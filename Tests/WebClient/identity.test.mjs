import assert from 'node:assert/strict';
import test from 'node:test';
import { Identity, MAX_SLOTS, parseFragment } from '../../Sources/WebClient/Site/app/identity.js';

class FakeStorage {
  #items = new Map();
  getItem(key) {
    return this.#items.get(key) ?? null;
  }
  setItem(key, value) {
    this.#items.set(key, value);
  }
  removeItem(key) {
    this.#items.delete(key);
  }
  copy() {
    const copy = new FakeStorage();
    for (const [key, value] of this.#items) copy.setItem(key, value);
    return copy;
  }
}

/** The Web Locks of one origin. */
class FakeLocks {
  #held = new Set();
  #waiting = [];

  async request(name, { ifAvailable, signal }, use) {
    if (this.#held.has(name)) {
      if (ifAvailable) return use(null);
      await new Promise((resolve, reject) => {
        this.#waiting.push({ name, resolve });
        signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      });
    }
    this.#held.add(name);
    return use({ name });
  }

  /** The tab that held it is closed. */
  release(name) {
    this.#held.delete(name);
    this.#waiting.find((waiting) => waiting.name === name)?.resolve();
  }
}

async function tab(browser, session = new FakeStorage()) {
  const identity = new Identity({ locks: browser.locks, lasting: browser.lasting, session });
  await identity.open();
  return { identity, session };
}

const newBrowser = () => ({ locks: new FakeLocks(), lasting: new FakeStorage() });

test('two tabs are two people; a closed tab leaves its identity to the next', async () => {
  const browser = newBrowser();
  const first = await tab(browser);
  first.identity.token = 'ada';
  const second = await tab(browser);
  assert.equal(second.identity.token, null);
  second.identity.token = 'bob';
  browser.locks.release('kibitz-local.slot.0');
  assert.equal((await tab(browser)).identity.token, 'ada');
});

test('a reload keeps the identity, even while the old page still holds it for a moment', async () => {
  const browser = newBrowser();
  await tab(browser);
  const { identity, session } = await tab(browser);
  identity.token = 'bob';
  identity.joined = { camera: true, microphone: false };
  setTimeout(() => browser.locks.release('kibitz-local.slot.1'), 50);
  const again = await tab(browser, session);
  assert.equal(again.identity.token, 'bob');
  assert.deepEqual(again.identity.joined, { camera: true, microphone: false });
  assert.notEqual(again.identity.instance, identity.instance);
});

test('a copied tab is another person, who has not joined', async () => {
  const browser = newBrowser();
  const { identity, session } = await tab(browser);
  identity.token = 'ada';
  identity.joined = { camera: true, microphone: true };
  const copy = await tab(browser, session.copy());
  assert.equal(copy.identity.token, null);
  assert.equal(copy.identity.joined, null);
});

test('without locks the identity stays in its tab', async () => {
  const browser = { locks: undefined, lasting: new FakeStorage() };
  const { identity, session } = await tab(browser);
  identity.token = 'ada';
  identity.name = 'Ada';
  assert.equal((await tab(browser, session)).identity.token, 'ada');
  const other = await tab(browser);
  assert.equal(other.identity.token, null);
  assert.equal(other.identity.name, 'Ada', 'the name is remembered for the person');
});

test('more tabs than slots still work', async () => {
  const browser = newBrowser();
  for (let index = 0; index < MAX_SLOTS; index += 1) await tab(browser);
  const { identity } = await tab(browser);
  identity.token = 'ninth';
  assert.equal(identity.token, 'ninth');
});

test('a storage that refuses is no end', async () => {
  const refusing = { getItem() { throw new Error('no'); }, setItem() { throw new Error('no'); }, removeItem() { throw new Error('no'); } };
  const identity = new Identity({ locks: undefined, lasting: refusing, session: refusing });
  await identity.open();
  identity.token = 'x';
  identity.joined = { camera: true, microphone: true };
  assert.equal(identity.token, null);
  assert.equal(identity.joined, null);
});

test('the hub is remembered for its room alone', async () => {
  const browser = newBrowser();
  const { identity } = await tab(browser);
  identity.rememberHub('secret', 'g1|…');
  assert.equal((await tab(browser)).identity.hub('secret'), 'g1|…');
  assert.equal(identity.hub('the next secret'), null);
});

test('fragments', () => {
  assert.deepEqual(parseFragment('#aB3_-x'), { secret: 'aB3_-x', token: null, name: '', mark: null });
  assert.deepEqual(parseFragment('#s&t=tok.1&n=Ada%20L&m=00'), { secret: 's', token: 'tok.1', name: 'Ada L', mark: '00' });
  for (const wrong of ['', '#', '#&t=x', '#a b', '#<script>', `#${'x'.repeat(200)}`]) {
    assert.deepEqual(parseFragment(wrong), { secret: null, token: null, name: '', mark: null }, wrong);
  }
});
