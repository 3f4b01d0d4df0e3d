// Runs the program that docs/subscriptions.md prints, as it stands there: only the address is the server's that is given.
// Usage: guide.mjs <http://host:port> <access token>. What it shows is a line of JSON each. A line on standard input cuts the
// connection, as a tunnel does to a train.
import { readFileSync } from 'node:fs';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
const page = readFileSync(new URL('../../docs/subscriptions.md', import.meta.url), 'utf8');
const [, printed] = /^```js\n(.*?)^```$/ms.exec(page);
const library = 'import { createClient } from "graphql-ws";\n';
if (!printed.startsWith(library)) throw new Error('the program imports something else');

let socket;
class Cuttable extends WebSocket {
  constructor(...told) {
    super(...told);
    socket = this;
  }
}
const here = (options) => createClient({ ...options, url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: Cuttable });
const show = (shown) => console.log(JSON.stringify(shown));
new Function('createClient', 'accessToken', 'show', printed.slice(library.length))(here, () => token, show);
process.stdin.on('data', () => {
  console.log(JSON.stringify({ type: 'cut' }));
  socket.terminate();
});
