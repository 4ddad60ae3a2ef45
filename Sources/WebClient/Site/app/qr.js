/**
 * QR codes (ISO/IEC 18004): byte mode, error correction level M, any version. The page draws the invitation itself,
 * so that the room's secret stays in the phone.
 */

/** Error correction codewords for each block at level M, by version 1 to 40 (table 9). */
const CORRECTION = [
  10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
  26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
];
/** Blocks at level M, by version (table 9). */
const BLOCKS = [
  1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
  17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49,
];
const MAX_VERSION = 40;
/** The two bits that say level M in the format information (table 12). */
const LEVEL_M = 0b00;

/** The modules of the code for `text` as rows of booleans, true where dark. Throws a RangeError if it is too long. */
export function qrModules(text) {
  const bytes = new TextEncoder().encode(text);
  const version = smallestVersion(bytes.length);
  const codewords = interleave(dataCodewords(bytes, version), version);
  let best = null;
  for (let mask = 0; mask < 8; mask += 1) {
    const grid = new Grid(version);
    grid.drawPatterns(mask);
    grid.drawData(codewords, mask);
    const penalty = grid.penalty();
    if (best === null || penalty < best.penalty) best = { grid, penalty };
  }
  return best.grid.rows;
}

/** An SVG `path` of the dark modules, one unit each, and the side's length with the quiet zone of four. */
export function qrPath(text) {
  const rows = qrModules(text);
  const quiet = 4;
  let path = '';
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x += 1) {
      if (!row[x]) continue;
      let end = x;
      while (row[end]) end += 1;
      path += `M${x + quiet} ${y + quiet}h${end - x}v1h-${end - x}z`;
      x = end;
    }
  });
  return { path, side: rows.length + 2 * quiet };
}

function totalCodewords(version) {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const alignments = Math.floor(version / 7) + 2;
    modules -= (25 * alignments - 10) * alignments - 55;
    if (version >= 7) modules -= 36;
  }
  return modules >> 3;
}

function capacity(version) {
  return totalCodewords(version) - CORRECTION[version - 1] * BLOCKS[version - 1];
}

function countBits(version) {
  return version < 10 ? 8 : 16;
}

function smallestVersion(length) {
  for (let version = 1; version <= MAX_VERSION; version += 1) {
    if (4 + countBits(version) + 8 * length <= 8 * capacity(version)) return version;
  }
  throw new RangeError('too long for a QR code');
}

/** Mode, count, bytes, terminator and padding (section 7.4). */
function dataCodewords(bytes, version) {
  const size = capacity(version);
  const codewords = new Uint8Array(size);
  let position = 0;
  const append = (value, length) => {
    for (let bit = length - 1; bit >= 0; bit -= 1, position += 1) {
      if ((value >> bit) & 1) codewords[position >> 3] |= 0x80 >> (position & 7);
    }
  };
  append(0b0100, 4);
  append(bytes.length, countBits(version));
  for (const byte of bytes) append(byte, 8);
  position = Math.min(position + 4, 8 * size);
  let pad = 0xec;
  for (let index = Math.ceil(position / 8); index < size; index += 1) {
    codewords[index] = pad;
    pad ^= 0xec ^ 0x11;
  }
  return codewords;
}

/** Splits into blocks, adds the correction codewords of each, and interleaves (section 7.6). */
function interleave(data, version) {
  const blocks = BLOCKS[version - 1];
  const correction = CORRECTION[version - 1];
  const generator = generatorPolynomial(correction);
  const short = Math.floor(data.length / blocks);
  const longBlocks = data.length % blocks;
  const parts = [];
  let start = 0;
  for (let index = 0; index < blocks; index += 1) {
    const length = short + (index >= blocks - longBlocks ? 1 : 0);
    const part = data.subarray(start, start + length);
    parts.push({ data: part, correction: remainder(part, generator) });
    start += length;
  }
  const result = [];
  for (let index = 0; index <= short; index += 1) {
    for (const part of parts) if (index < part.data.length) result.push(part.data[index]);
  }
  for (let index = 0; index < correction; index += 1) {
    for (const part of parts) result.push(part.correction[index]);
  }
  return result;
}

/** Multiplication in GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function multiply(a, b) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((b >> bit) & 1) * a;
  }
  return product;
}

function generatorPolynomial(degree) {
  const coefficients = new Uint8Array(degree);
  coefficients[degree - 1] = 1;
  let root = 1;
  for (let step = 0; step < degree; step += 1) {
    for (let index = 0; index < degree; index += 1) {
      coefficients[index] = multiply(coefficients[index], root);
      if (index + 1 < degree) coefficients[index] ^= coefficients[index + 1];
    }
    root = multiply(root, 2);
  }
  return coefficients;
}

function remainder(data, generator) {
  const result = new Uint8Array(generator.length);
  for (const byte of data) {
    const factor = byte ^ result[0];
    result.copyWithin(0, 1);
    result[result.length - 1] = 0;
    generator.forEach((coefficient, index) => {
      result[index] ^= multiply(coefficient, factor);
    });
  }
  return result;
}

/** The condition under which each mask inverts a module (table 10). */
const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

class Grid {
  constructor(version) {
    this.version = version;
    this.size = 17 + 4 * version;
    this.rows = Array.from({ length: this.size }, () => new Array(this.size).fill(false));
    this.reserved = Array.from({ length: this.size }, () => new Array(this.size).fill(false));
  }

  set(x, y, dark) {
    this.rows[y][x] = dark;
    this.reserved[y][x] = true;
  }

