// SPDX-License-Identifier: Apache-2.0
// Chromium as people use it, and one more page in it that plays the Call Bridge's part of the sound.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { ORIGIN } from './world.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox', '--disable-gpu', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream',
      '--autoplay-policy=no-user-gesture-required', '--allow-loopback-in-peer-connection',
      '--disable-features=WebRtcHideLocalIpsWithMdns',
    ],
  });
}

/** Runs before the page's own code: peer connections can be asked for. */
function remember() {
  window.connections = [];
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(...settings) {
      super(...settings);
      window.connections.push(this);
    }
  };
}

/** What this machine lacks, or has only by a person's choice: a screen, painted green. */
function devices({ microphone, camera, screen }) {
  const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wish) => {
    if (wish.audio && !microphone) return Promise.reject(new DOMException('no', 'NotAllowedError'));
    if (wish.video && !camera) return Promise.reject(new DOMException('no', 'NotFoundError'));
    return original(wish);
  };
  if (screen === 'no') delete MediaDevices.prototype.getDisplayMedia;
  else
    MediaDevices.prototype.getDisplayMedia = () => {
      if (screen === 'cancel') return Promise.reject(new DOMException('no', 'NotAllowedError'));
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [1280, 720];
      const context = canvas.getContext('2d');
      let frame = 0;
      setInterval(() => {
        context.fillStyle = 'rgb(0, 160, 0)';
        context.fillRect(0, 0, 1280, 720);
        context.fillStyle = 'white';
        context.fillRect((frame++ * 16) % 1280, 0, 16, 16);
      }, 100);
      window.shared = canvas.captureStream(10);
      return Promise.resolve(window.shared);
    };
}

export async function person(browser, options = {}) {
  const { microphone = true, camera = true, screen = 'yes', ...rest } = options;
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    locale: 'en-GB',
    viewport: { width: 1100, height: 760 },
    permissions: [...(microphone ? ['microphone'] : []), ...(camera ? ['camera'] : [])],
    ...rest,
  });
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (line) => {
    if (line.type() === 'error' && !/WebSocket|Failed to load resource|net::ERR/.test(line.text())) page.problems.push(line.text());
  });
  await page.addInitScript(remember);
  await page.addInitScript(devices, { microphone, camera, screen });
  return page;
}

export async function enter(page, { name = 'Ann', address = '1001', join = 'Join' } = {}) {
  await page.goto(`${ORIGIN}/meeting/${address}`);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: join }).click();
  await inside(page);
}

export async function inside(page, timeout = 8000) {
  await page.getByRole('button', { name: /^(Leave|나가기|Quitter)$/ }).waitFor({ timeout });
}

/** A tool by its name, where there is little room behind "More". */
export async function press(page, name) {
  const tool = page.locator('.tools').getByRole('button', { name, exact: true });
  if (!(await tool.isVisible())) await page.locator('.more > button').click();
  await tool.click();
}

/** The colour a little off the middle of what is drawn there: [red, green, blue]. */
export async function colourOf(locator) {
  const png = await locator.screenshot();
  const page = locator.page();
  return page.evaluate(async (data) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return [...context.getImageData(Math.floor(image.width / 2), Math.floor(image.height * 0.4), 1, 1).data].slice(0, 3);
  }, png.toString('base64'));
}

/** Numbers of the connections that live, and whether sound comes in by them. */
export function connections(page) {
  return page.evaluate(async () => {
    const alive = [];
    for (const [number, connection] of window.connections.entries()) {
      if (connection.connectionState !== 'connected') continue;
      let received = 0;
      for (const report of (await connection.getStats()).values())
        if (report.type === 'inbound-rtp') received += report.packetsReceived;
      alive.push({ number, received });
    }
    return alive;
  });
}

export async function axeProblems(page) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
  return result.violations
    .filter(({ impact }) => impact !== 'minor')
    .map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}

/** A page that answers offers as a bridge would, with a tone of its own and a painted picture in each
 * line that only receives: `answer(sdp, leg, revision)` and `paint(leg, mid, colour)`. */
export async function farPage(browser) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, permissions: ['microphone'] });
  const page = await context.newPage();
  await page.goto(`${ORIGIN}/health`);
  await page.evaluate(farEnd);
  return {
    answer: (sdp, leg, revision) => page.evaluate((all) => window.farAnswer(...all), [sdp, leg, revision]),
    paint: (leg, mid, colour) => page.evaluate((all) => window.farPaint(...all), [leg, mid, colour]),
    /** Of the lines that the person sends by: frames that arrived, by mid. */
    frames: (leg) => page.evaluate((id) => window.farFrames(id), leg),
  };
}

/** Runs in that page. */
async function farEnd() {
  const legs = new Map();
  await navigator.mediaDevices.getUserMedia({ audio: true });
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const out = audio.createMediaStreamDestination();
  tone.connect(out);
  tone.start();
  const easel = () => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [320, 180];
    const context = canvas.getContext('2d');
    const picture = { colour: 'black', track: canvas.captureStream(10).getVideoTracks()[0], frame: 0 };
    setInterval(() => {
      context.fillStyle = picture.colour;
      context.fillRect(0, 0, 320, 180);
      /* Something moves, or nothing would be sent. */
      context.fillStyle = 'white';
      context.fillRect((picture.frame++ * 8) % 320, 170, 8, 8);
    }, 100);
    return picture;
  };
  const onlyReceives = (sdp, mid) =>
    sdp.split(/(?=^m=)/m).some((section) => section.includes(`\r\na=mid:${mid}\r\n`) && section.includes('\r\na=recvonly\r\n'));
  window.farAnswer = async (sdp, id, revision) => {
    if (revision === 1) {
      legs.get(id)?.connection.close();
      legs.set(id, { connection: new RTCPeerConnection(), pictures: new Map() });
    }
    const { connection, pictures } = legs.get(id);
    await connection.setRemoteDescription({ type: 'offer', sdp });
    for (const transceiver of connection.getTransceivers()) {
      const { sender, receiver, mid } = transceiver;
      if (receiver.track.kind === 'audio') {
        transceiver.direction = 'sendrecv';
        await sender.replaceTrack(out.stream.getAudioTracks()[0]);
      } else if (onlyReceives(sdp, mid) && !pictures.has(mid)) {
        const picture = easel();
        pictures.set(mid, picture);
        transceiver.direction = 'sendonly';
        await sender.replaceTrack(picture.track);
      }
    }
    await connection.setLocalDescription();
    await new Promise((resolve) => {
      const look = () => connection.iceGatheringState === 'complete' && resolve();
      connection.onicegatheringstatechange = look;
      look();
    });
    return connection.localDescription.sdp;
  };
  window.farPaint = (id, mid, colour) => {
    const picture = legs.get(id)?.pictures.get(mid);
    if (picture !== undefined) picture.colour = colour;
  };
  window.farFrames = async (id) => {
    const found = {};
    for (const report of (await legs.get(id).connection.getStats()).values())
      if (report.type === 'inbound-rtp' && report.kind === 'video') found[report.mid] = report.framesReceived ?? report.packetsReceived;
    return found;
  };
}
