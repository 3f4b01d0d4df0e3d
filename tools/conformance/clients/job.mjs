// The main job for clients that run documents: examples/main-job.graphql through `ask(document, variables, who)`, where
// `who` is `{token}`, `{guestSecret}` or nothing. What a client does besides (pages, caches) is tried in its own file.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Kind, parse } from "graphql";

const text = readFileSync(new URL("../../../examples/main-job.graphql", import.meta.url), "utf8");

/** The operations by name, a document each. */
export const documents = Object.fromEntries(
  parse(text, { noLocation: true }).definitions.map((operation) => [
    operation.name.value,
    { kind: Kind.DOCUMENT, definitions: [operation] },
  ]),
);

/** The newest code that was mailed there. */
async function mailedCode(url, email) {
  const response = await fetch(`${url}/dev/mailbox.json?to=${encodeURIComponent(email)}`);
  const { messages } = await response.json();
  return messages[0].body.split(/\r?\n/).map((line) => line.trim()).find((line) => /^es[a-z]*_\S+$/.test(line));
}

/** Runs the job; `{who, eventId, first}` of what was made, for what follows. */
export async function mainJob({ url, name, ask }) {
  const run = `${name}-${Date.now()}-${process.pid}`;
  const password = `correct horse battery ${run}`;

  /** A mutation's payload, which has no user errors. */
  const does = async (operation, input, who) => {
    const payload = Object.values(await ask(documents[operation], { input }, who))[0];
    assert.deepEqual(payload.userErrors, [], operation);
    return payload;
  };
  const refused = async (operation, input, who) => {
    const payload = Object.values(await ask(documents[operation], { input }, who))[0];
    return payload.userErrors.map(({ code }) => code);
  };

  async function organizer(slug) {
    const email = `${slug}@organizers.example`;
    await does("SignUp", { email, password, name: "Olga Organizer" });
    await does("VerifyEmail", { code: await mailedCode(url, email) });
    const { accessToken } = await does("SignIn", { email, password });
    const input = { name: `Main Job ${slug}`, slug, timeZone: "Europe/Berlin", defaultCurrency: "EUR" };
    const made = await does("CreateOrganization", input, { token: accessToken });
    return { token: made.accessToken };
  }

  async function setUp(who) {
    const dates = { startsAt: "2031-05-04T09:00:00+02:00", endsAt: "2031-05-04T18:00:00+02:00" };
    const { event } = await does("CreateEvent", { title: "Open Day", slug: "open-day", ...dates }, who);
    assert.equal(event.status, "DRAFT");
    const eventId = event.id;
    const { speaker } = await does("CreateSpeaker", { name: "Runa Thistlewick", title: "Gardener" }, who);
    const { session } = await does("CreateSession", { eventId, title: "Opening", ...dates }, who);
    await does("CreateSessionSpeaker", { eventId, sessionId: session.id, speakerId: speaker.id }, who);
    const { capacityPool } = await does("CreateCapacityPool", { eventId, name: "Hall", capacity: 5 }, who);
    for (const called of ["Standard", "Student"]) {
      const price = { minorUnits: "0", currencyCode: "EUR" };
      const { ticketType } = await does("CreateTicketType", { eventId, name: called, price }, who);
      await does("CreateTicketTypePool", { eventId, ticketTypeId: ticketType.id, poolId: capacityPool.id }, who);
    }
    return eventId;
  }

  const page = async () => (await ask(documents.EventPage, { organization: run, slug: "open-day" })).eventBySlug;
  const left = async () => (await page()).ticketTypes.nodes.map(({ available }) => available);

  const who = await organizer(run);
  const eventId = await setUp(who);
  assert.equal(await page(), null);
  assert.equal((await does("PublishEvent", { eventId }, who)).event.status, "PUBLISHED");
  const published = await page();
  assert.deepEqual(published.sessions.nodes[0].speakers.nodes[0].name, "Runa Thistlewick");
  assert.deepEqual(await left(), [5, 5]);
  const type = (called) => published.ticketTypes.nodes.find((one) => one.name === called).id;

  const order = (ticketTypeId, quantity, buyer) => ({
    eventId,
    buyer: { name: buyer, email: `${buyer.toLowerCase()}@guests.example` },
    idempotencyKey: randomUUID(),
    lines: [{ ticketTypeId, quantity }],
  });
  async function buy(ticketTypeId, quantity, buyer) {
    const input = order(ticketTypeId, quantity, buyer);
    const placed = await does("PlaceRegistration", input);
    assert.deepEqual(await does("PlaceRegistration", input), placed);
    assert.equal(placed.registration.status, "HELD");
    const confirm = { registrationId: placed.registration.id, idempotencyKey: randomUUID() };
    const { registration } = await does("ConfirmRegistration", confirm, { guestSecret: placed.guestSecret });
    assert.equal(registration.status, "CONFIRMED");
    assert.equal(registration.tickets.nodes.length, quantity);
    return registration.id;
  }
  const first = await buy(type("Standard"), 2, "Alwen");
  await buy(type("Student"), 2, "Bastel");
  await buy(type("Student"), 1, "Corvin");
  assert.deepEqual(await left(), [0, 0]);
  assert.deepEqual(await refused("PlaceRegistration", order(type("Standard"), 1, "Dalia")), ["SOLD_OUT"]);

  const other = await organizer(`other-${run}`);
  const seen = await ask(documents.SeenFromElsewhere, { event: eventId, registration: first }, other);
  assert.deepEqual([seen.node, seen.registration, seen.events.totalCount, seen.tickets.totalCount], [null, null, 0, 0]);
  const cancel = { registrationId: first, idempotencyKey: randomUUID() };
  assert.deepEqual(await refused("CancelRegistration", cancel, other), ["REGISTRATION_NOT_FOUND"]);
  return { who, eventId, first, organization: run, left };
}

export const headers = ({ token, guestSecret } = {}) => ({
  ...(token && { authorization: `Bearer ${token}` }),
  ...(guestSecret && { "x-guest-secret": guestSecret }),
});
