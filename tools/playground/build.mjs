// Bundles GraphiQL with React and Monaco once, into files the program embeds. See README.md.
import { build } from 'esbuild';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { licences } from './licences.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = fileURLToPath(new URL('../../api/assets/third-party/graphiql/', import.meta.url));

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: {
    graphiql: 'src/graphiql.js',
    'editor.worker': 'node_modules/monaco-editor/esm/vs/editor/editor.worker.js',
    'json.worker': 'node_modules/monaco-editor/esm/vs/language/json/json.worker.js',
    'graphql.worker': 'node_modules/monaco-graphql/esm/graphql.worker.js',
  },
  outdir: out,
  bundle: true,
  minify: true,
  splitting: true,
  format: 'esm',
  target: ['chrome109', 'firefox115', 'safari16'],
  chunkNames: 'chunk-[hash]',
  assetNames: '[name]',
  alias: {
    'monaco-editor/esm/vs/editor/edcore.main.js': './src/monaco.js',
    'prettier/standalone': './src/format.js',
    'prettier/plugins/graphql': './src/no-plugin.js',
    'prettier/plugins/estree': './src/no-plugin.js',
    'prettier/parser-graphql': './src/no-plugin.js',
    'prettier/parser-babel': './src/no-plugin.js',
  },
  loader: { '.ttf': 'file' },
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'none', // every licence is in LICENSES.txt, once
  metafile: true,
  logLevel: 'warning',
});

// Styles of modules that are also loaded on demand come out a second time, in files nothing refers to.
for (const name of await readdir(out)) if (/^chunk-.*\.css$/.test(name)) await rm(join(out, name));
await writeFile(join(out, 'LICENSES.txt'), await licences(here, metafile));
await writeFile(join(out, 'README.md'), await readme());

let total = 0;
for (const name of (await readdir(out)).sort()) {
  const { size } = await stat(join(out, name));
  total += size;
  console.log(String(size).padStart(9), name);
}
console.log(String(total).padStart(9), 'bytes in all');

async function readme() {
  const { devDependencies } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
  const made = ['graphiql', 'monaco-editor', 'react', 'graphql'].map((name) => `${name} ${devDependencies[name]}`);
  return `# GraphiQL, bundled

Made from ${made.join(', ')} by

    cd tools/playground && npm ci && npm run build

and not edited by hand. Licences of everything inside: LICENSES.txt. \`graphiql.js\` and \`graphiql.css\` are what a page loads;
the workers and chunks find each other by relative address, so the folder must be served as it is. Nothing is fetched from another host.
`;
}
