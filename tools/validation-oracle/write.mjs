// Random documents that are valid for a schema, or nearly: who asks for a field twice with different arguments, or for
// fields of different types under one name, is not looked for here; graphql-js says what is valid.

import {
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
  print,
} from "graphql";

/** Numbers from a seed (mulberry32), and choices made with them. */
export class Choices {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(many) {
    return Math.floor(this.next() * many);
  }

  of(list) {
    return list[this.below(list.length)];
  }

  oneIn(many) {
    return this.below(many) === 0;
  }
}

const TEXTS = ["", "a", "ä\\n", 'say \\"so\\"', "2027-05-04", "2027-05-04T18:00:00Z", "EUR", "12.50"];

/** Literals of scalars. What they hold is judged when they are used, only their kind by validation. */
const SCALARS = {
  Int: (choices) => choices.of(["0", "1", "-7", "2147483647", "20"]),
  Float: (choices) => choices.of(["0", "1.5", "-2e3"]),
  Boolean: (choices) => choices.of(["true", "false"]),
  ID: (choices) => choices.of(['"AQEB"', '""', "7"]),
  BigInt: (choices) => choices.of(['"1250"', "1250", '"-9223372036854775808"']),
};

export class Writer {
  constructor(schema, choices) {
    this.schema = schema;
    this.choices = choices;
  }

  /** Text of a document of one operation. */
  document() {
    this.aliases = 0;
    this.variables = [];
    this.fragments = [];
    const [kind, root] = this.root();
    const selection = this.set(root, 0);
    const name = this.choices.oneIn(3) ? " Named" : "";
    const takes = this.variables.length > 0 ? `(${this.variables.join(", ")})` : "";
    const short = kind === "query" && !name && !takes && this.choices.oneIn(2);
    const head = short ? "" : `${kind}${name}${takes} `;
    return [`${head}${selection}`, ...this.fragments].join("\n");
  }

  /** Kind of an operation, and its type. */
  root() {
    const mutation = this.schema.getMutationType();
    if (mutation && this.choices.oneIn(4)) return ["mutation", mutation];
    const subscription = this.schema.getSubscriptionType();
    if (subscription && this.choices.oneIn(10)) return ["subscription", subscription];
    return ["query", this.schema.getQueryType()];
  }

  set(type, depth) {
    const many = 1 + this.choices.below(3);
    const items = [];
    for (let i = 0; i < many; i += 1) items.push(this.selected(type, depth));
    return `{ ${items.join(" ")} }`;
  }

  selected(type, depth) {
    switch (this.choices.below(10)) {
      case 0: {
        const inner = this.condition(type);
        const on = inner === type && this.choices.oneIn(2) ? "" : ` on ${inner.name}`;
        return `...${on}${this.directives()} ${this.set(inner, depth + 1)}`;
      }
      case 1: {
        const inner = this.condition(type);
        const body = this.set(inner, depth + 1);
        const name = `F${this.fragments.length}`;
        this.fragments.push(`fragment ${name} on ${inner.name} ${body}`);
        return `...${name}${this.directives()}`;
      }
      default:
        return this.field(type, depth);
    }
  }

  /** A type that may stand as a condition in a selection of that type. */
  condition(type) {
    if (this.choices.oneIn(3)) return type;
    if (isAbstractType(type)) return this.choices.of(this.schema.getPossibleTypes(type));
    const above = type.getInterfaces?.() ?? [];
    return above.length > 0 ? this.choices.of(above) : type;
  }

  field(type, depth) {
    const all = Object.values(type.getFields());
    const leaves = all.filter((field) => !isCompositeType(getNamedType(field.type)));
    const offered = depth >= 3 ? leaves : all;
    if (offered.length === 0 || this.choices.oneIn(15)) return `__typename${this.directives()}`;
    const field = this.choices.of(offered);
    const given = field.args.filter((arg) => isRequiredArgument(arg) || this.choices.oneIn(3));
    const args = given.map((arg) => `${arg.name}: ${this.value(arg.type, depth)}`);
    const below = getNamedType(field.type);
    // Its own name for whatever could be asked twice with a difference.
    const alias = args.length > 0 || this.choices.oneIn(3) ? `a${(this.aliases += 1)}: ` : "";
    const set = isCompositeType(below) ? ` ${this.set(below, depth + 1)}` : "";
    return `${alias}${field.name}${args.length > 0 ? `(${args.join(", ")})` : ""}${this.directives()}${set}`;
  }

  directives() {
    const names = ["skip", "include"].filter(() => this.choices.oneIn(14));
    const bool = this.schema.getType("Boolean");
    return names.map((name) => ` @${name}(if: ${this.valueOf(bool, true, 0)})`).join("");
  }

  value(type, depth) {
    return this.valueOf(getNullableType(type), isNonNullType(type), depth);
  }

  valueOf(type, needed, depth, plain = false) {
    if (!plain && this.choices.oneIn(5)) return this.variable(type, needed);
    if (!needed && this.choices.oneIn(8)) return "null";
    if (isListType(type)) {
      const item = () =>
        this.valueOf(getNullableType(type.ofType), isNonNullType(type.ofType), depth + 1, plain);
      if (this.choices.oneIn(4)) return this.valueOf(getNullableType(type.ofType), true, depth + 1, true);
      return `[${Array.from({ length: this.choices.below(3) }, item).join(", ")}]`;
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(
        (field) => isRequiredInputField(field) || (depth < 4 && this.choices.oneIn(5)),
      );
      const value = (field) =>
        this.valueOf(getNullableType(field.type), isNonNullType(field.type), depth + 1, plain);
      return `{${fields.map((field) => `${field.name}: ${value(field)}`).join(", ")}}`;
    }
    if (isEnumType(type)) return this.choices.of(type.getValues()).name;
    const scalar = SCALARS[type.name];
    return scalar ? scalar(this.choices) : `"${this.choices.of(TEXTS)}"`;
  }

  variable(type, needed) {
    const name = `$v${this.variables.length}`;
    const place = this.variables.length;
    this.variables.push("");
    const strict = needed || this.choices.oneIn(3);
    const byDefault = this.choices.oneIn(3);
    const written = `${type}${strict && !(byDefault && this.choices.oneIn(2)) ? "!" : ""}`;
    const value = byDefault ? ` = ${this.valueOf(type, true, 3, true)}` : "";
    this.variables[place] = `${name}: ${written}${value}`;
    return name;
  }
}

/** The scalars of ours as validation sees them: what kinds of literals they take. */
export function describeScalars(schema) {
  const texts = (node) => {
    if (node.kind !== "StringValue") throw new TypeError(`${print(node)} is no text`);
    return node.value;
  };
  for (const name of ["DateTime", "Date", "CurrencyCode", "Decimal"]) {
    const type = schema.getType(name);
    if (type) type.parseLiteral = texts;
  }
  const big = schema.getType("BigInt");
  if (big) {
    big.parseLiteral = (node) => {
      const written = node.kind === "IntValue" || node.kind === "StringValue" ? node.value : "";
      if (!/^[+-]?[0-9]+$/.test(written)) throw new TypeError(`${print(node)} is no whole number`);
      if (BigInt.asIntN(64, BigInt(written)) !== BigInt(written)) throw new TypeError("too large");
      return written;
    };
  }
}

