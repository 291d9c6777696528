// SPDX-License-Identifier: Apache-2.0
// Joins a meeting with a real Chromium, again and again, and tells how long it was until the first
// picture of somebody else: a line of JSON for each join.
//
//	node video_delay_browser.mjs URL JOINS press|open
//
// press: from the press of Join, on a page that stands ready.  open: from the beginning of the
// navigation, by a page that comes back into the meeting by itself (its tab was reloaded).
// The end is the moment at which the first frame of another person's tile went to the compositor
// (requestVideoFrameCallback, presentationTime).
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../tests/lib/', import.meta.url))('playwright-core');
const [url, joins, from] = process.argv.slice(2);
const PICTURE_MS_MAX = 20_000;

// Runs in the page before its own code: when what of a join happened, in ms of the page's clock.
function watch() {
	const marks = {};
	const mark = (name, at = performance.now()) => (marks[name] ??= Math.round(at * 10) / 10);
	window.__marks = marks;
	addEventListener('click', ({ target, timeStamp }) => {
		if (/^\s*join/i.test(target.closest('button')?.textContent ?? '')) mark('pressed', timeStamp);
	}, true);
	const { fetch } = window;
	window.fetch = async (...request) => {
		const answer = await fetch(...request);
		if (String(request[0]).endsWith('/api/join')) mark('let in');
		return answer;
	};
	window.WebSocket = class extends WebSocket {
		constructor(...settings) {
			super(...settings);
			this.addEventListener('open', () => mark('WebSocket open'));
			this.addEventListener('message', ({ data }) => mark(`got ${JSON.parse(data).type}`));
		}
		send(data) {
			mark(`sent ${JSON.parse(data).type}`);
			super.send(data);
		}
	};
	window.RTCPeerConnection = class extends RTCPeerConnection {
		constructor(...settings) {
			super(...settings);
			mark('connection made');
			window.__connection = this;
			this.addEventListener('iceconnectionstatechange', () => mark(`ICE ${this.iceConnectionState}`));
			this.addEventListener('connectionstatechange', () => mark(this.connectionState));
		}
	};
	const shown = (video) => {
		if (video.watched) return;
		video.watched = true;
		mark('tile');
		video.requestVideoFrameCallback((_, { presentationTime, receiveTime }) => {
			mark('picture received', receiveTime);
			mark('picture', presentationTime);
		});
	};
	new MutationObserver(() => document.querySelectorAll('video[data-mid]').forEach(shown))
		.observe(document, { childList: true, subtree: true, attributes: true });
}

const press = (page, name) =>
	page.getByRole('button', { name, disabled: false }).first().click({ timeout: PICTURE_MS_MAX });

async function picture(page) {
	await page.waitForFunction(() => window.__marks.picture !== undefined, undefined,
		{ timeout: PICTURE_MS_MAX, polling: 50 });
	return page.evaluate(() => window.__marks);
}

const browser = await chromium.launch({
	executablePath: '/usr/bin/chromium',
	headless: true,
	args: ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required',
		'--use-fake-device-for-media-stream', '--allow-loopback-in-peer-connection',
		'--disable-features=WebRtcHideLocalIpsWithMdns'],
});
for (let i = 0; i < Number(joins); i++) {
	const context = await browser.newContext({ ignoreHTTPSErrors: true, permissions: ['microphone', 'camera'] });
	const page = await context.newPage();
	await page.addInitScript(watch);
	await page.goto(url);
	await page.getByLabel(/name/i).first().fill('Browser');
	await page.waitForTimeout(1500); // its devices are open by then
	await press(page, /^join/i);
	let marks = await picture(page);
	if (from === 'open') {
		await page.reload();
		marks = { pressed: 0, ...(await picture(page)) };
	}
	console.log(JSON.stringify(marks));
	await press(page, /^leave/i).catch(() => undefined);
	await page.waitForTimeout(300);
	await context.close();
}
await browser.close();
