// What introspection cannot tell: points and lists of each field, from the directives of /schema.graphql, put behind the
// descriptions that the documentation and the editor show.

/** Descriptions of types and fields get a sentence about their cost; `result` is the answer to an introspection query. */
export async function withCosts(result) {
  const response = await fetch('/schema.graphql');
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const { types, fields } = readDirectives(await response.text());
  for (const type of result.data.__schema.types) {
    if (!type.fields || type.name.startsWith('__') || type.kind !== 'OBJECT') continue;
    const own = types.get(type.name) ?? 1;
    type.description = join(type.description, own === 0 ? '' : `**${points(own)}** each.`);
    for (const field of type.fields) {
      const told = fields.get(`${type.name}.${field.name}`) ?? {};
      field.description = join(field.description, sentence(told, field, types));
    }
  }
  return result;
}

const points = (number) => `${number} point${number === 1 ? '' : 's'}`;
const join = (description, more) => [description, more].filter(Boolean).join('\n\n');

function sentence({ weight, assumed, slicing }, field, types) {
  const row = types.get(named(field.type)) ?? (isLeaf(field.type) ? 0 : 1);
  const base = weight ?? row;
  if (assumed === undefined) return base === 0 ? '' : `Cost: **${points(base)}**.`;
  const rows = slicing.length > 0 ? `a row for each of ${slicing.map((name) => `\`${name}\``).join(' or ')}` : 'its rows';
  return `Cost: **${points(base)}** and ${rows}, ${assumed} where nothing is said.`;
}

function named(type) {
  return type.ofType ? named(type.ofType) : type.name;
}

function isLeaf(type) {
  return type.ofType ? isLeaf(type.ofType) : ['SCALAR', 'ENUM'].includes(type.kind);
}

/**
 * `@cost` and `@listSize` of an SDL: `{types: Map(name -> weight), fields: Map("Type.field" -> {weight, assumed, slicing})}`.
 * Reads what this server prints: a definition a line, arguments on lines of their own, descriptions in block strings.
 */
export function readDirectives(sdl) {
  const types = new Map();
  const fields = new Map();
  let type = null;
  let field = null;
  let inArguments = false;
  for (const line of withoutDescriptions(sdl)) {
    const head = /^(?:type|interface) (\w+)/.exec(line);
    if (head) {
      type = head[1];
      const weight = /@cost\(weight: (\d+)\)/.exec(line);
      if (weight) types.set(type, Number(weight[1]));
    } else if (/^\S/.test(line)) {
      type = null; // the end of it, or something without fields
    } else if (type) {
      if (!inArguments) field = /^\s+(\w+)/.exec(line)?.[1] ?? field;
      if (!inArguments && /^\s+\w+\($/.test(line)) inArguments = true;
      else if (/^\s+\)/.test(line)) inArguments = false;
      if (!inArguments && field) note(fields, `${type}.${field}`, line);
    }
  }
  return { types, fields };
}

function note(fields, coordinate, line) {
  const weight = /@cost\(weight: (\d+)\)/.exec(line);
  const list = /@listSize\(assumedSize: (\d+)(?:, slicingArguments: \[([^\]]*)\])?/.exec(line);
  if (!weight && !list) return;
  fields.set(coordinate, {
    weight: weight ? Number(weight[1]) : undefined,
    assumed: list ? Number(list[1]) : undefined,
    slicing: list?.[2]?.match(/\w+/g) ?? [],
  });
}

function* withoutDescriptions(sdl) {
  let inside = false;
  for (const line of sdl.split('\n')) {
    const marks = line.split('"""').length - 1;
    if (marks === 0 && !inside) yield line;
    else if (marks === 1) inside = !inside;
  }
}
