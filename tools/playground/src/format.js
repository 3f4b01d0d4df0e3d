// Stands in for prettier, whose bundle is as large as React and brings some hundred notices for one button. GraphiQL asks
// `format(text, {parser})` of it for two languages only, and both can be formatted by parsers that are in the bundle already.
import { Lexer, Source, TokenKind, parse, print } from 'graphql';
import { applyEdits, format as jsonEdits } from 'jsonc-parser';

export async function format(text, { parser } = {}) {
  return parser === 'jsonc' ? formatJson(text) : formatGraphql(text);
}

function formatJson(text) {
  return applyEdits(text, jsonEdits(text, undefined, { tabSize: 2, insertSpaces: true })).trim();
}

// `print` forgets comments. Both texts hold the same tokens in the same order, so a comment finds its place again by the
// number of the token that followed it.
export function formatGraphql(text) {
  const before = tokens(text);
  const printed = print(parse(text));
  if (before.comments.length === 0) return printed;
  const after = tokens(printed);
  if (after.all.length !== before.all.length) return text; // never lose a comment for the sake of an indent
  const lines = printed.split('\n');
  const above = new Map();
  for (const { comment, next, own } of before.comments) {
    const follower = after.all[next];
    const deeper = follower.kind === TokenKind.BRACE_R ? '  ' : '';
    if (own) push(above, follower.kind === TokenKind.EOF ? lines.length : follower.line - 1, deeper + comment);
    else lines[after.all[next - 1].line - 1] += ` ${comment}`;
  }
  return [...lines, '']
    .flatMap((line, at) => [...(above.get(at) ?? []).map((comment) => indent(line ?? '') + comment), line])
    .join('\n')
    .trimEnd();
}

function tokens(text) {
  const lexer = new Lexer(new Source(text));
  const all = [];
  const comments = [];
  let depth = 0;
  for (let token = lexer.token.next ?? read(lexer); ; token = read(lexer)) {
    if (token.kind === TokenKind.COMMENT) {
      // A block string may end on another line than it begins on: nothing can be put behind it by its line number.
      const last = all.at(-1);
      const own = last?.line !== token.line || last.kind === TokenKind.BLOCK_STRING;
      comments.push({ comment: `#${token.value}`.trimEnd(), next: all.length, own });
      continue;
    }
    if (token.kind === TokenKind.BRACE_L) {
      // `query {` is printed as `{`: leave the word out on both sides, or the numbers would differ.
      if (depth === 0 && all.at(-1)?.value === 'query') all.pop();
      depth += 1;
    }
    if (token.kind === TokenKind.BRACE_R) depth -= 1;
    all.push(token);
    if (token.kind === TokenKind.EOF) return { all, comments };
  }
}

// `Lexer.advance` steps over comments, but leaves them in the chain of tokens.
function read(lexer) {
  const last = lexer.token;
  lexer.token = last.next ?? (last.kind === TokenKind.EOF ? last : lexer.lookahead() && last.next);
  return lexer.token;
}

const indent = (line) => /^\s*/.exec(line)[0];

function push(map, key, value) {
  map.set(key, [...(map.get(key) ?? []), value]);
}
