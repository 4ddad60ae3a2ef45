/**
 * The hub's blob: all a phone has to know to dial the box by WebRTC, as it stands in a link's `?galaxy=` and in
 * `/api/room`:
 *
 *     g1|<ufrag>|<pwd>|<fingerprint>|<address>~<port>|…
 *     g2|<ufrag>|<pwd>|<fingerprint>|<turnPort>,<turnUser>,<turnPassword>|<address>~<port>|…
 *
 * Its parts end up in a session description, so nothing gets through that could be more than it says.
 */

/** Characters in a blob, and endpoints taken from one. */
const MAX_BLOB_LENGTH = 2048;
const MAX_ENDPOINTS = 16;

/** RFC 8839 section 5.4: ice-chars, 4 to 256 in a user fragment, 22 to 256 in a password. */
const UFRAG = /^[A-Za-z0-9+/]{4,256}$/;
const PASSWORD = /^[A-Za-z0-9+/]{22,256}$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const LOCAL_NAME = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+local$/;
const FINGERPRINT = /^[A-Za-z0-9_-]{43}$/;

/**
 * `{text, ufrag, pwd, fingerprint, endpoints: [{address, port}]}`, the fingerprint as 64 hex digits; null where the text
 * is no blob or names no endpoint this page can use. Raw addresses come first, names after them.
 */
export function parseBlob(text) {
  if (typeof text !== 'string' || text.length > MAX_BLOB_LENGTH) return null;
  const fields = text.trim().split('|');
  const [version, ufrag, pwd, encoded] = fields;
  if ((version !== 'g1' && version !== 'g2') || !UFRAG.test(ufrag) || !PASSWORD.test(pwd)) return null;
  const fingerprint = parseFingerprint(encoded);
  // The TURN server of a g2 blob is for clients without a session; this page gets credentials of its own.
  const endpoints = fields.slice(version === 'g2' ? 5 : 4, 5 + MAX_ENDPOINTS).map(parseEndpoint).filter(Boolean);
  if (!fingerprint || endpoints.length === 0) return null;
  const isName = ({ address }) => LOCAL_NAME.test(address);
  const ordered = [...endpoints.filter((endpoint) => !isName(endpoint)), ...endpoints.filter(isName)];
  return { text: fields.join('|'), ufrag, pwd, fingerprint, endpoints: ordered };
}

function parseFingerprint(encoded) {
  if (!FINGERPRINT.test(encoded ?? '')) return null;
  try {
    const bytes = atob(encoded.replace(/-/g, '+').replace(/_/g, '/'));
    return Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  } catch {
    return null;
  }
}

function parseEndpoint(field) {
  const tilde = field.lastIndexOf('~');
  if (tilde < 0) return null;
  const address = field.slice(0, tilde);
  const digits = field.slice(tilde + 1);
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65_535 || !(IPV4.test(address) || LOCAL_NAME.test(address))) return null;
  return { address, port };
}
