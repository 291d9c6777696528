// SPDX-License-Identifier: Apache-2.0
// The machine's part for pictures: one's camera and screen, the lines for those of others and what is
// asked of them.  It keeps nothing itself; all is in the session.

import { linesFor, viewOf, type Look } from './pictures';
import type { Incoming } from './protocol';
import type { Draft, Works } from './state';

/** A view is not sent more often than this, however much the window is dragged about. */
export const VIEW_MS = 250;
export const FLOOR_MS = 6_000;

export class Pictures {
  constructor(private readonly works: Works) {}

  private get now(): Draft {
    return this.works.now;
  }

  /** A participant made anew knows nothing of what its person showed. */
  tellAgain(): void {
    const { now, works } = this;
    now.videoMutedByOther = false;
    now.presenter = '';
    if (now.tilesMax === 0) return;
    works.send({ type: 'camera', on: now.wantCamera });
    if (now.share === 'off') return;
    now.share = 'asking';
    works.send({ type: 'share', on: true });
    works.start('floor', FLOOR_MS);
  }

  // ---- Lines ----

  linesWanted(): number {
    const { people, self, look, tilesMax } = this.now;
    const seen = [...people.values()].filter(({ id, lobby, video }) => video && !lobby && id !== self);
    return linesFor(seen.length, look.places, tilesMax);
  }

  /** Forgets what belonged to a peer connection. */
  forgetPeer(): void {
    Object.assign(this.now, { revision: 0, offering: false, lines: 0, screenLine: false, sentView: '' });
    Object.assign(this.now, { offeredMids: [], mids: [], tiles: new Map() });
  }

  /** Another offer, when more can be seen or shown than there are lines for. */
  offerMore(): void {
    const { now, works } = this;
    const isBusy = now.awaitingAnswer || now.offering || now.revision === 0;
    if (now.phase !== 'open' || now.peerState !== 'connected' || isBusy || now.tilesMax === 0) return;
    const lines = Math.max(now.lines, this.linesWanted());
    const screen = now.screenLine || now.share === 'on';
    if (lines === now.lines && screen === now.screenLine) return;
    Object.assign(now, { lines, screenLine: screen, offering: true });
    works.do({ do: 'offerMore', peer: now.peer, lines, screen });
  }

  // ---- What is asked of them ----

  look(look: Look): void {
    this.now.look = look;
    this.offerMore();
    this.view();
  }

  view(): void {
    const { now, works } = this;
    if (now.phase !== 'open' || now.mids.length === 0 || now.viewWaits) return;
    const tiles = viewOf(now.mids, now.tiles, now.look, now.presenter === now.self ? '' : now.presenter);
    const text = JSON.stringify(tiles);
    if (text === now.sentView) return;
    now.sentView = text;
    now.viewWaits = true;
    works.send({ type: 'view', tiles });
    works.start('view', VIEW_MS);
  }

  viewTimer(): void {
    this.now.viewWaits = false;
    this.view();
  }

  tiles(message: Incoming & { type: 'tiles' }): void {
    this.now.tiles = new Map(message.tiles.map((tile) => [tile.mid, tile]));
    this.view();
  }

  // ---- One's camera ----

  camera(running: boolean): void {
    const { now, works } = this;
    if (running && now.videoMutedByOther && !now.mayUnmuteVideo) {
      works.do({ do: 'stopCamera' });
      return;
    }
    const changed = now.wantCamera !== running;
    now.wantCamera = running;
    if (running) now.videoMutedByOther = false;
    else works.do({ do: 'stopCamera' });
    if (now.phase !== 'open' || now.tilesMax === 0) return;
    works.send({ type: 'camera', on: running });
    if (changed) works.announce({ kind: running ? 'cameraOn' : 'cameraOff' });
  }

  videoMuted(message: Incoming & { type: 'videoMuted' }): void {
    const { now, works } = this;
    /* Until the roster names us the bridge shows us to nobody: nobody's doing. */
    const byOther = message.byOther && now.people.has(now.self);
    now.videoMutedByOther = message.muted && byOther;
    now.mayUnmuteVideo = message.mayUnmute;
    if (!byOther) return;
    if (message.muted && now.wantCamera) {
      now.wantCamera = false;
      works.do({ do: 'stopCamera' });
      works.announce({ kind: 'cameraOffByOther' });
    } else if (!message.muted && !now.wantCamera) {
      /* Nobody else opens a camera that its owner has closed. */
      works.send({ type: 'camera', on: false });
    }
  }

  // ---- One's screen ----

  share(chosen: boolean): void {
    const { now, works } = this;
    delete now.shareProblem;
    if (chosen && now.phase === 'open' && now.tilesMax > 0) {
      if (now.share !== 'off') return;
      now.share = 'asking';
      works.send({ type: 'share', on: true });
      works.start('floor', FLOOR_MS);
      return;
    }
    works.do({ do: 'stopScreen' });
    if (now.share === 'off') return;
    works.send({ type: 'share', on: false });
    this.shareEnds();
  }

  floorTimer(): void {
    if (this.now.share !== 'asking') return;
    this.works.send({ type: 'share', on: false });
    this.now.shareProblem = 'busy';
    this.shareEnds();
  }

  private shareEnds(): void {
    const { now, works } = this;
    if (now.share === 'on') works.announce({ kind: 'sharingEnded' });
    now.share = 'off';
    works.stop('floor');
    works.do({ do: 'stopScreen' });
  }

  sharing(message: Incoming & { type: 'sharing' }): void {
    const { now, works } = this;
    const before = now.presenter;
    now.presenter = message.participant ?? '';
    if (message.floor === 'granted') {
      if (now.share !== 'asking') return;
      now.share = 'on';
      works.stop('floor');
      works.do({ do: 'sendScreen' });
      works.announce({ kind: 'sharing' });
      this.offerMore();
    } else if (message.floor !== 'news' && now.share !== 'off') {
      now.shareProblem = message.floor;
      this.shareEnds();
    }
    if (before !== now.presenter) this.presenterChanged(before);
    this.view();
  }

  private presenterChanged(before: string): void {
    const { now, works } = this;
    if (now.presenter !== '' && now.presenter !== now.self)
      works.announce({ kind: 'presents', name: now.people.get(now.presenter)?.name ?? '' });
    else if (now.presenter === '' && before !== now.self) works.announce({ kind: 'presentationEnded' });
  }
}
