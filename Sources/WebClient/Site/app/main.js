/** Puts the parts together: which screen, which room, and what each event of one part means to the others. */
import { Box } from './box.js';
import { HubTransport } from './hub.js';
import { Identity, claimMove, markMove, parseFragment } from './identity.js';
import { Media } from './media.js';
import { Room } from './room.js';
import { WakeLock } from './wake-lock.js';
import { WebSocketTransport } from './websocket.js';
import { Whereabouts } from './whereabouts.js';
import { fillWords, language, words } from './words.js';
import { ChatView } from './view/chat.js';
import { Controls } from './view/controls.js';
import { openCameraHelp, openInvitation, prepareDialogs } from './view/dialogs.js';
import { $, announce, setText } from './view/dom.js';
import { Lobby } from './view/lobby.js';
import { Notices, PASSING } from './view/notices.js';
import { PeopleView } from './view/people.js';
import { showMessage, showScreen } from './view/screens.js';
import { Tiles } from './view/tiles.js';

/** How long the line to the box may be down before the page speaks of it, in milliseconds. */
const OFFLINE_GRACE = 2500;
/** How long the lobby waits for the box's word on the code, in milliseconds. */
const CHECK_LIMIT = 1500;

const box = new Box();
const identity = new Identity();
const media = new Media();
const notices = new Notices();
const wakeLock = new WakeLock();
let whereabouts = null;
let room = null;
let secret = null;
/** The state the page shows where it is not the room's: starting, unsupported, no-secret, left. */
let ending = null;

document.documentElement.lang = language;
fillWords(document);
prepareDialogs();
globalThis.kibitzLocal = { snapshot };
start();

async function start() {
  if (!supported()) {
    tell('unsupported', { title: words.unsupportedTitle, text: words.unsupported });
    return;
  }
  keepCopy();
  await identity.open();
  const fragment = parseFragment(location.hash);
  if (fragment.token) identity.token = fragment.token;
  if (fragment.name) identity.name = fragment.name;
  secret = fragment.secret ?? identity.secret;
  if (!secret) {
    tell('no-secret', { title: words.noSecretTitle, text: words.noSecret });
    addEventListener('hashchange', () => location.reload());
    return;
  }
  cleanAddress();
  addEventListener('hashchange', () => {
    const next = parseFragment(location.hash).secret;
    if (next && next !== secret) location.reload();
    else cleanAddress();
  });
  whereabouts = new Whereabouts({ box, search: location.search, remembered: identity.hub(secret) });
  if (whereabouts.damaged && !(await whereabouts.learn())) {
    tell('damaged-link', { title: words.damagedLinkTitle, text: words.damagedLink });
    return;
  }
  const createConnection = connectionMaker(await certificate());
  room = new Room({
    box,
    whereabouts,
    identity,
    media,
    secret,
    transports: [
      new WebSocketTransport({
        base: location.origin.replace(/^http/, 'ws'),
        box,
        isOrigin: () => whereabouts.isOrigin(),
      }),
      new HubTransport({ blob: () => whereabouts.blob(), createConnection }),
    ],
    relayOnly: new URLSearchParams(location.search).get('relay') === '1',
    createConnection,
  });
  connect();
  learn();
  if (fragment.mark && claimMove(fragment.mark)) arrive();
  else if (identity.joined) rejoin(identity.joined);
  else await enterLobby();
}

/** An old code is refused before the person writes a name; a box that does not answer at once is not waited for. */
async function enterLobby() {
  await Promise.race([room.check(), new Promise((resolve) => setTimeout(resolve, CHECK_LIMIT))]);
  if (room.state === 'out') openLobby(true);
}

/** A whole screen that says why there is no room now. */
function tell(state, message) {
  ending = state;
  notices.clearAll();
  notices.show('screen', message.text);
  showMessage(message);
}

/** Apple's sign-in window, and browsers of long ago, can't make calls. */
function supported() {
  return (
    typeof RTCPeerConnection === 'function' &&
    typeof WebSocket === 'function' &&
    typeof HTMLDialogElement === 'function' &&
    !/CaptiveNetworkSupport/i.test(navigator.userAgent)
  );
}

/** The address keeps the secret, for a reload or a bookmark, and nothing else. */
function cleanAddress() {
  const clean = `${location.pathname}${location.search}#${secret}`;
  history.replaceState(null, '', clean);
}

/** One certificate for all links of this page, so that the safety code with a person stays while the page does. */
async function certificate() {
  try {
    return await RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' });
  } catch {
    return null;
  }
}

function connectionMaker(own) {
  return (configuration) => new RTCPeerConnection(own ? { ...configuration, certificates: [own] } : configuration);
}

