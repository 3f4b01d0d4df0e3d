// PostGraphile 5 as its documentation would have it in production: preset Amber, one pg pool a process, no GraphiQL, no
// explain, no watching, errors masked, settings of the transaction given by `grafast.context`, GRAPHILE_ENV=production
// (set by whoever starts this). With PROCESSES=2 a node cluster shares the port.
import cluster from "node:cluster";
import { createServer } from "node:http";
import jwt from "jsonwebtoken";
import { postgraphile } from "postgraphile";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { addPgTableCondition } from "postgraphile/utils";
import { TYPES } from "postgraphile/@dataplan/pg";

const { PGHOST, PGPORT, PGUSER, PGDATABASE, PORT, POOL, PROCESSES, TOKEN_SECRET } = process.env;

// Ranges are no part of the core's conditions; this is the documented way to add one.
const range = (tableName, field, column, operator) =>
  addPgTableCondition({ schemaName: "public", tableName }, field, ({ graphql, sql, getInputTypeByName }) => ({
    type: getInputTypeByName?.("Datetime") ?? graphql.GraphQLString,
    apply(condition, value) {
      condition.where(
        sql`${condition.alias}.${sql.identifier(column)} ${operator === "<" ? sql`<` : sql`>=`} ${sql.value(value)}::timestamptz`,
      );
    },
  }));

// Who asks: nobody, or a member whose token says person, organization and permissions.
const settings = (authorization) => {
  const none = { role: "es_public", "es.user": "", "es.org": "", "es.permissions": "", "es.actor": "anonymous" };
  if (typeof authorization !== "string") return none;
  const claims = jwt.verify(authorization.slice("Bearer ".length), TOKEN_SECRET, {
    algorithms: ["HS256"],
    audience: "bench",
  });
  return {
    role: "es_member",
    "es.user": claims.sub,
    "es.org": claims.org,
    "es.permissions": claims.permissions,
    "es.actor": `user:${claims.sub}`,
  };
};

const preset = {
  extends: [PostGraphileAmberPreset],
  // It hides relations whose key is no prefix of an index. Ours are indexed by their last column, which is enough.
  disablePlugins: ["PgIndexBehaviorsPlugin"],
  plugins: [
    range("events", "startsFrom", "starts_at", ">="),
    range("registrations", "placedBefore", "placed_at", "<"),
  ],
  pgServices: [
    makePgService({
      schemas: ["public"],
      poolConfig: { host: PGHOST, port: Number(PGPORT), user: PGUSER, database: PGDATABASE, max: Number(POOL) },
      // What members may read; visitors may read a part of it.
      pgSettingsForIntrospection: { role: "es_member" },
    }),
  ],
  gather: { installWatchFixtures: false, muteWarnings: true },
  grafast: {
    explain: false,
    context: (request) => ({
      pgSettings: {
        "es.guest": "",
        "es.revealed": "",
        ...settings(request.node?.req.headers.authorization),
      },
    }),
  },
  grafserv: { graphiql: false, watch: false, websockets: false, outputDataAsString: true },
};

const serve = async () => {
  const server = createServer();
  server.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  await postgraphile(preset).createServ(grafserv).addTo(server);
  server.listen(Number(PORT), "127.0.0.1", () => console.log("ready"));
};

const processes = Number(PROCESSES);
if (processes > 1 && cluster.isPrimary) {
  for (let n = 0; n < processes; n += 1) cluster.fork();
} else {
  await serve();
}
