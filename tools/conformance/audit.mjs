// graphql-http's audit of GraphQL over HTTP: what servers must, should and may do.

import { auditServer } from "graphql-http";

/** As many as the pinned version has: fewer would mean that some were not run. */
const AUDITS = 61;

export async function audit({ url }) {
  const results = await auditServer({ url: `${url}/graphql` });
  const failed = results.filter(({ status }) => status !== "ok");
  for (const { id, status, name, reason } of failed) console.log(`  ${id} ${status}: ${name}: ${reason}`);
  if (failed.length > 0 || results.length !== AUDITS) {
    throw new Error(`${results.length - failed.length} of ${results.length} audits are ok, not ${AUDITS}`);
  }
  return `${results.length} of ${AUDITS} audits ok`;
}
