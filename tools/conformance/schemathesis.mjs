// schemathesis in GraphQL mode: operations made up from the schema, sent as an API token that may do everything, and as a visitor.
// What it has to know of our schema is in tools/schemathesis/hooks.py.

import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { ask, organizerToken, ran } from "./server.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = here("../schemathesis");
const schema = here("../../schema.graphql");

/** Operations for each root field: as a token and as a visitor; and what they are made from. */
const { EXAMPLES = "6", VISITOR_EXAMPLES = "2", SEED = "1" } = process.env;

const IDS = `{
  event: events(first: 8) { nodes { id
    ticketTypes(first: 3) { nodes { id } } capacityPools(first: 2) { nodes { id } } occurrences(first: 1) { nodes { id } }
    sessions(first: 2) { nodes { id } } checkInLists(first: 1) { nodes { id } } venue { id } } }
  registration: registrations(first: 20) { nodes { id items(first: 2) { nodes { id } } tickets(first: 2) { nodes { id } } } }
  attendee: attendees(first: 5) { nodes { id } } member: members(first: 5) { nodes { id } } role: roles(first: 5) { nodes { id } }
  organization: currentOrganization { id }
}`;

/** Ids of the demo by what arguments call them: `{event: [...], ticketType: [...], any: [...]}`. */
async function ids(url, token) {
  const found = { any: [] };
  const walk = (name, value) => {
    if (Array.isArray(value)) value.forEach((item) => walk(name, item));
    else if (value && typeof value === "object") {
      if (value.id) {
        (found[name] ??= []).push(value.id);
        found.any.push(value.id);
      }
      for (const [key, inner] of Object.entries(value)) walk(key === "nodes" ? name : key.replace(/s$/, ""), inner);
    }
  };
  walk("", await ask(url, IDS, {}, token));
  return found;
}

/** An API token with every scope that the schema names. It outlives what the operations do to sessions. */
async function tokenOfEverything(url, organizer) {
  const scopes = readFileSync(schema, "utf8").matchAll(/scopes: \[\[([^\]]*)\]/g);
  const named = new Set([...scopes].flatMap(([, list]) => list.match(/[a-z_]+:[a-z_]+/g) ?? []));
  const query = "mutation($input: CreateApiTokenInput!) { createApiToken(input: $input) { token userErrors { message } } }";
  const { createApiToken } = await ask(url, query, { input: { name: "schemathesis", scopes: [...named] } }, organizer);
  if (!createApiToken.token) throw new Error(JSON.stringify(createApiToken.userErrors));
  return createApiToken.token;
}

async function run(url, examples, header, env) {
  const said = await ran("python3", [
    "-m", "schemathesis.cli", "run", schema, "--url", `${url}/graphql`, ...header,
    "--phases", "fuzzing", "--max-examples", examples, "--seed", SEED, "--generation-database", "none",
    "--checks", "the_server_is_not_at_fault", "--no-shrink", "--suppress-health-check", "all", "--warnings", "off", "--no-color",
  ], { cwd: folder, env });
  return Number(/(\d+) generated/.exec(said)?.[1] ?? 0);
}

export async function schemathesis({ url, demoData }) {
  await demoData;
  const organizer = await organizerToken(url);
  const token = await tokenOfEverything(url, organizer);
  const made = await mkdtemp(join(tmpdir(), "eventsphere-ids-"));
  try {
    const file = join(made, "ids.json");
    await writeFile(file, JSON.stringify(await ids(url, token)));
    const env = { PYTHONPATH: join(folder, ".venv"), SCHEMATHESIS_HOOKS: "hooks", EVENTSPHERE_IDS: file };
    const asToken = await run(url, EXAMPLES, ["--header", `Authorization: Bearer ${token}`], env);
    const asVisitor = await run(url, VISITOR_EXAMPLES, [], env);
    return `${asToken} operations as a token and ${asVisitor} as a visitor, no fault of the server`;
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}
