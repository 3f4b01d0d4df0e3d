// Ways to break a valid document: one list for each validation rule. Most change the parsed document in one place.

import { Kind, getNamedType, isInputType, isLeafType, parse, parseType, parseValue, print, visit } from "graphql";

const name = (value) => ({ kind: Kind.NAME, value });
const field = (value) => ({ kind: Kind.FIELD, name: name(value) });

/** All nodes of these kinds, in the order of the document. */
function nodes(document, ...kinds) {
  const found = [];
  visit(document, {
    enter(node) {
      if (kinds.includes(node.kind)) found.push(node);
    },
  });
  return found;
}

/** The document with one node of that kind changed by `change`; nothing when it has none. */
function one(kinds, change) {
  return ({ document, choices, schema }) => {
    const all = nodes(document, ...kinds);
    if (all.length === 0) return null;
    const chosen = choices.of(all);
    return print(
      visit(document, {
        enter: (node) => (node === chosen ? { ...node, ...change(node, { choices, schema, document }) } : undefined),
      }),
    );
  };
}

const more = (make) => ({ document, choices, schema }) =>
  `${print(document)}\n${make({ document, choices, schema })}`;

const fragments = (document) => document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION);
const directive = (text) => parse(`{ a ${text} }`).definitions[0].selectionSet.selections[0].directives[0];
const selections = (node, extra) => ({ ...node.selectionSet, selections: [...node.selectionSet.selections, ...extra] });
const definition = (of, value) => ({
  kind: Kind.VARIABLE_DEFINITION,
  variable: { kind: Kind.VARIABLE, name: name(value) },
  type: parseType(of),
});
const named = (schema, test) => Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith("__") && test(type));

const ODD_VALUES = ["1", "1.5", '"text"', "true", "NO_SUCH_VALUE", "null", "[[]]", "{a: 1}", "{}", "99999999999", '[{x: "y"}]'];

