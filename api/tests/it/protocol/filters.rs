//! Filters against plain SQL: every operator on every scalar, and how they are put together.

use serde_json::{Value, json};

use super::lab::Lab;

const ASK: &str = "query($filter: ThingFilter) { things(first: 100, filter: $filter) { totalCount nodes { id } } }";

async fn meets(lab: &Lab, filter: Value, condition: &str) -> usize {
    let expected = lab.oracle(&format!("where {condition} order by id")).await;
    let found = lab.ask(ASK, &json!({ "filter": filter })).await["things"].take();
    let ids: Vec<&str> = found["nodes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|node| node["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids, expected, "{filter} / {condition}");
    assert_eq!(found["totalCount"], expected.len(), "{filter}");
    expected.len()
}

/// A column of the API, its SQL, three values as the API takes them, the same in SQL.
const VALUES: [(&str, &str, [&str; 3], [&str; 3]); 4] = [
    (
        "name",
        "name",
        [r#""a""#, r#""ä""#, r#""a\\b""#],
        ["'a'", "'ä'", r"'a\b'"],
    ),
    ("position", "position", ["0", "1", "3"], ["0", "1", "3"]),
    (
        "priceMinor",
        "price_minor",
        [r#""0""#, "3000000000", r#""6000000000""#],
        ["0", "3000000000", "6000000000"],
    ),
    (
        "salesStartAt",
        "sales_start_at",
        [
            r#""2027-01-01T01:00:00.000001+01:00""#,
            r#""2027-01-01T00:00:01.500001Z""#,
            r#""2027-01-01T00:00:06Z""#,
        ],
        [
            "timestamptz '2027-01-01 00:00:00.000001+00'",
            "timestamptz '2027-01-01 00:00:01.500001+00'",
            "timestamptz '2027-01-01 00:00:06+00'",
        ],
    ),
];

#[tokio::test]
async fn every_operator_agrees_with_sql_on_every_ordered_scalar() {
    let lab = Lab::open().await;
    let mut rows = 0;
    for (field, column, values, in_sql) in VALUES {
        for (value, sql) in values.iter().zip(in_sql) {
            let value: Value = serde_json::from_str(value).expect("JSON");
            for (operator, in_sql) in [
                ("eq", "="),
                ("ne", "is distinct from"),
                ("lt", "<"),
                ("lte", "<="),
                ("gt", ">"),
                ("gte", ">="),
            ] {
                let condition = format!("{column} {in_sql} {sql}");
                rows += meets(&lab, json!({ field: { operator: value } }), &condition).await;
            }
        }
        let list: Vec<Value> = values
            .iter()
            .map(|text| serde_json::from_str(text).expect("JSON"))
            .collect();
        let among = format!("{column} in ({})", in_sql[..2].join(", "));
        rows += meets(&lab, json!({ field: { "in": list[..2] } }), &among).await;
        rows += meets(
            &lab,
            json!({ field: { "notIn": list[..2] } }),
            &format!("({among}) is not true"),
        )
        .await;
        rows += meets(
            &lab,
            json!({ field: { "in": list[0] } }),
            &format!("{column} = {}", in_sql[0]),
        )
        .await;
        meets(&lab, json!({ field: { "in": [] } }), "false").await;
        meets(&lab, json!({ field: { "notIn": [] } }), "true").await;
        meets(
            &lab,
            json!({ field: { "isNull": true } }),
            &format!("{column} is null"),
        )
        .await;
        meets(
            &lab,
            json!({ field: { "isNull": false } }),
            &format!("{column} is not null"),
        )
        .await;
    }
    assert!(rows > 300, "most comparisons must find something: {rows}");
}

#[tokio::test]
async fn keys_booleans_and_beginnings_agree_with_sql() {
    let lab = Lab::open().await;
    let ids = lab.oracle("order by id limit 2").await;
    let key = "(select id from ticket_types order by id limit 1)";
    assert_eq!(
        meets(
            &lab,
            json!({ "id": { "eq": ids[0] } }),
            &format!("id = {key}")
        )
        .await,
        1
    );
    meets(
        &lab,
        json!({ "id": { "ne": ids[0] } }),
        &format!("id <> {key}"),
    )
    .await;
    let two = "id in (select id from ticket_types order by id limit 2)";
    assert_eq!(meets(&lab, json!({ "id": { "in": ids } }), two).await, 2);
    meets(
        &lab,
        json!({ "id": { "notIn": ids } }),
        &format!("not {two}"),
    )
    .await;
    // An id of another type, of nobody, or none at all finds nothing and excludes nothing.
    let foreign = eventsphere_graphql::global_id::encode(2, uuid::Uuid::nil());
    for id in [foreign.as_str(), "", "nonsense"] {
        meets(&lab, json!({ "id": { "eq": id } }), "false").await;
        meets(&lab, json!({ "id": { "ne": id } }), "true").await;
        meets(&lab, json!({ "id": { "in": [id] } }), "false").await;
        meets(&lab, json!({ "id": { "notIn": [id] } }), "true").await;
    }
    for (value, sql) in [(true, "hidden"), (false, "not hidden")] {
        assert!(meets(&lab, json!({ "hidden": { "eq": value } }), sql).await > 0);
        meets(
            &lab,
            json!({ "hidden": { "ne": value } }),
            &format!("not ({sql})"),
        )
        .await;
    }
    for (text, sql) in [
        ("a", "a"),
        ("ab", "ab"),
        ("a'", "a''"),
        ("a\\", "a\\"),
        ("%", "%"),
        ("", ""),
        ("😀", "😀"),
    ] {
        meets(
            &lab,
            json!({ "name": { "startsWith": text } }),
            &format!("starts_with(name, '{sql}')"),
        )
        .await;
    }
}

#[tokio::test]
async fn conditions_are_put_together_as_in_logic() {
    let lab = Lab::open().await;
    let cheap = json!({ "priceMinor": { "eq": "0" } });
    let early = json!({ "salesStartAt": { "lt": "2027-01-01T00:00:02Z" } });
    let (is_cheap, is_early) = (
        "price_minor = 0",
        "sales_start_at < '2027-01-01 00:00:02+00'",
    );
    for (filter, condition) in [
        (json!({}), "true".to_owned()),
        (json!(null), "true".to_owned()),
        (
            json!({ "name": null, "not": null, "and": null, "or": null }),
            "true".to_owned(),
        ),
        (json!({ "name": {} }), "true".to_owned()),
        (
            json!({ "and": [], "name": { "eq": "a" } }),
            "name = 'a'".to_owned(),
        ),
        (json!({ "or": [] }), "false".to_owned()),
        (json!({ "not": {} }), "false".to_owned()),
        (json!({ "or": {} }), "true".to_owned()),
        (
            json!({ "and": [cheap, early] }),
            format!("{is_cheap} and {is_early}"),
        ),
        (
            json!({ "or": [cheap, early] }),
            format!("{is_cheap} or {is_early}"),
        ),
        (json!({ "not": early }), format!("({is_early}) is not true")),
        (
            json!({ "not": { "or": [cheap, early] } }),
            format!("({is_cheap} or {is_early}) is not true"),
        ),
        (
            json!({ "or": [cheap, { "and": [early, { "not": { "position": { "gt": 1 } } }] }], "hidden": { "eq": false } }),
            format!("({is_cheap} or ({is_early} and not position > 1)) and not hidden"),
        ),
        (
            json!({ "position": { "gt": 0, "lte": 2, "ne": 1 } }),
            "position = 2".to_owned(),
        ),
    ] {
        meets(&lab, filter, &condition).await;
    }
}

#[tokio::test]
async fn filters_are_bounded_and_typed() {
    let lab = Lab::open().await;
    let nested = |depth: usize| {
        (0..depth).fold(
            json!({ "position": { "eq": 1 } }),
            |inner, _| json!({ "not": inner }),
        )
    };
    let predicates = |many: usize| {
        let one = json!({ "position": { "eq": 1 } });
        json!({ "or": vec![one; many] })
    };
    let positions = |many: usize| json!({ "position": { "in": (0..many).collect::<Vec<_>>() } });
    for fine in [nested(3), predicates(20), positions(100)] {
        lab.ask(ASK, &json!({ "filter": fine })).await;
    }
    for wrong in [
        nested(4),
        nested(60),
        predicates(21),
        positions(101),
        json!({ "position": { "eq": 2_147_483_648_i64 } }),
        json!({ "position": { "eq": -2_147_483_649_i64 } }),
        json!({ "position": { "eq": 1.0 } }),
        json!({ "position": { "eq": "1" } }),
        json!({ "position": { "eq": true } }),
        json!({ "position": { "eq": [1] } }),
        json!({ "position": { "eq": null } }),
        json!({ "position": 1 }),
        json!({ "position": [{ "eq": 1 }] }),
        json!({ "position": { "between": [1, 2] } }),
        json!({ "position": { "startsWith": "1" } }),
        json!({ "position": { "in": [1, null] } }),
        json!({ "position": { "in": [[1]] } }),
        json!({ "position": { "in": null } }),
        json!({ "position": { "isNull": null } }),
        json!({ "position": { "isNull": "yes" } }),
        json!({ "priceMinor": { "eq": "9223372036854775808" } }),
        json!({ "priceMinor": { "eq": "1.5" } }),
        json!({ "priceMinor": { "eq": 1e30 } }),
        json!({ "priceMinor": { "eq": "" } }),
        json!({ "priceMinor": { "eq": "0x10" } }),
        json!({ "name": { "eq": 5 } }),
        json!({ "name": { "eq": "a\u{0}" } }),
        json!({ "name": { "startsWith": "\u{0}" } }),
        json!({ "name": { "in": ["a", "\u{0}"] } }),
        json!({ "name": { "contains": "a" } }),
        json!({ "hidden": { "eq": "true" } }),
        json!({ "hidden": { "lt": true } }),
        json!({ "hidden": { "in": [true] } }),
        json!({ "salesStartAt": { "eq": "2027-01-01" } }),
        json!({ "salesStartAt": { "eq": "2027-01-01T00:00:00" } }),
        json!({ "salesStartAt": { "eq": "infinity" } }),
        json!({ "salesStartAt": { "eq": 0 } }),
        json!({ "salesStartAt": { "eq": "-0001-01-01T00:00:00Z" } }),
        json!({ "salesStartAt": { "eq": "2027-02-30T00:00:00Z" } }),
        json!({ "id": { "eq": ["x"] } }),
        json!({ "id": { "eq": { "a": 1 } } }),
        json!({ "id": { "lt": "x" } }),
        json!({ "description": { "eq": "a" } }),
        json!({ "nothing": { "eq": 1 } }),
        json!({ "org_id": { "eq": "x" } }),
        json!([]),
        json!("a"),
        json!({ "and": 5 }),
        json!({ "or": [null] }),
        json!({ "not": [] }),
    ] {
        let answer = lab.send(ASK, &json!({ "filter": wrong })).await;
        assert!(answer.get("data").is_none(), "{wrong}: {answer}");
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
            "{wrong}"
        );
    }
}
