// The main job: an organizer sets up a free event, visitors take its five places, the sixth is told that it is sold out,
// the organizer pages through registrations and cancels one, another organization sees nothing of it.
//
// Usage: npm ci && npm run generate && npm run build && npm run main-job -- [URL]      (http://127.0.0.1:8080 by default)
// Needs a server in development (make run), for codes are read from its mailbox.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { Client, type Who } from "./client.js";
import * as api from "./generated.js";

const url = (process.argv[2] ?? "http://127.0.0.1:8080").replace(/\/$/, "");
const client = new Client(url);
const run = `${Date.now()}-${process.pid}`;
const password = `correct horse battery ${run}`;
const step = (text: string) => console.log(`ok  ${text}`);

/** A payload that was done: it has no user errors. */
function done<Payload extends { userErrors: unknown[] }>(payload: Payload | null): Payload {
  assert.deepEqual(payload?.userErrors, []);
  return there(payload);
}

/** What must be there in what was done. */
function there<T>(value: T | null | undefined): T {
  assert.ok(value !== null && value !== undefined);
  return value;
}

/** The newest code that was mailed there, on a line of its own. */
async function mailedCode(email: string): Promise<string> {
  const response = await fetch(`${url}/dev/mailbox.json?to=${encodeURIComponent(email)}`);
  const { messages } = (await response.json()) as { messages: { body: string }[] };
  const lines = messages[0]?.body.split(/\r?\n/).map((line) => line.trim()) ?? [];
  return there(lines.find((line) => /^es[a-z]*_\S+$/.test(line)));
}

/** Somebody new with an organization of that name. */
async function organizer(slug: string): Promise<Who> {
  const email = `${slug}@organizers.example`;
  done((await client.ask(api.SignUpDocument, { input: { email, password, name: "Olga Organizer" } })).signUp);
  done((await client.ask(api.VerifyEmailDocument, { input: { code: await mailedCode(email) } })).verifyEmail);
  const session = done((await client.ask(api.SignInDocument, { input: { email, password } })).signIn);
  assert.equal(session.user?.email, email);
  const input = { name: `Main Job ${slug}`, slug, timeZone: "Europe/Berlin", defaultCurrency: "EUR" };
  const made = await client.ask(api.CreateOrganizationDocument, { input }, { token: there(session.accessToken) });
  step(`sign up, verify the address, sign in, make the organization ${slug}`);
  return { token: there(done(made.createOrganization).accessToken) };
}

/** A draft with two sessions and two ticket types that share a pool of five; its id. */
async function setUp(who: Who): Promise<string> {
  const dates = { startsAt: "2031-05-04T09:00:00+02:00", endsAt: "2031-05-04T18:00:00+02:00" };
  const input = { title: "Open Day", slug: "open-day", ...dates };
  const event = there(done((await client.ask(api.CreateEventDocument, { input }, who)).createEvent).event);
  assert.equal(event.status, "DRAFT");
  const eventId = event.id;
  const speaker = done(
    (await client.ask(api.CreateSpeakerDocument, { input: { name: "Runa Thistlewick", title: "Gardener" } }, who)).createSpeaker,
  );
  for (const [title, from, to] of [["Opening", "09", "10"], ["Closing", "17", "18"]] as const) {
    const times = { startsAt: `2031-05-04T${from}:00:00+02:00`, endsAt: `2031-05-04T${to}:00:00+02:00` };
    const made = await client.ask(api.CreateSessionDocument, { input: { eventId, title, ...times } }, who);
    const sessionId = there(done(made.createSession).session).id;
    const speaks = { eventId, sessionId, speakerId: there(speaker.speaker).id };
    done((await client.ask(api.CreateSessionSpeakerDocument, { input: speaks }, who)).createSessionSpeaker);
  }
  const pool = await client.ask(api.CreateCapacityPoolDocument, { input: { eventId, name: "Hall", capacity: 5 } }, who);
  const poolId = there(done(pool.createCapacityPool).capacityPool).id;
  for (const name of ["Standard", "Student"]) {
    const price = { minorUnits: "0", currencyCode: "EUR" };
    const made = await client.ask(api.CreateTicketTypeDocument, { input: { eventId, name, price } }, who);
    const ticketTypeId = there(done(made.createTicketType).ticketType).id;
    const drawn = await client.ask(api.CreateTicketTypePoolDocument, { input: { eventId, ticketTypeId, poolId } }, who);
    done(drawn.createTicketTypePool);
  }
  step("make an event as a draft, with sessions, a speaker, and two ticket types that share a pool of 5");
  return eventId;
}

async function eventPage(organization: string) {
  return (await client.ask(api.EventPageDocument, { organization, slug: "open-day" })).eventBySlug;
}

async function placesLeft(organization: string, expected: number) {
  const page = there(await eventPage(organization));
  assert.deepEqual(page.ticketTypes.nodes.map(({ available }) => available), [expected, expected]);
}

