/**
 * Everything that arrives from the box or from another person, checked before the page believes it.
 * Each function returns a fresh object with known types and bounded sizes, or null.
 */
import { parseBlob } from './blob.js';

/** People a roster may list; the box itself allows fewer. */
export const MAX_PEOPLE = 32;
/** Bytes of UTF-8 in a name. */
export const MAX_NAME_BYTES = 64;
/** Characters in one chat message. */
export const MAX_CHAT_LENGTH = 2000;
/** Characters in one frame of a data channel. */
export const MAX_FRAME_LENGTH = 16 * 1024;
/** Characters in one message from the box. */
export const MAX_BOX_MESSAGE_LENGTH = 256 * 1024;
/** Characters in a session description. */
export const MAX_SDP_LENGTH = 96 * 1024;
/** Characters in an ICE candidate line. */
export const MAX_CANDIDATE_LENGTH = 2048;
/** ICE servers taken from the box, and URLs of each. */
export const MAX_ICE_SERVERS = 8;

const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const HEX = /^[0-9a-f]{8,64}$/;
const encoder = new TextEncoder();

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value, limit) => typeof value === 'string' && value.length <= limit;
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

function parseJSON(text, limit) {
  if (!isText(text, limit)) return null;
  try {
    const value = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** A name fit to show: no control or direction-changing characters, at most 64 bytes; may be empty. */
export function cleanName(value) {
  if (typeof value !== 'string') return '';
  const visible = value
    .slice(0, 4 * MAX_NAME_BYTES)
    .replace(/[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim();
  let name = '';
  let bytes = 0;
  for (const character of visible) {
    bytes += encoder.encode(character).length;
    if (bytes > MAX_NAME_BYTES) break;
    name += character;
  }
  return name.trim();
}

/** A chat text fit to show: line breaks stay, other control and direction-changing characters go. */
export function cleanText(value) {
  if (typeof value !== 'string') return '';
  return value
    .slice(0, MAX_CHAT_LENGTH)
    .replace(/\r\n?/g, '\n')
    .replace(/(?!\n)[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, ' ')
    .trim();
}

export function isPersonId(value) {
  return typeof value === 'string' && value.startsWith('kl-') && ID.test(value);
}

/** `{type, src, payload}` of a message from the box. */
export function parseBoxMessage(text) {
  const message = parseJSON(text, MAX_BOX_MESSAGE_LENGTH);
  if (!message || !isText(message.type, 32)) return null;
  return {
    type: message.type,
    src: isText(message.src, 64) ? message.src : null,
    payload: isObject(message.payload) ? message.payload : {},
  };
}

/** The roster of a ROOM message. Malformed people are left out; a roster without `you` is refused. */
export function parseRoster(payload) {
  if (!isObject(payload) || !isPersonId(payload.you) || !Array.isArray(payload.people)) return null;
  const people = new Map();
  for (const entry of payload.people.slice(0, MAX_PEOPLE)) {
    if (!isObject(entry) || !isPersonId(entry.id)) continue;
    people.set(entry.id, {
      id: entry.id,
      name: cleanName(entry.name),
      camera: entry.camera === true,
      microphone: entry.microphone === true,
      away: entry.away === true,
    });
  }
  return { generation: isCount(payload.generation) ? payload.generation : 0, you: payload.you, people };
}

/**
 * The payload of an OFFER or ANSWER: the description, which connection of the sender's page it belongs to and
 * which attempt in that connection, and `instance`, the sender's page load.
 */
export function parseDescription(payload, type) {
  if (!isObject(payload) || !isObject(payload.description)) return null;
  const { description, attempt, connection, instance } = payload;
  if (description.type !== type || !isText(description.sdp, MAX_SDP_LENGTH)) return null;
  if (!isCount(attempt) || !HEX.test(connection) || !HEX.test(instance)) return null;
  return {
    description: { type, sdp: description.sdp },
    attempt,
    connection,
    instance,
    begins: payload.begins === true,
  };
}

/** The payload of a CANDIDATE: `{kind: 'candidate', …}` or `{kind: 'restart', …}`. */
export function parseCandidate(payload) {
  if (!isObject(payload) || !HEX.test(payload.instance)) return null;
  const connection = HEX.test(payload.connection) ? payload.connection : null;
  if (payload.restart === true) return { kind: 'restart', connection, instance: payload.instance };
  if (connection === null) return null;
  const { candidate } = payload;
  if (candidate === null) return { kind: 'candidate', connection, instance: payload.instance, candidate: null };
  if (!isObject(candidate) || !isText(candidate.candidate, MAX_CANDIDATE_LENGTH)) return null;
  return {
    kind: 'candidate',
    connection,
    instance: payload.instance,
    candidate: {
      candidate: candidate.candidate,
      sdpMid: isText(candidate.sdpMid, 32) ? candidate.sdpMid : null,
      sdpMLineIndex: isCount(candidate.sdpMLineIndex) && candidate.sdpMLineIndex < 16 ? candidate.sdpMLineIndex : null,
      usernameFragment: isText(candidate.usernameFragment, 256) ? candidate.usernameFragment : undefined,
    },
  };
}

/** One frame of the data channel between two people: `hello`, `state`, `chat`, `bye`. */
export function parseFrame(text) {
  const frame = parseJSON(text, MAX_FRAME_LENGTH);
  switch (frame?.kind) {
    case 'hello':
      return { kind: 'hello', seen: parseSeen(frame.seen) };
    case 'state':
      return {
        kind: 'state',
        name: cleanName(frame.name),
        camera: frame.camera === true,
        microphone: frame.microphone === true,
      };
    case 'chat': {
      const body = cleanText(frame.text);
      if (!HEX.test(frame.log) || !isCount(frame.sequence) || frame.sequence < 1 || body === '') return null;
      const age = Number.isFinite(frame.age) ? Math.min(Math.max(frame.age, 0), 24 * 3_600_000) : 0;
      return { kind: 'chat', log: frame.log, sequence: frame.sequence, text: body, age };
    }
    case 'bye':
      return { kind: 'bye' };
  }
  return null;
}

function parseSeen(seen) {
  return isObject(seen) && HEX.test(seen.log) && isCount(seen.sequence)
    ? { log: seen.log, sequence: seen.sequence }
    : null;
}

/** The answer of `POST /api/session`. */
export function parseSession(value) {
  if (!isObject(value) || !isPersonId(value.id) || !isText(value.token, 1024) || value.token === '') return null;
  return { id: value.id, token: value.token, name: cleanName(value.name) };
}

/** The payload of SESSION on the hub: a session, ICE servers, and what the box says of itself, as far as it is there. */
export function parseHubSession(payload) {
  const session = parseSession(payload);
  if (!session) return null;
  return { ...session, iceServers: parseIceServers(payload), information: parseRoomInformation(payload.room) };
}

/** The payload of CLOSE on the hub: what a WebSocket's close code would say. */
export function parseClose(payload) {
  return { code: isObject(payload) && isCount(payload.code) && payload.code < 5000 ? payload.code : 1006 };
}

/** The answer of `GET /api/room`. */
export function parseRoomInformation(value) {
  if (!isObject(value)) return null;
  const port = (number) => (isCount(number) && number > 0 && number < 65_536 ? number : null);
  // Some other web server's JSON.
  if (port(value.http) === null && port(value.https) === null) return null;
  return {
    name: cleanName(value.name),
    version: isText(value.version, 32) ? value.version : '',
    http: port(value.http),
    https: port(value.https),
    certificate: value.certificate === 'owner' ? 'owner' : 'own',
    scheme: value.scheme === 'https' ? 'https' : 'http',
    hub: parseBlob(value.hub),
    base: parseBase(value.base),
    discovery: value.discovery === true,
  };
}

/** Where the page is that dials the hub by a link: an origin, maybe with a path, and no `/` at its end. */
function parseBase(value) {
  if (!isText(value, 256) || !/^https?:\/\/[^?#]+[^?#/]$/.test(value)) return null;
  return URL.canParse(value) ? value : null;
}

/** The answer of `GET /api/turn`, as RTCConfiguration's `iceServers`. */
export function parseIceServers(value) {
  if (!isObject(value) || !Array.isArray(value.iceServers)) return null;
  const servers = [];
  for (const entry of value.iceServers.slice(0, MAX_ICE_SERVERS)) {
    if (!isObject(entry)) continue;
    const urls = (Array.isArray(entry.urls) ? entry.urls : [entry.urls])
      .filter((url) => isText(url, 256) && /^(stuns?|turns?):/.test(url))
      .slice(0, MAX_ICE_SERVERS);
    if (urls.length === 0) continue;
    const server = { urls };
    if (isText(entry.username, 512) && isText(entry.credential, 512)) {
      server.username = entry.username;
      server.credential = entry.credential;
    } else if (urls.some((url) => url.startsWith('turn'))) {
      continue;
    }
    servers.push(server);
  }
  return servers;
}
