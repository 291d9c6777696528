// SPDX-License-Identifier: Apache-2.0
// One RTCPeerConnection and its lines, in the order of docs/c2w.md: sound, camera, pictures of others,
// and one's screen from when it is first shown.

import type { IceServerList } from './state';
import type { Level } from './protocol';
import { ahead, waitOf, type Moment } from './step';

export interface PeerSettings {
  readonly iceServers: IceServerList;
  /** Lines for pictures of others; 0: sound alone. */
  readonly lines: number;
  readonly screen: boolean;
  /** A codec that is to be the only one, for tests; empty: all, in the browser's order. */
  readonly codec: string;
}

/** What is sent; each may be exchanged at any time without an offer. */
export interface Tracks {
  readonly microphone: MediaStreamTrack | null;
  readonly camera: MediaStreamTrack | null;
  readonly screen: MediaStreamTrack | null;
}

export interface PeerEvents {
  readonly offered: (sdp: string, mids: readonly string[]) => void;
  readonly state: (state: 'connected' | 'disconnected' | 'failed') => void;
  readonly sound: (stream: MediaStream) => void;
}

/** Of the connection in the last seconds. */
export interface Numbers {
  readonly level: Level;
  readonly inKbps: number;
  readonly outKbps: number;
  readonly lostPct: number;
  readonly rttMs: number;
}

const LAYERS: RTCRtpEncodingParameters[] = [
  { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 180_000 },
  { rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 600_000 },
  { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 1_800_000 },
];
const SCREEN_BPS_MAX = 3_000_000;
const KBIT = 1000;
/** Times of the page's clock are smaller, those since 1970 larger. */
const WALL_MS_MIN = 1e12;

/** What was heard or shown longer ago says nothing any more. */
const MOMENT_MS_MAX = 600;

const POOR = { lostPct: 8, rttMs: 600 };
const FAIR = { lostPct: 2.5, rttMs: 300 };

/** Every profile costs as many lines of SDP as a codec, times the lines for pictures: of each the one
 * that all have, of H.264 high as well. */
function isUseful({ mimeType, sdpFmtpLine = '' }: RTCRtpCodec): boolean {
  switch (mimeType.toLowerCase()) {
    case 'video/vp8':
    case 'video/rtx':
      return true;
    case 'video/vp9':
      return !/profile-id=[1-9]/.test(sdpFmtpLine);
    case 'video/av1':
      return !/profile=[1-9]/.test(sdpFmtpLine);
    case 'video/h264':
      return /profile-level-id=(42e0|640c|6400)/i.test(sdpFmtpLine) || !/profile-level-id/.test(sdpFmtpLine);
    default:
      return false;
  }
}

function codecs(only: string): RTCRtpCodec[] {
  const all = RTCRtpReceiver.getCapabilities?.('video')?.codecs ?? [];
  const useful = all.filter(isUseful);
  const named = useful.filter(({ mimeType }) => mimeType.toLowerCase() === `video/${only}`);
  const helpers = useful.filter(({ mimeType }) => mimeType.toLowerCase() === 'video/rtx');
  return named.length === 0 ? useful : [...named, ...helpers];
}

/** Of a line's header extensions, those that a bridge that forwards pictures has a use for. */
const EXTENSIONS = /sdes:(mid|rtp-stream-id|repaired-rtp-stream-id)$|abs-send-time$|transport-wide-cc|video-orientation$|dependency-descriptor/;

interface Extension {
  readonly uri: string;
  direction: string;
}

/** So far only Chromium lets a page choose. */
interface ChoosesExtensions {
  getHeaderExtensionsToNegotiate?(): Extension[];
  setHeaderExtensionsToNegotiate?(extensions: Extension[]): void;
}

function slim(transceiver: ChoosesExtensions): void {
  const all = transceiver.getHeaderExtensionsToNegotiate?.() ?? [];
  for (const extension of all) if (!EXTENSIONS.test(extension.uri)) extension.direction = 'stopped';
  if (all.length !== 0) transceiver.setHeaderExtensionsToNegotiate?.(all);
}

function prefer(transceiver: RTCRtpTransceiver, only: string): void {
  try {
    const wanted = codecs(only);
    if (wanted.length !== 0) transceiver.setCodecPreferences?.(wanted);
    slim(transceiver as ChoosesExtensions);
  } catch {
    /* A browser that wants them otherwise offers all of them. */
  }
}

