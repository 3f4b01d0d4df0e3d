// Examples that are ready to run, by task; and what is missing in their variables, looked up when they are run.
import { post } from './http.js';

/** Of the server: `{task, name, who, query, variables, fill}`, with `variables` as text. */
export async function loadExamples() {
  const response = await fetch('/playground/examples.json', { headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return (await response.json()).map((example) => ({
    ...example,
    variables: example.variables == null ? undefined : JSON.stringify(example.variables, null, 2),
  }));
}

/** The sign-ins of demo data, if there is any. */
export async function loadSignIns() {
  const response = await fetch('/playground/sign-ins.json', { headers: { accept: 'application/json' } });
  return response.ok ? response.json() : [];
}

/** One example of each task: what is open at first. */
export function firstOfEach(examples) {
  const seen = new Set();
  return examples.filter(({ task }) => !seen.has(task) && seen.add(task));
}

export const operationName = (query) => /^(?:query|mutation|subscription)\s+(\w+)/m.exec(query)?.[1];

const PLACE = /\{\{([\w.]+)\}\}/g;
const hasPlaces = (variables) => JSON.stringify(variables ?? null).search(PLACE) >= 0;

/**
 * Variables with values in place of `{{events.nodes.0.id}}` and such, as the caller of `token` finds them; the same object when nothing
 * is missing. Throws a sentence for people when there is nothing to be found.
 */
export async function fill(examples, operation, variables, token) {
  if (!hasPlaces(variables)) return variables;
  const example = examples.find(({ query }) => operationName(query) === operation);
  const found = { newKey: crypto.randomUUID?.() ?? randomText(32), newSuffix: randomText(6) };
  if (example?.fill) {
    const { result } = await post({ query: example.fill }, { token });
    Object.assign(found, result.data);
    const [error] = result.errors ?? [];
    if (error && JSON.stringify(variables).includes(`{{${error.path?.[0]}`)) {
      throw new Error(`What this example works on could not be looked up: ${error.message}.`);
    }
  }
  return replace(variables, (path) => {
    const value = path.split('.').reduce((inside, key) => inside?.[key], found);
    if (value == null) throw new Error(missing(example, path));
    return value;
  });
}

function missing(example, path) {
  const advice = example ? firstComment(example.query) : '';
  return `There is nothing for this example to work on (no ${path}). ${advice}`.trim();
}

function replace(value, found) {
  if (typeof value === 'string') {
    const whole = /^\{\{([\w.]+)\}\}$/.exec(value);
    return whole ? found(whole[1]) : value.replace(PLACE, (_, path) => found(path));
  }
  if (Array.isArray(value)) return value.map((item) => replace(item, found));
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replace(item, found)]));
  }
  return value;
}

function randomText(length) {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join('');
}

/** The comment lines at the head of an example: they say what it shows. */
export function firstComment(query) {
  const lines = query.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('#'));
  return lines.slice(0, end).map((line) => line.replace(/^#\s?/, '')).join(' ');
}
