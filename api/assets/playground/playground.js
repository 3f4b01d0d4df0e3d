// Starts the page: shows who is asking, and mounts the editor with the examples that the server hands out.
import { mountEditor } from './editor.js';
import { post } from './http.js';
import { identity, startSignIn } from './identity.js';

const element = (id) => document.getElementById(id);

function notify(text, kind = 'error') {
  element('notice').dataset.kind = kind;
  element('notice-text').textContent = text;
  element('notice').hidden = !text;
}

// What GraphiQL calls for every operation.
async function fetcher({ query, variables, operationName }, { headers } = {}) {
  if (operationName === 'IntrospectionQuery') return introspect(query, headers);
  const asked = identity.current();
  const { result, refused } = await post({ query, variables, operationName }, { token: asked?.token, headers });
  if (refused) tokenRefused(asked);
  return result;
}

// A visitor may be refused the schema, and runs operations all the same: that is worth a line at the top, not a dump in the
// answer pane. GraphiQL shows nothing there when it gets an empty text.
async function introspect(query, headers) {
  const nothing = '';
  // Its second attempt, for servers that never heard of subscriptions. Ours has, so the first refusal stands.
  if (!query.includes('subscriptionType')) return nothing;
  const asked = identity.current();
  try {
    const { result, refused } = await post({ query, operationName: 'IntrospectionQuery' }, { token: asked?.token, headers });
    if (result.data?.__schema) {
      if (element('notice').dataset.kind === 'schema') notify('');
      return result;
    }
    if (refused) tokenRefused(asked);
    else noSchema(result.errors?.[0]?.message ?? 'The server sent no schema.', asked);
  } catch (error) {
    noSchema(error.message, asked);
  }
  return nothing;
}

function noSchema(reason, asked) {
  const advice = asked ? '' : ' Sign in for documentation and completion; operations run without them.';
  notify(`No schema: ${reason}${/[.!?]$/.test(reason) ? '' : '.'}${advice}`, 'schema');
}

function tokenRefused(asked) {
  element('who').dataset.refused = '';
  notify(asked.kind === 'account'
    ? `The session of ${asked.label} has ended. Please sign in again.`
    : 'The server refused this API token: it may be mistyped, expired or revoked.');
}

function showIdentity(who) {
  const box = element('who');
  box.dataset.kind = who?.kind ?? 'visitor';
  delete box.dataset.refused;
  box.querySelector('.who-kind').textContent = { account: 'Signed in as', token: 'API token' }[who?.kind] ?? 'Visitor';
  box.querySelector('.who-name').textContent = who?.label ?? 'not signed in';
  box.title = box.textContent.trim().replace(/\s+/g, ' '); // a long address is cut off on a phone
  element('sign-out').hidden = !who;
  element('open-sign-in').textContent = who ? 'Switch' : 'Sign in';
  element('open-sign-in').classList.toggle('primary', !who);
}

async function loadExamples() {
  const response = await fetch('/playground/examples.json', { headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return (await response.json()).map(({ name, query, variables }) => ({
    name,
    query,
    variables: typeof variables === 'string' || variables == null ? variables : JSON.stringify(variables, null, 2),
  }));
}

async function start() {
  element('notice-close').addEventListener('click', () => notify(''));
  startSignIn(notify);
  showIdentity(identity.current());

  let missing = '';
  const examples = await loadExamples().catch((error) => {
    missing = `The examples could not be loaded: ${error.message}.`;
    return [];
  });
  const refetchSchema = mountEditor(element('editor'), { fetcher, examples });
  if (missing) notify(missing);

  identity.onChange((who) => {
    notify('');
    showIdentity(who);
    refetchSchema();
  });
}

start().catch((error) => notify(`The playground could not start: ${error.message}`));
