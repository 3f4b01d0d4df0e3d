// Who is asking: nobody, an account that signed in, or the holder of an API token. Lives in this tab only.
import { post } from './http.js';

const KEY = 'eventsphere.playground.identity';
const SIGN_IN = `mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    accessToken
    refreshToken
    userErrors { message code field }
  }
}`;

const SIGN_OUT = `mutation SignOut {
  signOut(input: {}) {
    signedOut
  }
}`;

const listeners = new Set();
let who = restore();

export const identity = {
  /** `{kind: 'account' | 'token', label, token}`, or null for a visitor. */
  current: () => who,
  onChange: (listener) => listeners.add(listener),
  set(next) {
    who = next;
    // Storage can be switched off in the browser; then a reload forgets who was signed in, and nothing else breaks.
    try {
      if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
      else sessionStorage.removeItem(KEY);
    } catch { /* kept in memory */ }
    listeners.forEach((listener) => listener(next));
  },
};

function restore() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(KEY));
    return typeof stored?.token === 'string' ? stored : null;
  } catch {
    return null;
  }
}

class Refused extends Error {
  constructor(message, fields = []) {
    super(message);
    this.fields = fields;
  }
}

async function signIn(email, password, organizationSlug) {
  const { result, retryAfter } = await post({
    query: SIGN_IN,
    operationName: 'SignIn',
    variables: { input: { email, password, ...(organizationSlug && { organizationSlug }) } },
  });
  const payload = result.data?.signIn;
  if (payload?.accessToken) {
    const label = organizationSlug ? `${email} in ${organizationSlug}` : email;
    return { kind: 'account', label, token: payload.accessToken };
  }

  const userErrors = payload?.userErrors ?? [];
  if (userErrors.length > 0) {
    const fields = userErrors.flatMap(({ code, field }) => (code === 'NOT_A_MEMBER' ? ['organization'] : field ?? []));
    throw new Refused(userErrors.map(({ message }) => message).join(' '), fields);
  }
  const error = result.errors?.[0];
  if (error?.extensions?.code === 'THROTTLED') {
    const wait = Number(retryAfter) > 0 ? ` in ${retryAfter} seconds` : ' later';
    throw new Refused(`Too many attempts. Please try again${wait}.`);
  }
  const request = error?.extensions?.requestId;
  throw new Refused(`Sign-in failed: ${error?.message ?? 'the server gave no reason'}${request ? ` (request ${request})` : ''}`);
}

// The session ends at the server, so that a copy of its token opens nothing any more. An API token is not ours to end.
async function signOut() {
  const leaving = who;
  identity.set(null);
  if (leaving?.kind !== 'account') return;
  await post({ query: SIGN_OUT, operationName: 'SignOut' }, { token: leaving.token });
}

function tokenIdentity(text) {
  const token = text.trim().replace(/^bearer\s+/i, '');
  if (!token) throw new Refused('Paste a token first.', ['token']);
  // Anything else can't be sent in a header at all.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Refused('A token has no spaces and only plain characters. Please paste it again.', ['token']);
  return { kind: 'token', label: `…${token.slice(-4)}`, token };
}

/**
 * Wires the sign-in dialog and the two buttons of the header; `failed` is told when the server could not be reached.
 * `demo` are sign-ins that get a button each.
 */
export function startSignIn(failed, demo) {
  const dialog = document.getElementById('sign-in');
  const open = document.getElementById('open-sign-in');
  open.addEventListener('click', () => dialog.showModal());
  document.getElementById('close-sign-in').addEventListener('click', () => dialog.close());
  document.getElementById('sign-out').addEventListener('click', () => {
    signOut().catch((error) => failed(`You are signed out here, but not at the server: ${error.message}`));
    open.focus();
  });
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  dialog.addEventListener('close', () => dialog.querySelectorAll('form').forEach(reset));

  onSubmit(document.getElementById('password-form'), ({ email, password, organization }) => {
    if (!email.trim()) throw new Refused('Please enter your e-mail address.', ['email']);
    if (!password) throw new Refused('Please enter your password.', ['password']);
    return signIn(email.trim(), password, organization.trim());
  });
  onSubmit(document.getElementById('token-form'), ({ token }) => tokenIdentity(token));
  offer(demo);

  // A demo's sign-ins fill in the form and send it: what happens can be seen.
  function offer(signIns) {
    const form = document.getElementById('password-form');
    const list = document.getElementById('demo-sign-ins');
    list.replaceChildren(...signIns.map(({ who, email, password, organization }) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'button';
      const name = document.createElement('strong');
      name.textContent = organization ? `${who} of ${organization}` : who;
      const address = document.createElement('span');
      address.textContent = email;
      button.append(name, address);
      button.addEventListener('click', () => {
        form.elements.email.value = email;
        form.elements.password.value = password;
        form.elements.organization.value = organization ?? '';
        form.requestSubmit();
      });
      return button;
    }));
    document.getElementById('demo').hidden = signIns.length === 0;
  }

  function onSubmit(form, attempt) {
    const button = form.querySelector('[type=submit]');
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (button.disabled) return;
      showError(form, null);
      button.disabled = true;
      try {
        const next = await attempt(Object.fromEntries(new FormData(form)));
        dialog.close();
        identity.set(next);
      } catch (error) {
        showError(form, error);
      } finally {
        button.disabled = false;
      }
    });
  }
}

function showError(form, error) {
  const box = form.querySelector('.error');
  box.textContent = error?.message ?? '';
  box.hidden = !error;
  for (const input of form.querySelectorAll('input')) {
    input.setAttribute('aria-invalid', String(Boolean(error?.fields?.includes(input.name))));
  }
  if (error) (form.querySelector('[aria-invalid=true]') ?? form.querySelector('input')).focus();
}

function reset(form) {
  form.reset();
  showError(form, null);
}