export const BREAKERS = {
  ExecutableDefinitionsRule: [
    more(() => "type Thing { id: ID }"),
    more(() => "extend schema { query: Query }"),
    more(() => "scalar Thing"),
  ],
  UniqueOperationNamesRule: [
    ({ document }) => {
      const all = document.definitions.map((one) =>
        one.kind === Kind.OPERATION_DEFINITION ? { ...one, name: name("Same") } : one,
      );
      return `${print({ ...document, definitions: all })}\nquery Same { __typename }`;
    },
  ],
  LoneAnonymousOperationRule: [
    more(() => "{ __typename }"),
    more(() => "query Other { __typename } query { __typename }"),
  ],
  SingleFieldSubscriptionsRule: [
    more(() => "subscription Two { eventChanged { id } again: eventChanged { id } }"),
    more(() => "subscription Two { eventChanged { id } ... on Subscription { ticketChanged { id } } }"),
    more(() => "subscription Two { ...Both } fragment Both on Subscription { eventChanged { id } ticketChanged { id } }"),
    more(() => "subscription None { __typename }"),
  ],
  KnownTypeNamesRule: [
    one([Kind.FRAGMENT_DEFINITION, Kind.INLINE_FRAGMENT], () => ({
      typeCondition: { kind: Kind.NAMED_TYPE, name: name("NoSuchType") },
    })),
    one([Kind.OPERATION_DEFINITION], (node, { choices }) => ({
      variableDefinitions: [
        ...(node.variableDefinitions ?? []),
        definition(choices.of(["NoSuchType", "[NoSuchType!]", "Evnt!"]), "odd"),
      ],
    })),
  ],
  FragmentsOnCompositeTypesRule: [
    one([Kind.FRAGMENT_DEFINITION, Kind.INLINE_FRAGMENT], (_, { choices, schema }) => ({
      typeCondition: { kind: Kind.NAMED_TYPE, name: name(choices.of(named(schema, isLeafType)).name) },
    })),
    one([Kind.FRAGMENT_DEFINITION, Kind.INLINE_FRAGMENT], (_, { choices, schema }) => ({
      typeCondition: { kind: Kind.NAMED_TYPE, name: name(choices.of(named(schema, isInputType)).name) },
    })),
  ],
  VariablesAreInputTypesRule: [
    one([Kind.VARIABLE_DEFINITION], (_, { choices, schema }) => ({
      type: parseType(choices.of(named(schema, (type) => !isInputType(type))).name),
      defaultValue: undefined,
    })),
    one([Kind.OPERATION_DEFINITION], (node, { choices, schema }) => ({
      variableDefinitions: [
        ...(node.variableDefinitions ?? []),
        definition(`[${choices.of(named(schema, (type) => !isInputType(type))).name}!]`, "odd"),
      ],
    })),
  ],
  ScalarLeafsRule: [
    one([Kind.FIELD], (node) => ({
      selectionSet: node.selectionSet ? undefined : { kind: Kind.SELECTION_SET, selections: [field("x")] },
    })),
  ],
  FieldsOnCorrectTypeRule: [
    one([Kind.FIELD], (_, { choices }) => ({ name: name(choices.of(["noSuchField", "__type2", "iD"])) })),
    one([Kind.FIELD], (node) => (node.selectionSet ? { selectionSet: selections(node, [field("noSuchField")]) } : { name: name("nothing") })),
  ],
  UniqueFragmentNamesRule: [
    ({ document }) => {
      const [first] = fragments(document);
      return first ? `${print(document)}\n${print(first)}` : null;
    },
    more(() => "query Z { ...Twice } fragment Twice on Query { __typename } fragment Twice on Query { __typename }"),
  ],
  KnownFragmentNamesRule: [
    one([Kind.FRAGMENT_SPREAD], () => ({ name: name("NoSuchFragment") })),
    one([Kind.OPERATION_DEFINITION], (node) => ({
      selectionSet: selections(node, [{ kind: Kind.FRAGMENT_SPREAD, name: name("NoSuchFragment") }]),
    })),
  ],
  NoUnusedFragmentsRule: [
    more(() => "fragment Unused on Query { __typename }"),
    more(() => "fragment Unused on Query { ...Unused2 } fragment Unused2 on Query { __typename }"),
  ],
  PossibleFragmentSpreadsRule: [
    one([Kind.FRAGMENT_DEFINITION, Kind.INLINE_FRAGMENT], (_, { choices, schema }) => {
      const types = named(schema, (type) => Boolean(type.getInterfaces) && type.astNode);
      return { typeCondition: { kind: Kind.NAMED_TYPE, name: name(choices.of(types).name) } };
    }),
    one([Kind.FIELD], (node) =>
      node.selectionSet
        ? {
            selectionSet: selections(node, [
              {
                kind: Kind.INLINE_FRAGMENT,
                typeCondition: { kind: Kind.NAMED_TYPE, name: name("PageInfo") },
                selectionSet: { kind: Kind.SELECTION_SET, selections: [field("__typename")] },
              },
            ]),
          }
        : {},
    ),
  ],
  NoFragmentCyclesRule: [
    one([Kind.FRAGMENT_DEFINITION], (node) => ({
      selectionSet: selections(node, [{ kind: Kind.FRAGMENT_SPREAD, name: node.name }]),
    })),
    more(() => "query Z { ...A } fragment A on Query { ...B } fragment B on Query { ... { ...A } }"),
  ],
  UniqueVariableNamesRule: [
    one([Kind.OPERATION_DEFINITION], (node, { choices }) => {
      const all = node.variableDefinitions ?? [];
      const twice = all.length > 0 ? choices.of(all) : definition("Int", "twice");
      return { variableDefinitions: all.length > 0 ? [...all, twice] : [twice, twice] };
    }),
  ],
  NoUndefinedVariablesRule: [
    one([Kind.VARIABLE], () => ({ name: name("undefined") })),
    one([Kind.FIELD], (node) => ({ directives: [...(node.directives ?? []), directive("@skip(if: $nobody)")] })),
    one([Kind.OPERATION_DEFINITION], () => ({ variableDefinitions: [] })),
  ],
  NoUnusedVariablesRule: [
    one([Kind.OPERATION_DEFINITION], (node, { choices }) => ({
      variableDefinitions: [
        ...(node.variableDefinitions ?? []),
        definition(choices.of(["Int", "[ID!]", "Boolean!"]), "unused"),
      ],
    })),
  ],
  KnownDirectivesRule: [
    one([Kind.FIELD, Kind.INLINE_FRAGMENT, Kind.FRAGMENT_SPREAD, Kind.OPERATION_DEFINITION], (node, { choices }) => ({
      directives: [
        ...(node.directives ?? []),
        directive(choices.of(["@noSuch", '@deprecated(reason: "x")', '@specifiedBy(url: "x")'])),
      ],
    })),
    one([Kind.OPERATION_DEFINITION, Kind.FRAGMENT_DEFINITION, Kind.VARIABLE_DEFINITION], (node) => ({
      directives: [...(node.directives ?? []), directive("@skip(if: true)")],
    })),
  ],
  UniqueDirectivesPerLocationRule: [
    one([Kind.FIELD, Kind.INLINE_FRAGMENT, Kind.FRAGMENT_SPREAD], () => ({
      directives: [directive("@skip(if: false)"), directive("@skip(if: false)")],
    })),
  ],
  KnownArgumentNamesRule: [
    one([Kind.ARGUMENT], (_, { choices }) => ({ name: name(choices.of(["noSuchArgument", "frist", "iff"])) })),
    one([Kind.FIELD], (node) => ({
      arguments: [...(node.arguments ?? []), { kind: Kind.ARGUMENT, name: name("extra"), value: parseValue("1") }],
    })),
    one([Kind.FIELD], (node) => ({
      directives: [...(node.directives ?? []), directive("@include(if: true, unless: false)")],
    })),
  ],
  UniqueArgumentNamesRule: [
    one([Kind.FIELD], (node) =>
      node.arguments?.length > 0 ? { arguments: [...node.arguments, node.arguments[0]] } : {},
    ),
    one([Kind.FIELD], () => ({ directives: [directive("@include(if: true, if: true)")] })),
  ],
  ValuesOfCorrectTypeRule: [
    one([Kind.ARGUMENT, Kind.OBJECT_FIELD], (_, { choices }) => ({ value: parseValue(choices.of(ODD_VALUES)) })),
    one([Kind.OBJECT], (node, { choices }) => ({
      fields: choices.oneIn(2)
        ? node.fields.slice(1)
        : [...node.fields, { kind: Kind.OBJECT_FIELD, name: name("noSuchField"), value: parseValue("1") }],
    })),
    one([Kind.VARIABLE_DEFINITION], (_, { choices }) => ({ defaultValue: parseValue(choices.of(ODD_VALUES)) })),
  ],
  ProvidedRequiredArgumentsRule: [
    one([Kind.FIELD], (node) => (node.arguments?.length > 0 ? { arguments: [] } : {})),
    one([Kind.FIELD], () => ({ directives: [directive("@skip")] })),
    one([Kind.OPERATION_DEFINITION], (node) => ({ selectionSet: selections(node, [field("node")]) })),
  ],
  VariablesInAllowedPositionRule: [
    one([Kind.VARIABLE_DEFINITION], (node, { choices }) => ({
      type: parseType(choices.of(["Int", "String", "[Boolean]", "ID", "[ID!]!", "Boolean"])),
      defaultValue: undefined,
    })),
    one([Kind.VARIABLE_DEFINITION], (node) => ({
      type: node.type.kind === Kind.NON_NULL_TYPE ? node.type.type : node.type,
      defaultValue: undefined,
    })),
  ],
  OverlappingFieldsCanBeMergedRule: [
    one([Kind.SELECTION_SET], (node) => {
      const fields = node.selections.filter((item) => item.kind === Kind.FIELD && !item.selectionSet);
      return fields.length > 1 ? { selections: node.selections.map((item) => (fields.includes(item) ? { ...item, alias: name("same") } : item)) } : {};
    }),
    one([Kind.SELECTION_SET], (node) => {
      const asked = node.selections.find((item) => item.kind === Kind.FIELD && item.arguments?.length > 0);
      return asked ? { selections: [...node.selections, { ...asked, arguments: asked.arguments.slice(1) }] } : {};
    }),
    one([Kind.SELECTION_SET], (node) => {
      const first = node.selections.find((item) => item.kind === Kind.FIELD);
      return first
        ? {
            selections: [
              ...node.selections,
              { kind: Kind.INLINE_FRAGMENT, selectionSet: { kind: Kind.SELECTION_SET, selections: [{ ...field("__typename"), alias: name((first.alias ?? first.name).value) }] } },
            ],
          }
        : {};
    }),
    // The same field twice, and below it one name for two things.
    one([Kind.SELECTION_SET], (node) => {
      const asked = node.selections.find((item) => item.kind === Kind.FIELD && item.selectionSet);
      const leaves = asked?.selectionSet.selections.filter((item) => item.kind === Kind.FIELD && !item.selectionSet) ?? [];
      if (leaves.length === 0) return {};
      const other = { ...field("__typename"), alias: name((leaves[0].alias ?? leaves[0].name).value) };
      const again = { ...asked, selectionSet: { kind: Kind.SELECTION_SET, selections: [other] } };
      return { selections: [...node.selections, again] };
    }),
    // Different types that cannot both be, with answers of different forms.
    ({ choices, schema }) => {
      const types = named(schema, (type) => type.getInterfaces?.().some((above) => above.name === "Node"));
      const leaf = (type) => choices.of(Object.values(type.getFields()).filter((one) => isLeafType(getNamedType(one.type)) && one.args.length === 0));
      const [a, b] = [choices.of(types), choices.of(types)];
      return `{ node(id: "x") { ... on ${a.name} { same: ${leaf(a).name} } ... on ${b.name} { same: ${leaf(b).name} } } }`;
    },
  ],
  UniqueInputFieldNamesRule: [
    one([Kind.OBJECT], (node) => (node.fields.length > 0 ? { fields: [...node.fields, node.fields[0]] } : {})),
  ],
  MaxIntrospectionDepthRule: [
    ({ choices }) => {
      const list = () => choices.of(["fields", "inputFields", "interfaces", "possibleTypes"]);
      const nest = (depth) => {
        const name = list();
        if (depth === 0) return "name";
        const inner = name.endsWith("ields") ? `type { ${nest(depth - 1)} }` : nest(depth - 1);
        return `${name} { ${inner} }`;
      };
      return `{ __schema { types { ${nest(1 + choices.below(5))} } } }`;
    },
  ],
  // No document at all.
  Syntax: [
    // A keyword that runs into the name behind it.
    ({ document }) => {
      const text = print(document);
      const glued = text.replace(/^(query|mutation|fragment) (?=\w)/m, "$1");
      return glued === text ? null : glued;
    },
    ({ document, choices }) => {
      const text = print(document);
      const at = choices.below(text.length);
      return text.slice(0, at) + choices.of(["}", "{", "(", "$", "@", "...", '"', ":", "", "&", "..", "-", "01"]) + text.slice(at + 1);
    },
  ],
};

