/**
 * Messages on the data channel of `/direct`, framed as programs of the webrtc-direct kind frame them: a length (32 bits,
 * big-endian), then the message as an LZ4 block with its size before it (32 bits, little-endian). A frame may come in
 * pieces, and goes out in pieces of 60 KB.
 */

/** Bytes in a frame and in a message, and in one piece that is sent. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const MAX_PIECE_BYTES = 60 * 1024;

/** LZ4: the shortest match, and a count of this much in a token goes on in the bytes after it. */
const MIN_MATCH = 4;
const LONG = 15;

/** The pieces that carry `message`. It goes uncompressed, as one run of literals: that is a block, too. */
export function encodeFrame(message) {
  const extra = message.length >= LONG ? Math.floor((message.length - LONG) / 255) + 1 : 0;
  const body = 4 + 1 + extra + message.length;
  const frame = new Uint8Array(4 + body);
  const view = new DataView(frame.buffer);
  view.setUint32(0, body);
  view.setUint32(4, message.length, true);
  frame[8] = Math.min(message.length, LONG) << 4;
  if (extra > 0) {
    frame.fill(255, 9, 8 + extra);
    frame[8 + extra] = (message.length - LONG) % 255;
  }
  frame.set(message, 9 + extra);
  const pieces = [];
  for (let start = 0; start < frame.length; start += MAX_PIECE_BYTES) pieces.push(frame.subarray(start, start + MAX_PIECE_BYTES));
  return pieces;
}

/** The message in an LZ4 block with its size before it, or null where it is none. */
export function decompress(block) {
  if (block.length < 5) return null;
  const size = new DataView(block.buffer, block.byteOffset, block.byteLength).getUint32(0, true);
  // A block can't grow by more than this; so a short one claims no great memory.
  if (size > MAX_MESSAGE_BYTES || size > block.length * 256) return null;
  const message = new Uint8Array(size);
  let input = 4;
  let output = 0;
  const count = (nibble) => {
    let total = nibble;
    if (nibble < LONG) return total;
    let more;
    do {
      more = block[input] ?? NaN;
      input += 1;
      total += more;
    } while (more === 255);
    return total;
  };
  while (input < block.length) {
    const token = block[input];
    input += 1;
    const literals = count(token >> 4);
    if (!(literals <= block.length - input && literals <= size - output)) return null;
    message.set(block.subarray(input, input + literals), output);
    input += literals;
    output += literals;
    // The last sequence has literals only.
    if (input === block.length) break;
    if (input + 2 > block.length) return null;
    const offset = block[input] | (block[input + 1] << 8);
    input += 2;
    const match = count(token & 15) + MIN_MATCH;
    if (offset === 0 || offset > output || !(match <= size - output)) return null;
    // Byte by byte: a match may reach into what it is just writing.
    for (const end = output + match; output < end; output += 1) message[output] = message[output - offset];
  }
  return output === size ? message : null;
}

/** Puts pieces together again. */
export class FrameReader {
  #pieces = [];
  #length = 0;
  /** Bytes without which there is nothing to read. */
  #needed = 4;

  /** The messages that `piece` completes; null where what comes is no frame, and nothing more can be read. */
  push(piece) {
    this.#pieces.push(piece);
    this.#length += piece.length;
    const messages = [];
    while (this.#length >= this.#needed) {
      const bytes = this.#joined();
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      if (length === 0 || length > MAX_MESSAGE_BYTES) return null;
      if (bytes.length < 4 + length) {
        this.#needed = 4 + length;
        break;
      }
      const message = decompress(bytes.subarray(4, 4 + length));
      if (message === null) return null;
      messages.push(message);
      this.#pieces = [bytes.subarray(4 + length)];
      this.#length -= 4 + length;
      this.#needed = 4;
    }
    return messages;
  }

  #joined() {
    if (this.#pieces.length > 1) {
      const bytes = new Uint8Array(this.#length);
      let at = 0;
      for (const piece of this.#pieces) {
        bytes.set(piece, at);
        at += piece.length;
      }
      this.#pieces = [bytes];
    }
    return this.#pieces[0];
  }
}
