// Starts the page: shows who is asking, and mounts the editor with the examples that the server hands out.
import { withCosts } from './costs.js';
import { editor, mountEditor } from './editor.js';
import { fill, loadExamples, loadSignIns } from './examples.js';
import { post, stream } from './http.js';
import { identity, startSignIn } from './identity.js';

const element = (id) => document.getElementById(id);

function notify(text, kind = 'error') {
  element('notice').dataset.kind = kind;
  element('notice-text').textContent = text;
  element('notice').hidden = !text;
}

let examples = [];

// What GraphiQL calls for every operation.
async function fetcher({ query, variables, operationName }, { headers, documentAST } = {}) {
  if (operationName === 'IntrospectionQuery') return introspect(query, headers);
  const asked = identity.current();
  editor.showFooter('');
  const filled = await fill(examples, operationName, variables, asked?.token);
  if (filled !== variables) editor.showVariables(filled);
  const operation = { query, variables: filled, operationName };
  if (isSubscription(documentAST, operationName)) return watch(operation, asked, headers);
  const began = performance.now();
  const { result, refused } = await post(operation, { token: asked?.token, headers });
  editor.showFooter(footer(result, performance.now() - began));
  hint(result, refused, asked);
  return result;
}

function hint(result, refused, asked) {
  if (refused) tokenRefused(asked);
  else if (!asked && needsSignIn(result)) notify('This needs a sign-in: the button is at the top.', 'hint');
}

function isSubscription(document, name) {
  const operations = document?.definitions.filter(({ kind }) => kind === 'OperationDefinition') ?? [];
  return operations.find((one) => !name || one.name?.value === name)?.operation === 'subscription';
}

// What GraphiQL takes for many answers. It shows the newest, and stops when one presses the button again.
function watch(operation, asked, headers) {
  return {
    subscribe(observer) {
      const stopping = new AbortController();
      let count = 0;
      const next = (result) => {
        count += 1;
        editor.showFooter(`message ${count} · ${new Date().toLocaleTimeString('en-GB')} · more comes as it happens`);
        hint(result, false, asked);
        observer.next(result);
      };
      stream(operation, { token: asked?.token, headers, signal: stopping.signal }, next).then(
        (refused) => {
          if (refused) tokenRefused(asked);
          observer.complete();
        },
        (error) => stopping.signal.aborted || observer.error(error),
      );
      return { unsubscribe: () => stopping.abort() };
    },
  };
}

const needsSignIn = ({ errors }) => errors?.some((error) => error?.extensions?.code === 'UNAUTHENTICATED');

function footer({ extensions, errors }, milliseconds) {
  const cost = extensions?.cost;
  const id = errors?.[0]?.extensions?.requestId;
  const number = (value) => value.toLocaleString('en');
  return [
    cost && `cost ${number(cost.actual ?? cost.requested)} of ${number(cost.requested)} points requested`,
    cost?.throttle && `${number(cost.throttle.available)} of ${number(cost.throttle.max)} left`,
    `${Math.round(milliseconds)} ms`,
    id && `request ${id}`,
  ].filter(Boolean).join(' · ');
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
      return await withCosts(result).catch(() => result); // documentation without costs is documentation
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

async function start() {
  element('notice-close').addEventListener('click', () => notify(''));
  startSignIn(notify, await loadSignIns().catch(() => []));
  showIdentity(identity.current());

  let missing = '';
  examples = await loadExamples().catch((error) => {
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
