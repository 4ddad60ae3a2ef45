/**
 * Every text of the page, by language. A value is a string or a function of what it speaks of. A new language is a
 * new table; a text missing there is shown in English.
 */
const english = {
  // The frame
  skip: 'Skip to the controls',

  // Lobby
  lobbyTitle: 'Join the room',
  nameLabel: 'Your name',
  namePlaceholder: 'How others see you',
  nameMissing: 'Please write your name, so that the others know who you are.',
  join: 'Join',
  preview: 'Your camera',
  previewOff: 'Your camera is off',
  previewAsking: 'Please allow the camera and the microphone.',
  previewInsecure: 'You can join, talk by chat and watch the others.',

  // The line to the box
  lineWebSocket: 'You are connected to the box through its web server.',
  lineHub: 'You are connected through the box’s direct link.',
  lineDown: 'The box does not answer now. Your calls go on.',
  discovery:
    'This box lets phones find it without its code. So anyone on this network can pose as the box. Compare safety codes before you say anything private.',

  // Controls
  controls: 'Call controls',
  microphone: 'Microphone',
  microphoneShort: 'Mic',
  microphoneOn: 'Mute microphone',
  microphoneOff: 'Unmute microphone',
  camera: 'Camera',
  cameraOn: 'Turn camera off',
  cameraOff: 'Turn camera on',
  switchCamera: 'Switch camera',
  switchShort: 'Switch',
  chat: 'Chat',
  chatUnread: (count) => `Chat, ${count} new`,
  leave: 'Leave',
  peopleCount: (count) => `People in the room: ${count}`,
  invite: 'Invite',
  close: 'Close',
  unmute: 'Tap to hear',

  // Tiles
  tiles: 'People in the call',
  you: 'You',
  youNamed: (name) => `${name} (you)`,
  guest: 'Guest',
  details: (name) => `${name}: details and safety code`,
  connecting: (name) => `Connecting to ${name}…`,
  reconnecting: (name) => `Reconnecting to ${name}…`,
  away: (name) => `${name} is away. The phone may be locked.`,
  connected: (name) => `Connected to ${name}`,
  cameraIsOff: 'Camera off',
  microphoneIsOff: 'Microphone off',
  alone: 'Nobody else is here yet.',
  aloneHint: 'Let others scan your invitation.',
  left: (name) => `${name} left.`,

  // Chat
  chatTitle: 'Chat',
  chatLabel: 'Message to everyone',
  chatPlaceholder: 'Write a message',
  chatSend: 'Send',
  chatEmpty: 'What you write goes straight to the others. Nothing is stored on the box.',
  chatFrom: (name, time) => `${name}, ${time}`,
  chatNew: (name, text) => `${name}: ${text}`,

  // People
  peopleTitle: 'In the room',
  linkDirect: 'Direct',
  linkRelayed: 'Through the box',
  linkUnknown: 'Connected',
  safety: 'Safety code',
  safetyHint: (name) =>
    `Read these pictures to each other. If ${name} sees the same ones, nobody stands between you.`,
  safetyMissing: 'The safety code appears when you are connected.',
  safetySpoken: (names) => `Safety code: ${names}`,

  // Invite
  inviteTitle: 'Invite',
  inviteHint: 'Others join the same Wi-Fi, then scan this code or open the link.',
  inviteCode: 'QR code with the link to this room',
  inviteLink: 'Link to this room',
  inviteLoopback: 'This address works only on this computer. For others, use the code that the box shows.',
  inviteHosted: (page) => `Code for ${page}`,
  inviteHostedHint: (page) =>
    `For people who use ${page}: it reaches this box by itself, also without internet once it was loaded. They meet in its room, not in this one.`,
  inviteHostedCode: (page) => `QR code with the link for ${page}`,
  inviteHostedLink: (page) => `Link for ${page}`,
  inviteRoom: 'Code for this room',
  copy: 'Copy link',
  copied: 'Link copied.',
  copyFailed: 'Please copy the link by hand: it is selected.',
  share: 'Share…',
  shareTitle: 'Join me in the room',

  // Camera without a secure origin
  shareCamera: 'Share my camera',
  shareCameraLine: 'Here you can watch and chat. One more step shares your camera.',
  shareCameraTitle: 'Share my camera',
  shareCameraWhy:
    'Phones give the camera only to pages on a secure address. The box has one, but it made its certificate itself, so your phone will warn you that it does not know it. The box is right here with you: you may go on.',
  shareCameraSteps: [
    'Tap “Go to the secure address”.',
    'In the warning, tap “Advanced” or “Show details”.',
    'Tap “Proceed” or “Visit this website”.',
    'Allow the camera. You keep your place in the room.',
  ],
  shareCameraGo: 'Go to the secure address',
  shareCameraOwner: 'The box has a certificate your phone knows. No warning will appear.',
  certificate: 'Install the box’s certificate instead',
  certificateHint: 'Then this phone never warns again. It is limited to this box’s own addresses.',
  shareCameraMissing: 'The box has no secure address now. Please ask its owner.',

  // Notices
  boxLost: 'The box does not answer. Your calls go on. Trying again…',
  boxLostJoining: 'The box does not answer. Trying again…',
  boxBack: 'The box is back.',
  full: 'The room is full. You get in as soon as someone leaves.',
  denied:
    'The browser does not let this page use the camera or microphone. Allow them in the page’s settings, next to the address.',
  missing: 'No camera or microphone was found. You can join without.',
  busy: 'The camera or microphone can’t be used now. Another app may have it.',
  unpluggedCamera: 'The camera stopped. It comes back by itself if it can.',
  unpluggedMicrophone: 'The microphone stopped. It comes back by itself if it can.',
  unpluggedBoth: 'The camera and the microphone stopped. They come back by themselves if they can.',
  cameraAfterReload: 'Your camera is off since the page was loaded again.',
  cameraTurnOn: 'Turn it on',
  dismiss: 'OK',

  // Full-page messages
  noSecretTitle: 'Scan the code on the box',
  noSecret: 'This page opens the room only by its code. Point your phone’s camera at the code that the box shows.',
  rotatedTitle: 'The codes of this room were changed',
  rotated: 'Scan the new code on the box to come back.',
  replacedTitle: 'This room is open in another tab',
  replaced: 'You are in the room there. You can also go on here.',
  replacedAction: 'Use it here',
  damagedLinkTitle: 'This link is not complete',
  damagedLink: 'A part of it is missing or changed. Scan the code on the box again.',
  refusedTitle: 'The box does not let this page in',
  refused: 'Scan the code on the box again. If that does not help, restart the box.',
  unsupportedTitle: 'Please open this page in your browser',
  unsupported:
    'This window can’t make calls. Close it, open Safari, Chrome or Firefox, and scan the code on the box again.',
  tryAgain: 'Try again',

  // The page /direct
  directConnecting: 'Connecting to the box…',
  directConnected: 'Connected to the box, without its web server.',
  directLost: 'The connection is lost. Load the page again to connect anew.',
  directFailed: 'The box can’t be reached this way.',
  directOff: 'The box does not offer this now. Its owner can set “direct: echo”.',
  directEcho: (size, time) => `${size} bytes came back after ${time} ms`,
  directBroken: 'Something else came back than was sent.',
};

export const languages = { en: english };

/** The table for the first of `preferred` there is, over English. */
export function wordsFor(preferred = globalThis.navigator?.languages ?? []) {
  for (const tag of preferred) {
    const language = tag.toLowerCase().split('-')[0];
    if (languages[language]) return { language, words: { ...english, ...languages[language] } };
  }
  return { language: 'en', words: english };
}

const chosen = wordsFor();
export const language = chosen.language;
export const words = chosen.words;

/**
 * Fills the texts of the static page: `data-words="key"` is an element's text, `data-words-label`, `-placeholder` its
 * attributes.
 */
export function fillWords(root) {
  for (const element of root.querySelectorAll('[data-words]')) element.textContent = words[element.dataset.words];
  for (const element of root.querySelectorAll('[data-words-label]')) {
    element.setAttribute('aria-label', words[element.dataset.wordsLabel]);
    if (element.matches('button')) element.title = words[element.dataset.wordsLabel];
  }
  for (const element of root.querySelectorAll('[data-words-placeholder]')) {
    element.placeholder = words[element.dataset.wordsPlaceholder];
  }
}