function order(eventId: string, ticketTypeId: string, quantity: number, name: string): api.PlaceRegistrationInput {
  const email = `${name.toLowerCase()}@guests.example`;
  const attendees = Array.from({ length: quantity }, (_, at) => ({ name: `${name} ${at + 1}`, email: `${at}.${email}` }));
  return { eventId, buyer: { name, email }, idempotencyKey: randomUUID(), lines: [{ ticketTypeId, quantity, attendees }] };
}

/** Places and confirms, each twice with one key; the id. */
async function buy(eventId: string, ticketTypeId: string, quantity: number, name: string): Promise<string> {
  const input = order(eventId, ticketTypeId, quantity, name);
  const placed = done((await client.ask(api.PlaceRegistrationDocument, { input })).placeRegistration);
  assert.deepEqual((await client.ask(api.PlaceRegistrationDocument, { input })).placeRegistration, placed);
  const registration = there(placed.registration);
  assert.equal(registration.status, "HELD");
  assert.match(registration.confirmationNumber, /^REG-[0-9]{8}-[0-9A-HJKMNP-TV-Z]{9}$/);
  const guest = { guestSecret: there(placed.guestSecret) };
  const confirm = { input: { registrationId: registration.id, idempotencyKey: randomUUID() } };
  const confirmed = done((await client.ask(api.ConfirmRegistrationDocument, confirm, guest)).confirmRegistration);
  assert.deepEqual((await client.ask(api.ConfirmRegistrationDocument, confirm, guest)).confirmRegistration, confirmed);
  const { status, tickets } = there(confirmed.registration);
  assert.equal(status, "CONFIRMED");
  assert.equal(tickets.nodes.length, quantity);
  for (const ticket of tickets.nodes) assert.match(ticket.code, /^v1[A-Za-z0-9_-]{174}$/);
  step(`${name} takes ${quantity}: ${registration.confirmationNumber}, and repeated keys give the same answers`);
  return registration.id;
}

const organization = `ts-${run}`;
const who = await organizer(organization);
const eventId = await setUp(who);
assert.equal(await eventPage(organization), null);
const published = await client.ask(api.PublishEventDocument, { input: { eventId } }, who);
assert.equal(done(published.publishEvent).event?.status, "PUBLISHED");
const page = there(await eventPage(organization));
assert.deepEqual(page.sessions.nodes.map(({ title }) => title), ["Opening", "Closing"]);
await placesLeft(organization, 5);
step("a visitor finds it when it is published, not before, with 5 places");

const typeNamed = (name: string) => there(page.ticketTypes.nodes.find((type) => type.name === name)).id;
const [standard, student] = [typeNamed("Standard"), typeNamed("Student")];
const first = await buy(eventId, standard, 2, "Alwen");
await buy(eventId, student, 2, "Bastel");
await buy(eventId, student, 1, "Corvin");
await placesLeft(organization, 0);
const sixth = await client.ask(api.PlaceRegistrationDocument, { input: order(eventId, standard, 1, "Dalia") });
assert.equal(sixth.placeRegistration?.registration, null);
assert.deepEqual(sixth.placeRegistration?.userErrors.map(({ code }) => code), ["SOLD_OUT"]);
step("the sixth is told SOLD_OUT, as data");

const buyers: string[] = [];
for (let after: string | null | undefined; after !== null; ) {
  const page = await client.ask(api.RegistrationsDocument, { event: eventId, first: 2, after }, who);
  const registrations = there(page.registrations);
  assert.equal(registrations.totalCount, 3);
  buyers.push(...registrations.edges.map(({ node }) => node.buyerName));
  after = registrations.pageInfo.hasNextPage ? registrations.pageInfo.endCursor : null;
}
assert.deepEqual(buyers, ["Alwen", "Bastel", "Corvin"]);
step("the organizer pages through registrations, one request a page");

const cancel = { registrationId: first, idempotencyKey: randomUUID(), reason: "asked by mail" };
const cancelled = done((await client.ask(api.CancelRegistrationDocument, { input: cancel }, who)).cancelRegistration);
assert.equal(cancelled.registration?.status, "CANCELLED");
await placesLeft(organization, 2);
step("one registration is cancelled, its 2 places are free again");

const other = await organizer(`ts-other-${run}`);
const seen = await client.ask(api.SeenFromElsewhereDocument, { event: eventId, registration: first }, other);
assert.deepEqual([seen.node, seen.registration, seen.events?.totalCount, seen.tickets?.totalCount], [null, null, 0, 0]);
const refused = await client.ask(api.CancelRegistrationDocument, { input: { ...cancel, idempotencyKey: randomUUID() } }, other);
assert.deepEqual(refused.cancelRegistration?.userErrors.map(({ code }) => code), ["REGISTRATION_NOT_FOUND"]);
step("another organization sees and changes none of it");
