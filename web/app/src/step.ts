// SPDX-License-Identifier: Apache-2.0
// Sound and pictures in step: a picture waits for its sound, and sound waits for nobody, for it is of
// many people.
//
// All RTP times of a connection are of one clock of the bridge's (docs/c2w.md): a picture's says when the
// sound of the same moment was mixed.  A browser puts one picture at most beside a sound by itself,
// in small steps, and makes sound wait too; so the page does it for each tile.  Pure functions.

const RTP_TIMES = 2 ** 32;
const SOUND_KHZ = 48;
const PICTURE_KHZ = 90;
/** Pictures that come early are held back no longer than this. */
export const WAIT_MS_MAX = 500;
/** A difference that nobody notices, and that measuring may make. */
const SLACK_MS = 10;
/** Decoding and drawing take no longer than this. */
const DRAWING_MS_MAX = 25;

/** What was last heard or shown of a line. */
export interface Moment {
  readonly rtp: number;
  /** When, by the page's clock. */
  readonly at: number;
}

/** How many milliseconds the moment of a picture is after that of a sound; each clock has begun anew
 * once or twice after so many hours. */
export function between(sound: number, picture: number): number {
  let nearest = Infinity;
  for (let i = 0; i <= 2; i++)
    for (let j = 0; j <= 3; j++) {
      const ms = (picture + j * RTP_TIMES) / PICTURE_KHZ - (sound + i * RTP_TIMES) / SOUND_KHZ;
      if (Math.abs(ms) < Math.abs(nearest)) nearest = ms;
    }
  return nearest;
}

/** How much earlier pictures are shown than their sound is heard.  From there to eye and ear both take about
 * as long again. */
export function ahead(sound: Moment, picture: Moment): number {
  return between(sound.rtp, picture.rtp) - (picture.at - sound.at);
}

/** How long pictures are to be asked to wait: `waits` is how long they do before they are decoded, `asked` what
 * was asked before, decoding and drawing included; they come to that by and by. */
export function waitOf(waits: number, earlier: number, asked: number): number {
  const now = Math.max(waits, Math.min(asked, waits + DRAWING_MS_MAX));
  const wanted = Math.min(WAIT_MS_MAX, Math.max(0, Math.round(now + earlier)));
  return Math.abs(earlier) <= SLACK_MS || Math.abs(wanted - asked) <= SLACK_MS ? asked : wanted;
}
