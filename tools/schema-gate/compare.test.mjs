import assert from "node:assert/strict";
import { test } from "node:test";

import { compare, judge } from "./compare.mjs";

const RELEASED = `
  directive @requiresScopes(scopes: [[String!]!]!) on OBJECT | FIELD_DEFINITION
  directive @cost(weight: Int!) on OBJECT | FIELD_DEFINITION
  type Query {
    event(id: ID!): Event @cost(weight: 1)
    old(at: String @deprecated(reason: "Use it no more. To be removed on 2027-07-01.")): Old
      @deprecated(reason: "Use event. To be removed on 2027-07-01.")
    kept: Int @deprecated(reason: "No day was said.")
    secret: Int @requiresScopes(scopes: [["a", "b"]])
  }
  type Old { shade: Shade }
  enum Shade { DARK }
  type Event @requiresScopes(scopes: [["events:read"]]) { title: String! summary: String format: Format }
  enum Format { ONLINE IN_PERSON @deprecated(reason: "Say ONLINE. To be removed on 2027-01-01.") }
`;

const changed = (...pairs) => pairs.reduce((text, [from, to]) => {
  assert.ok(text.includes(from), from);
  return text.replace(from, to);
}, RELEASED);
const breaking = async (present, today = "2026-11-21") => {
  const found = await compare(RELEASED, present, today);
  return found.breaking.map((change) => `${change.type} ${change.path}`);
};

test("the same schema has no changes", async () => {
  assert.deepEqual(await compare(RELEASED, RELEASED, "2026-11-21"), {
    breaking: [], dangerous: [], safe: 0, due: [],
  });
});

test("what takes something away breaks", async () => {
  assert.deepEqual(await breaking(changed([" summary: String", ""])), ["FIELD_REMOVED Event.summary"]);
  assert.deepEqual(await breaking(changed(["title: String!", "title: Int!"])), ["FIELD_TYPE_CHANGED Event.title"]);
  assert.deepEqual(await breaking(changed(["title: String!", "title: String"])), ["FIELD_TYPE_CHANGED Event.title"]);
  assert.deepEqual(await breaking(changed(["(id: ID!)", "(id: ID!, at: Int!)"])), ["FIELD_ARGUMENT_ADDED Query.event.at"]);
});

test("what is added does not break, and a new enum value is dangerous", async () => {
  assert.deepEqual(await breaking(changed(["summary: String", "summary: String more: Int"])), []);
  const found = await compare(RELEASED, changed(["{ ONLINE", "{ ONLINE HYBRID"]), "2026-11-21");
  assert.deepEqual(found.dangerous.map((change) => change.path), ["Format.HYBRID"]);
});

test("what was announced goes on its day and not before, with the types that only it led to", async () => {
  const from = RELEASED.indexOf("    old(at");
  const to = RELEASED.indexOf("    kept");
  const gone = (RELEASED.slice(0, from) + RELEASED.slice(to)).replace(
    "type Old { shade: Shade }\n  enum Shade { DARK }", "",
  );
  assert.deepEqual(await breaking(gone, "2027-06-30"), [
    "TYPE_REMOVED Old", "TYPE_REMOVED Shade", "FIELD_REMOVED Query.old",
  ]);
  assert.deepEqual(await breaking(gone, "2027-07-01"), []);
  const value = changed([/ IN_PERSON.*\)/.exec(RELEASED)[0], ""]);
  assert.deepEqual(await breaking(value, "2026-12-31"), ["ENUM_VALUE_REMOVED Format.IN_PERSON"]);
  assert.deepEqual(await breaking(value, "2027-01-01"), []);
  // Deprecated without a day is promised for ever.
  const kept = changed(['    kept: Int @deprecated(reason: "No day was said.")\n', ""]);
  assert.deepEqual(await breaking(kept, "2099-01-01"), ["FIELD_REMOVED Query.kept"]);
});

test("what may go and is still there is told", async () => {
  const found = await compare(RELEASED, RELEASED, "2027-03-01");
  assert.deepEqual(found.due, ["Format.IN_PERSON (2027-01-01)"]);
  assert.deepEqual(found.breaking, []);
});

test("another scope breaks whoever has none; fewer scopes and other costs do not", async () => {
  const scope = (path) => [`REQUIRED_SCOPE_CHANGED ${path}`];
  assert.deepEqual(await breaking(changed(['[["events:read"]]', '[["events:write"]]'])), scope("Event"));
  assert.deepEqual(await breaking(changed(['["a", "b"]', '["a", "b", "c"]'])), scope("Query.secret"));
  assert.deepEqual(
    await breaking(changed(["summary: String", 'summary: String @requiresScopes(scopes: [["x"]])'])),
    scope("Event.summary"),
  );
  assert.deepEqual(await breaking(changed(['[["a", "b"]]', '[["a"], ["z"]]'])), []);
  assert.deepEqual(await breaking(changed([' @requiresScopes(scopes: [["events:read"]])', ""])), []);
  const dearer = await compare(RELEASED, changed(["weight: 1", "weight: 9"]), "2026-11-21");
  assert.deepEqual([dearer.breaking, dearer.dangerous], [[], []]);
});

test("a declared change passes, and a declaration of nothing does not", () => {
  const removed = { type: "FIELD_REMOVED", path: "Event.summary", message: "" };
  const declared = [{ change: "FIELD_REMOVED Event.summary", reason: "It was never filled." }];
  assert.deepEqual(judge([removed], []).undeclared, [removed]);
  assert.deepEqual(judge([removed], declared).undeclared, []);
  assert.equal(judge([removed], declared).allowed[0].reason, "It was never filled.");
  assert.deepEqual(judge([], declared).stale, ["FIELD_REMOVED Event.summary"]);
});
