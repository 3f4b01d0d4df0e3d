// GraphiQL, dressed for this page, with a panel of examples beside its documentation and history.
import {
  createElement as h, createRoot, GraphiQL, HISTORY_PLUGIN, monacoEditor, useGraphiQL, useGraphiQLActions,
} from './graphiql/graphiql.js';
import { firstComment, firstOfEach } from './examples.js';

// The same width as in playground.css.
const isNarrow = () => matchMedia('(max-width: 720px)').matches;
const THEMES = { dark: 'eventsphere-dark', light: 'eventsphere-light' };

function defineThemes() {
  const accents = { dark: '#a99bff', light: '#5b3fd6' };
  const popups = { dark: '#212a3b', light: '#ffffff' };
  for (const [mode, name] of Object.entries(THEMES)) {
    const accent = accents[mode];
    const popup = popups[mode];
    monacoEditor.defineTheme(name, {
      base: mode === 'dark' ? 'vs-dark' : 'vs',
      inherit: true,
      rules: [{ token: 'argument.identifier.gql', foreground: accent.slice(1) }],
      colors: {
        'editor.background': '#00000000',
        'editorGutter.background': '#00000000',
        'scrollbar.shadow': '#00000000',
        'textLink.foreground': accent,
        'textLink.activeForeground': accent,
        'editorLink.activeForeground': accent,
        focusBorder: accent,
        'list.highlightForeground': accent,
        'list.hoverBackground': `${accent}22`,
        'editorSuggestWidget.selectedBackground': `${accent}33`,
        'editorSuggestWidget.selectedForeground': mode === 'dark' ? '#ffffff' : '#1d1638',
        'editorSuggestWidget.background': popup,
        'editorHoverWidget.background': popup,
        'editorWidget.background': popup,
        'quickInput.background': popup,
        'menu.background': popup,
      },
    });
  }
}

/** What the page may do with the mounted editor. */
export const editor = {
  /** Writes the variables that were sent into the tab that is open. */
  showVariables: () => {},
  /** Says a line about the answer below it. */
  showFooter: (text) => document.getElementById('cost')?.replaceChildren(text),
};

/** Mounts the editor into `root`; returns a function that asks the server for the schema again. */
export function mountEditor(root, { fetcher, examples }) {
  defineThemes();
  // Made once: GraphiQL takes a new array for new plugins, and closes the open panel.
  const plugins = examples.length > 0 ? [examplesPlugin(examples), HISTORY_PLUGIN] : [HISTORY_PLUGIN];
  const open = firstOfEach(examples);
  const storage = tabStorage(open[0]);
  const tree = createRoot(root);
  const render = () => tree.render(h(GraphiQL, {
    // GraphiQL introspects again when it is given another function.
    fetcher: (operation, options) => fetcher(operation, options),
    plugins,
    defaultTabs: open.length > 0 ? open.map(({ query, variables }) => ({ query, variables })) : undefined,
    storage,
    editorTheme: THEMES,
    shouldPersistHeaders: false,
    showPersistHeadersSettings: false,
    visiblePlugin: isNarrow() || plugins.length === 1 ? undefined : 'Examples',
    defaultEditorToolsVisibility: !isNarrow() && 'variables',
    inputValueDeprecation: true,
    schemaDescription: true,
    className: 'editor',
  }, h(GraphiQL.Logo, null, null), h(GraphiQL.Footer, null, h(Footer))));
  render();
  return render;
}

// What is typed here may hold personal data, so it is kept as long as the tab and no longer.
function tabStorage(first) {
  const storage = sessionOrMemory();
  // Of the first default tab GraphiQL shows the query but not the variables, unless it finds both here.
  if (first && storage.getItem('graphiql:tabState') === null) {
    storage.setItem('graphiql:query', first.query);
    storage.setItem('graphiql:variables', first.variables ?? '');
  }
  return storage;
}

function sessionOrMemory() {
  try {
    sessionStorage.getItem('');
    return sessionStorage;
  } catch {
    const kept = new Map();
    return {
      get length() { return kept.size; },
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
      clear: () => kept.clear(),
    };
  }
}

function examplesPlugin(examples) {
  return {
    title: 'Examples',
    icon: ExamplesIcon,
    content: () => h(Examples, { examples }),
  };
}

function ExamplesIcon() {
  const line = (y) => h('path', { key: y, d: `M4 ${y}h.01M8 ${y}h12` });
  return h('svg', {
    viewBox: '0 0 24 24', fill: 'none', stroke: 'currentColor', strokeWidth: 1.8, strokeLinecap: 'round', 'aria-hidden': true,
  }, [6, 12, 18].map(line));
}

function Examples({ examples }) {
  const { addTab, changeTab, setVisiblePlugin } = useGraphiQLActions();
  const tabs = useGraphiQL((state) => state.tabs);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);

  const open = ({ query, variables }) => {
    if (isNarrow()) setVisiblePlugin(null); // there the panel covers the editor
    const at = tabs.findIndex((tab) => tab.query?.trim() === query.trim());
    if (at >= 0) {
      changeTab(at);
    } else {
      addTab();
      queryEditor?.setValue(query);
      variableEditor?.setValue(variables ?? '');
    }
    // The row of tabs is longer than the screen: show the one that was opened.
    setTimeout(() => document.querySelector('.graphiql-tab-active')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), 50);
  };
  const tasks = [...new Set(examples.map(({ task }) => task))];
  return h('section', { 'aria-label': 'Examples', className: 'examples' },
    h('h2', null, 'Examples'),
    tasks.map((task) => h('section', { key: task, 'aria-label': task },
      h('h3', null, task),
      h('ul', null, examples.filter((example) => example.task === task).map((example) => h('li', { key: example.name },
        h('button', { type: 'button', onClick: () => open(example) },
          h('strong', null, example.name, h('small', { className: `as as-${example.who}` }, WHO[example.who] ?? example.who)),
          h('span', null, withCode(firstComment(example.query))))))))));
}

/** Words between backticks as code. */
function withCode(text) {
  return text.split('`').map((part, at) => (at % 2 === 1 ? h('code', { key: at }, part) : part));
}

const WHO = { visitor: 'anybody', attendee: 'signed in', organizer: 'organizer' };

// Below the answer: what it cost. Also the door by which the page reaches the editor of variables.
function Footer() {
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  editor.showVariables = (variables) => variableEditor?.setValue(JSON.stringify(variables, null, 2));
  return h('p', { id: 'cost', className: 'cost', role: 'status' });
}