/** A line for a picture of somebody else, and how long its pictures wait for their sound. */
interface Line {
  readonly transceiver: RTCRtpTransceiver;
  readonly stream: MediaStream;
  asked: number;
  waited: number;
  frames: number;
}

/** Not all browsers can make pictures wait. */
interface Waits {
  jitterBufferTarget?: number | null;
}

function lastOf(receiver: RTCRtpReceiver): Moment | undefined {
  const [source] = receiver.getSynchronizationSources();
  const at = source === undefined ? 0 : source.timestamp - (source.timestamp > WALL_MS_MIN ? performance.timeOrigin : 0);
  return source === undefined || performance.now() - at > MOMENT_MS_MAX ? undefined : { rtp: source.rtpTimestamp, at };
}

/** What is sent of an offer: a screen told from a camera (RFC 4796), and no feedback of codecs that were
 * left out, as Firefox has it. */
export function asSent(sdp: string, screenMid: string | null | undefined): string {
  const sections = sdp.split(/(?=^m=)/m).map((section) => {
    const offered = new Set(/^m=\S+ \S+ \S+ (.*)\r\n/.exec(section)?.[1]?.split(' '));
    const kept = section.replace(/^a=rtcp-fb:(\d+) .*\r\n/gm, (line, payload: string) => (offered.has(payload) ? line : ''));
    const isScreen = screenMid != null && section.includes(`\r\na=mid:${screenMid}\r\n`);
    return isScreen ? `${kept}a=content:slides\r\n` : kept;
  });
  return sections.join('');
}

export class Peer {
  readonly pc: RTCPeerConnection;
  private readonly microphone: RTCRtpTransceiver;
  private readonly camera: RTCRtpTransceiver | undefined;
  private screen: RTCRtpTransceiver | undefined;
  private readonly lines: Line[] = [];
  /** What is being done to the connection, one after the other. */
  private work: Promise<void>;
  private readonly before = { bytesIn: 0, bytesOut: 0, packets: 0, lost: 0, at: 0 };

  constructor(
    private readonly settings: PeerSettings,
    private tracks: Tracks,
    private readonly events: PeerEvents,
  ) {
    this.pc = new RTCPeerConnection({
      iceServers: settings.iceServers.map(({ url, username, credential }) => ({
        urls: url,
        ...(username === undefined ? {} : { username }),
        ...(credential === undefined ? {} : { credential }),
      })),
      bundlePolicy: 'max-bundle',
      rtcpMuxPolicy: 'require',
    });
    this.pc.onconnectionstatechange = () => {
      const state = this.pc.connectionState;
      if (state === 'connected' || state === 'disconnected' || state === 'failed') events.state(state);
    };
    this.pc.ontrack = ({ track, streams }) => {
      if (track.kind === 'audio') events.sound(streams[0] ?? new MediaStream([track]));
    };
    /* Both ways even without a microphone or camera: one that is plugged in later needs no new offer. */
    this.microphone = this.pc.addTransceiver('audio', { direction: 'sendrecv' });
    if (settings.lines > 0) {
      this.camera = this.pc.addTransceiver('video', { direction: 'sendonly', sendEncodings: LAYERS });
      prefer(this.camera, settings.codec);
    }
    this.work = Promise.resolve();
    this.offer(settings.lines, settings.screen);
  }

  private then(what: () => Promise<void>): void {
    this.work = this.work.then(what).catch(() => {
      if (this.pc.connectionState !== 'closed') this.events.state('failed');
    });
  }

  private addLines(lines: number, screen: boolean): void {
    while (this.lines.length < lines) {
      const transceiver = this.pc.addTransceiver('video', { direction: 'recvonly' });
      prefer(transceiver, this.settings.codec);
      const stream = new MediaStream([transceiver.receiver.track]);
      this.lines.push({ transceiver, stream, asked: 0, waited: 0, frames: 0 });
    }
    if (!screen || this.screen !== undefined) return;
    this.screen = this.pc.addTransceiver('video', {
      direction: 'sendonly',
      sendEncodings: [{ maxBitrate: SCREEN_BPS_MAX }],
    });
    prefer(this.screen, this.settings.codec);
  }

  /** Lines are added, never taken away. */
  offer(lines: number, screen: boolean): void {
    this.then(async () => {
      this.addLines(lines, screen);
      await this.exchange();
      await this.pc.setLocalDescription();
      const sdp = asSent(this.pc.localDescription?.sdp ?? '', this.screen?.mid);
      this.events.offered(sdp, this.lines.map(({ transceiver }) => transceiver.mid ?? ''));
    });
  }

