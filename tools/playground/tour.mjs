// node tour.mjs <url of a server with demo data> <folder for pictures>
// Walks through the playground of a real server as an organizer would, at the size of a desk and of a phone: signs in with a
// demo sign-in, runs an example of every task, reads what a field costs. Ends with 1 when something is not as it should be.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [url, shots] = process.argv.slice(2);
const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update'];
const SIZES = {
  desk: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
};

async function visit(name, options) {
  const profile = await mkdtemp(join(tmpdir(), 'playground-'));
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: FLAGS, ...options });
  const complaints = [];
  try {
    const page = context.pages()[0] ?? await context.newPage();
    const host = new URL(url).host;
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      const target = new URL(request.url());
      if (/^(http|ws)/.test(target.protocol) && target.host !== host) complaints.push(`asked another host: ${request.url()}`);
    });
    await page.goto(`${url}/playground`);
    await page.waitForSelector('.graphiql-query-editor .view-line');
    await page.waitForTimeout(1500);
    await walk(page, (step) => page.screenshot({ path: join(shots, `${name}-${step}.png`) }), name === 'phone');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= options.viewport.width, `the page is ${wide} pixels wide`);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
  return complaints;
}

async function run(page) {
  await page.evaluate(() => document.getElementById('cost').replaceChildren());
  await page.click('.graphiql-execute-button');
  await page.waitForFunction(() => document.getElementById('cost').textContent.includes(' ms'));
  await page.waitForTimeout(500);
  return (await page.textContent('.result-window .view-lines')).replace(/\s+/g, ' ');
}

async function panel(page, name, shown) {
  const button = page.locator(`[aria-label="${shown ? 'Show' : 'Hide'} ${name}"]`);
  if (await button.count()) await button.click();
  await page.waitForTimeout(400);
}

async function example(page, name) {
  await panel(page, 'Examples', true);
  await page.click(`.examples button:has-text("${name}")`);
  await page.waitForTimeout(500);
}

async function signIn(page, who) {
  await page.click('#open-sign-in');
  await page.click(`#demo-sign-ins button:has-text("${who}")`);
  await page.waitForFunction((name) => document.getElementById('who').textContent.includes(name), '@');
  await page.waitForTimeout(800);
}

/** What is left of an event, and once more when somebody takes a place; then nothing more, for the button stops it. */
async function watching(page, shot) {
  const said = async (text) => page.waitForFunction((text) => document.querySelector('.result-window .view-lines')
    .textContent.replace(/\s+/g, '').includes(text), text);
  await example(page, 'How an event sells');
  await page.click('.graphiql-execute-button');
  await said('"type":"subscription.started"');
  const find = '{ eventBySlug(organizationSlug: "larkspur", slug: "systems-days") { id ticketTypes(first: 1) { nodes { id } } } }';
  const { eventBySlug: event } = await ask(find);
  const input = {
    eventId: event.id, buyer: { name: 'Tess Tour', email: 'tess@guests.example' }, idempotencyKey: crypto.randomUUID(),
    lines: [{ ticketTypeId: event.ticketTypes.nodes[0].id, quantity: 1 }],
  };
  await ask('mutation($input: PlaceRegistrationInput!) { placeRegistration(input: $input) { userErrors { code } } }', { input });
  await said('"type":"availability.changed"');
  assert.match(await page.textContent('#cost'), /message 2/);
  await shot('8-watching');
  await page.click('.graphiql-execute-button');
  await page.waitForSelector('.graphiql-execute-button[aria-label^="Execute"]');
}

async function ask(query, variables) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  return (await answer.json()).data;
}

async function walk(page, shot, isPhone) {
  await shot('1-start');
  assert.match(await run(page), /"title":/);
  await shot('2-answer');
  await page.click('#open-sign-in');
  await page.waitForTimeout(300);
  await shot('3-sign-in');
  await page.click('#close-sign-in');
  await panel(page, 'Examples', true);
  await shot('4-examples');
  await signIn(page, 'attendee');
  await example(page, 'Take places');
  assert.match(await run(page), /"status": "HELD"/);
  await shot('5-take-places');
  await example(page, 'Confirm');
  assert.match(await run(page), /"status": "(CONFIRMED|PENDING)/);
  await signIn(page, 'organizer of larkspur');
  await example(page, 'Sales by day');
  assert.match(await run(page), /placedAtDay/);
  await shot('6-report');
  await example(page, 'Create an event');
  assert.match(await run(page), /"status": "DRAFT"/);
  for (const step of ['Add a ticket type', 'Put the type in its stock']) {
    await example(page, step);
    assert.match(await run(page), /"userErrors": \[\]/);
  }
  await example(page, 'Publish it');
  assert.match(await run(page), /"status": "PUBLISHED"/);
  await shot('7-published');
  await watching(page, shot);
  await panel(page, 'Documentation Explorer', true);
  await page.click('.graphiql-doc-explorer a:text-is("Query")');
  await page.waitForTimeout(300);
  await page.click('.graphiql-doc-explorer a:text-is("events")');
  await page.waitForTimeout(300);
  const told = await page.textContent('.graphiql-doc-explorer');
  assert.match(told, /events:read/);
  assert.match(told, /Cost: 2 points/);
  await shot('9-costs');
  if (isPhone) await panel(page, 'Documentation Explorer', false);
}

let bad = 0;
for (const [name, options] of Object.entries(SIZES)) {
  const complaints = await visit(name, options);
  console.log(name, complaints.length === 0 ? 'ok' : complaints);
  bad += complaints.length;
}
process.exitCode = bad === 0 ? 0 : 1;
