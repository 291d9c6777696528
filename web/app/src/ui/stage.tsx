// SPDX-License-Identifier: Apache-2.0
// The pictures of a meeting: who is shown where, how large, and what is told to the bridge of it.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useApp, type App } from '../app';
import { CONTENT, type Look } from '../pictures';
import { inOrder, isMuted, type Person, type Session } from '../session';
import { floatRect, focusRects, gridRects, placesIn, shownOf, stripPlaces, type Rect } from '../stage';
import { Avatar } from './parts';
import { CameraControlIcon, CameraOffIcon, FullScreenIcon, HandIcon, MutedIcon, PhoneIcon, PinIcon, ScreenIcon } from './icons';
import { Picture } from './picture';
import { useWide } from './tools';

const GAP = 10;
const GAP_NARROW = 6;
const NARROW = 600;

interface Size {
  readonly width: number;
  readonly height: number;
}

function useSize(): [preact.RefObject<HTMLUListElement>, Size] {
  const element = useRef<HTMLUListElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return undefined;
    const measure = () => setSize({ width: current.clientWidth, height: current.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return [element, size];
}

/** Draws anew when the page is hidden or seen again, and when something fills the screen. */
function usePageState(): { readonly hidden: boolean; readonly alone: string } {
  const read = () => ({
    hidden: document.visibilityState === 'hidden',
    alone: document.fullscreenElement?.getAttribute('data-participant') ?? '',
  });
  const [state, setState] = useState(read);
  useEffect(() => {
    const look = () => setState(read());
    document.addEventListener('visibilitychange', look);
    document.addEventListener('fullscreenchange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      document.removeEventListener('fullscreenchange', look);
    };
  }, []);
  return state;
}

// ---- Who stands where ----

export function isShared({ presenter, self, people }: Session): boolean {
  return presenter !== '' && presenter !== self && people.has(presenter);
}

/** Who is shown large: a person, CONTENT, or nobody. */
export function mainOf(app: App, others: readonly Person[]): string {
  const { session } = app.shell;
  const shared = isShared(session);
  if (app.pinned === CONTENT ? shared : others.some(({ id }) => id === app.pinned)) return app.pinned;
  if (shared && app.smallContentOf !== session.presenter) return CONTENT;
  if (app.preferences.arrangement !== 'speaker' || others.length === 0) return '';
  const speaker = others.find(({ id }) => id === session.speaker);
  return (speaker ?? others.find(({ video }) => video) ?? others[0])?.id ?? '';
}

interface Placing {
  readonly rects: ReadonlyMap<string, Rect>;
  readonly shown: readonly string[];
  readonly main: string;
  readonly places: number;
  readonly floats: boolean;
}

/** Who is large has to be seen, then who talks, then who is in a tile. */
function mustBeSeen(session: Session, main: string): Set<string> {
  const must = new Set<string>(main === '' || main === CONTENT ? [] : [main]);
  for (const { id, talking } of session.people.values()) if (talking) must.add(id);
  for (const { participant, content } of session.tiles.values())
    if (participant !== undefined && content !== true) must.add(participant);
  return must;
}

function placing(app: App, before: readonly string[], { width, height }: Size): Placing {
  const { session } = app.shell;
  const gap = width < NARROW ? GAP_NARROW : GAP;
  const others = inOrder(session).filter(({ id, lobby }) => id !== session.self && !lobby);
  const main = mainOf(app, others);
  const content = isShared(session) ? [CONTENT] : [];
  const selfHere = session.people.has(session.self) && !app.preferences.selfHidden;
  const floats = main === '' && content.length === 0 && others.length === 1;
  const self = selfHere && !floats ? [session.self] : [];
  const all = others.map(({ id }) => id);
  const must = mustBeSeen(session, main);
  if (main !== '') {
    const places = stripPlaces(width, height, gap);
    const extra = [...content, ...self].filter((id) => id !== main).length;
    const strip = all.filter((id) => id !== main);
    const room = Math.max(places - extra, 0);
    const shown = shownOf(before.filter((id) => id !== main), strip, must, room);
    const row = [...content.filter((id) => id !== main), ...shown, ...self].slice(0, places);
    const large = main === CONTENT ? [] : [main];
    return { rects: focusRects(main, row, width, height, gap), shown: [...large, ...shown], main, places: room + large.length, floats: false };
  }
  const places = Math.max(1, placesIn(width, height) - content.length - self.length);
  const shown = shownOf(before, all, must, places);
  const rects = gridRects([...content, ...shown, ...self], width, height, gap);
  if (floats && selfHere && app.shell.camera.track !== null) rects.set(session.self, floatRect(width, height, gap));
  return { rects, shown, main, places, floats };
}

/** Tells the bridge, through the machine, what is to be seen. */
function useLook(app: App, { rects, shown, main, places }: Placing, size: Size): void {
  const { hidden, alone } = usePageState();
  const { session } = app.shell;
  const wide = useWide();
  const scale = window.devicePixelRatio;
  const heights = new Map<string, number>();
  for (const [id, rect] of rects) if (id !== session.self) heights.set(id, Math.round(rect.height * scale));
  if (alone !== '')
    for (const id of heights.keys()) heights.set(id, id === alone ? Math.round(window.screen.height * scale) : 0);
  const smallest = [...heights].filter(([id]) => id !== CONTENT && id !== main).map(([, height]) => height);
  const look: Look = {
    heights,
    spare: Math.min(...smallest, Math.round(size.height * scale)),
    wanted: main !== '' && main !== CONTENT && session.people.get(main)?.video === true ? [main] : [],
    places,
    /* Where there is little room an open panel covers everything. */
    hidden: hidden || size.height === 0 || (app.panel !== undefined && !wide),
  };
  const key = JSON.stringify({ ...look, heights: [...heights], shown });
  useEffect(() => {
    if (size.width > 0) app.shell.happen({ on: 'look', look });
  }, [key]);
}

// ---- A place ----

function placeStyle({ x, y, width, height }: Rect) {
  return { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` };
}

function showAlone(event: Event): void {
  const cell = (event.currentTarget as HTMLElement).closest('li');
  if (document.fullscreenElement !== null) void document.exitFullscreen();
  else void cell?.requestFullscreen().catch(() => undefined);
}

function PlaceTools({ id, name, person }: { id: string; name: string; person: Person | undefined }) {
  const app = useApp();
  const { strings } = app;
  const pinned = app.pinned === id;
  const movable = person?.remoteCamera === true && app.shell.session.rights.controlCamera;
  return (
    <span class="place-tools">
      {movable && (
        <button type="button" aria-label={strings.moveCamera(name)} title={strings.moveCamera(name)} onClick={() => app.openWindow({ what: 'camera', id })}>
          <CameraControlIcon />
        </button>
      )}
      <button
        type="button"
        aria-pressed={pinned}
        aria-label={pinned ? strings.unpin(name) : strings.pin(name)}
        title={pinned ? strings.unpin(name) : strings.pin(name)}
        onClick={() => app.pin(pinned ? '' : id)}
      >
        <PinIcon />
      </button>
      {document.fullscreenEnabled && (
        <button type="button" aria-label={strings.fullScreenOf(name)} title={strings.fullScreenOf(name)} onClick={showAlone}>
          <FullScreenIcon />
        </button>
      )}
    </span>
  );
}

interface PlaceProps {
  readonly person: Person;
  readonly rect: Rect;
  readonly main: boolean;
  readonly floats: boolean;
}

function Marks({ person, muted }: { person: Person; muted: boolean }) {
  const { strings } = useApp();
  return (
    <>
      {person.hand && (
        <span class="mark-hand">
          <HandIcon />
          <span class="unseen">{strings.handUp}</span>
        </span>
      )}
      {muted && (
        <>
          <MutedIcon />
          <span class="unseen">{strings.muted}</span>
        </>
      )}
      {person.sip && <PhoneIcon />}
    </>
  );
}

function midOf(session: Session, id: string): string | undefined {
  for (const [mid, tile] of session.tiles) if (tile.participant === id && tile.content !== true) return mid;
  return undefined;
}

function Place({ person, rect, main, floats }: PlaceProps) {
  const app = useApp();
  const { strings, shell, preferences } = app;
  const { session, camera } = shell;
  const own = person.id === session.self;
  const muted = own ? isMuted(session) : person.muted;
  const talking = person.talking && !muted;
  const mid = own ? undefined : midOf(session, person.id);
  const stream = own ? camera.stream : mid === undefined ? undefined : shell.streamOf(mid);
  const moving = own ? camera.track !== null : person.video && stream !== undefined;
  const classes = ['place', talking ? 'talks' : '', main ? 'main-place' : '', own ? 'own-place' : '', floats ? 'floats' : ''];
  return (
    <li class={classes.filter((name) => name !== '').join(' ')} data-participant={person.id} style={placeStyle(rect)}>
      <Avatar id={person.id} name={person.name} />
      {moving && <Picture stream={stream} {...(mid === undefined ? {} : { mid })} mirrored={own && preferences.mirrored} />}
      <span class="place-name">
        <Marks person={person} muted={muted} />
        <span class="name">
          {!floats && person.name}
          {own && (floats ? strings.you : ` (${strings.you})`)}
        </span>
        {talking && <span class="unseen">{strings.talking}</span>}
        {person.videoMuted && !own && (
          <span class="mark-video">
            <CameraOffIcon />
            <span class="unseen">{strings.noCamera}</span>
          </span>
        )}
      </span>
      {!own && <PlaceTools id={person.id} name={person.name} person={person} />}
    </li>
  );
}

function ContentPlace({ rect, main }: { rect: Rect; main: boolean }) {
  const app = useApp();
  const { strings, shell } = app;
  const { session } = shell;
  const name = strings.sharedBy(session.people.get(session.presenter)?.name ?? '');
  const tile = [...session.tiles.values()].find(({ content }) => content === true);
  const stream = tile === undefined ? undefined : shell.streamOf(tile.mid);
  return (
    <li class={main ? 'place screen main-place' : 'place screen'} data-participant={CONTENT} style={placeStyle(rect)}>
      <span class="avatar-screen" aria-hidden="true">
        <ScreenIcon />
      </span>
      <Picture stream={stream} {...(tile === undefined ? {} : { mid: tile.mid })} isScreen />
      <span class="place-name">
        <ScreenIcon />
        <span class="name">{name}</span>
      </span>
      <PlaceTools id={CONTENT} name={name} person={undefined} />
    </li>
  );
}

export function Stage() {
  const app = useApp();
  const { strings, shell } = app;
  const { session } = shell;
  const [list, size] = useSize();
  const order = useRef<readonly string[]>([]);
  const placed = placing(app, order.current, size);
  order.current = placed.shown;
  useLook(app, placed, size);
  const { rects, main, floats } = placed;
  const people = [...placed.shown, session.self].flatMap((id) => session.people.get(id) ?? []);
  const more = [...session.people.values()].filter(({ id, lobby }) => !lobby && id !== session.self).length - placed.shown.length;
  const content = rects.get(CONTENT);
  return (
    <>
      <ul class="stage" ref={list} aria-label={strings.pictures}>
        {content !== undefined && <ContentPlace key={CONTENT} rect={content} main={main === CONTENT} />}
        {people.map((person) => {
          const rect = rects.get(person.id);
          const isMain = person.id === main;
          if (rect === undefined) return null;
          return <Place key={person.id} person={person} rect={rect} main={isMain} floats={floats && person.id === session.self} />;
        })}
      </ul>
      {more > 0 && size.width > 0 && (
        <button type="button" class="more-people" onClick={() => app.togglePanel('people')}>
          {strings.more(more)}
        </button>
      )}
    </>
  );
}
