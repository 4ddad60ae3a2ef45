/**
 * Keeps a copy of the page, so that it opens while the box starts. The network comes first and the copy only where
 * the box does not answer in time, so no old version can stick. A page that was opened from the copy gets all its
 * parts from the copy: parts of two versions never meet.
 */
const CACHE = 'kibitz-local-page';
/** How long the box may take before the copy is used, in milliseconds. */
const ANSWER_LIMIT = 2500;
/** Pages opened from the copy that are remembered. */
const MAX_PAGES = 32;

const FILES = [
  '/',
  '/styles.css',
  '/manifest.webmanifest',
  '/icons/icon.svg',
  '/icons/icon-180.png',
  '/icons/icon-192.png',
  '/icons/icon-512.png',
  '/app/answer.js',
  '/app/blob.js',
  '/app/box.js',
  '/app/chat.js',
  '/app/events.js',
  '/app/hub.js',
  '/app/ice-servers.js',
  '/app/identity.js',
  '/app/link.js',
  '/app/link-policy.js',
  '/app/main.js',
  '/app/media.js',
  '/app/membership.js',
  '/app/mesh.js',
  '/app/protocol.js',
  '/app/qr.js',
  '/app/quality.js',
  '/app/race.js',
  '/app/room.js',
  '/app/safety.js',
  '/app/sha256.js',
  '/app/signaling.js',
  '/app/start.js',
  '/app/statistics.js',
  '/app/view/chat.js',
  '/app/view/controls.js',
  '/app/view/dialogs.js',
  '/app/view/dom.js',
  '/app/view/layout.js',
  '/app/view/lobby.js',
  '/app/view/notices.js',
  '/app/view/people.js',
  '/app/view/screens.js',
  '/app/view/tiles.js',
  '/app/wake-lock.js',
  '/app/websocket.js',
  '/app/whereabouts.js',
  '/app/words.js',
];

/** The ids of pages that were opened from the copy. */
const fromCopy = new Set();

self.addEventListener('install', (event) => {
  event.waitUntil(refresh().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  const path = request.mode === 'navigate' ? '/' : url.pathname;
  if (!FILES.includes(path) || (request.mode === 'navigate' && url.pathname !== '/')) return;
  event.respondWith(request.mode === 'navigate' ? openPage(event) : part(event, path));
});

async function openPage(event) {
  const fresh = await fromBox(event.request);
  if (fresh) {
    event.waitUntil(refresh().catch(() => {}));
    return fresh;
  }
  const copy = await caches.match('/', { cacheName: CACHE });
  if (!copy) return fetch(event.request);
  if (event.resultingClientId) remember(event.resultingClientId);
  return copy;
}

async function part(event, path) {
  const copy = await caches.match(path, { cacheName: CACHE });
  if (copy && fromCopy.has(event.clientId)) return copy;
  return (copy ? await fromBox(event.request) : null) ?? copy ?? fetch(event.request);
}

/** The box's answer, or null where it is late, missing or an error. */
async function fromBox(request) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ANSWER_LIMIT);
  try {
    const response = await fetch(request, { signal: controller.signal });
    return response.ok ? response : null;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/** Replaces the copy by the box's present files, all or none. */
async function refresh() {
  const answers = await Promise.all(
    FILES.map(async (path) => {
      const response = await fetch(path, { cache: 'no-cache' });
      if (!response.ok) throw new Error(path);
      return [path, response];
    })
  );
  const cache = await caches.open(CACHE);
  for (const [path, response] of answers) await cache.put(path, response);
  for (const request of await cache.keys()) {
    if (!FILES.includes(new URL(request.url).pathname)) await cache.delete(request);
  }
}

function remember(client) {
  fromCopy.add(client);
  if (fromCopy.size > MAX_PAGES) fromCopy.delete(fromCopy.values().next().value);
}
