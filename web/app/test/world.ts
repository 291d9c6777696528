// SPDX-License-Identifier: Apache-2.0
// A small world for the machine: a clock that keeps timers as the browser would, and what is commanded.
import assert from 'node:assert/strict';
import type { Incoming, Opened, Outgoing } from '../src/protocol';
import { START, step, type Command, type Event, type Session, type TimerName } from '../src/session';

export const wish = { address: '1001', name: 'Ann' };

export const openedMessage: Opened = {
  type: 'opened',
  participant: 'me',
  meeting: 'Demo',
  resumed: false,
  mayMuteOthers: false,
  mayDropOthers: false,
  mayLock: false,
  mayEnd: false,
};

export const resumedMessage: Opened = { ...openedMessage, resumed: true };

export class World {
  session: Session = START;
  commands: Command[] = [];
  private now = 0;
  private readonly timers = new Map<TimerName, number>();

  happen(event: Event): this {
    const result = step(this.session, event);
    this.session = result.session;
    for (const command of result.commands) {
      this.commands.push(command);
      if (command.do === 'timer') this.timers.set(command.name, this.now + command.ms);
      if (command.do === 'cancel') this.timers.delete(command.name);
    }
    return this;
  }

  pass(ms: number): this {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.timers].filter(([, at]) => at <= end).sort((a, b) => a[1] - b[1])[0];
      if (due === undefined) break;
      this.timers.delete(due[0]);
      this.now = due[1];
      this.happen({ on: 'timer', name: due[0] });
    }
    this.now = end;
    return this;
  }

  hear(message: Incoming): this {
    return this.happen({ on: 'message', socket: this.session.socket, message });
  }

  /** What was commanded since last asked. */
  take<D extends Command['do']>(kind: D): Extract<Command, { do: D }>[] {
    const found = this.commands.filter((command) => command.do === kind);
    this.commands = this.commands.filter((command) => command.do !== kind);
    return found as Extract<Command, { do: D }>[];
  }

  sent(): Outgoing[] {
    return this.take('send').map(({ message }) => message);
  }

  said(): string[] {
    return this.take('announce').map(({ what }) => what.kind);
  }

  clear(): this {
    this.commands = [];
    return this;
  }

  timersLeft(): TimerName[] {
    return [...this.timers.keys()];
  }
}

export function joining(muted = false, camera = false): World {
  return new World().happen({ on: 'join', wish, muted, camera });
}

/** In the meeting, with a connection that offered lines with these mids. */
export function inside(muted = false, opened: Opened = openedMessage, mids: readonly string[] = [], camera = false): World {
  const world = joining(muted, camera).happen({ on: 'joined', token: 't', meeting: 'Demo' }).hear(opened);
  world.happen({ on: 'offer', peer: world.session.peer, sdp: 'offer', mids });
  world.hear({ type: 'answer', revision: 1, sdp: 'answer' });
  world.happen({ on: 'peer', peer: world.session.peer, state: 'connected' });
  assert.equal(world.session.phase, 'open');
  return world.clear();
}
