// node oracle.mjs <the engine as a judge> <apollo-compiler as a judge> [documents [seed]]
// Writes documents for schema.graphql, most of them broken in some way, lets graphql-js, the engine and apollo-compiler judge
// each, and ends with 1 when they differ, or when too little was broken for that to say something.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSchema, parse, specifiedRules, validate } from "graphql";

import { BREAKERS } from "./break.mjs";
import { excused } from "./excused.mjs";
import { Choices, Writer, describeScalars } from "./write.mjs";

const [engine, apollo, least = "2400", seed = "1"] = process.argv.slice(2);
/** Documents that each rule refuses at least, and the part of all that is refused. */
const EACH_RULE = 30;
const REFUSED = 0.4;

const sdl = fileURLToPath(new URL("../../schema.graphql", import.meta.url));
const schema = buildSchema(readFileSync(sdl, "utf8"));
describeScalars(schema);

/**
 * Names of the rules that the document breaks. Nothing when graphql-js cannot tell: its rule for subscriptions fails over a directive
 * at the root that depends on a variable.
 */
function broken(text) {
  let document;
  try {
    document = parse(text);
  } catch {
    return ["Syntax"];
  }
  const found = new Set();
  const noted = specifiedRules.map((rule) => (context) => {
    const own = Object.create(context);
    own.reportError = () => found.add(rule.name);
    return rule(own);
  });
  try {
    validate(schema, document, noted);
  } catch {
    return undefined;
  }
  return [...found];
}

const choices = new Choices(Number(seed));
const writer = new Writer(schema, choices);
const documents = [];
const counts = new Map();
const keep = (text) => {
  const rules = broken(text);
  if (!rules) return;
  for (const rule of rules) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  documents.push({ text, rules });
};
const breakers = Object.entries(BREAKERS);
while (documents.length < Number(least)) {
  const text = writer.document();
  keep(text);
  const [, ways] = breakers[documents.length % breakers.length];
  const changed = choices.of(ways)({ document: parse(text), choices, schema });
  if (changed) keep(changed);
}
// What is seldom broken by chance is broken until it is enough.
for (const [rule, ways] of breakers) {
  for (let tries = 0; (counts.get(rule) ?? 0) < EACH_RULE + 10 && tries < 2000; tries += 1) {
    const changed = choices.of(ways)({ document: parse(writer.document()), choices, schema });
    if (changed && broken(changed)?.includes(rule)) keep(changed);
  }
}

const problems = [];
const excuses = new Map();

/** What another judge says of each document: the first thing that is wrong with it, or nothing. */
function judge(program, ...args) {
  const judged = spawnSync(program, args, {
    input: documents.map(({ text }) => JSON.stringify(text)).join("\n"),
    maxBuffer: 1 << 28,
    encoding: "utf8",
  });
  if (judged.status !== 0) {
    console.error(`validation-oracle: ${program} failed: ${judged.error ?? judged.stderr}`);
    process.exit(1);
  }
  return judged.stdout.trim().split("\n").map((line) => JSON.parse(line)[0]);
}

const judges = [
  ["the engine", judge(engine)],
  ["apollo-compiler", judge(apollo, sdl)],
];
for (const [name, verdicts] of judges) {
  documents.forEach(({ text, rules }, at) => {
    const refusal = at < verdicts.length ? verdicts[at] : "no verdict";
    if ((refusal === undefined) === (rules.length === 0)) return;
    const refusals = Object.fromEntries(judges.map(([judge, all]) => [judge, all[at]]));
    const reason = excused({ judge: name, text, rules, refusal, refusals });
    if (reason) {
      excuses.set(reason, (excuses.get(reason) ?? 0) + 1);
      return;
    }
    const theirs = rules.length === 0 ? "accepted" : `refused by ${rules.join(", ")}`;
    problems.push(`graphql-js: ${theirs}; ${name}: ${refusal ?? "accepted"}\n${text}\n`);
  });
}
const refused = documents.filter(({ rules }) => rules.length > 0).length;
for (const { name: rule } of [...specifiedRules, { name: "Syntax" }]) {
  const count = counts.get(rule) ?? 0;
  if (count < EACH_RULE) problems.push(`only ${count} documents break ${rule}, not ${EACH_RULE}`);
}
if (refused < REFUSED * documents.length) problems.push("too few documents are broken");

for (const problem of problems.slice(0, 20)) console.log(problem);
for (const [reason, count] of excuses) console.log(`${count} differ as they should: ${reason}`);
const rarest = Math.min(...breakers.map(([rule]) => counts.get(rule) ?? 0));
console.log(
  `validation-oracle: ${problems.length === 0 ? "passed" : `${problems.length} DIFFER`}; ${documents.length} documents, ` +
    `${refused} refused, at least ${rarest} for each of ${breakers.length} rules`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
