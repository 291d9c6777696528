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

export async function person(browser, options = {}) {
  const { microphone = true, ...rest } = options;
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    locale: 'en-GB',
    viewport: { width: 1100, height: 760 },
    permissions: microphone ? ['microphone'] : [],
    ...rest,
  });
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (line) => {
    if (line.type() === 'error' && !/WebSocket|Failed to load resource|net::ERR/.test(line.text())) page.problems.push(line.text());
  });
  await page.addInitScript(remember);
  if (!microphone)
    await page.addInitScript(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
    });
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

/** A page that answers offers as a bridge would, with a tone of its own. */
export async function soundPage(browser) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, permissions: ['microphone'] });
  const page = await context.newPage();
  await page.goto(`${ORIGIN}/health`);
  return (sdp) =>
    page.evaluate(async (offer) => {
      const connection = new RTCPeerConnection();
      const audio = new AudioContext();
      const tone = audio.createOscillator();
      const out = audio.createMediaStreamDestination();
      tone.connect(out);
      tone.start();
      await navigator.mediaDevices.getUserMedia({ audio: true });
      await connection.setRemoteDescription({ type: 'offer', sdp: offer });
      connection.addTrack(out.stream.getAudioTracks()[0], out.stream);
      await connection.setLocalDescription();
      await new Promise((resolve) => {
        if (connection.iceGatheringState === 'complete') resolve();
        connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && resolve();
      });
      return connection.localDescription.sdp;
    }, sdp);
}
