// SPDX-License-Identifier: Apache-2.0
// One space: how people get in, who its members are, and what its owner or they may change.

import { useState } from 'preact/hooks';
import { useApp } from '../app';
import { addressOfSpace, type AccessMethod, type Member, type PortalProblem, type Right, type Space, type Way } from '../portal';
import { Page, Title } from './parts';
import { EditMember, EditMethod, EditSpace, Invite, Question } from './space_dialogs';
import { Trouble, useAnswer } from './spaces';

/** The window in the page. */
type Open =
  | { readonly what: 'invite'; readonly method?: AccessMethod }
  | { readonly what: 'edit' | 'delete' | 'addMember' | 'addMethod' }
  | { readonly what: 'leave' | 'member' | 'removeMember'; readonly member: Member }
  | { readonly what: 'method' | 'removeMethod'; readonly method: AccessMethod };

interface MembersListed {
  readonly members: readonly Member[];
  readonly total: number;
}

export function may(space: Space, right: Right): boolean {
  return space.rights.includes(right);
}

function Detail({ label, value, copied }: { label: string; value: string | undefined; copied?: boolean }) {
  const app = useApp();
  const { strings } = app;
  if (value === undefined) return null;
  return (
    <div class="detail">
      <dt>{label}</dt>
      <dd>
        <span>{value}</span>
        {copied === true && (
          <button type="button" class="small" aria-label={strings.portal.copyOf(label)} onClick={() => void app.copy(value)}>
            {strings.portal.copy}
          </button>
        )}
      </dd>
    </div>
  );
}

function WayIn({ way }: { way: Way }) {
  const { strings } = useApp();
  return (
    <dl class="details">
      <Detail label={strings.meetingIdOnly} value={way.callId} />
      <Detail label={strings.passcode} value={way.passcode} />
      <Detail label={strings.portal.videoAddress} value={way.videoAddress} copied />
      <Detail label={strings.portal.link} value={way.link} copied />
    </dl>
  );
}

function Methods({ space, open }: { space: Space; open: (what: Open) => void }) {
  const { strings } = useApp();
  const mayAdd = may(space, 'canChangeUri') && may(space, 'canChangeCallId');
  const mayChange = (['canChangeName', 'canChangeUri', 'canChangeCallId', 'canChangePasscode', 'canChangeScope'] as const).some((right) =>
    may(space, right),
  );
  if (space.accessMethods.length === 0 && !mayAdd) return null;
  return (
    <section aria-labelledby="methods">
      <h2 id="methods">{strings.portal.methods}</h2>
      <ul class="rows">
        {space.accessMethods.map((method, index) => {
          const name = method.name ?? strings.numbered(strings.portal.method, index + 1);
          return (
            <li key={method.id}>
              <h3>
                {name} <span class="tag">{strings.portal.scopes[method.scope]}</span>
              </h3>
              <WayIn way={method} />
              <div class="tools-row">
                <button type="button" class="small" aria-label={strings.portal.inviteTo(name)} onClick={() => open({ what: 'invite', method })}>
                  {strings.portal.invite}
                </button>
                {mayChange && (
                  <button type="button" class="small" aria-label={strings.portal.changeOf(name)} onClick={() => open({ what: 'method', method })}>
                    {strings.portal.change}
                  </button>
                )}
                {mayAdd && (
                  <button type="button" class="small" aria-label={strings.portal.deleteOf(name)} onClick={() => open({ what: 'removeMethod', method })}>
                    {strings.portal.delete}
                  </button>
                )}
              </div>
            </li>
          );
        })}
      </ul>
      {mayAdd && (
        <button type="button" class="quiet" onClick={() => open({ what: 'addMethod' })}>
          {strings.portal.addMethod}
        </button>
      )}
    </section>
  );
}

function Members({ space, listed, open }: { space: Space; listed: MembersListed | undefined; open: (what: Open) => void }) {
  const { strings } = useApp();
  const mayAdd = may(space, 'canAddRemoveMember');
  return (
    <section aria-labelledby="members">
      <h2 id="members">{strings.portal.members(space.members)}</h2>
      <ul class="rows">
        {(listed?.members ?? []).map((member) => {
          const name = member.name ?? member.userJid;
          return (
            <li key={member.id}>
              <h3>
                {name}
                {member.self && ` (${strings.you})`} {member.owner && <span class="tag">{strings.portal.owner}</span>}
              </h3>
              <p class="note">{member.userJid}</p>
              <div class="tools-row">
                {mayAdd && (!member.owner || member.self) && (
                  <button type="button" class="small" aria-label={strings.portal.rightsOf(name)} onClick={() => open({ what: 'member', member })}>
                    {strings.portal.rights}
                  </button>
                )}
                {mayAdd && !member.owner && !member.self && (
                  <button type="button" class="small" aria-label={strings.removePerson(name)} onClick={() => open({ what: 'removeMember', member })}>
                    {strings.remove}
                  </button>
                )}
                {member.self && may(space, 'canRemoveSelf') && (
                  <button type="button" class="small" onClick={() => open({ what: 'leave', member })}>
                    {strings.portal.leaveSpace}
                  </button>
                )}
              </div>
            </li>
          );
        })}
      </ul>
      {listed !== undefined && listed.members.length < listed.total && <p class="note">{strings.portal.notAllShown(listed.members.length)}</p>}
      {mayAdd && (
        <button type="button" class="quiet" onClick={() => open({ what: 'addMember' })}>
          {strings.portal.addMember}
        </button>
      )}
    </section>
  );
}

