// SPDX-License-Identifier: Apache-2.0
// A real Web Bridge in a folder of its own, to be killed and started again.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const HTTPS_PORT = 18443;
export const C2W_PORT = 19989;
export const ORIGIN = `https://localhost:${HTTPS_PORT}`;

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(what, condition, ms = 8000) {
  const end = Date.now() + ms;
  for (;;) {
    if (await condition()) return;
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await wait(30);
  }
}

function makeCertificate(folder, name) {
  const made = spawnSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`),
    '-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
  ]);
  if (made.status !== 0) throw new Error(String(made.stderr));
}

export class WebBridge {
  constructor(build) {
    this.program = join(build, 'convoke');
    this.folder = mkdtempSync(join(tmpdir(), 'convoke-web-'));
    for (const name of ['web', 'bridge', 'stranger']) makeCertificate(this.folder, name);
    writeFileSync(join(this.folder, 'convoke.conf'), [
      `webbridge3 https listen lo:${HTTPS_PORT}`,
      'webbridge3 https certs web.key web.crt',
      `webbridge3 c2w listen lo:${C2W_PORT}`,
      'webbridge3 c2w certs web.key web.crt',
      'webbridge3 c2w trust bridge.crt',
      'webbridge3 enable',
      '',
    ].join('\n'));
  }

  file(name) {
    return readFileSync(join(this.folder, name));
  }

  async start() {
    this.log = '';
    this.child = spawn(this.program, ['webbridge', '--data', this.folder], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const out of [this.child.stdout, this.child.stderr]) out.on('data', (bytes) => (this.log += bytes));
    await until(`the Web Bridge (${this.program})`, async () => (await fetchText('/health').catch(() => undefined))?.status === 200)
      .catch((error) => {
        throw new Error(`${error.message}; it said: ${this.log}`);
      });
  }

  async stop(signal = 'SIGTERM') {
    if (this.child === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return this.child?.exitCode;
    const over = new Promise((resolve) => this.child.once('exit', (code) => resolve(code)));
    this.child.kill(signal);
    return over;
  }

  async close() {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One HTTP request as it is on the wire: nothing decoded, nothing followed. */
export function fetchText(path, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: 'localhost', port: HTTPS_PORT, path, method, headers, rejectUnauthorized: false },
      (response) => {
        const pieces = [];
        response.on('data', (piece) => pieces.push(piece));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
