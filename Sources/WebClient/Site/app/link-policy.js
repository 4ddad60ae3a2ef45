/**
 * When a link is dialled, restarted, replaced or left alone: one pure decision, so that it can be tested without a
 * browser. All times are in milliseconds.
 */

/** Silence after which a link counts as interrupted; the other side beats every BEAT_INTERVAL. */
export const SILENCE_LIMIT = 2500;
export const BEAT_INTERVAL = 1000;
/** An interruption shorter than this heals by itself more often than not. */
export const RESTART_AFTER = 2000;
/** How long an attempt may take, by how many went before it; the last value holds for all later ones. */
export const ATTEMPT_LIMITS = [6000, 8000, 10_000, 15_000];
/** ICE restarts of one connection before it is replaced by a new one. */
export const MAX_RESTARTS = 3;
/** A request to restart that follows an attempt this closely asks for what is already under way. */
export const ATTEMPT_YOUNG = 2000;
/** An offer younger than this may still be on its way to the page that asks for one. */
export const OFFER_TRAVEL = 300;
/** How long the answering side waits for the first offer before it asks for one. */
export const FIRST_OFFER_WAIT = 700;

/**
 * @param facts
 *   dials: this side makes the offers
 *   reachable: the line to the box is open and the box lists the person as present
 *   healthy: the link carries data
 *   opened: a connection was begun
 *   broken: the connection can't be healed (the other page is another one, DTLS or SCTP ended)
 *   failed: ICE gave up
 *   interruptedAt: since when the link is not healthy
 *   attemptedAt: when the last attempt or request began; -Infinity before the first
 *   offeredAt: when the last offer went out
 *   attempts: attempts or requests since the link was last healthy
 * @returns 'none', 'dial' (a first or new connection), 'restart' (ICE), or 'ask' (the other side to do it)
 */
export function decide(facts, now) {
  if (!facts.reachable) return 'none';
  if (facts.healthy && !facts.broken) return 'none';
  if (now - facts.attemptedAt < attemptLimit(facts)) return 'none';
  if (!facts.opened && !facts.dials && now - facts.interruptedAt < FIRST_OFFER_WAIT) return 'none';
  const sudden = facts.failed || facts.broken || !facts.opened;
  if (!sudden && now - facts.interruptedAt < RESTART_AFTER) return 'none';
  if (!facts.dials) return 'ask';
  if (!facts.opened || facts.broken || facts.attempts > MAX_RESTARTS) return 'dial';
  return 'restart';
}

/** What the dialling side does when the other asks for a restart: 'none', 'restart' or 'dial'. */
export function decideAsked(facts, asked, now) {
  const otherPage = facts.peerInstance !== null && asked.instance !== facts.peerInstance;
  const otherConnection = facts.answered && asked.connection !== facts.connection;
  if (!facts.opened || otherPage || otherConnection) return 'dial';
  // An attempt is being prepared.
  if (facts.offeredAt < facts.attemptedAt) return 'none';
  // The page that asks never saw the offer: it went to the page or the socket before this one.
  if (asked.connection !== facts.connection) return now - facts.offeredAt < OFFER_TRAVEL ? 'none' : 'restart';
  if (now - facts.attemptedAt < ATTEMPT_YOUNG) return 'none';
  return facts.broken || facts.attempts > MAX_RESTARTS ? 'dial' : 'restart';
}

/** What the answering side does with an offer: 'answer', 'open' (a new connection), 'ask' or 'none' (stale). */
export function decideOffered(facts, offer) {
  if (facts.connection === offer.connection) return offer.attempt > facts.attempt ? 'answer' : 'none';
  return offer.begins ? 'open' : 'ask';
}

/** How long the last attempt may take. What can't be healed is not waited for, unless it happens again and again. */
function attemptLimit({ attempts, broken }) {
  if (attempts === 0) return 0;
  const limit = ATTEMPT_LIMITS[Math.min(attempts, ATTEMPT_LIMITS.length) - 1];
  return broken && attempts <= MAX_RESTARTS ? Math.min(limit, ATTEMPT_YOUNG) : limit;
}
