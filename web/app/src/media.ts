// SPDX-License-Identifier: Apache-2.0
// Microphone, camera, screen and speaker, their choice and their level: the browser's media, without
// any meeting in it.

export type DeviceProblem = 'blocked' | 'missing' | 'busy' | 'insecure';

export interface Devices {
  readonly microphones: readonly MediaDeviceInfo[];
  readonly cameras: readonly MediaDeviceInfo[];
  readonly speakers: readonly MediaDeviceInfo[];
}

export const NO_DEVICES: Devices = { microphones: [], cameras: [], speakers: [] };
const CAMERA: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const SCREEN: MediaTrackConstraints = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { ideal: 30, max: 30 } };
/** Below this many decibels the meter shows nothing. */
const FLOOR_DB = -60;
const METER_MS = 60;

function problemOf(error: unknown): DeviceProblem {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'blocked';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  return 'busy';
}

/** Peak level of a stream, 0 to 1, some times a second. */
export class Meter {
  private readonly context: AudioContext;
  private readonly source: MediaStreamAudioSourceNode;
  private readonly timer: number;

  constructor(stream: MediaStream, show: (level: number) => void) {
    this.context = new AudioContext();
    this.source = this.context.createMediaStreamSource(stream);
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 2048;
    this.source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let shown = 0;
    this.timer = window.setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      let peak = 0;
      for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
      const level = peak > 0 ? Math.max(0, 1 - (20 * Math.log10(peak)) / FLOOR_DB) : 0;
      shown = Math.max(level, shown * 0.85);
      show(Math.min(1, shown));
    }, METER_MS);
    /* Made without a click (after a reload) it sleeps until there is one. */
    void this.context.resume().catch(() => undefined);
  }

  stop(): void {
    window.clearInterval(this.timer);
    this.source.disconnect();
    void this.context.close().catch(() => undefined);
  }
}

export class Microphone {
  stream: MediaStream | undefined;
  problem: DeviceProblem | undefined;
  private silent = false;

  /** `changed` is called when another track is in use, or none. */
  constructor(private readonly changed: (track: MediaStreamTrack | null) => void) {}

  get track(): MediaStreamTrack | null {
    return this.stream?.getAudioTracks()[0] ?? null;
  }

  async open(deviceId: string): Promise<void> {
    if (navigator.mediaDevices === undefined) {
      this.problem = 'insecure';
      return;
    }
    try {
      await this.take(deviceId === '' ? true : { deviceId: { exact: deviceId } });
    } catch (error) {
      /* The one remembered may be at home. */
      if (deviceId !== '' && problemOf(error) === 'missing') return this.open('');
      this.problem = problemOf(error);
      this.changed(this.track);
    }
  }

  private async take(audio: boolean | MediaTrackConstraints): Promise<void> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    const before = this.stream;
    this.stream = stream;
    this.problem = undefined;
    const track = this.track;
    if (track !== null) {
      track.enabled = !this.silent;
      /* Unplugged: whatever the system now calls its default. */
      track.onended = () => {
        if (this.track === track) void this.open('');
      };
    }
    before?.getTracks().forEach((old) => old.stop());
    this.changed(track);
  }

  silence(silent: boolean): void {
    this.silent = silent;
    const { track } = this;
    if (track !== null) track.enabled = !silent;
  }

  close(): void {
    this.stream?.getTracks().forEach((track) => {
      track.onended = null;
      track.stop();
    });
    this.stream = undefined;
    this.silent = false;
  }
}

/** What browsers that can blur a background by themselves add to a track. */
interface Blurring {
  readonly backgroundBlur?: readonly boolean[] | boolean;
}

export class Camera {
  stream: MediaStream | undefined;
  problem: DeviceProblem | undefined;
  blurred = false;
  /** The last wish counts: a camera that opens slowly may not be wanted any more. */
  private wishes = 0;

  /** `changed` is called when another track is in use, or none. */
  constructor(private readonly changed: (track: MediaStreamTrack | null) => void) {}

  get track(): MediaStreamTrack | null {
    return this.stream?.getVideoTracks()[0] ?? null;
  }

