// Drives the page in a real browser against serve-for-test.mjs, and fails on anything the browser complains about.
//   node check.mjs [folder for screenshots]      CHROMIUM=/path/to/chromium
import { spawn } from 'node:child_process';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const shots = process.argv[2];
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

async function serve(env = {}) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('serve-for-test.mjs', import.meta.url)), '0'], {
    env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return { url: String(line).trim(), stop: () => child.kill() };
}

async function visit(url, options, steps) {
  const profile = await mkdtemp(join(tmpdir(), 'playground-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS, ...options,
  });
  const complaints = [];
  try {
    const page = context.pages()[0] ?? await context.newPage();
    const host = new URL(url).host;
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
    page.on('request', (request) => {
      const target = new URL(request.url());
      if (/^(http|ws)/.test(target.protocol) && target.host !== host) complaints.push(`asked another host: ${request.url()}`);
    });
    await page.goto(url);
    await page.waitForSelector('.graphiql-query-editor .view-line');
    await page.waitForTimeout(1500); // the workers have read the schema and marked the document
    const shot = (name) => shots && page.screenshot({ path: join(shots, `${name}.png`) });
    await steps(page, shot);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
  return complaints;
}

async function run(page) {
  await page.click('.graphiql-execute-button');
  await page.waitForFunction(() => document.querySelector('.result-window .view-lines')?.textContent.trim());
  await page.waitForTimeout(400);
  return (await page.textContent('.result-window .view-lines')).replace(/\s/g, ' ');
}

async function desktop(page, shot) {
  await shot('desktop');
  const tabs = await page.locator('.graphiql-tab').count();
  assert.match(await page.textContent('.graphiql-editor-tool .view-lines'), /"first":\s10/);
  assert.match(await run(page), /Spring\s+Assembly/);
  await shot('desktop-answer');
  await page.click('#open-sign-in');
  await page.fill('#email', 'ada@example.org');
  await page.fill('#password', 'wrong');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#password-error:not([hidden])');
  assert.match(await page.textContent('#password-error'), /wrong/);
  await shot('desktop-refused');
  await page.fill('#password', 'demo');
  const sent = page.waitForRequest((request) => request.postData()?.includes('__schema'));
  await page.keyboard.press('Enter');
  assert.equal((await sent).headers().authorization, 'Bearer test-access-token');
  assert.match((await sent).headers().accept, /graphql-response\+json, application\/json/);
  assert.match(await page.textContent('#who'), /Signed in as\s+ada@example.org/);
  await shot('desktop-examples'); // open from the beginning
  await page.click('.examples button >> nth=1');
  await page.click('[aria-label="Hide Examples"]');
  await page.click('[aria-label="Show Documentation Explorer"]');
  await page.waitForTimeout(500);
  await shot('desktop-docs');
  await page.reload();
  await page.waitForSelector('.graphiql-query-editor .view-line');
  assert.match(await page.textContent('#who'), /ada@example.org/);
  assert.equal(await page.locator('.graphiql-tab').count(), tabs + 1); // and the example
  await page.click('#sign-out');
  assert.match(await page.textContent('#who'), /Visitor/);
}

async function editing(page, shot) {
  await page.click('.graphiql-tab-add');
  await page.click('.graphiql-query-editor .view-lines');
  await page.keyboard.type('# mine\n{ ev');
  await page.waitForSelector('.suggest-widget.visible >> text=events');
  await shot('dark-completion');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText('# mine\nquery Mine { events(first: 1) { nope totalCount } }');
  await page.waitForSelector('.squiggly-error');
  await page.click('[aria-label^="Prettify"]');
  await page.waitForFunction(() => document.querySelectorAll('.graphiql-query-editor .view-line').length > 4);
  assert.match(await page.textContent('.graphiql-query-editor .view-lines'), /#\smine/);
  await page.hover('.graphiql-query-editor .view-line >> nth=3');
  assert.match(await run(page), /Cannot query field/);
  await shot('dark-editing');
}

async function phone(page, shot) {
  assert.match(await page.textContent('#notice'), /Introspection needs a sign-in/);
  assert.equal(await page.textContent('.result-window .view-lines'), '');
  await shot('phone');
  assert.match(await run(page), /Spring\s+Assembly/);
  await shot('phone-answer');
  await page.click('#open-sign-in');
  await shot('phone-sign-in');
  await page.fill('#token', 'Bearer es_test_0123456789');
  await page.click('#token-form [type=submit]');
  assert.match(await page.textContent('#who'), /API token\s+…6789/);
  await page.waitForTimeout(800);
  assert.ok(await page.isHidden('#notice'));
  await page.click('[aria-label="Show Examples"]');
  await page.waitForTimeout(400);
  await shot('phone-examples');
  await page.click('.examples button >> nth=1');
  await page.waitForTimeout(400);
  assert.ok(await page.isHidden('.examples'));
  await shot('phone-example');
  const editor = await page.locator('.graphiql-query-editor').boundingBox();
  assert.ok(editor.width > 300, `the editor is ${editor.width} pixels wide`);
  await page.click('[aria-label="Show Examples"]');
  assert.ok(await page.isVisible('.examples'));
  await page.click('[aria-label="Hide Examples"]');
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `the page is ${wide} pixels wide`);
}

async function expired(page, shot) {
  await page.click('#open-sign-in');
  await page.fill('#token', 'not-a-token');
  await page.click('#token-form [type=submit]');
  await page.waitForSelector('#notice:not([hidden])');
  assert.match(await page.textContent('#notice'), /refused this API token/);
  await shot('token-refused');
}

const phoneScreen = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const open = await serve();
const closed = await serve({ CLOSED: '1' });
let bad = 0;
try {
  for (const [name, server, options, steps, expected] of [
    // Its reload may come while a worker, or a part of the editor, is still being loaded.
    ['desktop', open, { viewport: { width: 1280, height: 800 } }, desktop, /(worker|chunk-\w+)\.js: net::ERR_ABORTED/],
    ['editing', open, { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }, editing],
    ['phone', closed, phoneScreen, phone],
    ['expired', open, { ...phoneScreen, colorScheme: 'dark' }, expired, /status of 401/],
  ]) {
    const complaints = (await visit(server.url, options, steps)).filter((text) => !expected?.test(text));
    console.log(name, complaints.length === 0 ? 'ok' : complaints);
    bad += complaints.length;
  }
} finally {
  open.stop();
  closed.stop();
}
process.exitCode = bad === 0 ? 0 : 1;
