// SPDX-License-Identifier: Apache-2.0
// What people write to each other.

import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../app';
import type { ChatLine } from '../session';
import { Panel } from './parts';
import { SendIcon } from './icons';

/** What a server takes of a line, in bytes of UTF-8 (docs/c2w.md). */
const TEXT_BYTES_MAX = 1000;
/** Lines of one person within this time stand together. */
const TOGETHER_S = 180;
/** Who has scrolled up to read is not pulled down again. */
const NEAR_END = 60;

function fits(text: string): boolean {
  return new TextEncoder().encode(text).length <= TEXT_BYTES_MAX;
}

function Line({ line, before }: { line: ChatLine; before: ChatLine | undefined }) {
  const app = useApp();
  const own = line.participant === app.shell.session.self;
  const together = before !== undefined && before.participant === line.participant && line.time - before.time < TOGETHER_S;
  const time = new Date(line.time * 1000);
  return (
    <li class={own ? 'line own-line' : 'line'}>
      {!together && (
        <p class="line-head">
          <span class="name">{own ? app.strings.you : line.name}</span>
          <time dateTime={time.toISOString()}>
            {time.toLocaleTimeString(app.locale, { hour: 'numeric', minute: '2-digit' })}
          </time>
        </p>
      )}
      <p class="line-text">{line.text}</p>
    </li>
  );
}

function Writer() {
  const app = useApp();
  const { strings, shell } = app;
  const [text, setText] = useState('');
  const send = () => {
    if (text.trim() === '') return;
    shell.happen({ on: 'say', text });
    setText('');
  };
  return (
    <form
      class="writer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        rows={2}
        aria-label={strings.chatWrite}
        placeholder={strings.chatWrite}
        value={text}
        onInput={(event) => {
          const { value } = event.currentTarget;
          if (fits(value)) setText(value);
          else event.currentTarget.value = text;
        }}
        onKeyDown={(event) => {
          /* Enter that ends the writing of a Hangul syllable sends nothing. */
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      <button type="submit" class="main" aria-label={strings.chatSend} title={strings.chatSend} disabled={shell.session.phase !== 'open'}>
        <SendIcon />
      </button>
    </form>
  );
}

export function ChatPanel() {
  const { strings, shell } = useApp();
  const { chat } = shell.session;
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    const { current } = list;
    if (current !== null && atEnd.current) current.scrollTop = current.scrollHeight;
  }, [chat]);
  return (
    <Panel title={strings.chat} class="chat">
      {chat.length === 0 && <p class="quiet-text">{strings.chatEmpty}</p>}
      <div
        class="lines"
        ref={list}
        role="log"
        aria-label={strings.messages}
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
        }}
      >
        <ol>
          {chat.map((line, at) => (
            <Line key={line.id} line={line} before={chat[at - 1]} />
          ))}
        </ol>
      </div>
      <Writer />
    </Panel>
  );
}