function keepCopy() {
  if (!isSecureContext || !navigator.serviceWorker) return;
  // Browsers refuse it behind a certificate they don't trust; the page then does without.
  navigator.serviceWorker.register('/service-worker.js').catch(() => {});
}

async function learn() {
  await whereabouts.learn();
  showInformation();
}

/** What the box says of itself, by whichever way it came. */
function showInformation() {
  const { information, known } = whereabouts;
  if (!information) return;
  const name = information.name || 'Kibitz Local';
  setText($('room-title'), name);
  lobby.showRoom(name, information.discovery);
  peopleView.render();
  // A copy of this page may find the box by nothing else than the blob; it is kept once the box has let the page in.
  if (admitted && known) identity.rememberHub(secret, known.text);
}

// MARK: Wiring

/** Whether the box has let this page in since it was loaded. */
let admitted = false;
let lobby, controls, tiles, chatView, peopleView;

function connect() {
  lobby = new Lobby(media);
  controls = new Controls(media);
  peopleView = new PeopleView(room, whereabouts);
  tiles = new Tiles(media, (id) => peopleView.open(id));
  chatView = new ChatView((text) => room.say(text));

  lobby.on('join', (name) => room.join(name));
  $('leave').onclick = () => room.leave();
  $('invite').onclick = $('alone-invite').onclick = async () => openInvitation(await invitation(), hostedInvitation());
  $('share-camera').onclick = () => helpCamera();
  $('camera-offer').hidden = media.available;

  room.on('state', (state) => enter(state));
  room.on('online', (online) => showLine(online));
  room.on('session', () => {
    admitted = true;
    if (whereabouts.known) identity.rememberHub(secret, whereabouts.known.text);
    showInformation();
  });
  room.on('people', () => showPeople());
  room.on('media', (person) => tiles.setMedia(person));
  room.on('left', (person) => announce(words.left(person.name || words.guest)));
  room.on('chat', (message) => chatView.add(message));
  media.on('problem', (problem) => showProblem(problem));
  media.on('change', () => peopleView.render());
  chatView.fill(room.chat.messages);

  const wake = () => {
    if (document.visibilityState === 'hidden') return;
    room.wake();
    media.recover();
    wakeLock.refresh();
    if (room.inside) tiles.hear();
  };
  document.addEventListener('visibilitychange', wake);
  for (const event of ['online', 'pageshow']) addEventListener(event, wake);
  navigator.connection?.addEventListener?.('change', wake);
}

/** The person came from the http page to share the camera: into the room, and the browser asks for the camera. */
async function arrive() {
  if (identity.name === '') {
    openLobby(true);
    return;
  }
  room.join(identity.name);
  await media.start({ camera: true, microphone: true });
}

/**
 * The page was loaded again while its person was in the room: back in, without a touch. The camera follows while the
 * call already runs.
 */
async function rejoin(before) {
  media.wantsMicrophone = before.microphone;
  room.join(identity.name);
  if (!media.available) return;
  // Asked for even where the permission may be gone: Firefox remembers it for the tab, and others put their question
  // at once.
  const again = () => media.start({ camera: before.camera, microphone: true });
  await again();
  if ((before.camera && !media.video) || (before.microphone && !media.audio)) {
    notices.clear('problem');
    notices.show('reloaded', words.cameraAfterReload, { action: words.cameraTurnOn, run: again });
  }
}

function openLobby(preview) {
  notices.clear('screen');
  showScreen('lobby');
  document.title = `${words.lobbyTitle} · Kibitz Local`;
  controls.place('lobby');
  $('lobby-slot').append($('camera-offer'));
  lobby.open(identity.name);
  if (preview && media.available) media.start({ camera: true, microphone: true });
}

function openRoom() {
  notices.clear('problem');
  notices.clear('screen');
  controls.place('room');
  $('room-slot').append($('camera-offer'));
  showScreen('room');
  document.title = 'Kibitz Local';
  tiles.open(room);
  showPeople();
  $('controls').focus();
}

function enter(state) {
  ending = null;
  wakeLock.set(room.inside);
  if (state === 'joining') {
    openRoom();
    return;
  }
  if (room.inside) {
    tiles.renderOwn();
    return;
  }
  chatView.close();
  tiles.close();
  notices.clearAll();
  clearTimeout(lineTimer);
  if (state === 'out') {
    ending = 'left';
    openLobby(false);
    return;
  }
  media.stop();
  const messages = {
    rotated: { title: words.rotatedTitle, text: words.rotated },
    replaced: { title: words.replacedTitle, text: words.replaced, action: words.replacedAction, run: useHere },
    refused: { title: words.refusedTitle, text: words.refused, action: words.tryAgain, run: useHere },
  };
  tell(state, messages[state]);
}

