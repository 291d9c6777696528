// SPDX-License-Identifier: Apache-2.0
// node run.mjs BUILD_DIR [--pictures FOLDER] [CASE...]
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { farPage, launch } from './browser.mjs';
import { CallBridge } from './bridge.mjs';
import * as cases from './cases.mjs';
import * as pictures from './cases_pictures.mjs';
import * as portal from './cases_portal.mjs';
import { until, WebBridge } from './world.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { pictures: { type: 'string' } } });
const [build, ...wanted] = positionals;
if (build === undefined) {
  console.error('usage: tests/web/run BUILD_DIR [--pictures FOLDER] [CASE...]');
  process.exit(2);
}
if (values.pictures !== undefined) mkdirSync(values.pictures, { recursive: true });
const picture = async (page, name) => {
  if (values.pictures !== undefined) await page.screenshot({ path: join(values.pictures, `${name}.png`) });
};

const webBridge = new WebBridge(resolve(build));
let failed = 0;
await webBridge.start();
const browser = await launch();
const far = await farPage(browser);
for (const [name, run] of Object.entries({ ...cases, ...pictures, ...portal })) {
  if (wanted.length !== 0 && !wanted.some((word) => name.includes(word))) continue;
  const bridge = new CallBridge(webBridge, far);
  try {
    await bridge.stay();
    const page = await run({ browser, bridge, webBridge, far, picture });
    if (page?.problems.length > 0) throw new Error(`the page complained: ${page.problems.join('; ')}`);
    console.log(`ok web.${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL web.${name}: ${String(error?.message ?? error).split('\n').slice(0, 12).join(' ')}`);
    console.error(error);
    const pages = browser.contexts().flatMap((context) => context.pages());
    if (pages.length > 1) {
      await picture(pages.at(-1), `failed-${name}`);
      console.error('the page says:', await pages.at(-1).evaluate(() => document.body.innerText).catch(String));
    }
  }
  // The Web Bridge must have seen these browsers go before another Call Bridge comes: it would open
  // their sessions there again, and the next case would meet people of this one.
  for (const context of browser.contexts().slice(1)) await context.close();
  await until('the browsers are gone', () => bridge.sessions.size === 0, 3000).catch(() => {});
  bridge.die();
}
await browser.close();
const status = await webBridge.stop();
const healthy = status === 0 && !/ERROR: AddressSanitizer|runtime error|LeakSanitizer/.test(webBridge.log);
console.log(healthy ? 'ok web.the_web_bridge_ends_well' : `FAIL web.the_web_bridge_ends_well: status ${status}`);
if (!healthy) console.error(webBridge.log);
await webBridge.close();
process.exit(failed === 0 && healthy ? 0 : 1);
