//! Pages against plain SQL: every size, both ways, with ties and nulls in the columns of the order.

use serde_json::{Value, json};

use super::lab::{Lab, ROWS};

const PAGE: &str =
    "query($first: Int, $last: Int, $after: String, $before: String, $orderBy: [ThingOrderBy!]) {
  things(first: $first, last: $last, after: $after, before: $before, orderBy: $orderBy) {
    totalCount
    nodes { id }
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}";

/// Orders of the API, and the same in SQL.
const ORDERS: [(&[&str], &str); 10] = [
    (&[], "id"),
    (&["NAME_ASC"], "name, id"),
    (&["NAME_DESC"], "name desc, id desc"),
    (&["SALES_START_AT_ASC"], "sales_start_at, id"),
    (&["SALES_START_AT_DESC"], "sales_start_at desc, id desc"),
    (
        &["PRICE_MINOR_DESC", "SALES_START_AT_ASC"],
        "price_minor desc, sales_start_at, id",
    ),
    (
        &["SALES_START_AT_DESC", "POSITION_ASC", "NAME_DESC"],
        "sales_start_at desc, position, name desc, id desc",
    ),
    (
        &["HIDDEN_DESC", "POSITION_DESC"],
        "hidden desc, position desc, id desc",
    ),
    (&["POSITION_ASC", "ID_DESC"], "position, id desc"),
    (
        &["EVENT_ID_ASC", "SALES_START_AT_ASC"],
        "event_id, sales_start_at, id",
    ),
];

fn ids(nodes: &Value) -> Vec<String> {
    let nodes = nodes.as_array().expect("a list");
    let id = |node: &Value| node["id"].as_str().expect("an id").to_owned();
    nodes.iter().map(id).collect()
}

/// All pages of that size, each as it lies in the order; backward ones are put in front.
async fn walk(lab: &Lab, order: &[&str], size: usize, backward: bool) -> Vec<String> {
    let mut all: Vec<String> = vec![];
    let mut cursor = Value::Null;
    loop {
        let variables = match backward {
            true => json!({ "last": size, "before": cursor, "orderBy": order }),
            false => json!({ "first": size, "after": cursor, "orderBy": order }),
        };
        let page = lab.ask(PAGE, &variables).await["things"].take();
        let found = ids(&page["nodes"]);
        let edges = page["edges"].as_array().expect("edges");
        let of_edges = Value::Array(edges.iter().map(|edge| edge["node"].clone()).collect());
        assert_eq!(found, ids(&of_edges));
        assert_eq!(page["totalCount"], ROWS);
        let info = &page["pageInfo"];
        assert_eq!(
            info["startCursor"],
            edges
                .first()
                .map_or(Value::Null, |edge| edge["cursor"].clone())
        );
        assert_eq!(
            info["endCursor"],
            edges
                .last()
                .map_or(Value::Null, |edge| edge["cursor"].clone())
        );
        let (more, behind, next) = match backward {
            true => ("hasPreviousPage", "hasNextPage", "startCursor"),
            false => ("hasNextPage", "hasPreviousPage", "endCursor"),
        };
        assert_eq!(info[behind], json!(!cursor.is_null()), "{variables}");
        match backward {
            true => all.splice(0..0, found).for_each(drop),
            false => all.extend(found),
        }
        assert!(all.len() <= ROWS, "rows come twice: {variables}");
        if info[more] == json!(false) {
            return all;
        }
        cursor = info[next].clone();
    }
}

#[tokio::test]
async fn every_page_size_walks_the_whole_order_both_ways() {
    let lab = Lab::open().await;
    for (order, sql) in ORDERS {
        let expected = lab.oracle(&format!("order by {sql}")).await;
        assert_eq!(expected.len(), ROWS);
        for size in [1, 2, 3, 7, 22, 23, 24, 100] {
            for backward in [false, true] {
                let walked = walk(&lab, order, size, backward).await;
                assert_eq!(
                    walked, expected,
                    "{order:?} by {size}, backward: {backward}"
                );
            }
        }
    }
}

#[tokio::test]
async fn cursors_bound_a_page_from_both_sides() {
    let lab = Lab::open().await;
    for (order, sql) in ORDERS {
        let expected = lab.oracle(&format!("order by {sql}")).await;
        let all = lab
            .ask(PAGE, &json!({ "first": 100, "orderBy": order }))
            .await;
        let cursor = |at: usize| all["things"]["edges"][at]["cursor"].clone();
        let (after, before) = (cursor(4), cursor(17));
        for (size, found) in [(100, 5..17), (3, 5..8)] {
            let variables =
                json!({ "first": size, "after": after, "before": before, "orderBy": order });
            let page = lab.ask(PAGE, &variables).await;
            assert_eq!(ids(&page["things"]["nodes"]), expected[found]);
        }
        let variables = json!({ "last": 3, "after": after, "before": before, "orderBy": order });
        let page = lab.ask(PAGE, &variables).await;
        assert_eq!(ids(&page["things"]["nodes"]), expected[14..17]);
        let variables = json!({ "first": 5, "after": before, "before": after, "orderBy": order });
        assert_eq!(
            lab.ask(PAGE, &variables).await["things"]["nodes"],
            json!([])
        );
    }
}

