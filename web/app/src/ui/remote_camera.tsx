// SPDX-License-Identifier: Apache-2.0
// The buttons that move a room's camera, for as long as they are held.

import { useEffect, useRef } from 'preact/hooks';
import { useApp } from '../app';
import type { Motion } from '../protocol';
import { ArrowIcon, FarIcon, NearIcon, ZoomInIcon, ZoomOutIcon } from './icons';
import { Dialog } from './parts';

/** The bridge lets a camera go on for a second without another word. */
const REPEAT_MS = 400;

const KEYS: Record<string, Motion> = {
  ArrowLeft: { pan: -1 },
  ArrowRight: { pan: 1 },
  ArrowUp: { tilt: 1 },
  ArrowDown: { tilt: -1 },
  '+': { zoom: 1 },
  '-': { zoom: -1 },
};

export function RemoteCamera({ id, close }: { id: string; close: () => void }) {
  const app = useApp();
  const { strings, shell } = app;
  const name = shell.session.people.get(id)?.name ?? '';
  const timer = useRef(0);
  /** Which button is held; the one that loses the focus to it does not stop it. */
  const held = useRef('');
  const tell = (motion: Motion) => shell.happen({ on: 'remoteCamera', participant: id, motion });
  const stop = () => {
    if (timer.current === 0) return;
    window.clearInterval(timer.current);
    timer.current = 0;
    tell({});
  };
  const move = (motion: Motion, by = '') => {
    if (timer.current !== 0) return;
    held.current = by;
    tell(motion);
    timer.current = window.setInterval(() => tell(motion), REPEAT_MS);
  };
  useEffect(() => stop, []);
  const button = (label: string, motion: Motion, icon: preact.ComponentChildren, place: string) => (
    <button
      type="button"
      class={`motion ${place}`}
      aria-label={label}
      title={label}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        move(motion, place);
      }}
      onPointerUp={stop}
      onPointerCancel={stop}
      onKeyDown={(event) => {
        if (event.key === 'Enter' || event.key === ' ') move(motion, place);
      }}
      onKeyUp={stop}
      onBlur={() => {
        if (held.current === place) stop();
      }}
    >
      {icon}
    </button>
  );
  const { motions } = strings;
  return (
    <Dialog title={strings.moveCamera(name)} close={close} class="beside">
      <div
        class="motions"
        onKeyDown={(event) => {
          const motion = KEYS[event.key];
          if (motion === undefined) return;
          event.preventDefault();
          move(motion);
        }}
        onKeyUp={stop}
      >
        {button(motions.up, { tilt: 1 }, <ArrowIcon to="up" />, 'at-up')}
        {button(motions.left, { pan: -1 }, <ArrowIcon to="left" />, 'at-left')}
        {button(motions.right, { pan: 1 }, <ArrowIcon to="right" />, 'at-right')}
        {button(motions.down, { tilt: -1 }, <ArrowIcon to="down" />, 'at-down')}
        {button(motions.zoomIn, { zoom: 1 }, <ZoomInIcon />, 'at-in')}
        {button(motions.zoomOut, { zoom: -1 }, <ZoomOutIcon />, 'at-out')}
        {button(motions.focusNear, { focus: -1 }, <NearIcon />, 'at-near')}
        {button(motions.focusFar, { focus: 1 }, <FarIcon />, 'at-far')}
      </div>
      <p class="note">{strings.holdToMove}</p>
      <div class="row">
        <button type="button" class="main" onClick={close}>
          {strings.close}
        </button>
      </div>
    </Dialog>
  );
}
