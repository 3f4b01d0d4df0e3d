// Compares two schema definitions and sorts what changed: GraphQL Inspector classifies, and three rules of ours are
// put around it. What was announced and is due may go; another scope than before breaks whoever has none; what an
// operation costs breaks nothing.

import { CriticalityLevel, diff } from "@graphql-inspector/core";
import {
  Kind, buildASTSchema, isInputObjectType, isInterfaceType, isObjectType, isUnionType, parse, visit,
} from "graphql";

const ANNOUNCED = /To be removed on (\d{4}-\d{2}-\d{2})\.$/;
const TYPES = new Set([
  Kind.OBJECT_TYPE_DEFINITION, Kind.INTERFACE_TYPE_DEFINITION, Kind.UNION_TYPE_DEFINITION,
  Kind.INPUT_OBJECT_TYPE_DEFINITION, Kind.ENUM_TYPE_DEFINITION,
]);
const COST_DIRECTIVES = new Set(["cost", "listSize"]);

/** The day on which something deprecated is to be removed, or null. */
function removalDay(node) {
  const deprecated = node.directives?.find((one) => one.name.value === "deprecated");
  const reason = deprecated?.arguments?.find((one) => one.name.value === "reason")?.value.value ?? "";
  return reason.match(ANNOUNCED)?.[1] ?? null;
}

/** The document without what was announced for `today` or earlier, and without the types that nothing leads to then. */
function withoutWhatIsDue(document, today) {
  const due = (node) => {
    const day = removalDay(node);
    return day !== null && day <= today ? null : undefined;
  };
  const left = visit(document, { FieldDefinition: due, InputValueDefinition: due, EnumValueDefinition: due });
  const reached = reachable(left);
  const orphaned = (node) => TYPES.has(node.kind) && !reached.has(node.name.value);
  return { ...left, definitions: left.definitions.filter((node) => !orphaned(node)) };
}

/** Names of the types that are reached from the root types, implementations of reached interfaces included. */
function reachable(document) {
  const schema = buildASTSchema(document, { assumeValid: true });
  const found = new Set();
  const waiting = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  while (waiting.length > 0) {
    let type = waiting.pop();
    while (type?.ofType) type = type.ofType;
    if (!type || found.has(type.name)) continue;
    found.add(type.name);
    if (isObjectType(type) || isInterfaceType(type)) {
      waiting.push(...type.getInterfaces());
      if (isInterfaceType(type)) waiting.push(...schema.getPossibleTypes(type));
      for (const field of Object.values(type.getFields())) {
        waiting.push(field.type, ...field.args.map((argument) => argument.type));
      }
    } else if (isUnionType(type)) {
      waiting.push(...type.getTypes());
    } else if (isInputObjectType(type)) {
      waiting.push(...Object.values(type.getFields()).map((field) => field.type));
    }
  }
  return found;
}

/** Coordinate -> its alternatives of scopes, for every object type and field; [] where none is asked for. */
function scopes(document) {
  const found = new Map();
  const note = (coordinate, node) => {
    const directive = node.directives?.find((one) => one.name.value === "requiresScopes");
    const alternatives = directive?.arguments?.[0]?.value.values ?? [];
    found.set(coordinate, alternatives.map((list) => list.values.map((scope) => scope.value)));
  };
  for (const type of document.definitions.filter((node) => node.kind === "ObjectTypeDefinition")) {
    note(type.name.value, type);
    for (const field of type.fields ?? []) note(`${type.name.value}.${field.name.value}`, field);
  }
  return found;
}

/** Places that refuse somebody now whom they admitted before. */
function tightened(before, after) {
  const knows = before.definitions.some(
    (node) => node.kind === "DirectiveDefinition" && node.name.value === "requiresScopes",
  );
  if (!knows) return [];
  const now = scopes(after);
  const changes = [];
  for (const [path, alternatives] of scopes(before)) {
    const wanted = now.get(path) ?? [];
    // Who held one of the old lists must find a new one within it; asking for nothing admits everybody.
    const held = alternatives.length > 0 ? alternatives : [[]];
    const admits = (list) => wanted.length === 0 || wanted.some((one) => one.every((scope) => list.includes(scope)));
    if (!held.every(admits)) {
      const says = (lists) => lists.map((list) => list.join(" + ")).join(" or ") || "no scope";
      changes.push({
        type: "REQUIRED_SCOPE_CHANGED",
        path,
        message: `'${path}' needed ${says(alternatives)} and needs ${says(wanted)}`,
      });
    }
  }
  return changes;
}

/** Whether a change is only about how a directive is used that no client depends on, or that is compared above. */
function aboutDirectives(change) {
  if (!change.type.startsWith("DIRECTIVE_USAGE_")) return false;
  const name = change.meta?.addedDirectiveName ?? change.meta?.removedDirectiveName ?? change.meta?.directiveName;
  return name === "requiresScopes" || COST_DIRECTIVES.has(name);
}

/** What changed between two definitions: `{ breaking, dangerous, safe, due }`, each entry with type, path, message. */
export async function compare(released, present, today) {
  const [before, after] = [parse(released), parse(present)];
  const expected = withoutWhatIsDue(before, today);
  const changes = await diff(buildASTSchema(expected), buildASTSchema(after));
  const of = (level) =>
    changes
      .filter((change) => change.criticality.level === level && !aboutDirectives(change))
      .map(({ type, path, message }) => ({ type, path, message }));
  return {
    breaking: [...of(CriticalityLevel.Breaking), ...tightened(expected, after)],
    dangerous: of(CriticalityLevel.Dangerous),
    safe: of(CriticalityLevel.NonBreaking).length,
    due: overdue(after, today),
  };
}

/** What is still there on or after the day on which it was to be removed. */
function overdue(document, today) {
  const found = [];
  const note = (node, _key, _parent, _path, ancestors) => {
    const day = removalDay(node);
    if (day !== null && day <= today) {
      const owners = ancestors.filter((one) => one.name).map((one) => one.name.value);
      found.push(`${[...owners, node.name.value].join(".")} (${day})`);
    }
  };
  visit(document, { FieldDefinition: note, InputValueDefinition: note, EnumValueDefinition: note });
  return found;
}

/** Parts breaking changes from those that were declared, and finds declarations of what did not happen. */
export function judge(breaking, declared) {
  const name = (change) => `${change.type} ${change.path}`;
  const reasons = new Map(declared.map((one) => [one.change, one.reason]));
  const happened = new Set(breaking.map(name));
  return {
    undeclared: breaking.filter((change) => !reasons.has(name(change))),
    allowed: breaking
      .filter((change) => reasons.has(name(change)))
      .map((change) => ({ ...change, reason: reasons.get(name(change)) })),
    stale: [...reasons.keys()].filter((change) => !happened.has(change)),
  };
}
