// Apollo Client: the main job, a list that grows page by page in its cache, a row that a mutation changes everywhere, and
// documents sent by their hash.

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { relayStylePagination } from "@apollo/client/utilities";

import { documents, headers, mainJob } from "./job.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

function client(url, who, sent = []) {
  const noted = new ApolloLink((operation, forward) => {
    sent.push(operation.operationName);
    return forward(operation);
  });
  return new ApolloClient({
    link: ApolloLink.from([noted, new HttpLink({ uri: `${url}/graphql`, headers: headers(who) })]),
    cache: new InMemoryCache({
      typePolicies: { Query: { fields: { registrations: relayStylePagination(["filter", "orderBy"]) } } },
    }),
  });
}

async function run(url, document, variables, who) {
  const [{ operation }] = document.definitions;
  const apollo = client(url, who);
  const { data, error } =
    operation === "mutation"
      ? await apollo.mutate({ mutation: document, variables, fetchPolicy: "no-cache" })
      : await apollo.query({ query: document, variables, fetchPolicy: "no-cache" });
  if (error) throw error;
  return data;
}

async function pages(url, { who, eventId, first }) {
  const sent = [];
  const apollo = client(url, who, sent);
  const list = apollo.watchQuery({ query: documents.Registrations, variables: { event: eventId, first: 2 } });
  // What a component would show, and the next time that it is as expected.
  let shown;
  const watching = list.subscribe(({ data }) => (shown = data?.registrations));
  const shows = async (expected, of) => {
    for (let tries = 0; tries < 200; tries += 1) {
      if (isDeepStrictEqual(shown?.edges?.map(of), expected)) return;
      await new Promise((resume) => setTimeout(resume, 10));
    }
    assert.deepEqual(shown?.edges?.map(of), expected);
  };
  try {
    await shows(["Alwen", "Bastel"], ({ node }) => node.buyerName);
    assert.equal(shown.pageInfo.hasNextPage, true);
    await list.fetchMore({ variables: { after: shown.pageInfo.endCursor } });
    await shows(["Alwen", "Bastel", "Corvin"], ({ node }) => node.buyerName);
    assert.equal(shown.pageInfo.hasNextPage, false);
    const input = { registrationId: first, idempotencyKey: randomUUID() };
    await apollo.mutate({ mutation: documents.CancelRegistration, variables: { input } });
    await shows(["CANCELLED", "CONFIRMED", "CONFIRMED"], ({ node }) => node.status);
    assert.ok(shown.edges[0].node.tickets.nodes.every(({ status }) => status === "CANCELLED"));
    assert.equal(sent.filter((name) => name === "Registrations").length, 2, "a page was asked again");
  } finally {
    watching.unsubscribe();
  }
}

/** By GET with the hash alone; the text follows once, when the server does not know it. */
async function persisted(url, { organization }) {
  const asked = [];
  const noted = async (address, options) => {
    asked.push({ method: options.method, text: options.body ?? decodeURIComponent(address) });
    return fetch(address, options);
  };
  const link = new PersistedQueryLink({ sha256, useGETForHashedQueries: true });
  const apollo = new ApolloClient({
    link: ApolloLink.from([link, new HttpLink({ uri: `${url}/graphql`, fetch: noted })]),
    cache: new InMemoryCache(),
  });
  const variables = { organization, slug: "open-day" };
  for (let at = 0; at < 2; at += 1) {
    const { data } = await apollo.query({ query: documents.EventPage, variables, fetchPolicy: "network-only" });
    assert.equal(data.eventBySlug.title, "Open Day");
  }
  const texts = asked.map(({ text }) => /eventBySlug/.test(text));
  assert.deepEqual(texts, [false, true, false], "hash, then hash and text, then hash");
  assert.equal(asked.at(-1).method, "GET");
}

export async function apollo({ url }) {
  const made = await mainJob({ url, name: "apollo", ask: (...operation) => run(url, ...operation) });
  await pages(url, made);
  assert.deepEqual(await made.left(), [2, 2]);
  await persisted(url, made);
  return "Apollo Client runs the main job, pages, a normalized cache and persisted queries";
}