interface WindowsProps {
  readonly space: Space;
  readonly open: Open;
  /** `changed`: the page is to be read again; `gone`: there is nothing to be read any more. */
  readonly close: (end?: 'changed' | 'gone') => void;
}

function Windows({ space, open, close }: WindowsProps) {
  const { strings } = useApp();
  const path = `cospaces/${space.id}`;
  const done = () => close('changed');
  switch (open.what) {
    case 'invite':
      return <Invite path={open.method === undefined ? path : `${path}/accessMethods/${open.method.id}`} close={() => close()} />;
    case 'edit':
      return <EditSpace space={space} close={() => close()} done={done} />;
    case 'method':
      return <EditMethod space={space} method={open.method} close={() => close()} done={done} />;
    case 'addMethod':
      return <EditMethod space={space} close={() => close()} done={done} />;
    case 'member':
      return <EditMember space={space} member={open.member} close={() => close()} done={done} />;
    case 'addMember':
      return <EditMember space={space} close={() => close()} done={done} />;
    case 'delete':
      return (
        <Question title={strings.portal.deleteQuestion} text={strings.portal.deleteText} act={strings.portal.delete} path={path} close={() => close()} done={() => close('gone')} />
      );
    case 'removeMethod':
      return (
        <Question title={strings.portal.deleteMethodQuestion} text={strings.portal.deleteMethodText} act={strings.portal.delete} path={`${path}/accessMethods/${open.method.id}`} close={() => close()} done={done} />
      );
    case 'removeMember':
      return (
        <Question title={strings.portal.removeQuestion(open.member.name ?? open.member.userJid)} text="" act={strings.remove} path={`${path}/members/${open.member.id}`} close={() => close()} done={done} />
      );
    case 'leave':
      return (
        <Question title={strings.portal.leaveQuestion} text={strings.portal.leaveText} act={strings.portal.leaveSpace} path={`${path}/members/${open.member.id}`} close={() => close()} done={() => close('gone')} />
      );
  }
}

function problemOf(problem: PortalProblem | undefined): PortalProblem | undefined {
  return problem === 'expired' ? undefined : problem;
}

export function SpacePage({ id }: { id: string }) {
  const app = useApp();
  const { strings } = app;
  const { answer, again } = useAnswer<Space>(`cospaces/${id}`);
  const { answer: members, again: membersAgain } = useAnswer<MembersListed>(`cospaces/${id}/members`);
  const [open, setOpen] = useState<Open>();
  const space = answer?.value;
  const close = (end?: 'changed' | 'gone') => {
    setOpen(undefined);
    if (end === 'gone') return app.visit('/spaces');
    if (end !== 'changed') return;
    app.say(strings.portal.saved);
    void again();
    void membersAgain();
  };
  const mayEdit =
    space !== undefined &&
    (['canChangeName', 'canChangeUri', 'canChangeCallId', 'canChangePasscode', 'canChangeNonMemberAccessAllowed'] as const).some((right) =>
      may(space, right),
    );
  return (
    <Page wide>
      <Title key={space === undefined ? 'waiting' : 'there'}>
        {space === undefined ? strings.portal.space : (space.name ?? space.uri ?? strings.portal.unnamed)}
      </Title>
      <Trouble problem={problemOf(answer?.problem)} />
      {answer === undefined && (
        <p class="lead" role="status">
          {strings.portal.loading}
        </p>
      )}
      {space !== undefined && (
        <div class="space">
          {space.participants !== 0 && <p class="lead">{strings.portal.peopleIn(space.participants)}</p>}
          <div class="row">
            <button type="button" class="main" onClick={() => app.go(addressOfSpace(space.id))}>
              {strings.join}
            </button>
            <button type="button" class="quiet" onClick={() => setOpen({ what: 'invite' })}>
              {strings.portal.invite}
            </button>
            {mayEdit && (
              <button type="button" class="quiet" onClick={() => setOpen({ what: 'edit' })}>
                {strings.portal.change}
              </button>
            )}
            {may(space, 'canDestroy') && (
              <button type="button" class="quiet" onClick={() => setOpen({ what: 'delete' })}>
                {strings.portal.delete}
              </button>
            )}
          </div>
          <WayIn way={space} />
          <Methods space={space} open={setOpen} />
          <Members space={space} listed={members?.value} open={setOpen} />
          {open !== undefined && <Windows space={space} open={open} close={close} />}
        </div>
      )}
      <button type="button" class="plain" onClick={() => app.visit('/spaces')}>
        {strings.portal.toSpaces}
      </button>
    </Page>
  );
}