function useHere() {
  rejoin({ camera: media.wantsCamera, microphone: media.wantsMicrophone });
}

function showPeople() {
  tiles.render(room.mesh.people);
  peopleView.render();
}

// MARK: Notices

let lineTimer = null;
let lineSpoken = false;

function showLine(online) {
  if (online) {
    clearTimeout(lineTimer);
    lineTimer = null;
    notices.clear('line');
    if (lineSpoken) notices.show('back', words.boxBack, { passing: PASSING / 2 });
    lineSpoken = false;
    if (!whereabouts.information && whereabouts.atBox) learn();
    peopleView.render();
    return;
  }
  peopleView.render();
  if (room.signaling.reason === 'full') {
    lineSpoken = false;
    notices.show('line', words.full);
    return;
  }
  if (lineTimer !== null || lineSpoken || !room.inside) return;
  lineTimer = setTimeout(() => {
    lineTimer = null;
    if (!room.inside || room.signaling.isOpen) return;
    lineSpoken = true;
    notices.show('line', room.state === 'joined' ? words.boxLost : words.boxLostJoining);
  }, OFFLINE_GRACE);
}

function showProblem(problem) {
  const texts = {
    denied: words.denied,
    missing: words.missing,
    busy: words.busy,
    'unplugged-camera': words.unpluggedCamera,
    'unplugged-microphone': words.unpluggedMicrophone,
    'unplugged-both': words.unpluggedBoth,
  };
  notices.show('problem', texts[problem], { action: words.dismiss, passing: 2 * PASSING });
}

// MARK: Addresses

/**
 * The link to share: as the box's own begins where the certificate is the box's own, mostly with plain http for a phone
 * that never was here; and with the blob where this page did not come from the box.
 */
async function invitation() {
  // The box's addresses may have changed since.
  if (whereabouts.atBox || !whereabouts.information) await whereabouts.learn();
  if (!whereabouts.atBox) return `${location.origin}${location.pathname}?galaxy=${whereabouts.known.text}#${secret}`;
  const { information } = whereabouts;
  // The owner's certificate is for names, and this page's may be another one.
  if (information?.certificate !== 'own') return `${location.origin}/#${secret}`;
  const { scheme } = information;
  const origin = new URL(`${scheme}://${location.hostname}:${information[scheme] ?? ''}`).origin;
  return `${origin}/#${secret}`;
}

/** The link for Kibitz's page, which dials the box's hub with the blob in it; null where the box has none or does not say. */
function hostedInvitation() {
  const { hub, base } = whereabouts.information ?? {};
  return hub && base ? `${base}/?galaxy=${hub.text}#${secret}` : null;
}

async function helpCamera() {
  if (!whereabouts.information) await whereabouts.learn();
  const { information, atBox, known } = whereabouts;
  const port = information?.https ?? null;
  let address = null;
  if (port) {
    const fragment = new URLSearchParams();
    if (identity.token) fragment.set('t', identity.token);
    const name = room.name || $('name').value.trim();
    if (name) fragment.set('n', name);
    if (room.inside) fragment.set('m', markMove());
    const parameters = fragment.toString();
    const host = `${atBox ? location.hostname : known.endpoints[0].address}${port === 443 ? '' : `:${port}`}`;
    address = `https://${host}/${location.search}#${secret}${parameters && `&${parameters}`}`;
  }
  openCameraHelp({ address, certificate: information?.certificate ?? 'own' });
}

// MARK: Support and tests

/** The state of the page in plain data: `kibitzLocal.snapshot()` in the console. */
async function snapshot() {
  const inside = room?.inside ?? false;
  const people = inside ? [...room.mesh.people.values()] : [];
  return {
    state: ending ?? (room ? { out: 'lobby' }[room.state] ?? room.state : 'starting'),
    line: room?.signaling.state ?? 'idle',
    /** Which way to the box carries: websocket, hub, or null. */
    carrier: room?.signaling.carrier ?? null,
    dialling: room?.signaling.snapshot ?? null,
    secure: isSecureContext,
    self: { id: room?.id ?? null, name: room?.name ?? '', ...(room?.sends ?? { camera: false, microphone: false }) },
    people: await Promise.all(
      people.map(async ({ id, name, camera, microphone, away, link }) => ({
        id,
        name,
        camera,
        microphone,
        away,
        link: await link.snapshot(),
      }))
    ),
    chat: (room?.chat.messages ?? []).map(({ from, name, text }) => ({ from, name, text })),
    notice: notices.text,
  };
}