#[tokio::test]
async fn a_cursor_keeps_its_place_when_rows_come_and_go() {
    let lab = Lab::open().await;
    let order = "order by sales_start_at desc, id desc";
    let before = lab.oracle(order).await;
    let variables = json!({ "first": 10, "orderBy": ["SALES_START_AT_DESC"] });
    let page = lab.ask(PAGE, &variables).await;
    let cursor = page["things"]["pageInfo"]["endCursor"].clone();
    lab.admin
        .batch_execute(
            "insert into ticket_types (org_id, event_id, name, currency, sales_start_at)
             select org_id, event_id, 'new', currency, at
             from ticket_types, (values (null::timestamptz), ('2028-01-01'), ('2026-01-01')) v(at)
             where position = 0;",
        )
        .await
        .expect("more rows");
    // The row of the cursor itself goes.
    let gone = format!(
        "delete from ticket_types where id in (select id from ticket_types where name <> 'new' {order} offset 9 limit 1)"
    );
    lab.admin.batch_execute(&gone).await.expect("one row less");
    let variables = json!({ "first": 100, "after": cursor, "orderBy": ["SALES_START_AT_DESC"] });
    let rest = lab.ask(PAGE, &variables).await;
    let rest: Vec<String> = ids(&rest["things"]["nodes"])
        .into_iter()
        .filter(|id| before.contains(id))
        .collect();
    assert_eq!(rest, before[10..]);
}

#[tokio::test]
async fn empty_pages_and_defaults_are_told_as_such() {
    let lab = Lab::open().await;
    let page = lab.ask(PAGE, &json!({ "first": 0 })).await["things"].take();
    assert_eq!(
        page["pageInfo"],
        json!({ "hasNextPage": true, "hasPreviousPage": false, "startCursor": null, "endCursor": null })
    );
    let page = lab.ask(PAGE, &json!({})).await["things"].take();
    assert_eq!(page["nodes"].as_array().map(Vec::len), Some(20));
    for only in [
        "{ things { totalCount } }",
        "{ things { __typename totalCount } }",
    ] {
        assert_eq!(
            lab.ask(only, &json!({})).await["things"]["totalCount"],
            ROWS
        );
    }
    let info = lab
        .ask(
            "{ things(first: 100) { pageInfo { hasNextPage } } }",
            &json!({}),
        )
        .await;
    assert_eq!(info["things"]["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn cursors_of_something_else_are_refused() {
    let lab = Lab::open().await;
    let page = lab
        .ask(PAGE, &json!({ "first": 1, "orderBy": ["NAME_ASC"] }))
        .await;
    let cursor = page["things"]["pageInfo"]["endCursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    let decoded = decode(&cursor);
    let parts = decoded.as_array().expect("parts").clone();
    let with = |at: usize, value: Value| {
        let mut parts = parts.clone();
        parts[at] = value;
        encode(&Value::Array(parts))
    };
    let mut bad = vec![
        String::new(),
        "%%%".to_owned(),
        "AAAA".to_owned(),
        "😀".to_owned(),
        format!("{cursor}A"),
        "A".repeat(100_000),
        encode(&json!({})),
        encode(&json!([])),
        encode(&json!(null)),
        encode(&json!([parts[0]])),
        with(0, json!("AAAAAAAA")),
        with(1, json!(5)),
        with(1, Value::Null),
        with(1, json!("a\u{0}b")),
        with(2, json!("no uuid")),
        with(2, Value::Null),
        with(2, json!(["x"])),
    ];
    bad.push(encode(&json!([parts[0], parts[1], parts[2], "more"])));
    for (at, text) in bad.iter().enumerate() {
        for side in ["after", "before"] {
            let answer = lab
                .send(PAGE, &json!({ side: text, "orderBy": ["NAME_ASC"] }))
                .await;
            assert_eq!(
                answer["errors"][0]["extensions"]["code"], "BAD_CURSOR",
                "{at} {text}: {answer}"
            );
        }
    }
    for order in [
        json!(null),
        json!(["NAME_DESC"]),
        json!(["NAME_ASC", "ID_DESC"]),
        json!(["POSITION_ASC"]),
    ] {
        let answer = lab
            .send(PAGE, &json!({ "after": cursor, "orderBy": order }))
            .await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "BAD_CURSOR",
            "{order}"
        );
    }
    let other = "query($after: String) { things { nodes { id } } x: things(after: $after, orderBy: [SALES_START_AT_ASC]) { nodes { id } } }";
    let wrong_type = "bm90IGEgdGltZQ";
    let answer = lab.send(other, &json!({ "after": wrong_type })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_CURSOR");
}

fn encode(value: &Value) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decode(cursor: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let bytes = URL_SAFE_NO_PAD.decode(cursor).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}