  drawPatterns(mask) {
    const last = this.size - 1;
    for (let index = 0; index < this.size; index += 1) {
      this.set(6, index, index % 2 === 0);
      this.set(index, 6, index % 2 === 0);
    }
    for (const [x, y] of [[3, 3], [last - 3, 3], [3, last - 3]]) this.#drawFinder(x, y);
    const centres = this.#alignmentCentres();
    const end = centres.length - 1;
    centres.forEach((x, i) => {
      centres.forEach((y, j) => {
        const onFinder = (i === 0 && j === 0) || (i === 0 && j === end) || (i === end && j === 0);
        if (!onFinder) this.#drawAlignment(x, y);
      });
    });
    this.#drawFormat(mask);
    this.#drawVersion();
  }

  #drawFinder(x, y) {
    for (let dy = -4; dy <= 4; dy += 1) {
      for (let dx = -4; dx <= 4; dx += 1) {
        const distance = Math.max(Math.abs(dx), Math.abs(dy));
        const [column, row] = [x + dx, y + dy];
        if (column < 0 || row < 0 || column >= this.size || row >= this.size) continue;
        this.set(column, row, distance !== 2 && distance !== 4);
      }
    }
  }

  #drawAlignment(x, y) {
    for (let dy = -2; dy <= 2; dy += 1) {
      for (let dx = -2; dx <= 2; dx += 1) this.set(x + dx, y + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
    }
  }

  #alignmentCentres() {
    if (this.version === 1) return [];
    const count = Math.floor(this.version / 7) + 2;
    const step = this.version === 32 ? 26 : Math.ceil((4 * this.version + 4) / (2 * count - 2)) * 2;
    const centres = [6];
    for (let index = count - 2; index >= 0; index -= 1) centres.push(this.size - 7 - step * index);
    return centres;
  }

  /** Format information, twice, protected by BCH(15,5) (section 7.9). */
  #drawFormat(mask) {
    const data = (LEVEL_M << 3) | mask;
    let check = data;
    for (let step = 0; step < 10; step += 1) check = (check << 1) ^ ((check >> 9) * 0x537);
    const bits = ((data << 10) | check) ^ 0x5412;
    const bit = (index) => ((bits >> index) & 1) === 1;
    for (let index = 0; index <= 5; index += 1) this.set(8, index, bit(index));
    this.set(8, 7, bit(6));
    this.set(8, 8, bit(7));
    this.set(7, 8, bit(8));
    for (let index = 9; index < 15; index += 1) this.set(14 - index, 8, bit(index));
    for (let index = 0; index < 8; index += 1) this.set(this.size - 1 - index, 8, bit(index));
    for (let index = 8; index < 15; index += 1) this.set(8, this.size - 15 + index, bit(index));
    this.set(8, this.size - 8, true);
  }

  /** Version information, twice, protected by BCH(18,6), from version 7 on (section 7.10). */
  #drawVersion() {
    if (this.version < 7) return;
    let check = this.version;
    for (let step = 0; step < 12; step += 1) check = (check << 1) ^ ((check >> 11) * 0x1f25);
    const bits = (this.version << 12) | check;
    for (let index = 0; index < 18; index += 1) {
      const dark = ((bits >> index) & 1) === 1;
      const [far, near] = [this.size - 11 + (index % 3), Math.floor(index / 3)];
      this.set(far, near, dark);
      this.set(near, far, dark);
    }
  }

  /** Fills two columns at a time, upward then downward, from the right, around the patterns (section 7.7.3). */
  drawData(codewords, mask) {
    let position = 0;
    for (let right = this.size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5;
      const upward = ((right + 1) & 2) === 0;
      for (let step = 0; step < this.size; step += 1) {
        const y = upward ? this.size - 1 - step : step;
        for (const x of [right, right - 1]) {
          if (this.reserved[y][x]) continue;
          const codeword = codewords[position >> 3] ?? 0;
          const dark = ((codeword >> (7 - (position & 7))) & 1) === 1;
          this.rows[y][x] = dark !== MASKS[mask](x, y);
          position += 1;
        }
      }
    }
  }

  /** The four penalties that choose the mask (section 7.8.3). */
  penalty() {
    const { size, rows } = this;
    let total = 0;
    let dark = 0;
    for (let a = 0; a < size; a += 1) {
      total += linePenalty((b) => rows[a][b], size) + linePenalty((b) => rows[b][a], size);
      for (let b = 0; b < size; b += 1) {
        if (rows[a][b]) dark += 1;
        if (a === 0 || b === 0) continue;
        const colour = rows[a][b];
        if (rows[a - 1][b] === colour && rows[a][b - 1] === colour && rows[a - 1][b - 1] === colour) total += 3;
      }
    }
    return total + 10 * Math.floor(Math.abs(20 * dark - 10 * size * size) / (size * size));
  }
}

const FINDER_LIKE = [0b10111010000, 0b00001011101];

function linePenalty(module, size) {
  let total = 0;
  let run = 0;
  let colour = null;
  let window = 0;
  for (let index = 0; index < size; index += 1) {
    const dark = module(index);
    run = dark === colour ? run + 1 : 1;
    colour = dark;
    if (run === 5) total += 3;
    else if (run > 5) total += 1;
    window = ((window << 1) | (dark ? 1 : 0)) & 0x7ff;
    if (index >= 10 && FINDER_LIKE.includes(window)) total += 40;
  }
  return total;
}
