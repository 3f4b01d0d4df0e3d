//! Whatever is sent, the answer is GraphQL and never our fault: documents grown from the schema with faults put in,
//! values of every kind in every place, and bytes changed at random.

use std::collections::HashMap;

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, Type, TypeKind, TypeSystemDefinition},
};
use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::{Value, json};

use super::reply::Reply;
use crate::harness::{EventSetup, TestApp};

struct Described {
    name: String,
    arguments: Vec<(String, Type)>,
    of: Type,
}

#[derive(Default)]
struct Schema {
    objects: HashMap<String, Vec<Described>>,
    inputs: HashMap<String, Vec<(String, Type)>>,
    enums: HashMap<String, Vec<String>>,
}

impl Schema {
    fn read(sdl: &str) -> Self {
        let mut schema = Self::default();
        for definition in parse_schema(sdl).expect("a schema").definitions {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            let name = definition.node.name.node.to_string();
            let inputs = |fields: &[async_graphql::Positioned<
                async_graphql::parser::types::InputValueDefinition,
            >]| {
                let one = |field: &async_graphql::Positioned<
                    async_graphql::parser::types::InputValueDefinition,
                >| {
                    (field.node.name.node.to_string(), field.node.ty.node.clone())
                };
                fields.iter().map(one).collect::<Vec<_>>()
            };
            let fields = match definition.node.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                TypeKind::InputObject(input) => {
                    schema.inputs.insert(name, inputs(&input.fields));
                    continue;
                }
                TypeKind::Enum(described) => {
                    let values = described
                        .values
                        .iter()
                        .map(|value| value.node.value.node.to_string());
                    schema.enums.insert(name, values.collect());
                    continue;
                }
                _ => continue,
            };
            let fields = fields.iter().map(|field| Described {
                name: field.node.name.node.to_string(),
                arguments: inputs(&field.node.arguments),
                of: field.node.ty.node.clone(),
            });
            schema.objects.insert(name, fields.collect());
        }
        schema
    }
}

fn named(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(item) => named(item),
    }
}

/// Grows a document; each byte is one choice, so that fewer bytes make a smaller document.
struct Grower<'a> {
    schema: &'a Schema,
    ids: &'a [String],
    choices: std::slice::Iter<'a, u8>,
    variables: Vec<(String, String, Value)>,
}

/// Verbs that sleep on hashes, or end the session that the test runs in.
const LEFT_OUT: [&str; 9] = [
    "signUp",
    "signIn",
    "signOut",
    "resetPassword",
    "changePassword",
    "requestPasswordReset",
    "leaveOrganization",
    "switchOrganization",
    "refreshSession",
];

