import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { CODE_LENGTH, EMOJI, fingerprints, safetyCode } from '../../Sources/WebClient/Site/app/safety.js';
import { sha256 } from '../../Sources/WebClient/Site/app/sha256.js';

const print = (byte) => Array.from({ length: 32 }, () => byte.toString(16).padStart(2, '0').toUpperCase()).join(':');
const sdp = (...prints) => `v=0\r\n${prints.map((p) => `a=fingerprint:sha-256 ${p}\r\n`).join('')}a=setup:actpass\r\n`;
const names = (code) => code.map(({ name }) => name);

test('SHA-256 agrees with the platform at every length around its block', () => {
  for (let length = 0; length <= 200; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 31 + length) & 0xff);
    assert.equal(Buffer.from(sha256(bytes)).toString('hex'), createHash('sha256').update(bytes).digest('hex'), `${length}`);
  }
});

test('both sides read the same code', () => {
  const [one, other] = [sdp(print(0x11)), sdp(print(0xe2))];
  assert.deepEqual(safetyCode(one, other), safetyCode(other, one));
  assert.equal(safetyCode(one, other).length, CODE_LENGTH);
});

test('a stranger between the two changes the code of each', () => {
  const [ada, bob, mallory] = [0x01, 0x02, 0x03].map((byte) => sdp(print(byte)));
  assert.notDeepEqual(names(safetyCode(ada, bob)), names(safetyCode(ada, mallory)));
  assert.notDeepEqual(names(safetyCode(ada, bob)), names(safetyCode(mallory, bob)));
});

test('the code is the first 36 bits of the hash of both fingerprints, sorted', () => {
  const digest = createHash('sha256').update(`${print(0x11).toLowerCase()}|${print(0xe2).toLowerCase()}`).digest();
  const bits = Array.from(digest, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const expected = Array.from({ length: CODE_LENGTH }, (_, index) => EMOJI[parseInt(bits.slice(6 * index, 6 * index + 6), 2)][1]);
  assert.deepEqual(names(safetyCode(sdp(print(0xe2)), sdp(print(0x11)))), expected);
});

test('a second fingerprint slipped into a description changes the code', () => {
  const [one, other] = [sdp(print(0x11)), sdp(print(0xe2))];
  assert.notDeepEqual(names(safetyCode(one, other)), names(safetyCode(one, sdp(print(0xe2), print(0x33)))));
});

test('the same fingerprint in every section counts once, whatever its case', () => {
  assert.deepEqual(fingerprints(sdp(print(0xab), print(0xab).toLowerCase())), [print(0xab).toLowerCase()]);
});

test('no code without a SHA-256 fingerprint on both sides', () => {
  assert.equal(safetyCode(sdp(print(1)), 'v=0\r\na=fingerprint:sha-1 AA:BB\r\n'), null);
  assert.equal(safetyCode(sdp(print(1)), `a=fingerprint:sha-256 ${print(1)}:00\r\n`), null);
  assert.equal(safetyCode(undefined, sdp(print(1))), null);
});

test('64 pictures, each picture and each name once', () => {
  assert.equal(EMOJI.length, 64);
  assert.equal(new Set(EMOJI.map(([picture]) => picture)).size, 64);
  assert.equal(new Set(EMOJI.map(([, name]) => name)).size, 64);
});
