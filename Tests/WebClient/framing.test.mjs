import assert from 'node:assert/strict';
import test from 'node:test';
import { decompress, encodeFrame, FrameReader, MAX_MESSAGE_BYTES } from '../../Sources/WebClient/Site/app/framing.js';

const bytes = (...values) => Uint8Array.from(values.flat());
const text = (message) => new TextDecoder().decode(message);
const joined = (pieces) => bytes(...pieces.map((piece) => [...piece]));

test('what is written is read again, whole and in any pieces', () => {
  for (const length of [0, 1, 14, 15, 16, 269, 270, 271, 525, 1000, 61_440, 200_000]) {
    const message = Uint8Array.from({ length }, (_, index) => (index * 31) % 251);
    const pieces = encodeFrame(message);
    assert.ok(pieces.every((piece) => piece.length <= 61_440));
    const reader = new FrameReader();
    const read = pieces.flatMap((piece) => reader.push(piece));
    assert.equal(read.length, 1);
    assert.deepEqual(read[0], message);
  }
  const two = joined([...encodeFrame(bytes(1, 2, 3)), ...encodeFrame(bytes(4))]);
  for (let cut = 0; cut <= two.length; cut += 1) {
    const reader = new FrameReader();
    const read = [...reader.push(two.subarray(0, cut)), ...reader.push(two.subarray(cut))];
    assert.deepEqual(read.map((message) => [...message]), [[1, 2, 3], [4]]);
  }
});

test('blocks as a compressor makes them: matches that overlap, and long counts', () => {
  // 3 literals, then a match of 9 bytes three back, then one literal: by hand from the LZ4 block format.
  assert.equal(text(decompress(bytes(13, 0, 0, 0, 0x35, [...'abc'].map((c) => c.charCodeAt(0)), 3, 0, 0x10, 33))), 'abcabcabcabc!');
  // One literal repeated: a match of 4 + 15 + 255 + 26 = 300.
  assert.equal(text(decompress(bytes(302, 0, 0, 0, 0x1f, 120, 1, 0, 255, 26, 0x10, 121).with(0, 302 & 255).with(1, 1))), `${'x'.repeat(301)}y`);
  assert.equal(decompress(bytes(0, 0, 0, 0, 0)).length, 0);
});

test('what is no frame ends the reading', () => {
  for (const wrong of [
    bytes(0, 0, 0, 0),
    bytes(1, 0, 0, 1),
    bytes(0, 0, 0, 1, 0),
    bytes(0, 0, 0, 5, 255, 255, 255, 255, 0),
    bytes(0, 0, 0, 6, 1, 0, 0, 0, 0x20, 1),
    bytes(0, 0, 0, 9, 9, 0, 0, 0, 0x10, 1, 2, 0, 0),
    bytes(0, 0, 0, 9, 9, 0, 0, 0, 0x10, 1, 0, 0, 0),
    bytes(0, 0, 0, 6, 20, 0, 0, 0, 0xf0, 255),
  ]) {
    assert.equal(new FrameReader().push(wrong), null, [...wrong].join());
  }
  assert.ok(MAX_MESSAGE_BYTES < 0x01_00_00_01);
});

test('no message is made of a block cut short', () => {
  const block = bytes(13, 0, 0, 0, 0x35, 97, 98, 99, 3, 0, 0x10, 33);
  for (let length = 0; length < block.length; length += 1) assert.equal(decompress(block.subarray(0, length)), null, `${length}`);
});