impl Grower<'_> {
    fn pick(&mut self, among: usize) -> usize {
        usize::from(self.choices.next().copied().unwrap_or(0)) % among.max(1)
    }

    /// True in one of so many.
    fn rarely(&mut self, in_so_many: usize) -> bool {
        self.pick(in_so_many) == in_so_many - 1
    }

    fn document(&mut self) -> String {
        let (word, root) = if self.rarely(3) {
            ("mutation", "Mutation")
        } else {
            ("query", "Query")
        };
        let selection = self.selection(root, 0);
        let definitions: Vec<String> = self
            .variables
            .iter()
            .map(|(name, of, _)| format!("${name}: {of}"))
            .collect();
        match definitions.is_empty() {
            true => format!("{word} {selection}"),
            false => format!("{word}({}) {selection}", definitions.join(", ")),
        }
    }

    fn selection(&mut self, type_name: &str, depth: usize) -> String {
        let Some(fields) = self.schema.objects.get(type_name) else {
            return String::new();
        };
        let mut out = vec!["__typename".to_owned()];
        for _ in 0..=self.pick(3) {
            let field = &fields[self.pick(fields.len())];
            let inner = named(&field.of);
            let leaf = !self.schema.objects.contains_key(inner);
            if (depth > 5 && !leaf) || LEFT_OUT.contains(&field.name.as_str()) {
                continue;
            }
            let mut arguments = vec![];
            for (name, of) in &field.arguments {
                let bounded = matches!(name.as_str(), "first" | "last");
                if !of.nullable || bounded || self.rarely(3) {
                    let value = if bounded && !self.rarely(8) {
                        "2".to_owned()
                    } else {
                        self.literal(of, 0)
                    };
                    if name != "last" || self.rarely(6) {
                        arguments.push(format!("{name}: {value}"));
                    }
                }
            }
            let arguments = if arguments.is_empty() {
                String::new()
            } else {
                format!("({})", arguments.join(", "))
            };
            let alias = format!("a{}_{}", depth, out.len());
            let below = if leaf {
                String::new()
            } else {
                self.selection(inner, depth + 1)
            };
            let directive = if self.rarely(20) {
                " @include(if: true)"
            } else {
                ""
            };
            let name = if self.rarely(60) {
                "nothing"
            } else {
                &field.name
            };
            let field = format!("{alias}: {name}{arguments}{directive} {below}");
            out.push(if self.rarely(10) {
                format!("... on {type_name} {{ {field} }}")
            } else {
                field
            });
        }
        format!("{{ {} }}", out.join(" "))
    }

    fn literal(&mut self, of: &Type, depth: usize) -> String {
        if self.rarely(12) {
            let name = format!("v{}", self.variables.len());
            let value = self.json(of, depth);
            self.variables.push((name.clone(), of.to_string(), value));
            return format!("${name}");
        }
        let written = self.json(of, depth);
        let enum_type = self.schema.enums.contains_key(named(of));
        graphql(&written, enum_type, self.schema)
    }

    fn json(&mut self, of: &Type, depth: usize) -> Value {
        if self.rarely(10) {
            return self.odd();
        }
        if of.nullable && self.rarely(8) {
            return Value::Null;
        }
        let name = match &of.base {
            BaseType::List(item) => {
                let many = self.pick(3);
                return (0..many).map(|_| self.json(item, depth + 1)).collect();
            }
            BaseType::Named(name) => name.as_str(),
        };
        if let Some(values) = self.schema.enums.get(name) {
            return json!(values[self.pick(values.len())]);
        }
        if let Some(fields) = self.schema.inputs.get(name) {
            let mut out = serde_json::Map::new();
            for (name, of) in fields {
                if !of.nullable || (depth < 4 && self.rarely(4)) {
                    out.insert(name.clone(), self.json(of, depth + 1));
                }
            }
            return Value::Object(out);
        }
        match name {
            "Int" => json!(self.pick(256) as i64 - 3),
            "Boolean" => json!(self.rarely(2)),
            "BigInt" => json!((self.pick(256) * 1_000_003).to_string()),
            "DateTime" => json!(format!(
                "2027-05-{:02}T{:02}:00:00Z",
                1 + self.pick(28),
                self.pick(24)
            )),
            "ID" => json!(self.ids[self.pick(self.ids.len())]),
            "CurrencyCode" => json!("EUR"),
            _ => json!(
                [
                    "a",
                    "Rust Day",
                    "rust-day",
                    "acme",
                    "ä😀",
                    "a@b.example",
                    "%",
                    "'; drop table users; --"
                ][self.pick(8)]
            ),
        }
    }

    fn odd(&mut self) -> Value {
        match self.pick(16) {
            0 => json!(i64::MIN),
            1 => json!(u64::MAX),
            2 => json!(1.5),
            3 => json!(1e300),
            4 => json!("\u{0}"),
            5 => json!("x".repeat(3000)),
            6 => json!([[[[]]]]),
            7 => json!({ "a": { "b": null } }),
            8 => json!(true),
            9 => json!("\u{202e}\u{ffff}\u{1}\"\\"),
            10 => json!("-infinity"),
            11 => json!("9999-12-31T23:59:60Z"),
            12 => json!(""),
            13 => json!([null]),
            14 => json!({}),
            _ => Value::Null,
        }
    }
}

