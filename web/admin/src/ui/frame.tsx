// SPDX-License-Identifier: Apache-2.0
// What is around every page: where one can go, who one is.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useApp, type App } from '../app';
import type { Strings } from '../strings';
import { Brand } from './parts';

interface Item {
  readonly hash: string;
  readonly name: string;
}

/** Pages with a name of their own; all other objects are found behind the last one. */
function groups(strings: Strings, profiles: readonly string[]): readonly (readonly [string, readonly Item[]])[] {
  const api = (address: string, name: string): Item => ({ hash: `#/api/${address}`, name });
  return [
    [
      strings.groups.now,
      [
        { hash: '#/', name: strings.status },
        { hash: '#/calls', name: strings.calls },
        { hash: '#/log', name: strings.log },
      ],
    ],
    [
      strings.groups.meetings,
      [
        api('coSpaces', strings.spaces),
        api('coSpaceTemplates', strings.templates),
        api('layoutTemplates', strings.layoutTemplates),
        api('ivrs', 'IVR'),
        api('users', strings.users),
        { hash: '#/directory', name: strings.directory },
      ],
    ],
    [
      strings.groups.dialPlan,
      [
        api('inboundDialPlanRules', strings.inbound),
        api('forwardingDialPlanRules', strings.forwarding),
        api('outboundDialPlanRules', strings.outbound),
        api('dialTransforms', strings.transforms),
        { hash: '#/dial', name: strings.dialTest },
      ],
    ],
    [strings.groups.profiles, [api('system/profiles', strings.systemProfiles), ...profiles.map((name) => api(name, name))]],
    [
      strings.groups.system,
      [
        { hash: '#/certificates', name: strings.certificates },
        { hash: '#/licences', name: strings.licensing },
        { hash: '#/receivers', name: strings.receivers },
        { hash: '#/events', name: strings.events },
        api('webBridges', strings.webBridges),
        api('system/diagnostics', strings.diagnostics),
        { hash: '#/api', name: strings.everything },
        { hash: '#/console', name: strings.console },
      ],
    ],
  ];
}

function groupsOf({ strings, description }: App) {
  const profiles = description?.places.map(({ template }) => template).filter((template) => /^\w+Profiles$/.test(template)) ?? [];
  return groups(strings, profiles);
}

/** What the present page is called, also in the window's title. */
export function titleOf(app: App): string {
  if (app.description === undefined) return app.strings.title;
  const here = `#/${app.route.words.join('/')}`;
  const item = groupsOf(app)
    .flatMap(([, items]) => items)
    .find(({ hash }) => hash === here);
  return item?.name ?? app.route.words.slice(1).join('/');
}

export function Frame({ children }: { children: ComponentChildren }) {
  const app = useApp();
  const { strings } = app;
  const [open, setOpen] = useState(false);
  const here = `#/${app.route.words.join('/')}`;
  return (
    <div class="frame">
      <button
        type="button"
        class="skip"
        onClick={() => document.querySelector<HTMLElement>('main h1')?.focus()}
      >
        {strings.skip}
      </button>
      <Brand>
        <span class="brand-page">{strings.title}</span>
        <button type="button" class="quiet menu" aria-expanded={open} aria-controls="places" onClick={() => setOpen(!open)}>
          {strings.menu}
        </button>
        <span class="who">{app.api.user}</span>
        <button type="button" class="quiet" onClick={() => app.signOut()}>
          {strings.signOut}
        </button>
      </Brand>
      <nav id="places" class={open ? 'open' : ''} aria-label={strings.menu}>
        {groupsOf(app).map(([name, items]) => (
          <section key={name}>
            <h2>{name}</h2>
            <ul>
              {items.map((item) => (
                <li key={item.hash}>
                  <a
                    href={item.hash}
                    aria-current={item.hash === here ? 'page' : here.startsWith(`${item.hash}/`) && item.hash.length > 5 ? 'true' : undefined}
                    onClick={() => setOpen(false)}
                  >
                    {item.name}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </nav>
      <main>{children}</main>
    </div>
  );
}
