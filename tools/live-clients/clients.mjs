// Watches a server by the clients that others wrote: `graphql-ws` over WebSocket, `graphql-sse` over server-sent events.
// Usage: clients.mjs <http://host:port> <access token>. Each line that is said is a line of JSON: who says it, and what.
import { createClient as overWebSocket } from 'graphql-ws';
import { createClient as overEvents } from 'graphql-sse';
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
const query = 'subscription { registrationChanged { type cursor registration { status } } }';
const say = (who, what) => console.log(JSON.stringify({ who, ...what }));

const ws = overWebSocket({
  url: `${url.replace('http', 'ws')}/graphql`,
  webSocketImpl: WebSocket,
  lazy: false,
  keepAlive: 300,
  connectionParams: { Authorization: `Bearer ${token}` },
  on: {
    connected: () => say('ws', { connected: true }),
    pong: () => say('ws', { pong: true }),
    closed: (event) => say('ws', { closed: event.code }),
  },
});
const sse = overEvents({
  url: `${url}/graphql/stream`,
  headers: { Authorization: `Bearer ${token}` },
});

// Tells what comes of an operation; resolves when it is over.
const watch = (who, client, payload) =>
  new Promise((resolve) => {
    client.subscribe(payload, {
      next: (result) => say(who, { next: result }),
      error: (errors) => {
        say(who, { error: errors.map?.((error) => error.extensions?.code) ?? String(errors) });
        resolve();
      },
      complete: () => {
        say(who, { complete: true });
        resolve();
      },
    });
  });

for (const [who, client] of [['ws', ws], ['sse', sse]]) {
  await watch(who, client, { query: '{ __typename }' });
  await watch(who, client, { query: '{ nothing }' });
}
watch('ws', ws, { query });
watch('sse', sse, { query });

// A line on standard input ends it, as a page that is left does.
process.stdin.once('data', async () => {
  await ws.dispose();
  sse.dispose();
  say('both', { left: true });
  process.exit(0);
});
