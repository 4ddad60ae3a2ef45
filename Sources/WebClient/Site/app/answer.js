/**
 * The answer of an endpoint that is known beforehand: ICE-lite, DTLS server, SCTP on port 5000. The page writes it
 * itself and leaves its own description alone, so dialling needs neither a server nor a changed offer.
 */

/** Priorities of host candidates, the first endpoint the highest (RFC 8445 section 5.1.2.1). */
const HOST_PREFERENCE = 126;
const FIRST_LOCAL_PREFERENCE = 65_535;
const COMPONENT = 1;

/** What an SDP offer says in `a=<name>:`, or null. */
export function attribute(sdp, name) {
  return sdp.match(new RegExp(`^a=${name}:(.*?)\\r?$`, 'm'))?.[1] ?? null;
}

/**
 * @param offer the SDP of an offer with one section, `m=application`
 * @param endpoint {ufrag, pwd, fingerprint, endpoints: [{address, port}]}, the fingerprint of the certificate as hex
 */
export function buildAnswer(offer, { ufrag, pwd, fingerprint, endpoints }) {
  const mid = attribute(offer, 'mid') ?? '0';
  // Firefox and Chromium bundle even a single section; an answer may group only what the offer groups.
  const grouped = attribute(offer, 'group')?.startsWith('BUNDLE');
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    ...(grouped ? [`a=group:BUNDLE ${mid}`] : []),
    'a=ice-lite',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    `a=mid:${mid}`,
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    `a=fingerprint:sha-256 ${fingerprint.toUpperCase().match(/../g).join(':')}`,
    'a=setup:passive',
    'a=sctp-port:5000',
    'a=max-message-size:262144',
    ...endpoints.map(({ address, port }, index) => {
      const priority = HOST_PREFERENCE * 2 ** 24 + (FIRST_LOCAL_PREFERENCE - index) * 2 ** 8 + (256 - COMPONENT);
      return `a=candidate:${index + 1} ${COMPONENT} udp ${priority} ${address} ${port} typ host`;
    }),
    'a=end-of-candidates',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * Dials such an endpoint. `answerTo(offerSDP)` is its answer; the data channels have to exist already. What goes wrong
 * later shows in the connection's state.
 */
export async function dialKnown(connection, answerTo) {
  await connection.setLocalDescription(await connection.createOffer());
  await connection.setRemoteDescription({ type: 'answer', sdp: answerTo(connection.localDescription.sdp) });
}
