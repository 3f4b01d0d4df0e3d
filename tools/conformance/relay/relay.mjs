// Relay: relay-compiler makes a client of our schema, relay-runtime runs the main job with it, a connection that grows page
// by page in its store, and a row that is refetched by `node`.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { print } from "graphql";
import relayCompiler from "relay-compiler";
import runtime from "relay-runtime";

import { documents, headers, mainJob } from "../clients/job.mjs";

const { Environment, Network, RecordSource, Store, commitMutation, createOperationDescriptor, fetchQuery } = runtime;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const build = here("../build/relay");

/** The operations of the main job with the names that Relay wants: of their module, with their kind at the end. */
function moduleOfMainJob() {
  const tags = Object.values(documents).map((document) => {
    const [operation] = document.definitions;
    const kind = operation.operation === "mutation" ? "Mutation" : "Query";
    const name = { ...operation.name, value: `mainJob${operation.name.value}${kind}` };
    return `graphql\`\n${print({ ...document, definitions: [{ ...operation, name }] })}\n\`;\n`;
  });
  return `import { graphql } from "relay-runtime";\n\n${tags.join("\n")}`;
}

function compile() {
  rmSync(build, { recursive: true, force: true });
  mkdirSync(`${build}/made`, { recursive: true });
  cpSync(here("registrations.js"), `${build}/registrations.js`);
  writeFileSync(`${build}/mainJob.js`, moduleOfMainJob());
  cpSync(here("../../../schema.graphql"), `${build}/schema.graphql`);
  const config = {
    src: ".",
    schema: "schema.graphql",
    language: "javascript",
    artifactDirectory: "made",
    eagerEsModules: false,
  };
  writeFileSync(`${build}/package.json`, '{"type": "commonjs"}'); // what it makes asks for its neighbours by require
  writeFileSync(`${build}/relay.config.json`, JSON.stringify(config));
  const { status, stdout, stderr } = spawnSync(relayCompiler, ["relay.config.json"], { cwd: build, encoding: "utf8" });
  if (status !== 0) throw new Error(`relay-compiler:\n${stdout}${stderr}`);
}

const made = (name) => createRequire(import.meta.url)(`${build}/made/${name}.graphql.js`);

function environment(url, who) {
  const ask = async ({ text }, variables) => {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers(who) },
      body: JSON.stringify({ query: text, variables }),
    });
    return response.json();
  };
  return new Environment({ network: Network.create(ask), store: new Store(new RecordSource()) });
}

const mutate = (within, mutation, variables) =>
  new Promise((resolve, reject) => {
    const onCompleted = (data, errors) => (errors?.length ? reject(new Error(JSON.stringify(errors))) : resolve(data));
    commitMutation(within, { mutation, variables, onCompleted, onError: reject });
  });

async function run(url, document, variables, who) {
  const [{ name, operation }] = document.definitions;
  const within = environment(url, who);
  if (operation === "mutation") return mutate(within, made(`mainJob${name.value}Mutation`), variables);
  return fetchQuery(within, made(`mainJob${name.value}Query`), variables).toPromise();
}

/** What components would read of the store: the list with its rows. */
function read(within, operation, list, row) {
  const { data } = within.lookup(operation.fragment);
  const fragment = runtime.getSelector(list, data);
  const shown = within.lookup(fragment).data.registrations;
  const rows = shown.edges.map(({ node }) => within.lookup(runtime.getSelector(row, node)).data);
  return { ...shown, rows };
}

async function pages(url, { who, eventId, first }) {
  const within = environment(url, who);
    const [page, more, refetch] = ["registrationsPageQuery", "registrationsMoreQuery", "registrationsRowQuery"].map(made);
  const [list, row] = ["registrations_list", "registrations_row"].map(made);
  const operation = createOperationDescriptor(page, { event: eventId });
  const kept = within.retain(operation);
  await fetchQuery(within, page, { event: eventId }).toPromise();
  const { pageInfo, rows } = read(within, operation, list, row);
  assert.equal(rows.length, 2);
  await fetchQuery(within, more, { event: eventId, count: 2, cursor: pageInfo.endCursor }).toPromise();
  const both = read(within, operation, list, row);
  assert.deepEqual(both.rows.map(({ buyerName }) => buyerName), ["Alwen", "Bastel", "Corvin"]);
  assert.equal(both.pageInfo.hasNextPage, false);
  const input = { registrationId: first, idempotencyKey: randomUUID() };
  await mutate(within, made("mainJobCancelRegistrationMutation"), { input });
  const statuses = () => read(within, operation, list, row).rows.map(({ status }) => status);
  assert.deepEqual(statuses(), ["CANCELLED", "CONFIRMED", "CONFIRMED"]);
  await fetchQuery(within, refetch, { id: first }, { networkCacheConfig: { force: true } }).toPromise();
  const { tickets } = read(within, operation, list, row).rows[0];
  assert.ok(tickets.nodes.length === 2 && tickets.nodes.every(({ status }) => status === "CANCELLED"));
  kept.dispose();
}

export async function relay({ url }) {
  compile();
  const done = await mainJob({ url, name: "relay", ask: (...operation) => run(url, ...operation) });
  await pages(url, done);
  assert.deepEqual(await done.left(), [2, 2]);
  return "relay-compiler compiles, relay-runtime runs the main job, a connection and a refetch by node";
}
