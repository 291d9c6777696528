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

export const CameraIcon = () => (
  <Icon>
    <rect x="3" y="6.5" width="12.5" height="11" rx="2.5" />
    <path d="M15.5 10.700l5-2.700v8l-5-2.700z" />
  </Icon>
);

export const CameraOffIcon = () => (
  <Icon>
    <path d="M10.5 6.500H13a2.5 2.5 0 0 1 2.5 2.500v1.700l5-2.700v8l-3.2-1.700M15 16.300a2.5 2.5 0 0 1-2 1.200H5.500A2.5 2.5 0 0 1 3 15V9a2.5 2.5 0 0 1 2.3-2.500M4 3l16 18" />
  </Icon>
);

export const ScreenIcon = () => (
  <Icon>
    <rect x="3" y="4.5" width="18" height="12" rx="2" />
    <path d="M12 13.500V8m-2.5 2.300L12 7.800l2.5 2.500M8.5 20h7" />
  </Icon>
);

export const HandIcon = () => (
  <Icon>
    <path d="M8 12V5.700a1.4 1.4 0 0 1 2.8 0V11M10.8 10.500V4.200a1.4 1.4 0 0 1 2.8 0v6.300M13.6 10.500V5.700a1.4 1.4 0 0 1 2.8 0v7.500M16.4 13.200V9.500a1.3 1.3 0 0 1 2.6 0v5c0 3.6-2.5 6.5-6.2 6.5-3 0-4.5-1.5-5.7-3.800L4.8 12.900a1.3 1.3 0 0 1 2.2-1.300L8 13" />
  </Icon>
);

export const ChatIcon = () => (
  <Icon>
    <path d="M5.5 4.500h13a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-4.5 3.500v-3.500H5.500a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2zM8 9h8M8 12.500h5" />
  </Icon>
);

export const PeopleIcon = () => (
  <Icon>
    <circle cx="9" cy="8.5" r="3.2" />
    <path d="M3 19c.4-3.3 2.9-5.2 6-5.200s5.6 1.9 6 5.200M15.5 5.600a3.2 3.2 0 0 1 0 5.900M17 14.200c2.2.6 3.7 2.3 4 4.8" />
  </Icon>
);

export const GridIcon = () => (
  <Icon>
    <rect x="3.5" y="5" width="7.5" height="6" rx="1.5" />
    <rect x="13" y="5" width="7.5" height="6" rx="1.5" />
    <rect x="3.5" y="13" width="7.5" height="6" rx="1.5" />
    <rect x="13" y="13" width="7.5" height="6" rx="1.5" />
  </Icon>
);

export const SpeakerViewIcon = () => (
  <Icon>
    <rect x="3.5" y="5" width="11.5" height="14" rx="1.8" />
    <path d="M18 6h2.500M18 12h2.500M18 18h2.5" />
  </Icon>
);

export const PinIcon = () => (
  <Icon>
    <path d="M9 4h6l-.7 5.500L17 12v2H7v-2l2.7-2.500zM12 14v6.5" />
  </Icon>
);

export const FullScreenIcon = () => (
  <Icon>
    <path d="M4 9V5.500A1.5 1.5 0 0 1 5.5 4H9M15 4h3.500A1.5 1.5 0 0 1 20 5.500V9M20 15v3.500a1.5 1.5 0 0 1-1.5 1.500H15M9 20H5.500A1.5 1.5 0 0 1 4 18.500V15" />
  </Icon>
);

export const MoreIcon = () => (
  <Icon>
    <path d="M5.5 12h.01M12 12h.01M18.5 12h.01" stroke-width="3.2" />
  </Icon>
);

export const SendIcon = () => (
  <Icon>
    <path d="M4 12l16-7.5-5 15.5-3.5-6.500zM11.5 13.500L20 4.5" />
  </Icon>
);

export const CameraControlIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="2.8" />
    <path d="M12 3v3.500m0 11V21m9-9h-3.500m-11 0H3M10 4.800l2-2 2 2M10 19.200l2 2 2-2M4.8 10l-2 2 2 2M19.2 10l2 2-2 2" />
  </Icon>
);

const TURNS = { up: 0, right: 90, down: 180, left: 270 };

export const ArrowIcon = ({ to }: { to: keyof typeof TURNS }) => (
  <Icon>
    <path d="M12 19V6M6.5 11.500L12 6l5.5 5.5" transform={`rotate(${TURNS[to]} 12 12)`} />
  </Icon>
);

export const ZoomInIcon = () => (
  <Icon>
    <circle cx="10.5" cy="10.5" r="6" />
    <path d="M15 15l5.5 5.500M8 10.500h5M10.5 8v5" />
  </Icon>
);

export const ZoomOutIcon = () => (
  <Icon>
    <circle cx="10.5" cy="10.5" r="6" />
    <path d="M15 15l5.5 5.500M8 10.500h5" />
  </Icon>
);

export const NearIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="3.5" />
    <path d="M3.5 8V5.500a2 2 0 0 1 2-2H8M16 3.500h2.500a2 2 0 0 1 2 2V8M20.5 16v2.500a2 2 0 0 1-2 2H16M8 20.500H5.500a2 2 0 0 1-2-2V16" />
  </Icon>
);

export const FarIcon = () => (
  <Icon>
    <path d="M3.5 19l5.5-8 3.5 5 2.5-3.5 5.5 6.500zM16.5 7.500h.01" />
  </Icon>
);

export const Mark = () => (
  <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="9" />
    <path d="M22.5 11a8 8 0 1 0 0 10M16 13.500v5" />
  </svg>
);
