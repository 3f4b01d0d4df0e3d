// node run.mjs <eventsphere> [suite ...]
// Runs what others wrote against the schema and a server of its own, and says a line for each suite. Ends with 1 when one
// fails. Packages are those of the lock files: see `make conformance`.

import { fileURLToPath } from "node:url";
import { resolve } from "node:path";

import { audit } from "./audit.mjs";
import { apollo } from "./clients/apollo.mjs";
import { urql } from "./clients/urql.mjs";
import { graphqlEslint, graphqlSchemaLinter } from "./lint.mjs";
import { relay } from "./relay/relay.mjs";
import { schemathesis } from "./schemathesis.mjs";
import { ran, start } from "./server.mjs";

const [program, ...wanted] = process.argv.slice(2);
if (!program) {
  console.error("usage: node run.mjs <eventsphere> [suite ...]");
  process.exit(2);
}
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The main job in TypeScript: types made from the schema, checked, compiled, run. */
async function typescript({ url }) {
  const cwd = here("../../examples/typescript");
  await ran("npm", ["run", "--silent", "generate"], { cwd });
  await ran("npm", ["run", "--silent", "build"], { cwd });
  const said = await ran("npm", ["run", "--silent", "main-job", "--", url], { cwd });
  return `graphql-codegen's client compiles and runs the main job: ${steps(said)}`;
}

/** The main job in Python, by the client that ariadne-codegen makes. */
async function python({ url }) {
  const cwd = here("../../examples/python");
  const env = { PYTHONPATH: `${cwd}/.venv` };
  await ran("python3", ["-m", "ariadne_codegen"], { cwd, env });
  const said = await ran("python3", ["main_job.py", url], { cwd, env });
  return `ariadne-codegen's client runs the main job: ${steps(said)}`;
}

/** The main job in Rust, by the client that graphql_client makes when it is compiled. */
async function rust({ url }) {
  const said = await ran(resolve(program, "../main-job"), [url]);
  return `graphql_client's client runs the main job: ${steps(said)}`;
}

/** How many steps were said to be done: a client that ended early did not run the job. */
function steps(said) {
  const done = said.match(/^ok  /gm)?.length ?? 0;
  if (done < 10) throw new Error(`only ${done} steps:\n${said}`);
  return `${done} steps`;
}

const SUITES = { graphqlSchemaLinter, graphqlEslint, audit, apollo, urql, relay, typescript, python, rust, schemathesis };
const unknown = wanted.filter((name) => !SUITES[name]);
if (unknown.length > 0) {
  console.error(`no such suite: ${unknown.join(", ")}; there are ${Object.keys(SUITES).join(", ")}`);
  process.exit(2);
}

const server = await start(resolve(program));
let failed = 0;
try {
  for (const [name, suite] of Object.entries(SUITES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const began = Date.now();
    const [mark, text] = await suite(server).then(
      (said) => ["ok", said],
      (error) => ["FAILED", error.stack ?? String(error)],
    );
    if (mark !== "ok") failed += 1;
    console.log(`${mark}  ${name}: ${text} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  }
  const faults = await server.faults();
  if (faults > 0) {
    failed += 1;
    console.log(`FAILED  the server says that ${faults} requests ended by its own fault`);
  }
} finally {
  await server.stop();
}
console.log(`conformance: ${failed === 0 ? "passed" : `${failed} FAILED`}`);
process.exitCode = failed === 0 ? 0 : 1;
