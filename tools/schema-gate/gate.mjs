// node gate.mjs [released.graphql present.graphql declared.json [today]]
// Ends with 1 when the present schema breaks clients of the released one and nobody has declared why.

import { readFileSync } from "node:fs";

import { compare, judge } from "./compare.mjs";

const here = (path) => new URL(path, import.meta.url).pathname;
const [
  released = here("../../schema.released.graphql"),
  present = here("../../schema.graphql"),
  declared = here("declared.json"),
  today = new Date().toISOString().slice(0, 10),
] = process.argv.slice(2);

const read = (path) => readFileSync(path, "utf8");
const entries = JSON.parse(read(declared));
for (const entry of entries) {
  if (!entry.change || !entry.reason?.trim()) {
    console.error(`schema-gate: each entry of ${declared} needs a "change" and a "reason"`);
    process.exit(1);
  }
}
const changes = await compare(read(released), read(present), today);
const { undeclared, allowed, stale } = judge(changes.breaking, entries);

const list = (title, lines) => {
  if (lines.length > 0) console.log(`${title}\n${lines.map((line) => `  ${line}`).join("\n")}`);
};
const line = ({ type, path, message }) => `${type} ${path}: ${message}`;
list("dangerous (clients may notice; say it in the changelog):", changes.dangerous.map(line));
list("still there although it may be removed:", changes.due);
list("breaking, declared:", allowed.map((change) => `${line(change)}\n    because ${change.reason}`));
list("BREAKING, not declared:", undeclared.map(line));
list("DECLARED, but it did not happen (take it out of the list):", stale);

if (undeclared.length > 0) {
  console.log("deprecate first and remove when the day has come, or declare why not: docs/schema-evolution.md");
}
const failed = undeclared.length > 0 || stale.length > 0;
console.log(
  `schema-gate: ${failed ? "refused" : "passed"}; ${changes.breaking.length} breaking, ` +
    `${changes.dangerous.length} dangerous, ${changes.safe} safe changes since the last release`,
);
process.exitCode = failed ? 1 : 0;
