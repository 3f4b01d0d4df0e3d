// Serves the page as the program does, under its content security policy, in front of a small fake API.
//   node serve-for-test.mjs [port]     sign in: any e-mail, password "demo". CLOSED=1: no introspection for visitors.
import { buildSchema, graphql } from 'graphql';
import { readFileSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, normalize } from 'node:path';

const CSP = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
  + "connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.ttf': 'font/ttf', '.json': 'application/json' };
const assets = new URL('../../api/assets/', import.meta.url);
const folder = new URL('playground/examples/', assets);
const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));

const price = { minorUnits: '4900', currencyCode: 'EUR', amount: '49.00' };
const session = { title: 'Opening', startsAt: '2030-05-02T08:00:00Z', endsAt: '2030-05-02T09:00:00Z' };
const event = {
  id: 'ZXZlbnQ', title: 'Spring Assembly', slug: 'spring-assembly', summary: 'A day of talks.', status: 'PUBLISHED', format: 'HYBRID', startsAt: '2030-05-02T08:00:00Z', timeZone: 'Europe/Vienna',
  organization: { name: 'Example Society', slug: 'example-society' }, ticketTypes: { nodes: [{ id: 'dGlja2V0', name: 'Regular', price, available: 12, saleStatus: 'ON_SALE' }] }, sessions: { nodes: [session] },
};
const rootValue = {
  events: { nodes: [event], pageInfo: { hasNextPage: false, endCursor: null }, totalCount: 1 },
  eventBySlug: event,
  signOut: { signedOut: true },
  signIn: ({ input }) => (input.password === 'demo'
    ? { accessToken: 'test-access-token', refreshToken: 'test-refresh-token', userErrors: [] }
    : { userErrors: [{ message: 'E-mail or password is wrong.', code: 'INVALID_CREDENTIALS', field: ['password'] }] }),
};

const title = (stem) => stem.replace(/^[\d-]+/, '').replaceAll('-', ' ').replace(/^./, (first) => first.toUpperCase());

function examples() {
  return readdirSync(folder).sort().flatMap((task) => {
    const inside = new URL(`${task}/`, folder);
    const text = (name) => { try { return readFileSync(new URL(name, inside), 'utf8'); } catch { return null; } };
    return readdirSync(inside).sort().flatMap((name) => {
      const [, stem, who] = /^(.*)\.(visitor|attendee|organizer)\.graphql$/.exec(name) ?? [];
      if (!stem) return [];
      const variables = JSON.parse(text(`${stem}.variables.json`));
      return [{ task: title(task), name: title(stem), who, query: text(name), variables, fill: text(`${stem}.fill.graphql`) }];
    });
  });
}

const signIns = [{ who: 'organizer', email: 'ada@example.org', password: 'demo', organization: 'example-society' }];

async function answer(request) {
  const path = normalize(new URL(request.url, 'http://test').pathname);
  if (path === '/graphql' && request.method === 'POST') return api(request);
  if (path === '/playground/examples.json') return [200, '.json', JSON.stringify(examples())];
  if (path === '/playground/sign-ins.json') return [200, '.json', JSON.stringify(process.env.CLOSED ? [] : signIns)];
  if (path === '/schema.graphql') return [200, '.txt', readFileSync(new URL('../../schema.graphql', import.meta.url))];
  const file = path === '/playground' ? 'playground/index.html' : path.replace(/^\/playground\/assets\//, (path.includes('/graphiql/') ? 'third-party/' : 'playground/'));
  return [200, extname(file), await readFile(new URL(file.replace(/^\//, './'), assets))];
}

async function api(request) {
  const body = JSON.parse(Buffer.concat(await request.toArray()).toString());
  const token = request.headers.authorization?.replace('Bearer ', '');
  const refuse = (message, code, status) => [status, '.json', JSON.stringify({ errors: [{ message, extensions: { code, requestId: 'test' } }] })];
  if (token && token !== 'test-access-token' && !token.startsWith('es_')) return refuse('The token is not valid.', 'UNAUTHENTICATED', 401);
  if (process.env.CLOSED && !token && body.query.includes('__schema')) return refuse('Introspection needs a sign-in.', 'FORBIDDEN', 200);
  return [200, '.json', JSON.stringify(await graphql({ schema, rootValue, source: body.query, variableValues: body.variables, operationName: body.operationName }))];
}

const server = createServer(async (request, response) => {
  const [status, type, body] = await answer(request).catch((error) => [404, '.json', JSON.stringify({ message: String(error.code ?? error) })]);
  response.writeHead(status, { 'content-type': TYPES[type] ?? 'application/octet-stream', 'content-security-policy': CSP, 'x-content-type-options': 'nosniff' }).end(body);
});
server.listen(Number(process.argv[2] ?? 4173), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/playground`));
