// SPDX-License-Identifier: Apache-2.0
// How well the connection does: a mark that is always there, and figures for who wants them.

import { useEffect, useReducer } from 'preact/hooks';
import { useApp } from '../app';
import type { Level } from '../protocol';
import type { Session } from '../session';
import { Dialog } from './parts';

const REFRESH_MS = 2500;
const LEVELS: readonly Level[] = ['good', 'fair', 'poor'];
const BARS: Record<Level, number> = { good: 3, fair: 2, poor: 1 };

/** The worse of what the bridge sees and what the browser does. */
export function qualityOf({ quality, measured }: Session): Level {
  return LEVELS[Math.max(LEVELS.indexOf(quality), LEVELS.indexOf(measured))] ?? 'good';
}

function Bars({ level }: { level: Level }) {
  return (
    <svg class={`icon signal ${level}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {[8, 13, 18].map((height, at) => (
        <path key={height} class={at < BARS[level] ? 'on' : ''} d={`M${6 + at * 6} 20v-${height}`} />
      ))}
    </svg>
  );
}

export function QualityMark() {
  const app = useApp();
  const { strings, shell } = app;
  if (shell.session.peerState !== 'connected') return null;
  const level = qualityOf(shell.session);
  return (
    <button
      type="button"
      class={`quality ${level}`}
      aria-label={strings.qualityIs(strings.quality[level])}
      title={strings.qualityIs(strings.quality[level])}
      onClick={() => app.openWindow({ what: 'quality' })}
    >
      <Bars level={level} />
      <span class="word">{strings.quality[level]}</span>
    </button>
  );
}

export function QualityWindow({ close }: { close: () => void }) {
  const app = useApp();
  const { strings, shell } = app;
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const timer = window.setInterval(() => redraw(undefined), REFRESH_MS);
    return () => window.clearInterval(timer);
  }, []);
  const level = qualityOf(shell.session);
  const { numbers } = shell;
  const rate = (kbps: number | undefined) => (kbps === undefined ? '–' : `${Math.round(kbps).toLocaleString(app.locale)} kbit/s`);
  const facts = [
    [strings.received, rate(numbers?.inKbps)],
    [strings.sent, rate(numbers?.outKbps)],
    [strings.lost, numbers === undefined ? '–' : `${numbers.lostPct.toLocaleString(app.locale, { maximumFractionDigits: 1 })} %`],
    [strings.delay, numbers === undefined ? '–' : `${Math.round(numbers.rttMs)} ms`],
  ];
  return (
    <Dialog title={strings.qualityIs(strings.quality[level])} close={close}>
      <p>{strings.qualityHint[level]}</p>
      <dl class="figures">
        {facts.map(([what, value]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="row">
        <button type="button" class="main" onClick={close}>
          {strings.close}
        </button>
      </div>
    </Dialog>
  );
}
