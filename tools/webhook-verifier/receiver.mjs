// Takes webhooks and lets the library of Standard Webhooks judge each.
//
// Usage: WEBHOOK_SECRETS="whsec_... whsec_..." node receiver.mjs      listens on a free port of 127.0.0.1 and says where.
// For each request it says a line, `genuine <type>` or `refused <why>`, once for each secret, in their order; the answer
// is 204 if the last one takes it, 401 else. `POST /secrets` takes other secrets instead: a line of them.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

let webhooks = [];
const take = (secrets) => {
  webhooks = secrets.split(/\s+/).filter(Boolean).map((secret) => new Webhook(secret));
};
take(process.env.WEBHOOK_SECRETS ?? "");

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString("utf8");
  if (request.url === "/secrets") {
    take(body);
    response.writeHead(204).end();
    return;
  }
  let genuine = false;
  for (const webhook of webhooks) {
    try {
      const event = webhook.verify(body, request.headers);
      genuine = true;
      console.log(`genuine ${event.type}`);
    } catch (error) {
      genuine = false;
      console.log(`refused ${error.message}`);
    }
  }
  response.writeHead(genuine ? 204 : 401).end();
});
server.listen(0, "127.0.0.1", () => {
  console.log(`listening at http://127.0.0.1:${server.address().port}/`);
});
