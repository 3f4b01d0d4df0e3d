// Where the engine may judge otherwise than graphql-js: [test of {text, rules, refusal}, reason] each. There is nothing.

const REASONS = [];

/** Why the engine may differ about that document; nothing when it may not. */
export function excused(judged) {
  return REASONS.find(([test]) => test(judged))?.[1];
}
