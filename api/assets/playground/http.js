// One GraphQL operation over HTTP.

/**
 * Posts an operation and returns `{result, refused, retryAfter}`: the GraphQL answer, whether the server did not accept
 * `token`, and the seconds to wait if it says so.
 * Throws when there is no GraphQL answer at all, with a sentence that can be shown to a person.
 */
export async function post(operation, { token, headers } = {}) {
  const all = new Headers({
    'content-type': 'application/json',
    accept: 'application/graphql-response+json, application/json',
  });
  if (token) all.set('authorization', `Bearer ${token}`);
  // Headers typed into the editor win: whoever writes one there wants to see what it does.
  for (const [name, value] of Object.entries(headers ?? {})) all.set(name, value);

  const response = await fetch('/graphql', {
    method: 'POST',
    headers: all,
    body: JSON.stringify(operation),
    credentials: 'omit',
  }).catch(() => {
    throw new Error('The server could not be reached. Is it running?');
  });
  const result = await response.json().catch(() => null);
  if (!isAnswer(result)) throw noAnswer(response, result);
  const sent = token && all.get('authorization') === `Bearer ${token}`;
  const unauthenticated = response.status === 401
    || result.errors?.some((error) => error?.extensions?.code === 'UNAUTHENTICATED');
  return { result, refused: Boolean(sent && unauthenticated), retryAfter: response.headers.get('retry-after') };
}

const isAnswer = (result) => typeof result === 'object' && result !== null && ('data' in result || 'errors' in result);

function noAnswer(response, result) {
  const detail = result?.detail ?? result?.title ?? result?.message ?? response.statusText;
  return new Error(`The server answered ${response.status}${detail ? ` (${detail})` : ''} without a GraphQL result.`);
}
