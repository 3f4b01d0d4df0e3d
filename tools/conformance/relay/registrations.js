// A list of registrations as an app on Relay has it: only for relay-compiler to read. In an app babel-plugin-relay puts
// what the compiler made in place of each tag; job.mjs imports it by name, and needs neither React nor a build.

import { graphql } from "relay-runtime";

graphql`
  query registrationsPageQuery($event: ID!) {
    ...registrations_list @arguments(event: $event)
  }
`;

graphql`
  fragment registrations_list on Query
  @refetchable(queryName: "registrationsMoreQuery")
  @argumentDefinitions(
    event: { type: "ID!" }
    count: { type: "Int", defaultValue: 2 }
    cursor: { type: "String" }
  ) {
    registrations(first: $count, after: $cursor, filter: { eventId: { eq: $event } }, orderBy: [PLACED_AT_ASC])
      @connection(key: "registrations_registrations") {
      totalCount
      edges {
        node {
          ...registrations_row
        }
      }
    }
  }
`;

// Refetched by `node(id:)`.
graphql`
  fragment registrations_row on Registration @refetchable(queryName: "registrationsRowQuery") {
    id
    buyerName
    status
    tickets(first: 10) {
      nodes {
        status
      }
    }
  }
`;