  async open(deviceId: string): Promise<void> {
    const wish = ++this.wishes;
    if (navigator.mediaDevices === undefined) {
      this.problem = 'insecure';
      return;
    }
    try {
      const device = deviceId === '' ? {} : { deviceId: { exact: deviceId } };
      const stream = await navigator.mediaDevices.getUserMedia({ video: { ...CAMERA, ...device } });
      if (wish !== this.wishes) stream.getTracks().forEach((track) => track.stop());
      else this.take(stream);
    } catch (error) {
      if (wish !== this.wishes) return;
      if (deviceId !== '' && problemOf(error) === 'missing') return this.open('');
      this.stop();
      this.problem = problemOf(error);
      this.changed(null);
    }
  }

  private take(stream: MediaStream): void {
    const before = this.stream;
    this.stream = stream;
    this.problem = undefined;
    const { track } = this;
    if (track !== null)
      track.onended = () => {
        if (this.track === track) this.close();
      };
    before?.getTracks().forEach((old) => old.stop());
    if (this.blurred) void this.blur(true);
    this.changed(track);
  }

  private stop(): void {
    this.stream?.getTracks().forEach((track) => {
      track.onended = null;
      track.stop();
    });
    this.stream = undefined;
  }

  /** The camera's light goes out. */
  close(): void {
    this.wishes++;
    this.problem = undefined;
    if (this.stream === undefined) return;
    this.stop();
    this.changed(null);
  }

  /** Whether this browser blurs backgrounds itself; no other way is taken. */
  get canBlur(): boolean {
    const can = (this.track?.getCapabilities?.() as Blurring | undefined)?.backgroundBlur;
    return Array.isArray(can) && can.includes(true);
  }

  async blur(on: boolean): Promise<void> {
    this.blurred = on;
    if (!this.canBlur) return;
    await this.track?.applyConstraints({ backgroundBlur: on } as MediaTrackConstraints).catch(() => undefined);
  }
}

/** A screen, window or tab that is shown to others. */
export class Screen {
  stream: MediaStream | undefined;

  /** `ended` is called when the person, or the window itself, has ended it. */
  constructor(private readonly ended: () => void) {}

  static get isPossible(): boolean {
    return typeof navigator.mediaDevices?.getDisplayMedia === 'function';
  }

  get track(): MediaStreamTrack | null {
    return this.stream?.getVideoTracks()[0] ?? null;
  }

  /** False: the person has thought better of it. */
  async choose(): Promise<boolean> {
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: SCREEN, audio: false });
      this.stop();
      this.stream = stream;
    } catch {
      return false;
    }
    const { track } = this;
    if (track !== null) {
      /* Letters before motion. */
      track.contentHint = 'detail';
      track.onended = () => {
        if (this.track === track) this.ended();
      };
    }
    return track !== null;
  }

  stop(): void {
    this.stream?.getTracks().forEach((track) => {
      track.onended = null;
      track.stop();
    });
    this.stream = undefined;
  }
}

export async function listDevices(): Promise<Devices> {
  if (navigator.mediaDevices === undefined) return NO_DEVICES;
  try {
    const all = await navigator.mediaDevices.enumerateDevices();
    const of = (kind: MediaDeviceKind) => all.filter((device) => device.kind === kind && device.deviceId !== '');
    return { microphones: of('audioinput'), cameras: of('videoinput'), speakers: canChooseSpeaker() ? of('audiooutput') : [] };
  } catch {
    return NO_DEVICES;
  }
}

export function canChooseSpeaker(): boolean {
  return 'setSinkId' in HTMLMediaElement.prototype;
}

export async function useSpeaker(element: HTMLAudioElement, deviceId: string): Promise<void> {
  if (!canChooseSpeaker() || element.sinkId === deviceId) return;
  try {
    await element.setSinkId(deviceId);
  } catch {
    /* The one remembered is gone: the default goes on. */
    if (deviceId !== '') await element.setSinkId('').catch(() => undefined);
  }
}

/** Two soft notes through the chosen speaker. */
export async function playTestSound(deviceId: string): Promise<void> {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const element = new Audio();
  element.srcObject = out.stream;
  await useSpeaker(element, deviceId);
  const begin = context.currentTime + 0.1;
  [523.25, 659.25].forEach((frequency, index) => {
    const at = begin + index * 0.28;
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.25, at + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.001, at + 0.6);
    tone.connect(gain).connect(out);
    tone.start(at);
    tone.stop(at + 0.7);
  });
  await element.play();
  await new Promise((resolve) => window.setTimeout(resolve, 1300));
  element.srcObject = null;
  await context.close();
}