  answer(sdp: string): void {
    this.then(() => this.pc.setRemoteDescription({ type: 'answer', sdp }));
  }

  private async exchange(): Promise<void> {
    const { microphone, camera, screen } = this.tracks;
    await Promise.all([
      this.microphone.sender.replaceTrack(microphone),
      this.camera?.sender.replaceTrack(camera),
      this.screen?.sender.replaceTrack(screen),
    ]);
  }

  send(tracks: Tracks): void {
    this.tracks = tracks;
    void this.exchange().catch(() => undefined);
  }

  /** The pictures of a line. */
  streamOf(mid: string): MediaStream | undefined {
    return this.lines.find(({ transceiver }) => transceiver.mid === mid)?.stream;
  }

  close(): void {
    this.pc.onconnectionstatechange = null;
    this.pc.ontrack = null;
    this.pc.close();
  }

  // ---- Sound and pictures in step ----

  /** To be called now and then. */
  async keepInStep(): Promise<void> {
    const sound = lastOf(this.microphone.receiver);
    if (sound === undefined) return;
    await Promise.all(this.lines.map((line) => this.keepLineInStep(line, sound)));
  }

  private async keepLineInStep(line: Line, sound: Moment): Promise<void> {
    const { receiver } = line.transceiver;
    const waiting = receiver as Waits;
    const picture = lastOf(receiver);
    if (picture === undefined || waiting.jitterBufferTarget === undefined) return;
    for (const report of (await receiver.getStats()).values() as Iterable<Record<string, number | string | undefined>>) {
      if (report['type'] !== 'inbound-rtp') continue;
      const waited = Number(report['jitterBufferDelay'] ?? 0);
      const frames = Number(report['jitterBufferEmittedCount'] ?? 0);
      const waits = ((waited - line.waited) * 1000) / (frames - line.frames);
      Object.assign(line, { waited, frames });
      if (!Number.isFinite(waits)) return;
      const asked = waitOf(waits, ahead(sound, picture), line.asked);
      if (asked !== line.asked) waiting.jitterBufferTarget = asked;
      line.asked = asked;
    }
  }

  // ---- How well it goes ----

  async measure(): Promise<Numbers | undefined> {
    const sums = { bytesIn: 0, bytesOut: 0, packets: 0, lost: 0, rtt: 0, worst: 0 };
    for (const report of (await this.pc.getStats()).values() as Iterable<Record<string, number | string | undefined>>) {
      const number = (name: string) => Number(report[name] ?? 0);
      if (report['type'] === 'inbound-rtp') {
        sums.packets += number('packetsReceived');
        sums.lost += number('packetsLost');
        sums.bytesIn += number('bytesReceived');
      } else if (report['type'] === 'outbound-rtp') {
        sums.bytesOut += number('bytesSent');
      } else if (report['type'] === 'remote-inbound-rtp') {
        sums.worst = Math.max(sums.worst, number('fractionLost') * 100);
      } else if (report['type'] === 'candidate-pair' && report['nominated'] === (true as unknown)) {
        sums.rtt = number('currentRoundTripTime') * 1000;
      }
    }
    const now = performance.now();
    const { before } = this;
    const seconds = (now - before.at) / 1000;
    const packets = sums.packets - before.packets;
    const lost = Math.max(0, sums.lost - before.lost);
    const isFirst = before.at === 0;
    const kbps = (bytes: number) => Math.max(0, (bytes * 8) / KBIT / seconds);
    const inKbps = kbps(sums.bytesIn - before.bytesIn);
    const outKbps = kbps(sums.bytesOut - before.bytesOut);
    Object.assign(before, { bytesIn: sums.bytesIn, bytesOut: sums.bytesOut, packets: sums.packets, lost: sums.lost, at: now });
    if (isFirst) return undefined;
    const lostPct = Math.max(sums.worst, packets + lost > 0 ? (lost * 100) / (packets + lost) : 0);
    return { level: levelOf(lostPct, sums.rtt), inKbps, outKbps, lostPct, rttMs: sums.rtt };
  }
}

function levelOf(lostPct: number, rttMs: number): Level {
  if (lostPct > POOR.lostPct || rttMs > POOR.rttMs) return 'poor';
  return lostPct > FAIR.lostPct || rttMs > FAIR.rttMs ? 'fair' : 'good';
}
