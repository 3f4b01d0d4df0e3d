// The one door between our hand-written page and the libraries: playground.js imports only from here.
// Imported here and not on demand, so that Monaco's styles land in graphiql.css.
import { editor as monacoEditor } from 'monaco-graphql/esm/monaco-editor.js';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';

const workers = { graphql: 'graphql.worker.js', json: 'json.worker.js' };
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) =>
    new Worker(new URL(workers[label] ?? 'editor.worker.js', import.meta.url), { type: 'module', name: label }),
};

export { monacoEditor };
export { createElement } from 'react';
export { createRoot } from 'react-dom/client';
export { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
export { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
