// SPDX-License-Identifier: Apache-2.0
// One browser for one test: reads orders, a line of JSON each, and answers in kind.
//
//	node browser.mjs chromium|firefox FOLDER
//
// FOLDER/tone.wav is what Chromium's microphone hears; Firefox's own fake device makes its tone.
// The page is used as a person uses it, by its labels and buttons; the only thing added to it keeps
// what arrives from the peer connection.
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';

const [kind, folder] = process.argv.slice(2);
const SECONDS_KEPT = 60;
const SHARED_TITLE = 'What is shared';

// Runs in the page before its own code: remembers peer connections and, where asked, the samples of
// every remote track, mixed.
function listen({ seconds, record }) {
	const heard = { rate: 0, chunks: [], connections: [] };
	window.__heard = heard;
	let processor = null;
	const start = () => {
		const context = new AudioContext();
		heard.rate = context.sampleRate;
		processor = context.createScriptProcessor(4096, 1, 1);
		processor.onaudioprocess = (event) => {
			const floats = event.inputBuffer.getChannelData(0);
			heard.chunks.push(Int16Array.from(floats, (v) => Math.max(-1, Math.min(1, v)) * 32767));
			if (heard.chunks.length * 4096 > seconds * heard.rate) heard.chunks.shift();
		};
		processor.connect(context.destination);
		return context;
	};
	let context = null;
	const Original = window.RTCPeerConnection;
	window.RTCPeerConnection = class extends Original {
		constructor(...settings) {
			super(...settings);
			heard.connections.push(this);
			this.addEventListener('track', (event) => {
				if (event.track.kind !== 'audio' || !record) return;
				context ??= start();
				const stream = new MediaStream([event.track]);
				context.createMediaStreamSource(stream).connect(processor);
			});
		}
	};
}

// The last seconds as base64 of 16-bit samples.
function newest(seconds) {
	const { rate, chunks } = window.__heard;
	const wanted = chunks.slice(-Math.ceil((seconds * rate) / 4096));
	const bytes = new Uint8Array(wanted.length * 8192);
	wanted.forEach((chunk, i) => bytes.set(new Uint8Array(chunk.buffer), i * 8192));
	let text = '';
	for (let i = 0; i < bytes.length; i += 32768)
		text += String.fromCharCode(...bytes.subarray(i, i + 32768));
	return { rate, samples: btoa(text) };
}

// Sound counters of the connections that are open.
async function counters() {
	const sums = { received: 0, lost: 0, sent: 0, energy: 0, state: [] };
	for (const connection of window.__heard.connections) {
		if (connection.connectionState === 'closed') continue;
		sums.state.push(connection.connectionState);
		for (const report of (await connection.getStats()).values()) {
			if (report.kind !== 'audio') continue;
			if (report.type === 'inbound-rtp') {
				sums.received += report.packetsReceived;
				sums.lost += report.packetsLost;
				sums.energy += report.totalAudioEnergy ?? 0;
			}
			if (report.type === 'outbound-rtp') sums.sent += report.packetsSent;
		}
	}
	return sums;
}

