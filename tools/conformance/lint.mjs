// Two linters of schemas that others wrote, over schema.graphql. Exceptions stand in their configurations, with reasons.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";

import { EXCEPTIONS as NAMED } from "./eslint.config.mjs";
import { EXCEPTIONS } from "./schema-linter.config.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const schema = here("../../schema.graphql");

/** Says the first findings; throws when there are any. */
function none(findings, tool) {
  for (const { line, rule, message } of findings.slice(0, 20)) console.log(`  ${line} ${rule}: ${message}`);
  if (findings.length > 0) throw new Error(`${tool} has ${findings.length} findings`);
}

export async function graphqlSchemaLinter() {
  const library = dirname(createRequire(import.meta.url).resolve("graphql-schema-linter"));
  const rules = readdirSync(join(library, "rules")).map((file) => file.replace(/\.js$/, "").replaceAll("_", "-"));
  const cli = [join(library, "cli.js"), "--format", "json", schema];
  const { stdout, stderr } = spawnSync(process.execPath, cli, { cwd: here("."), encoding: "utf8", maxBuffer: 1 << 28 });
  if (!stdout) throw new Error(`graphql-schema-linter: ${stderr}`);
  const found = JSON.parse(stdout).errors;
  none(
    found.filter(({ rule }) => !EXCEPTIONS[rule]).map(({ rule, message, location }) => ({ rule, message, line: location.line })),
    "graphql-schema-linter",
  );
  for (const rule of Object.keys(EXCEPTIONS)) {
    if (!found.some((one) => one.rule === rule)) throw new Error(`nothing breaks ${rule}: take it out of the exceptions`);
  }
  return `${rules.length - Object.keys(EXCEPTIONS).length} of ${rules.length} rules, no findings`;
}

export async function graphqlEslint() {
  const eslint = new ESLint({ cwd: here("../.."), overrideConfigFile: here("eslint.config.mjs") });
  const [{ messages }] = await eslint.lintFiles([schema]);
  const is = ({ ruleId, message }, [rule, words]) => ruleId === `@graphql-eslint/${rule}` && message.startsWith(words);
  const left = messages.filter((found) => !NAMED.some((exception) => is(found, exception)));
  none(left.map(({ line, ruleId, message }) => ({ line, rule: ruleId, message })), "graphql-eslint");
  const stale = NAMED.filter((exception) => !messages.some((found) => is(found, exception)));
  if (stale.length > 0) throw new Error(`not found any more, take it out of the exceptions: ${stale.join("; ")}`);
  return "presets schema-recommended and schema-relay, no findings";
}
