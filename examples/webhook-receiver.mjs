// A receiver of webhooks that believes nothing unsigned. No packages needed.
//
// Usage: WEBHOOK_SECRET=whsec_... node examples/webhook-receiver.mjs [PORT]      (8090 by default, 0 for any free one)
// Says a line for each event. What was seen before is answered, but not said again: deliveries may come twice.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secret = process.env.WEBHOOK_SECRET ?? "";
if (!secret.startsWith("whsec_")) {
  console.error("set WEBHOOK_SECRET to what createWebhookEndpoint or rotateWebhookSecret gave");
  process.exit(1);
}
const key = Buffer.from(secret.slice("whsec_".length), "base64");
const tolerance = 5 * 60;
const seen = new Set();

function isGenuine(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures } = headers;
  // An old request that somebody kept and sends again has an old time.
  if (!id || !signatures || !(Math.abs(Date.now() / 1000 - Number(timestamp)) <= tolerance)) return false;
  const wanted = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  // While a secret is being changed there are two signatures.
  return signatures.split(" ").some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ""), "base64");
    return signature.startsWith("v1,") && given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (!isGenuine(request.headers, body)) {
    response.writeHead(401).end();
    return;
  }
  const event = JSON.parse(body);
  if (!seen.has(event.id)) {
    seen.add(event.id);
    console.log(`${event.type} ${event.object?.id ?? "-"} #${event.sequence} ${JSON.stringify(event.data)}`);
  }
  response.writeHead(204).end();
});
server.listen(Number(process.argv[2] ?? 8090), "127.0.0.1", () => {
  console.log(`listening at http://127.0.0.1:${server.address().port}/`);
});
