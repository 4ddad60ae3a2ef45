/**
 * The page /direct: reaches the box by WebRTC Direct as libp2p has it since its version 2, with nothing but a
 * certificate's fingerprint, a port and an address, and without changing this browser's own offer. What is written here
 * comes back from the box.
 *
 * https://github.com/libp2p/specs/blob/master/webrtc/webrtc-direct.md
 */
import { attribute, buildAnswer, dialKnown } from './answer.js';
import { encodeFrame, FrameReader } from './framing.js';
import { words } from './words.js';

/** The box's user fragment and password: this, and the password that the browser chose for itself. */
const PREFIX = 'libp2p+webrtc+v2/';
/** How long the box may take, in milliseconds. */
const CONNECT_LIMIT = 10_000;
/** Echoes that stay on the screen. */
const MAX_ECHOES = 50;

const $ = (selector) => document.querySelector(selector);
const status = (text) => ($('#direct-status').textContent = text);
/** What was sent and has not come back yet: {text, at}. */
const sent = [];
const reader = new FrameReader();
let channel;

/** `GET /api/direct`: where the box is; null where it does not offer this. */
async function whereabouts() {
  const response = await fetch('/api/direct', { cache: 'no-store' });
  if (response.status === 404) return null;
  const { fingerprint, port, addresses } = await response.json();
  if (!/^[0-9a-f]{64}$/.test(fingerprint) || !Number.isInteger(port) || !Array.isArray(addresses)) throw new Error('answer');
  return { fingerprint, endpoints: addresses.filter((address) => /^[\d.]+$/.test(address)).map((address) => ({ address, port })) };
}

async function connect() {
  status(words.directConnecting);
  const box = await whereabouts();
  if (!box) {
    status(words.directOff);
    return;
  }
  const connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
  const limit = setTimeout(() => {
    connection.close();
    status(words.directFailed);
  }, CONNECT_LIMIT);
  // Agreed beforehand, so there is no DCEP on it.
  channel = connection.createDataChannel('rpc', { negotiated: true, id: 0 });
  channel.binaryType = 'arraybuffer';
  channel.onopen = () => {
    clearTimeout(limit);
    status(words.directConnected);
    $('#direct-form').querySelector('button').disabled = false;
  };
  channel.onclose = () => lost();
  channel.onmessage = (event) => receive(new Uint8Array(event.data));
  connection.onconnectionstatechange = () => {
    if (connection.connectionState === 'failed') lost();
  };
  await dialKnown(connection, (offer) => {
    const secret = PREFIX + attribute(offer, 'ice-pwd');
    return buildAnswer(offer, { ...box, ufrag: secret, pwd: secret });
  });
}

function lost() {
  status(words.directLost);
  $('#direct-form').querySelector('button').disabled = true;
}

function receive(piece) {
  const messages = reader.push(piece);
  if (messages === null) {
    channel.close();
    return;
  }
  for (const message of messages) {
    const { text, at } = sent.shift() ?? {};
    const back = new TextDecoder().decode(message);
    const note = back === text ? words.directEcho(message.length, (performance.now() - at).toFixed(1)) : words.directBroken;
    const item = document.createElement('li');
    const small = document.createElement('small');
    small.textContent = note;
    item.append(back.length > 200 ? `${back.slice(0, 200)}…` : back, small);
    $('#direct-echoes').prepend(item);
    if ($('#direct-echoes').childElementCount > MAX_ECHOES) $('#direct-echoes').lastElementChild.remove();
  }
}

$('#direct-form').onsubmit = (event) => {
  event.preventDefault();
  const text = $('#direct-text').value;
  if (text === '' || channel?.readyState !== 'open') return;
  sent.push({ text, at: performance.now() });
  for (const piece of encodeFrame(new TextEncoder().encode(text))) channel.send(piece);
  $('#direct-text').value = '';
};

connect().catch(() => status(words.directFailed));