/// JSON as a GraphQL literal. Words of enums are left bare, wherever one of that name may stand.
fn graphql(value: &Value, enum_type: bool, schema: &Schema) -> String {
    match value {
        Value::String(word) if enum_type => word.clone(),
        Value::String(word) if schema.enums.values().any(|values| values.contains(word)) => {
            word.clone()
        }
        Value::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| graphql(item, enum_type, schema))
                .collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", graphql(value, false, schema)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

struct Ground {
    app: TestApp,
    token: String,
    ids: Vec<String>,
    schema: Schema,
}

async fn ground() -> Ground {
    let app = TestApp::start().await;
    let ours = app.organizer("acme").await;
    let event = ours.event(&EventSetup::default()).await;
    let others = app.organizer("globex").await;
    let theirs = others.event(&EventSetup::default()).await;
    let mut ids = vec!["nonsense".to_owned(), String::new()];
    for value in [
        &event["id"],
        &event["pool"],
        &event["types"][0],
        &event["types"][1],
        &theirs["id"],
        &theirs["types"][0],
        &ours.organization["id"],
    ] {
        ids.push(value.as_str().expect("an id").to_owned());
    }
    let schema = Schema::read(&app.app.engine.sdl());
    Ground {
        token: ours.token.clone(),
        app,
        ids,
        schema,
    }
}

/// What must hold of every answer; how far it came.
fn judge(reply: &Reply, sent: &str) -> Result<bool, TestCaseError> {
    let fail = |what: &str| Err(TestCaseError::fail(format!("{what}\n{sent}\n{reply:?}")));
    if reply.status >= 500 {
        return fail("a fault of ours");
    }
    let Ok(body) = serde_json::from_str::<Value>(&reply.text) else {
        return fail("no JSON");
    };
    if reply.text.contains(r#""code":"INTERNAL""#) {
        return fail("an internal error");
    }
    for error in body["errors"].as_array().into_iter().flatten() {
        if !error["extensions"]["code"].is_string() || !error["extensions"]["requestId"].is_string()
        {
            return fail("an error without code or request id");
        }
    }
    Ok(body.get("data").is_some())
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    })
}

#[test]
fn whatever_is_asked_the_answer_is_sound() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let ground = runtime.block_on(ground());
    let executed = std::cell::Cell::new(0);
    let ran = runner(300).run(&vec(any::<u8>(), 0..250), |bytes| {
        let mut grower = Grower {
            schema: &ground.schema,
            ids: &ground.ids,
            choices: bytes.iter(),
            variables: vec![],
        };
        let query = grower.document();
        let variables: Value = grower
            .variables
            .iter()
            .map(|(name, _, value)| (name.clone(), value.clone()))
            .collect();
        let sent = json!({ "query": query, "variables": variables }).to_string();
        let mut request = ground.app.bytes(sent.clone());
        if bytes.first().is_some_and(|byte| byte % 4 > 0) {
            request = request.bearer_auth(&ground.token);
        }
        let reply = runtime.block_on(Reply::of(request));
        if judge(&reply, &sent)? {
            executed.set(executed.get() + 1);
        }
        Ok(())
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        executed.get() > 60,
        "too few of the documents were any good: {}",
        executed.get()
    );
    assert_eq!(runtime.block_on(ground.app.database.stock_faults()), 0);
}

#[test]
fn bytes_changed_at_random_are_answered() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let app = runtime.block_on(TestApp::start());
    let good = br#"{"query":"query A($n: Int = 3, $f: EventFilter) { events(first: $n, filter: $f, orderBy: [TITLE_ASC]) { nodes { title ... on Event @include(if: true) { id } } } }","variables":{"n":1,"f":{"title":{"startsWith":"R\u00e4"}}},"operationName":"A"}"#;
    let changes = vec(
        (any::<proptest::sample::Index>(), any::<u8>(), 0..3u8),
        1..6,
    );
    let ran = runner(300).run(&changes, |changes| {
        let mut body = good.to_vec();
        for (place, byte, what) in changes {
            let at = place.index(body.len());
            match what {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                _ => drop(body.remove(at)),
            }
        }
        let sent = String::from_utf8_lossy(&body).into_owned();
        let reply = runtime.block_on(Reply::of(app.bytes(body)));
        judge(&reply, &sent).map(drop)
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
}
