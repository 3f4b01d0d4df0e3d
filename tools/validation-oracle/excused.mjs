// Where a judge may judge otherwise than graphql-js: [judge, test of {text, rules, refusal, refusals}, reason] each. The engine may only
// where graphql-js is behind the specification and apollo-compiler agrees with the engine.

const only = (rules, ...names) => rules.length > 0 && rules.every((rule) => names.includes(rule));

const accepts = (...names) => ({ rules, refusal }) => refusal === undefined && only(rules, ...names);

const CONDITIONAL_ROOT =
  "graphql-js 16 keeps the specification of 2021: that of 2025 has no @skip or @include at a subscription's root, and what is skipped counts";
const SAID_OF_IT = {
  "the engine": /subscription .*top level field$/,
  "apollo-compiler": /^(anonymous )?subscription .*(only have one root field|can not specify @skip or @include)/,
};

/** Both judges say it, so that neither is excused for what the other takes. */
const isConditionalRoot = ({ text, rules, refusals }) =>
  rules.length === 0 && /@(skip|include)/.test(text) && Object.entries(SAID_OF_IT).every(([judge, said]) => said.test(refusals[judge] ?? ""));

const REASONS = [
  [
    "apollo-compiler",
    accepts("MaxIntrospectionDepthRule"),
    "apollo-compiler 1.33 bounds introspection when it executes, not when it validates",
  ],
  [
    "apollo-compiler",
    accepts("UniqueInputFieldNamesRule"),
    "apollo-compiler 1.33 does not look for a field that is twice in an input object (specification, 5.6.3)",
  ],
  [
    "apollo-compiler",
    accepts("VariablesInAllowedPositionRule"),
    "apollo-compiler 1.33 does not look at the types of variables inside of input objects and lists (specification, 5.8.5)",
  ],
  [
    "apollo-compiler",
    accepts("ValuesOfCorrectTypeRule"),
    "apollo-compiler takes any literal for scalars of a schema; graphql-js is told which kinds ours take",
  ],
  ["apollo-compiler", isConditionalRoot, CONDITIONAL_ROOT],
  ["the engine", isConditionalRoot, CONDITIONAL_ROOT],
];

/** Why a judge may differ about that document; nothing when it may not. */
export function excused(judged) {
  return REASONS.find(([judge, test]) => judge === judged.judge && test(judged))?.[2];
}
