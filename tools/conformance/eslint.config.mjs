// The presets schema-recommended and schema-relay of graphql-eslint on schema.graphql; what is left out has its reason. The schema is
// made, so exceptions for one name stand here and not beside it.

import { fileURLToPath } from "node:url";
import graphql from "@graphql-eslint/eslint-plugin";

const schema = fileURLToPath(new URL("../../schema.graphql", import.meta.url));

const SUFFIXES = ["Payload", "UserError", "Connection", "Edge", "Aggregate", "Aggregation"];
const PARTS = [
  "CheckoutDiscount", "CheckoutFee", "CheckoutLine", "CheckoutPrice", "CheckoutTax", "MessagePreview", "Money", "PageInfo", "PriceChange",
];

const TRADE = "a ticket type is a word of the trade, no kind of type";
const JOINED = "the rows of a relation of both, named after both like their type";

/** Findings that are none: rule, words of the message, reason. */
export const EXCEPTIONS = [
  ["naming-convention", 'Type "TicketType"', TRADE],
  ["naming-convention", 'Type "CheckInListTicketType"', TRADE],
  ["naming-convention", 'Type "PromoCodeTicketType"', TRADE],
  ["no-typename-prefix", 'Field "ticketType" starts with the name of the parent type "Ticket"', TRADE],
  ["no-typename-prefix", 'Field "checkInListTicketTypes"', JOINED],
  ["no-typename-prefix", 'Field "promoCodeTicketTypes"', JOINED],
  ["no-typename-prefix", 'Field "sessionSpeakers"', JOINED],
  ["no-typename-prefix", 'Field "ticketTypePools"', JOINED],
];

export default [
  {
    files: ["**/*.graphql"],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema } } },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      // What is found by an id has one. These are no things: they are parts or answers, and live as long as what they stand in.
      "@graphql-eslint/strict-id-in-types": ["error", { exceptions: { suffixes: SUFFIXES, types: PARTS } }],
      // Not every list is paged: user errors, the lines of a price, ids and words are answered whole. Connections do keep the rule.
      "@graphql-eslint/relay-edge-types": ["error", { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false }],
    },
  },
];