// What the tiles show at this moment, as it was decoded, 320 points wide.
function frames() {
	const canvas = document.createElement('canvas');
	const shown = [];
	for (const video of document.querySelectorAll('video[data-mid]')) {
		if (video.videoWidth === 0 || !video.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
		canvas.width = 320;
		canvas.height = Math.round((320 * video.videoHeight) / video.videoWidth);
		canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
		shown.push({
			name: video.closest('[data-participant]')?.querySelector('.name')?.textContent.trim() ?? '',
			height: video.videoHeight,
			png: canvas.toDataURL('image/png').split(',')[1],
		});
	}
	return shown;
}

// Begins to keep, every `ms`, what the browser counts of the pictures it receives and sends.
function watch(ms) {
	const samples = [];
	const names = () => Object.fromEntries([...document.querySelectorAll('video[data-mid]')].map((node) =>
		[node.dataset.mid, node.closest('[data-participant]')?.querySelector('.name')?.textContent.trim() ?? '']));
	const wanted = ['mid', 'rid', 'framesDecoded', 'keyFramesDecoded', 'framesDropped', 'freezeCount',
		'totalFreezesDuration', 'frameHeight', 'bytesReceived', 'packetsLost', 'nackCount', 'pliCount',
		'framesEncoded', 'keyFramesEncoded', 'bytesSent'];
	const take = async () => {
		const sample = { at: Date.now() / 1000, received: [], sent: [] };
		const shown = names();
		for (const connection of window.__heard.connections) {
			if (connection.connectionState === 'closed') continue;
			for (const report of (await connection.getStats()).values()) {
				if (report.kind !== 'video' || !/^(in|out)bound-rtp$/.test(report.type)) continue;
				const kept = Object.fromEntries(wanted.filter((key) => report[key] !== undefined)
					.map((key) => [key, report[key]]));
				if (report.type === 'inbound-rtp') sample.received.push({ ...kept, name: shown[report.mid] ?? '' });
				else sample.sent.push(kept);
			}
		}
		samples.push(sample);
	};
	window.__watched = { samples, timer: setInterval(take, ms) };
}

function watched() {
	const { samples } = window.__watched;
	return samples.splice(0);
}

async function startChromium() {
	const browser = await chromium.launch({
		executablePath: '/usr/bin/chromium',
		headless: true,
		args: [
			'--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required',
			'--use-fake-device-for-media-stream',
			`--use-file-for-fake-audio-capture=${folder}/tone.wav`,
			...(existsSync(`${folder}/camera.mjpeg`)
				? [`--use-file-for-fake-video-capture=${folder}/camera.mjpeg`] : []),
			`--auto-select-tab-capture-source-by-title=${SHARED_TITLE}`,
			'--disable-features=WebRtcHideLocalIpsWithMdns',
		],
	});
	const context = await browser.newContext({
		ignoreHTTPSErrors: true,
		permissions: ['microphone', 'camera'],
	});
	const page = await context.newPage();
	await page.addInitScript(listen, { seconds: SECONDS_KEPT, record: true });
	if (existsSync(`${folder}/page.js`)) await page.addInitScript({ path: `${folder}/page.js` });
	return { browser, page, anotherPage: () => context.newPage() };
}

async function startFirefox() {
	const browser = await puppeteer.launch({
		browser: 'firefox',
		executablePath: '/usr/bin/firefox-esr',
		headless: true,
		acceptInsecureCerts: true,
		extraPrefsFirefox: {
			'media.navigator.streams.fake': true,
			'media.navigator.permission.disabled': true,
			'media.autoplay.default': 0,
			'media.peerconnection.ice.obfuscate_host_addresses': false,
			'network.captive-portal-service.enabled': false,
			'network.connectivity-service.enabled': false,
		},
	});
	const page = await browser.newPage();
	await page.evaluateOnNewDocument(listen, { seconds: SECONDS_KEPT, record: false });
	return { browser, page };
}

// What both drivers have in common, by the words a person sees.
const { browser, page, anotherPage } = await (kind === 'firefox' ? startFirefox() : startChromium());
page.on('console', (line) => console.error(`console: ${line.text()}`));
page.on('pageerror', (error) => console.error(`page error: ${error}`));
page.on('websocket', (socket) => {
	socket.on('framesent', ({ payload }) => console.error(`> ${payload}`));
	socket.on('framereceived', ({ payload }) => console.error(`< ${payload}`));
});

const inPage = {
	// Types into the field with that label; false when there is none.
	fill: ({ label, text }) => {
		const matches = (node) => new RegExp(label, 'i').test(node.textContent ?? '');
		const found = [...document.querySelectorAll('label')].filter(matches).map((node) => node.control)
			.concat([...document.querySelectorAll('input')].filter((input) =>
				new RegExp(label, 'i').test(`${input.ariaLabel ?? ''} ${input.placeholder}`)))
			.find((input) => input && input.offsetParent !== null);
		if (!found) return false;
		const setter = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
		setter.call(found, text);
		found.dispatchEvent(new Event('input', { bubbles: true }));
		found.dispatchEvent(new Event('change', { bubbles: true }));
		return true;
	},
	// Chooses in the list with that label; false when there is none.
	choose: ({ label, value }) => {
		const found = [...document.querySelectorAll('select')].find((select) =>
			select.offsetParent !== null && new RegExp(label, 'i').test(select.ariaLabel ?? ''));
		if (!found) return false;
		found.value = value;
		found.dispatchEvent(new Event('change', { bubbles: true }));
		return true;
	},
	// Presses the button with that name; false when there is none that can be pressed.
	press: (name) => {
		const found = [...document.querySelectorAll('button')].find((button) =>
			button.offsetParent !== null && !button.disabled &&
			new RegExp(name, 'i').test(button.ariaLabel ?? button.textContent ?? ''));
		found?.click();
		return found !== undefined;
	},
	buttons: () => [...document.querySelectorAll('button')].map((button) =>
		`${button.ariaLabel ?? button.textContent}${button.disabled ? ' (disabled)' : ''}`),
};

async function until(what, condition, seconds = 15) {
	const end = Date.now() + seconds * 1000;
	while (Date.now() < end) {
		try {
			if (await condition()) return;
		} catch (error) {
			if (!/context|navigat|detached/i.test(String(error))) throw error;
		}
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	const seen = await page.evaluate(() => document.body.innerText).catch(() => '');
	throw new Error(`${what}: not in ${seconds} s; the page says: ${seen.replace(/\s+/g, ' ').slice(0, 400)} ` +
		`buttons: ${await page.evaluate(inPage.buttons).catch(() => '')}`);
}

let shared; // the page that stands for somebody's screen
const orders = {
	async join({ url, name, passcode }) {
		await page.goto(url);
		await until('a field for the name', () =>
			page.evaluate(inPage.fill, { label: 'name', text: name }));
		await until('the button to join', () => page.evaluate(inPage.press, '^\\s*join'));
		if (passcode) {
			await until('a field for the passcode', () =>
				page.evaluate(inPage.fill, { label: 'passcode', text: passcode }));
			await until('the button to join', () => page.evaluate(inPage.press, '^\\s*join'));
		}
		await until('the button to leave', () =>
			page.evaluate(() => [...document.querySelectorAll('button')].some((button) =>
				/leave/i.test(button.ariaLabel ?? button.textContent ?? ''))));
		await until('a connected peer connection', () => page.evaluate(() =>
			window.__heard.connections.some((c) => c.connectionState === 'connected')));
	},
	open: ({ url }) => page.goto(url).then(() => undefined),
	// By the keyboard alone: goes on with Tab until what is called so has the focus.
	async reach({ name }) {
		for (let i = 0; i < 200; i++) {
			await page.keyboard.press('Tab');
			const called = await page.evaluate(() => {
				const node = document.activeElement;
				return (node.ariaLabel ?? node.labels?.[0]?.textContent ?? node.textContent ?? '').trim();
			});
			if (new RegExp(name).test(called)) return called;
		}
		throw new Error(`nothing called ${name} is reached`);
	},
	type: ({ text }) => page.keyboard.type(text),
	key: ({ key }) => page.keyboard.press(key),
	// Types into the field with that label.
	fill: ({ label, text }) => until(`a field ${label}`, () => page.evaluate(inPage.fill, { label, text })),
	press: ({ name }) => until(`a button ${name}`, () => page.evaluate(inPage.press, name)),
	choose: ({ label, value }) =>
		until(`a list ${label}`, () => page.evaluate(inPage.choose, { label, value })),
	// Holds a button down with the mouse.
	async hold({ name, ms }) {
		await until(`a button ${name}`, async () => {
			for (const button of await page.$$('button')) {
				const label = await button.evaluate((node) => node.ariaLabel ?? node.textContent ?? '');
				const box = new RegExp(name, 'i').test(label) ? await button.boundingBox() : null;
				if (box === null) continue;
				await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
				await page.mouse.down();
				await new Promise((resolve) => setTimeout(resolve, ms));
				await page.mouse.up();
				return true;
			}
			return false;
		});
	},
	// Writes a line of chat.
	async say({ text }) {
		await until('the chat', () => page.evaluate(() => {
			const field = document.querySelector('textarea');
			field?.focus();
			return field !== null;
		}));
		await page.keyboard.type(text);
		await page.keyboard.press('Enter');
	},
	// Shares a page that shows this text, by the meeting page's own button.
	async share({ text }) {
		shared ??= await anotherPage();
		await shared.setContent(`<title>${SHARED_TITLE}</title><body style="margin: 0; background: #fff">
			<p style="font: bold 120px sans-serif; margin: 200px 60px">${text}</p>`);
		await page.bringToFront();
		await orders.press({ name: '^share screen' });
	},
	heard: ({ seconds }) => page.evaluate(newest, seconds),
	counters: () => page.evaluate(counters),
	watch: ({ ms }) => page.evaluate(watch, ms),
	watched: () => page.evaluate(watched),
	frames: () => page.evaluate(frames),
	// Every tile that shows a picture, as it is on the screen, by whom it shows.
	async tiles() {
		const tiles = [];
		for (const video of await page.$$('video[data-mid]')) {
			const about = await video.evaluate((node) => ({
				name: node.closest('[data-participant]')?.querySelector('.name')?.textContent ?? '',
				participant: node.closest('[data-participant]')?.getAttribute('data-participant') ?? '',
				shown: node.offsetParent !== null && node.videoWidth > 0,
				width: node.videoWidth,
				height: node.videoHeight,
			}));
			if (!about.shown) continue;
			const png = Buffer.from(await video.screenshot({ type: 'png' })).toString('base64');
			tiles.push({ ...about, name: about.name.trim(), png });
		}
		return tiles;
	},
	run: ({ code }) => page.evaluate(code),
	text: () => page.evaluate(() => document.body.innerText),
	// Waits until the page says that, whatever page it is by then.
	shows: ({ words, seconds }) => until(`"${words}"`, () =>
		page.evaluate((wanted) => document.body.innerText.includes(wanted), words), seconds),
	buttons: () => page.evaluate(inPage.buttons),
	picture: () => page.screenshot({ path: `${folder}/page.png` }).then(() => undefined),
};

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
answer({ value: 'up' });
for await (const line of createInterface({ input: process.stdin })) {
	const order = JSON.parse(line);
	try {
		answer({ value: (await orders[order.do](order)) ?? null });
	} catch (error) {
		await orders.picture().catch(() => {});
		answer({ error: String(error.message ?? error) });
	}
}
// As a person would, so that nobody is waited for who does not come back.
await page.evaluate(inPage.press, '^\\s*leave').catch(() => {});
await browser.close();
