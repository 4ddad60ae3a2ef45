/**
 * What each camera picture may cost. In a mesh every phone sends its picture to every other one over the same
 * Wi-Fi, so the air fills with the square of the people; the pictures shrink as the tiles do.
 */

/** By the number of other people, up to and including `people`: video bit/s, lines, frames/s, and audio bit/s. */
const STEPS = [
  { people: 1, video: 1_500_000, lines: 720, rate: 30, audio: 40_000 },
  { people: 2, video: 900_000, lines: 540, rate: 30, audio: 40_000 },
  { people: 4, video: 500_000, lines: 360, rate: 24, audio: 32_000 },
  { people: 7, video: 250_000, lines: 270, rate: 20, audio: 28_000 },
  { people: Infinity, video: 120_000, lines: 180, rate: 15, audio: 24_000 },
];

export function qualityFor(people) {
  return STEPS.find((step) => people <= step.people);
}

/** Sets what a sender may send; browsers that know less of it ignore the rest. */
export async function limitSender(sender, quality) {
  const kind = sender.track?.kind;
  if (!kind) return;
  const parameters = sender.getParameters();
  const encoding = parameters.encodings?.[0];
  // Before the first negotiation there is no encoding to limit; the link calls again when it is connected.
  if (!encoding) return;
  if (kind === 'video') {
    const { width = 0, height = 0 } = sender.track.getSettings?.() ?? {};
    const lines = Math.min(width, height) || height;
    encoding.maxBitrate = quality.video;
    encoding.maxFramerate = quality.rate;
    encoding.scaleResolutionDownBy = Math.max(1, lines / quality.lines);
  } else {
    encoding.maxBitrate = quality.audio;
    // Words matter more than pictures when the air is full.
    encoding.priority = 'high';
    encoding.networkPriority = 'high';
  }
  try {
    await sender.setParameters(parameters);
  } catch {
    delete encoding.priority;
    delete encoding.networkPriority;
    delete encoding.maxFramerate;
    await sender.setParameters(parameters).catch(() => {});
  }
}
