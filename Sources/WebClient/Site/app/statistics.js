/** What the page wants to know out of RTCPeerConnection.getStats (W3C webrtc-stats). */

/** How long a connection may take to answer, in milliseconds. */
const ANSWER_LIMIT = 2000;

/** `{bytes, framesDecoded, kind}`: received over the chosen path, pictures, 'direct' or 'relayed' or null. */
export async function readStatistics(pc) {
  const result = { bytes: 0, framesDecoded: 0, kind: null };
  let report;
  try {
    report = await answer(pc);
  } catch {
    return result;
  }
  let pair = null;
  report.forEach((entry) => {
    if (entry.type === 'transport') {
      pair = report.get(entry.selectedCandidatePairId) ?? pair;
    } else if (entry.type === 'inbound-rtp' && entry.kind === 'video') {
      result.framesDecoded += entry.framesDecoded ?? 0;
    }
  });
  report.forEach((entry) => {
    if (entry.type !== 'candidate-pair') return;
    result.bytes += entry.bytesReceived ?? 0;
    // Firefox marks the pair itself.
    if (pair === null && (entry.selected || (entry.nominated && entry.state === 'succeeded'))) pair = entry;
  });
  if (pair) {
    const types = [report.get(pair.localCandidateId), report.get(pair.remoteCandidateId)].map((c) => c?.candidateType);
    if (types.every(Boolean)) result.kind = types.includes('relay') ? 'relayed' : 'direct';
  }
  return result;
}

/** Firefox never settles a getStats that the connection's close overtakes. */
function answer(pc) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no statistics')), ANSWER_LIMIT);
    pc.getStats()
      .finally(() => clearTimeout(timer))
      .then(resolve, reject);
  });
}
