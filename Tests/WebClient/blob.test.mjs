import assert from 'node:assert/strict';
import test from 'node:test';
import { attribute, buildAnswer, dialKnown } from '../../Sources/WebClient/Site/app/answer.js';
import { parseBlob } from '../../Sources/WebClient/Site/app/blob.js';

const UFRAG = 'abcdEFG1';
const PASSWORD = 'ABCDEFGHabcdefgh01234567';
const BYTES = Array.from({ length: 32 }, (_, index) => (index * 37 + 250) % 256);
const FINGERPRINT = Buffer.from(BYTES).toString('base64url');
const blob = (...fields) => ['g1', UFRAG, PASSWORD, FINGERPRINT, ...fields].join('|');

test('a g1 and a g2 blob; raw addresses first, names after them', () => {
  const expected = {
    ufrag: UFRAG,
    pwd: PASSWORD,
    fingerprint: Buffer.from(BYTES).toString('hex'),
    endpoints: [
      { address: '10.0.0.1', port: 4711 },
      { address: '192.168.255.7', port: 65_535 },
      { address: 'kibitz-ab12.local', port: 4711 },
    ],
  };
  const endpoints = ['kibitz-ab12.local~4711', '10.0.0.1~4711', '192.168.255.7~65535'];
  const g1 = blob(...endpoints);
  assert.deepEqual(parseBlob(g1), { text: g1, ...expected });
  assert.deepEqual(parseBlob(` ${g1}\n`), { text: g1, ...expected });
  const g2 = ['g2', UFRAG, PASSWORD, FINGERPRINT, '3478,user,pass', ...endpoints].join('|');
  assert.deepEqual(parseBlob(g2), { text: g2, ...expected });
});

test('an endpoint that can not be used is left out; a blob without any is none', () => {
  const good = '10.0.0.1~4711';
  for (const wrong of [
    '', '~4711', '10.0.0.1', '10.0.0.1~', '10.0.0.1~0', '10.0.0.1~65536', '10.0.0.1~4711.5', '10.0.0.1~ 1', '10.0.0.1~0x10',
    '10.0.0.256~1', '10.0.0~1', '10.0.0.1.~1', '1.2.3.4.5~1', '01.0.0.1~1', 'example.org~1', '.local~1', '-a.local~1', 'a b.local~1',
    '10.0.0.1 typ host\r\na=x~1', '10.0.0.1~1\r\na=x', '::1~4711',
  ]) {
    assert.equal(parseBlob(blob(wrong)), null, wrong);
    assert.deepEqual(parseBlob(blob(wrong, good)).endpoints, [{ address: '10.0.0.1', port: 4711 }], wrong);
  }
});

test('everything else that is no blob', () => {
  const fields = blob('10.0.0.1~4711').split('|');
  const withField = (index, value) => fields.map((field, at) => (at === index ? value : field)).join('|');
  for (const wrong of [
    undefined, null, 5, '', 'g1', withField(0, 'g3'), withField(0, 'G1'), withField(1, ''), withField(1, 'abc'),
    withField(1, 'abcdefg\n'), withField(1, 'abcdefg:'), withField(2, 'short'), withField(2, `${PASSWORD}\r\na=x`),
    withField(3, FINGERPRINT.slice(1)), withField(3, `${FINGERPRINT}=`), withField(3, `${FINGERPRINT.slice(0, 42)}+`),
    // A g2 blob whose TURN field is missing has its first endpoint in that place.
    withField(0, 'g2'), 'x'.repeat(5000), blob('x'.repeat(3000)),
  ]) {
    assert.equal(parseBlob(wrong), null, String(wrong));
  }
  const whole = blob('10.0.0.1~4711');
  for (let length = 0; length < whole.length; length += 1) {
    const cut = parseBlob(whole.slice(0, length));
    // Only the port can be cut and stay a port.
    assert.ok(cut === null || length > whole.lastIndexOf('~') + 1, whole.slice(0, length));
  }
});

const OFFER = (mid, more = '') =>
  ['v=0', 'o=- 4 2 IN IP4 127.0.0.1', 's=-', 't=0 0', ...(more ? [more] : []), 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0', 'a=ice-ufrag:own1', 'a=ice-pwd:ownpasswordownpassword', 'a=setup:actpass', `a=mid:${mid}`, ''].join('\r\n');

test('the answer to what Chromium, Firefox and Safari offer', () => {
  const endpoint = parseBlob(blob('10.0.0.1~4711', 'box.local~4712'));
  const answer = buildAnswer(OFFER('0', 'a=group:BUNDLE 0'), endpoint);
  assert.ok(answer.endsWith('\r\n') && !/[^\r]\n/.test(answer), 'lines end with CRLF');
  const lines = answer.trimEnd().split('\r\n');
  assert.deepEqual(lines.slice(0, 4), ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0']);
  const section = lines.indexOf('m=application 9 UDP/DTLS/SCTP webrtc-datachannel');
  for (const line of ['a=group:BUNDLE 0', 'a=ice-lite']) assert.ok(lines.indexOf(line) > 3 && lines.indexOf(line) < section, line);
  const hex = BYTES.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':');
  for (const line of [
    'a=mid:0', `a=ice-ufrag:${UFRAG}`, `a=ice-pwd:${PASSWORD}`, `a=fingerprint:sha-256 ${hex}`, 'a=setup:passive',
    'a=sctp-port:5000', 'a=max-message-size:262144', 'a=candidate:1 1 udp 2130706431 10.0.0.1 4711 typ host',
    'a=candidate:2 1 udp 2130706175 box.local 4712 typ host',
  ]) {
    assert.ok(lines.indexOf(line) > section, line);
  }
  const unbundled = buildAnswer(OFFER('data'), endpoint);
  assert.match(unbundled, /\r\na=mid:data\r\n/);
  assert.doesNotMatch(unbundled, /BUNDLE/, 'an answer groups only what the offer groups');
});

test('attributes of an offer, whichever line ends it has', () => {
  assert.equal(attribute('a=ice-pwd:one\r\na=mid:x y\r\n', 'ice-pwd'), 'one');
  assert.equal(attribute('a=ice-pwd:one\n', 'ice-pwd'), 'one');
  assert.equal(attribute('x a=ice-pwd:one\r\n', 'ice-pwd'), null);
});

test('dialling leaves the own description as the browser made it', async () => {
  const calls = [];
  const offer = { type: 'offer', sdp: OFFER('0') };
  await dialKnown(
    {
      createOffer: async () => offer,
      setLocalDescription(description) {
        calls.push(['local', description]);
        this.localDescription = description;
      },
      setRemoteDescription: async (description) => calls.push(['remote', description]),
    },
    (sdp) => `answer to ${sdp.length}`
  );
  assert.deepEqual(calls, [['local', offer], ['remote', { type: 'answer', sdp: `answer to ${offer.sdp.length}` }]]);
});
