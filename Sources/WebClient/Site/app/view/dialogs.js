/** The invitation, and the way to the camera for a page without a secure origin. */
import { qrPath } from '../qr.js';
import { words } from '../words.js';
import { $, drawing, element, setText } from './dom.js';

const LOOPBACK = /^(localhost|127\.[\d.]+|\[::1\])$/;

export function prepareDialogs() {
  for (const button of document.querySelectorAll('dialog [data-close]')) {
    button.onclick = () => button.closest('dialog').close();
  }
  for (const dialog of document.querySelectorAll('dialog')) {
    // A tap beside the dialog closes it.
    dialog.onclick = (event) => {
      if (event.target === dialog) dialog.close();
    };
  }
}

/**
 * @param link the address to share
 * @param hosted the address by which another page's people come to the box through its hub, or null where there is none
 */
export function openInvitation(link, hosted) {
  showInvitation(link, { hosted, isHosted: false });
  $('invite-dialog').showModal();
  $('invite-copy').focus();
}

/** Shows one code: two in one picture would leave it to chance which of them a camera takes. */
function showInvitation(room, { hosted, isHosted }) {
  const link = isHosted ? hosted : room;
  const page = hosted === null ? '' : new URL(hosted).host;
  const { path, side } = qrPath(link);
  $('invite-code').replaceChildren(drawing(path, side));
  $('invite-code').setAttribute('aria-label', isHosted ? words.inviteHostedCode(page) : words.inviteCode);
  setText($('invite-hint'), isHosted ? words.inviteHostedHint(page) : words.inviteHint);
  $('invite-link').value = link;
  $('invite-link').setAttribute('aria-label', isHosted ? words.inviteHostedLink(page) : words.inviteLink);
  $('invite-loopback').hidden = !LOOPBACK.test(new URL(link).hostname);
  setText($('invite-done'), '');
  $('invite-copy').onclick = async () => setText($('invite-done'), (await copy(link)) ? words.copied : words.copyFailed);
  $('invite-share').hidden = typeof navigator.share !== 'function';
  $('invite-share').onclick = () => navigator.share({ title: words.shareTitle, url: link }).catch(() => {});
  $('invite-other').hidden = hosted === null;
  setText($('invite-other'), isHosted ? words.inviteRoom : words.inviteHosted(page));
  $('invite-other').onclick = () => showInvitation(room, { hosted, isHosted: !isHosted });
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // On plain http there is no clipboard but this old one.
    $('invite-link').focus();
    $('invite-link').select();
    return document.execCommand('copy');
  }
}

/**
 * @param address the https address of this room that keeps the identity, or null where the box has none
 * @param certificate 'own' or 'owner'
 */
export function openCameraHelp({ address, certificate }) {
  const own = certificate === 'own';
  const go = $('share-camera-go');
  setText($('camera-why'), address === null ? words.shareCameraMissing : own ? words.shareCameraWhy : words.shareCameraOwner);
  $('camera-steps').hidden = address === null || !own;
  $('camera-steps').replaceChildren(...words.shareCameraSteps.map((step) => element('li', {}, step)));
  go.hidden = address === null;
  if (address) go.href = address;
  $('camera-certificate').hidden = address === null || !own;
  const apple = /iPhone|iPad|iPod|Macintosh/.test(navigator.userAgent);
  $('certificate-link').href = apple ? '/ca.mobileconfig' : '/ca.crt';
  $('camera-dialog').showModal();
  if (address) go.focus();
}
