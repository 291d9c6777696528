// SPDX-License-Identifier: Apache-2.0
// How late pictures are in a real Chromium, told in lines of JSON.
//
//	node video_delay_browser.mjs URL JOINS press|open     joins, again and again: what happened when
//	node video_delay_browser.mjs URL SECONDS camera       from one page's camera to another's screen
//
// press: from the press of Join, on a page that stands ready.  open: from the beginning of the
// navigation, by a page that comes back into the meeting by itself (its tab was reloaded).
// The end is the moment at which the first frame of another person's tile went to the compositor
// (requestVideoFrameCallback, presentationTime).
// camera: one page's camera shows the time, and it is read from what another page shows: through the
// bridge, and, by a second connection that a page has with itself, without one.
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../tests/lib/', import.meta.url))('playwright-core');
const [url, count, from] = process.argv.slice(2);
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

// Runs in the page before its own code: a camera that shows the time of day in milliseconds, as a row of
// black and white cells; and how to read it.
function clock() {
	const BITS = 20;
	const CELLS = BITS + 2; // a white and a black one tell that it is a time
	const now = () => performance.timeOrigin + performance.now();
	const draw = (paint, width, height) => {
		const time = Math.round(now()) % 2 ** BITS;
		paint.fillStyle = `hsl(${time / 50} 40% 50%)`;
		paint.fillRect(0, 0, width, height);
		for (let i = 0; i < CELLS; i++) {
			const white = i < 2 ? i === 0 : (time >> (CELLS - 1 - i)) & 1;
			paint.fillStyle = white ? '#fff' : '#000';
			paint.fillRect((i * width) / CELLS, height * 0.4, width / CELLS, height * 0.2);
		}
	};
	window.__camera = () => {
		const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
		const paint = canvas.getContext('2d');
		setInterval(() => draw(paint, 1280, 720), 1000 / 30);
		return canvas.captureStream();
	};
	// How old what a video shows is, frame by frame, in ms.
	window.__ages = (video, seconds) => new Promise((resolve) => {
		const paint = Object.assign(document.createElement('canvas'), { width: CELLS * 2, height: 9 })
			.getContext('2d', { willReadFrequently: true });
		const ages = [];
		const end = now() + seconds * 1000;
		const look = (_, { presentationTime }) => {
			const shown = performance.timeOrigin + presentationTime;
			paint.drawImage(video, 0, 0, CELLS * 2, 9);
			const { data } = paint.getImageData(0, 4, CELLS * 2, 1);
			const bits = Array.from({ length: CELLS }, (_, i) => Number(data[(2 * i + 1) * 4] > 128));
			const time = bits.slice(2).reduce((sum, bit) => sum * 2 + bit, 0);
			const age = (shown - time) % 2 ** BITS;
			if (bits[0] === 1 && bits[1] === 0 && age < 5000) ages.push(age);
			if (now() < end) video.requestVideoFrameCallback(look);
			else resolve(ages);
		};
		video.requestVideoFrameCallback(look);
	});
}

const show = () => {
	navigator.mediaDevices.getUserMedia = async ({ video }) => (video ? window.__camera() : new MediaStream());
};

// A connection that a page has with itself.
async function direct(seconds) {
	const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
	from.onicecandidate = ({ candidate }) => to.addIceCandidate(candidate ?? undefined);
	to.onicecandidate = ({ candidate }) => from.addIceCandidate(candidate ?? undefined);
	const stream = window.__camera();
	from.addTrack(stream.getVideoTracks()[0], stream);
	const video = Object.assign(document.createElement('video'), { muted: true, autoplay: true });
	to.ontrack = ({ track }) => { video.srcObject = new MediaStream([track]); };
	document.body.append(video);
	await from.setLocalDescription();
	await to.setRemoteDescription(from.localDescription);
	await to.setLocalDescription();
	await from.setRemoteDescription(to.localDescription);
	await new Promise((resolve) => setTimeout(resolve, 3000));
	return window.__ages(video, seconds);
}

// What the first tile shows, and how long its pictures wait before they are decoded.
async function tile(seconds) {
	const waits = async () => {
		const all = [...(await window.__connection.getStats()).values()]
			.find(({ type, kind, framesDecoded }) => type === 'inbound-rtp' && kind === 'video' && framesDecoded > 0);
		return [all.jitterBufferDelay, all.jitterBufferEmittedCount];
	};
	const before = await waits();
	const ages = await window.__ages(document.querySelector('video[data-mid]'), seconds);
	const after = await waits();
	return { ages, waited: ((after[0] - before[0]) * 1000) / (after[1] - before[1]) };
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
async function open(...scripts) {
	const context = await browser.newContext({ ignoreHTTPSErrors: true, permissions: ['microphone', 'camera'] });
	const page = await context.newPage();
	for (const script of [watch, ...scripts]) await page.addInitScript(script);
	await page.goto(url);
	await page.getByLabel(/name/i).first().fill('Browser');
	await page.waitForTimeout(1500); // its devices are open by then
	return page;
}

async function leave(page) {
	await press(page, /^leave/i).catch(() => undefined);
	await page.waitForTimeout(300);
	await page.context().close();
}

async function joins() {
	for (let i = 0; i < Number(count); i++) {
		const page = await open();
		await press(page, /^join/i);
		let marks = await picture(page);
		if (from === 'open') {
			await page.reload();
			marks = { pressed: 0, ...(await picture(page)) };
		}
		console.log(JSON.stringify(marks));
		await leave(page);
	}
}

async function camera() {
	const source = await open(clock, show);
	await press(source, /^join/i);
	const viewer = await open(clock);
	await press(viewer, /^join/i);
	await picture(viewer);
	await viewer.waitForTimeout(4000);
	const through = await viewer.evaluate(tile, Number(count));
	await leave(viewer);
	await leave(source);
	const alone = await open(clock);
	console.log(JSON.stringify({ ...through, direct: await alone.evaluate(direct, Number(count)) }));
}

await (from === 'camera' ? camera() : joins());
await browser.close();
