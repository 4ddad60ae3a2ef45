import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { qrModules, qrPath } from '../../Sources/WebClient/Site/app/qr.js';

const QUIET = 4;
const SCALE = 4;
/** The most bytes that fit at level M (ISO/IEC 18004, table 7), by version. */
const CAPACITY = { 1: 14, 2: 26, 5: 84, 6: 106, 7: 122, 9: 180, 10: 213, 14: 362, 20: 666, 27: 1125, 32: 1538, 40: 2331 };

const textOf = (length) => 'http://192.168.4.1:8080/#aB3_-é'.repeat(100).slice(0, length).replaceAll('é', 'e');

function decode(rows) {
  const side = (rows.length + 2 * QUIET) * SCALE;
  const pixels = Buffer.alloc(side * side, 0xff);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const [row, column] = [Math.floor(y / SCALE) - QUIET, Math.floor(x / SCALE) - QUIET];
      if (rows[row]?.[column]) pixels[y * side + x] = 0;
    }
  }
  const directory = mkdtempSync(join(tmpdir(), 'kibitz-qr-'));
  try {
    const file = join(directory, 'code.pgm');
    writeFileSync(file, Buffer.concat([Buffer.from(`P5 ${side} ${side} 255\n`), pixels]));
    return execFileSync('zbarimg', ['-q', '--raw', '-S*.disable', '-Sqrcode.enable', file], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .replace(/\n$/, '');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('each version holds as much as the standard says, and no more', () => {
  for (const [version, capacity] of Object.entries(CAPACITY)) {
    assert.equal((qrModules(textOf(capacity)).length - 17) / 4, Number(version), `version ${version}`);
    if (version === '40') assert.throws(() => qrModules(textOf(capacity + 1)), RangeError);
    else assert.equal((qrModules(textOf(capacity + 1)).length - 17) / 4, Number(version) + 1);
  }
});

test('finders, timing and the dark module are where the standard puts them', () => {
  const rows = qrModules('kibitz');
  const size = rows.length;
  const finder = ['1111111', '1000001', '1011101', '1011101', '1011101', '1000001', '1111111'];
  for (const [x, y] of [[0, 0], [size - 7, 0], [0, size - 7]]) {
    finder.forEach((line, dy) => {
      assert.equal(rows[y + dy].slice(x, x + 7).map(Number).join(''), line);
    });
  }
  for (let index = 8; index < size - 8; index += 1) {
    assert.equal(rows[6][index], index % 2 === 0);
    assert.equal(rows[index][6], index % 2 === 0);
  }
  assert.equal(rows[size - 8][8], true);
});


test('a camera reads every version', () => {
  for (const length of [1, ...Object.values(CAPACITY)]) {
    assert.equal(decode(qrModules(textOf(length))), textOf(length), `${length} bytes`);
  }
});

test('a camera reads letters beyond ASCII', () => {
  assert.equal(decode(qrModules('https://kibitz.chat/#Zoë–☂')), 'https://kibitz.chat/#Zoë–☂');
});

test('the drawing covers exactly the dark modules', () => {
  const { path, side } = qrPath('http://10.0.0.1/#secret');
  const rows = qrModules('http://10.0.0.1/#secret');
  assert.equal(side, rows.length + 2 * QUIET);
  const drawn = rows.map((row) => row.map(() => false));
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let dx = 0; dx < Number(width); dx += 1) drawn[y - QUIET][x - QUIET + dx] = true;
  }
  assert.deepEqual(drawn, rows);
});
