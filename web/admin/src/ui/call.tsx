// SPDX-License-Identifier: Apache-2.0
// One call: who is in it, and what is done to all of them at once.

import { useId, useState } from 'preact/hooks';
import { at, text, type Form, type Value } from '../api';
import { useApp, useDescription } from '../app';
import { linkTo } from '../route';
import type { Question } from './calls';
import { Leg } from './leg';
import { duration, Wide } from './parts';

export const LEGS_PAGE = 25;
const MESSAGE_SECONDS = '30';

export interface Running {
  readonly id: string;
  readonly call: Value;
  readonly open: boolean;
  readonly legs: readonly Value[];
}

interface CallProps {
  readonly running: Running;
  /** Of its legs, the first that is shown. */
  readonly from: number;
  readonly turnTo: (from: number) => void;
  readonly toggle: () => void;
  readonly act: (what: () => Promise<unknown>) => void;
  readonly ask: (question: Question) => void;
}

function MessageForm({ call, send }: { call: Value; send: (form: Form) => void }) {
  const { strings } = useApp();
  const description = useDescription();
  const id = useId();
  const positions = description.fields('call').find(({ name }) => name === 'messagePosition')?.choices ?? [];
  const [words, setWords] = useState('');
  const [position, setPosition] = useState('middle');
  const [seconds, setSeconds] = useState(MESSAGE_SECONDS);
  const shown = text(at(call, 'messageText'));
  const remaining = text(at(call, 'messageTimeRemaining'));
  return (
    <form
      class="strip"
      aria-label={strings.message}
      onSubmit={(event) => {
        event.preventDefault();
        send({ messageText: words, messagePosition: position, messageDuration: seconds });
      }}
    >
      <div class="field wide">
        <label for={`${id}-text`}>{strings.messageText}</label>
        <input id={`${id}-text`} value={words} maxLength={255} required onInput={(event) => setWords(event.currentTarget.value)} />
      </div>
      <div class="field">
        <label for={`${id}-position`}>{strings.messagePosition}</label>
        <select id={`${id}-position`} value={position} onChange={(event) => setPosition(event.currentTarget.value)}>
          {positions.map((one) => (
            <option key={one} value={one}>
              {strings.positions[one] ?? one}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for={`${id}-seconds`}>{strings.messageSeconds}</label>
        <input id={`${id}-seconds`} value={seconds} size={9} list={`${id}-durations`} onInput={(event) => setSeconds(event.currentTarget.value)} />
        <datalist id={`${id}-durations`}>
          <option value={MESSAGE_SECONDS} />
          <option value="permanent" />
        </datalist>
      </div>
      <button type="submit" class="main">
        {strings.show}
      </button>
      {shown !== '' && (
        <p class="soft">
          {strings.messageNow(shown, /^\d+$/.test(remaining) ? duration(remaining) : remaining)}{' '}
          <button type="button" class="quiet" onClick={() => send({ messageText: '' })}>
            {strings.takeAway}
          </button>
        </p>
      )}
    </form>
  );
}

function LayoutForm({ set }: { set: (layout: string) => void }) {
  const { strings } = useApp();
  const description = useDescription();
  const id = useId();
  const [layout, setLayout] = useState('');
  const layouts = description.fields('callLeg').find(({ name }) => name === 'chosenLayout')?.choices ?? [];
  return (
    <form
      class="strip"
      aria-label={strings.layoutForAll}
      onSubmit={(event) => {
        event.preventDefault();
        set(layout);
      }}
    >
      <div class="field">
        <label for={id}>{strings.layoutForAll}</label>
        <select id={id} value={layout} onChange={(event) => setLayout(event.currentTarget.value)}>
          <option value="">{strings.layoutDefault}</option>
          {layouts.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </div>
      <button type="submit" class="main">
        {strings.set}
      </button>
    </form>
  );
}

/** What is done to everybody; of the two forms one is open at a time. */
function ForAll({ running: { id, call }, act, ask }: CallProps) {
  const { api, strings } = useApp();
  const [form, setForm] = useState<'' | 'layout' | 'message'>('');
  const name = text(at(call, 'name'));
  const locked = text(at(call, 'locked')) === 'true';
  const everyone = (parameters: Form) => act(() => api.put(`calls/${id}/participants/*`, parameters));
  const button = (word: string, press: () => void, extra: Record<string, unknown> = {}) => (
    <button type="button" class="quiet" aria-label={strings.of(word, name)} onClick={press} {...extra}>
      {word}
    </button>
  );
  const opener = (which: 'layout' | 'message', word: string) =>
    button(word, () => setForm(form === which ? '' : which), { 'aria-expanded': form === which });
  return (
    <>
      <div class="row">
        {button(strings.muteAll, () => everyone({ rxAudioMute: 'true' }))}
        {button(strings.unmuteAll, () => everyone({ rxAudioMute: 'false' }))}
        {button(locked ? strings.unlock : strings.lock, () => act(() => api.put(`calls/${id}`, { locked: String(!locked) })))}
        {opener('layout', strings.layout)}
        {opener('message', strings.message)}
        <button
          type="button"
          class="quiet danger"
          aria-label={strings.of(strings.endCall, name)}
          onClick={() => ask({ text: strings.confirmEnd(name), yes: strings.endCall, address: `calls/${id}` })}
        >
          {strings.endCall}
        </button>
      </div>
      {form === 'layout' && <LayoutForm set={(layout) => everyone({ chosenLayout: layout })} />}
      {form === 'message' && <MessageForm call={call} send={(parameters) => act(() => api.put(`calls/${id}`, parameters))} />}
    </>
  );
}

export function CallSection(props: CallProps) {
  const { strings } = useApp();
  const { running, from, turnTo, toggle, act, ask } = props;
  const { id, call, open, legs } = running;
  const name = text(at(call, 'name'));
  const count = Number(text(at(call, 'numCallLegs')) || 0);
  const waiting = legs.filter((leg) => text(at(leg, 'status', 'deactivated')) === 'true').length;
  const told = [
    strings.people(String(count)),
    duration(text(at(call, 'durationSeconds'))),
    text(at(call, 'locked')) === 'true' ? strings.locked : '',
    waiting > 0 ? strings.inLobby(waiting) : '',
  ];
  return (
    <section class="call">
      <header>
        <h2>
          <button type="button" class="fold" aria-expanded={open} onClick={toggle}>
            {name}
          </button>
        </h2>
        <span class="soft">{told.filter((word) => word !== '').join(', ')}</span>
        <a href={linkTo(`calls/${id}`)}>{strings.details}</a>
      </header>
      {open && <ForAll {...props} />}
      {legs.length > 0 && (
        <Wide name={name}>
          <table class="legs" aria-label={name}>
            <thead>
              <tr>
                {[strings.participant, strings.duration, strings.incoming, strings.outgoing, strings.actions].map((head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            {legs.map((leg) => (
              <Leg
                key={text(at(leg, 'id'))}
                leg={leg}
                act={act}
                drop={(leg_id, who) => ask({ text: strings.confirmDrop(who), yes: strings.drop, address: `callLegs/${leg_id}` })}
              />
            ))}
          </table>
        </Wide>
      )}
      {open && count > LEGS_PAGE && (
        <nav class="pager" aria-label={strings.of(strings.next, name)}>
          <span class="soft">{strings.range(from + 1, from + legs.length, count)}</span>
          {from > 0 && (
            <button type="button" class="quiet" onClick={() => turnTo(Math.max(0, from - LEGS_PAGE))}>
              {strings.previous}
            </button>
          )}
          {from + legs.length < count && (
            <button type="button" class="quiet" onClick={() => turnTo(from + LEGS_PAGE)}>
              {strings.next}
            </button>
          )}
        </nav>
      )}
    </section>
  );
}
