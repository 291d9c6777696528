// SPDX-License-Identifier: Apache-2.0
// Small pictures; always beside words or with a label on what holds them.

import type { ComponentChildren } from 'preact';

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const MicrophoneIcon = () => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
  </Icon>
);

export const MutedIcon = () => (
  <Icon>
    <path d="M9 9.5V11a3 3 0 0 0 4.6 2.5M15 10.5V6a3 3 0 0 0-5.6-1.5M5.5 11.5a6.5 6.5 0 0 0 10.2 5.3M18.5 11.5c0 1-.2 2-.6 2.8M12 18v3M4 3l16 18" />
  </Icon>
);

export const SpeakerIcon = () => (
  <Icon>
    <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.5 7.5 0 0 1 0 11" />
  </Icon>
);

export const SettingsIcon = () => (
  <Icon>
    <path d="M4 7h9M17 7h3M4 17h3M11 17h9" />
    <circle cx="15" cy="7" r="2" />
    <circle cx="9" cy="17" r="2" />
  </Icon>
);

export const LeaveIcon = () => (
  <Icon>
    <path d="M3.5 14.5c-.8-1-.6-2.5.4-3.4 4.7-3.7 11.5-3.7 16.2 0 1 .9 1.2 2.4.4 3.400l-.8 1c-.5.6-1.3.7-2 .4l-2.2-1.200c-.6-.3-.9-.9-.8-1.600l.2-1.200c-1.9-.6-3.9-.6-5.8 0l.2 1.200c.1.7-.2 1.3-.8 1.600l-2.2 1.200c-.7.3-1.5.2-2-.4z" />
  </Icon>
);

export const LockIcon = () => (
  <Icon>
    <rect x="5.5" y="10.5" width="13" height="9.5" rx="2" />
    <path d="M8.5 10.500V7.500a3.5 3.5 0 0 1 7 0v3" />
  </Icon>
);

export const PhoneIcon = () => (
  <Icon>
    <path d="M6 4h3l1.5 4-2 1.500a11 11 0 0 0 6 6l1.5-2 4 1.500v3c0 1-.9 1.9-2 1.800C10.5 19.3 4.7 13.5 4.2 6 4.1 4.9 5 4 6 4z" />
  </Icon>
);

export const BrowserIcon = () => (
  <Icon>
    <rect x="3.5" y="5" width="17" height="14" rx="2" />
    <path d="M3.5 9.500h17" />
  </Icon>
);

export const RemoveIcon = () => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);

export const AdmitIcon = () => (
  <Icon>
    <path d="M5 12.500l4.5 4.500L19 7.5" />
  </Icon>
);

export const TalkingIcon = () => (
  <svg class="icon bars" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d="M6 9v6" />
    <path d="M12 5v14" />
    <path d="M18 9v6" />
  </svg>
);

export const Mark = () => (
  <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="9" />
    <path d="M22.5 11a8 8 0 1 0 0 10M16 13.500v5" />
  </svg>
);
