/**
 * The safety code of a link: six pictures made from the fingerprints of both DTLS certificates. Two people who see
 * the same pictures talk to each other directly; nobody, the box included, sits between them.
 */
import { sha256 } from './sha256.js';

/** Pictures in a code; six bits each. */
export const CODE_LENGTH = 6;

/** 64 pictures that are easily told apart and easily said. The order is part of the code: never change it. */
export const EMOJI = [
  ['🐶', 'dog'], ['🐱', 'cat'], ['🦁', 'lion'], ['🐴', 'horse'],
  ['🐷', 'pig'], ['🐘', 'elephant'], ['🐰', 'rabbit'], ['🐼', 'panda'],
  ['🐓', 'rooster'], ['🐧', 'penguin'], ['🐢', 'turtle'], ['🐟', 'fish'],
  ['🐙', 'octopus'], ['🦋', 'butterfly'], ['🐝', 'bee'], ['🐌', 'snail'],
  ['🌸', 'flower'], ['🌳', 'tree'], ['🌵', 'cactus'], ['🍄', 'mushroom'],
  ['🌍', 'globe'], ['🌙', 'moon'], ['⭐', 'star'], ['☁️', 'cloud'],
  ['🔥', 'fire'], ['🌈', 'rainbow'], ['⛄', 'snowman'], ['🍌', 'banana'],
  ['🍎', 'apple'], ['🍓', 'strawberry'], ['🌽', 'corn'], ['🍕', 'pizza'],
  ['🎂', 'cake'], ['❤️', 'heart'], ['🤖', 'robot'], ['🎩', 'hat'],
  ['👓', 'glasses'], ['🔧', 'spanner'], ['🎅', 'Santa'], ['👍', 'thumbs up'],
  ['☂️', 'umbrella'], ['⌛', 'hourglass'], ['⏰', 'clock'], ['🎁', 'gift'],
  ['💡', 'light bulb'], ['📕', 'book'], ['✏️', 'pencil'], ['📎', 'paper clip'],
  ['✂️', 'scissors'], ['🔒', 'lock'], ['🔑', 'key'], ['🔨', 'hammer'],
  ['☎️', 'telephone'], ['🏁', 'flag'], ['🚂', 'train'], ['🚲', 'bicycle'],
  ['✈️', 'aeroplane'], ['🚀', 'rocket'], ['🏆', 'trophy'], ['⚽', 'ball'],
  ['🎸', 'guitar'], ['🎺', 'trumpet'], ['🔔', 'bell'], ['⚓', 'anchor'],
];

/** The SHA-256 fingerprints a session description names, in lower case, each once (RFC 8122, section 5). */
export function fingerprints(sdp) {
  const found = new Set();
  for (const match of sdp.matchAll(/^a=fingerprint:sha-256[ \t]+([0-9a-f:]{95})\s*$/gim)) {
    found.add(match[1].toLowerCase());
  }
  return [...found];
}

/**
 * The code of a link: `[{picture, name}]`, the same on both sides, or null while a description is missing or
 * names no SHA-256 fingerprint.
 */
export function safetyCode(localSDP, remoteSDP) {
  if (!localSDP || !remoteSDP) return null;
  const local = fingerprints(localSDP).sort().join(',');
  const remote = fingerprints(remoteSDP).sort().join(',');
  if (local === '' || remote === '') return null;
  const digest = sha256(new TextEncoder().encode([local, remote].sort().join('|')));
  const code = [];
  for (let index = 0; index < CODE_LENGTH; index += 1) {
    const [picture, name] = EMOJI[sixBits(digest, index)];
    code.push({ picture, name });
  }
  return code;
}

/** The `index`th group of six bits, from the most significant bit of the first byte on. */
function sixBits(bytes, index) {
  const bit = 6 * index;
  const pair = (bytes[bit >> 3] << 8) | bytes[(bit >> 3) + 1];
  return (pair >> (10 - (bit & 7))) & 0x3f;
}
