// SPDX-License-Identifier: Apache-2.0
// Run in app/ or admin/: builds its dist/, that is index.html, files named by their content in
// assets/, and of each file the smaller forms for browsers that take them (.gz, .br).
import { build } from 'esbuild';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const here = process.cwd();
const dist = join(here, 'dist');
const SMALL_BYTES = 512; // not worth another form

const result = await build({
  absWorkingDir: here,
  entryPoints: { app: 'src/main.tsx', style: 'src/style.css' },
  outdir: join(dist, 'assets'),
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome100', 'firefox100', 'safari15.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
});

await rm(dist, { recursive: true, force: true });
await mkdir(join(dist, 'assets'), { recursive: true });

const files = new Map(result.outputFiles.map((file) => [relative(dist, file.path), file.contents]));
const named = (name, end) => [...files.keys()].find((path) => path.startsWith(`assets/${name}-`) && path.endsWith(end));
const page = (await readFile(join(here, 'src/index.html'), 'utf8'))
  .replace('{script}', `/${named('app', '.js')}`)
  .replace('{style}', `/${named('style', '.css')}`);
files.set('index.html', Buffer.from(page));
for (const name of await readdir(join(here, 'public'))) files.set(name, await readFile(join(here, 'public', name)));

let total = 0;
for (const [path, bytes] of files) {
  const gzip = gzipSync(bytes, { level: 9 });
  await writeFile(join(dist, path), bytes);
  total += gzip.length;
  if (bytes.length < SMALL_BYTES) continue;
  await writeFile(join(dist, `${path}.gz`), gzip);
  await writeFile(join(dist, `${path}.br`), brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
}
console.log(`${relative(join(here, '..'), dist)}: ${files.size} files, ${(total / 1024).toFixed(1)} kB gzip`);
