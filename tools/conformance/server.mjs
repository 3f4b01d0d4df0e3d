// A server of its own for the suites: the real program with a private PostgreSQL and demo data, in a folder that goes again.

import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const PASSWORD = "open-sesame-demo";

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Starts it: `{url, demoData, faults(), stop()}`; `demoData` is there when the promise is kept. */
export async function start(program) {
  const data = await mkdtemp(join(tmpdir(), "eventsphere-conformance-"));
  await chmod(data, 0o755); // PostgreSQL runs as another user where we are root, and keeps its own folder inside closed.
  const metricsAt = `127.0.0.1:${await freePort()}`;
  // Suites ask more than people do, all from one address; how much anybody may ask is not in question here.
  const limits = ["VISITOR", "USER", "TOKEN", "TENANT"].flatMap((who) => [
    [`${who}_POINTS`, "1000000000"],
    [`${who}_POINTS_PER_SECOND`, "1000000000"],
  ]);
  const child = spawn(program, ["serve", "--demo", "--bind", "127.0.0.1:0", "--data", data], {
    env: { ...process.env, METRICS_BIND: metricsAt, ...Object.fromEntries(limits) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = [];
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const died = ended.then(() => Promise.reject(new Error(`${program} ended:\n${log.join("\n")}`)));
  died.catch(() => {}); // Whoever waits for it hears of it; nobody may.
  const said = (stream, pattern) =>
    new Promise((resolve) => {
      createInterface({ input: stream }).on("line", (line) => {
        log.push(line);
        const found = pattern.exec(line);
        if (found) resolve(found[1]);
      });
    });
  const ready = said(child.stderr, /ready at (http:\/\/[0-9.:]+)/);
  const demoData = Promise.race([said(child.stdout, /(Demo data is complete)/), died]);
  demoData.catch(() => {});
  child.once("error", (error) => log.push(String(error)));
  const stop = async () => {
    child.kill("SIGINT");
    await ended;
    await rm(data, { recursive: true, force: true });
  };
  /** How many operations ended by a fault of the server. */
  const faults = async () => {
    const text = await (await fetch(`http://${metricsAt}/metrics`)).text();
    const counts = text.matchAll(/^eventsphere_graphql_requests_total\{outcome="(?:failed|timed_out|unavailable)"\} (\d+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  return { url: await Promise.race([ready, died]), demoData, faults, log, stop };
}

/** The data of an operation that must not fail. */
export async function ask(url, query, variables = {}, token) {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Runs a program to its end; its output when that is not 0. */
export function ran(command, args, { cwd = undefined, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
    child.once("error", reject);
    child.once("close", (status) =>
      status === 0 ? resolve(said) : reject(new Error(`${command} ${args.join(" ")} ended with ${status}:\n${said}`)),
    );
  });
}

const SIGN_IN = "mutation($input: SignInInput!) { signIn(input: $input) { accessToken userErrors { message } } }";

/** A token of the demo's organizer, acting in their organization. */
export async function organizerToken(url) {
  const input = { email: "organizer@larkspur.example", password: PASSWORD, organizationSlug: "larkspur" };
  const { signIn } = await ask(url, SIGN_IN, { input });
  if (!signIn.accessToken) throw new Error(`no demo sign-in: ${JSON.stringify(signIn.userErrors)}`);
  return signIn.accessToken;
}
