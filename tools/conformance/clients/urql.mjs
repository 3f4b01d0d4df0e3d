// urql: the main job; graphcache with our schema, pages and all; documents sent by their hash.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Client, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { persistedExchange } from "@urql/exchange-persisted";
import { getIntrospectionQuery } from "graphql";

import { documents, headers, mainJob } from "./job.mjs";

const given = ({ data, error }) => {
  if (error) throw error;
  return data;
};

async function run(url, document, variables, who) {
  const client = new Client({
    url: `${url}/graphql`,
    preferGetMethod: false,
    fetchOptions: { headers: headers(who) },
    exchanges: [fetchExchange],
  });
  const [{ operation }] = document.definitions;
  return given(await client[operation](document, variables).toPromise());
}

async function cached(url, { who, eventId, first }) {
  const answer = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers(who) },
    body: JSON.stringify({ query: getIntrospectionQuery() }),
  });
  const { data: schema } = await answer.json();
  const complaints = [];
  const client = new Client({
    url: `${url}/graphql`,
    preferGetMethod: false,
    fetchOptions: { headers: headers(who) },
    exchanges: [
      cacheExchange({
        schema,
        resolvers: { Query: { registrations: relayPagination() } },
        // What it finds odd about the schema or an answer; "debug" only tells what it does not have yet.
        logger: (severity, message) => severity !== "debug" && complaints.push(`${severity}: ${message}`),
      }),
      fetchExchange,
    ],
  });
  const page = async (after) =>
    given(await client.query(documents.Registrations, { event: eventId, first: 2, after }).toPromise()).registrations;
  const { pageInfo, edges } = await page(undefined);
  assert.equal(edges.length, 2);
  const both = await page(pageInfo.endCursor);
  assert.deepEqual(both.edges.map(({ node }) => node.buyerName), ["Alwen", "Bastel", "Corvin"]);
  const input = { registrationId: first, idempotencyKey: randomUUID() };
  given(await client.mutation(documents.CancelRegistration, { input }).toPromise());
  // From the cache: no request.
  const after = given(
    client.readQuery(documents.Registrations, { event: eventId, first: 2, after: pageInfo.endCursor }),
  ).registrations;
  assert.deepEqual(after.edges.map(({ node }) => node.status), ["CANCELLED", "CONFIRMED", "CONFIRMED"]);
  assert.deepEqual(complaints, []);
}

async function persisted(url, { organization }) {
  const asked = [];
  const client = new Client({
    url: `${url}/graphql`,
    fetch: (address, options) => {
      asked.push(`${options.method} ${/eventBySlug/.test(options.body ?? decodeURIComponent(address))}`);
      return fetch(address, options);
    },
    exchanges: [persistedExchange({ preferGetForPersistedQueries: true }), fetchExchange],
  });
  const variables = { organization, slug: "open-day" };
  for (let at = 0; at < 2; at += 1) {
    const asks = client.query(documents.EventPage, variables, { requestPolicy: "network-only" });
    assert.equal(given(await asks.toPromise()).eventBySlug.title, "Open Day");
  }
  assert.equal(asked.at(-1), "GET false", asked.join(", "));
}

export async function urql({ url }) {
  const made = await mainJob({ url, name: "urql", ask: (...operation) => run(url, ...operation) });
  await cached(url, made);
  assert.deepEqual(await made.left(), [2, 2]);
  await persisted(url, made);
  return "urql runs the main job, graphcache with pages, and persisted queries";
}
