// LICENSES.txt: every package with at least one byte in the bundle, with its licence in full, equal texts once.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

// Packages that publish no licence file; their repository has it at the root, next to the package named here.
const SIBLINGS = {
  '@graphiql/plugin-doc-explorer': 'graphiql',
  '@graphiql/plugin-history': 'graphiql',
  'react-compiler-runtime': 'react',
  'react-remove-scroll-bar': 'react-remove-scroll',
};
const LINE = '-'.repeat(100);

export async function licences(root, metafile) {
  const texts = new Map();
  for (const folder of packages(metafile)) {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
    const text = await licenceText(root, folder, name);
    texts.set(text, [...(texts.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const parts = [...texts].map(([text, names]) => `${LINE}\n${names.join('\n')}\n${LINE}\n${text}\n`);
  const head = 'The files in this folder contain the packages below, minified. The icon font codicon.ttf comes with\n'
    + 'monaco-editor and is licensed by Microsoft under CC BY 4.0.\n\n';
  const monaco = await readFile(join(root, 'node_modules/monaco-editor/ThirdPartyNotices.txt'), 'utf8');
  return `${head}${parts.join('\n')}\n${LINE}\nmonaco-editor: third-party notices\n${LINE}\n${tidy(monaco)}\n`;
}

function packages({ outputs }) {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const used = inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0]);
  return [...new Set(used)].filter(Boolean).sort();
}

async function licenceText(root, folder, name) {
  const home = SIBLINGS[name] ? `node_modules/${SIBLINGS[name]}` : folder;
  const files = (await readdir(join(root, home))).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  if (files.length === 0) throw new Error(`${name} has no licence file: name its sibling in licences.mjs`);
  const texts = await Promise.all(files.sort().map((file) => readFile(join(root, home, file), 'utf8')));
  return texts.map(tidy).join('\n\n');
}

const tidy = (text) => text.replace(/\r\n?/g, '\n').replace(/[ \t]+$/gm, '').trim();
