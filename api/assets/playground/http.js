// GraphQL operations over HTTP: one answer, or a stream of them.

/**
 * Posts an operation and returns `{result, refused, retryAfter}`: the GraphQL answer, whether the server did not accept
 * `token`, and the seconds to wait if it says so.
 * Throws when there is no GraphQL answer at all, with a sentence that can be shown to a person.
 */
export async function post(operation, { token, headers } = {}) {
  const { response, all } = await ask('/graphql', operation, 'application/graphql-response+json, application/json', { token, headers });
  const result = await response.json().catch(() => null);
  if (!isAnswer(result)) throw noAnswer(response, result);
  return { result, refused: isRefused(response, result, token, all), retryAfter: response.headers.get('retry-after') };
}

/**
 * Posts a subscription and calls `next` with each of its answers, until the server says that it is over or `signal` is aborted.
 * Resolves to whether the server did not accept `token`. Throws when the stream breaks off.
 */
export async function stream(operation, { token, headers, signal }, next) {
  const { response, all } = await ask('/graphql/stream', operation, 'text/event-stream', { token, headers, signal });
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    const result = await response.json().catch(() => null);
    if (!isAnswer(result)) throw noAnswer(response, result);
    next(result);
    return isRefused(response, result, token, all);
  }
  for await (const { event, data } of events(response.body)) {
    if (event === 'complete') return false;
    if (event === 'next') next(JSON.parse(data));
  }
  throw new Error('The server has ended the connection. Run it again to go on.');
}

async function ask(path, operation, accept, { token, headers, signal }) {
  const all = new Headers({ 'content-type': 'application/json', accept });
  if (token) all.set('authorization', `Bearer ${token}`);
  // Headers typed into the editor win: whoever writes one there wants to see what it does.
  for (const [name, value] of Object.entries(headers ?? {})) all.set(name, value);
  const sent = { method: 'POST', headers: all, body: JSON.stringify(operation), credentials: 'omit', signal };
  const response = await fetch(path, sent).catch(() => {
    throw new Error('The server could not be reached. Is it running?');
  });
  return { response, all };
}

function isRefused(response, result, token, headers) {
  const sent = token && headers.get('authorization') === `Bearer ${token}`;
  const unauthenticated = response.status === 401
    || result.errors?.some((error) => error?.extensions?.code === 'UNAUTHENTICATED');
  return Boolean(sent && unauthenticated);
}

/** Server-sent events: a blank line ends each. Lines that begin with a colon keep the connection open and say nothing. */
async function* events(body) {
  let rest = '';
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const whole = (rest + value).split('\n\n');
    rest = whole.pop();
    for (const text of whole) {
      const lines = text.split('\n');
      const field = (name) => lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim());
      yield { event: field('event')[0], data: field('data').join('\n') };
    }
  }
}

const isAnswer = (result) => typeof result === 'object' && result !== null && ('data' in result || 'errors' in result);

function noAnswer(response, result) {
  const detail = result?.detail ?? result?.title ?? result?.message ?? response.statusText;
  return new Error(`The server answered ${response.status}${detail ? ` (${detail})` : ''} without a GraphQL result.`);
}
