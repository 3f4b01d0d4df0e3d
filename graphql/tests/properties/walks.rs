//! A connection walked to its end, page by page, gives every row once and in its order.

use serde_json::{Map, Value, json};

use crate::{
    asks::orders,
    choices::{Choices, bytes_of},
    ground::{BEST_FIRST, Ground},
    model,
};

/// Walks each root connection in a few orders, forward and backward; how many walks that were.
pub fn every_row_comes_once(ground: &Ground<'_>, seed: u64) -> u64 {
    let bytes = bytes_of(seed ^ 0x77a1, 4096);
    let mut choices = Choices::new(&bytes);
    let mut walks = 0;
    for (index, entity) in ground.world.entities.iter().enumerate() {
        let Some(root) = &entity.root_many else {
            continue;
        };
        for _ in 0..3 {
            let names = orders(entity, &mut choices);
            let order = model::order(&ground.world, index, &names);
            let expected: Vec<Value> = model::sorted(&ground.world, index, &order)
                .iter()
                .map(|row| row[0].shown(&entity.columns[0].scalar, &ground.world.entities))
                .collect();
            let size = 1 + choices.pick(6);
            let forward = choices.one_in(2);
            let found = walk(ground, root, &names, size, forward);
            assert_eq!(
                found, expected,
                "PROPERTY_SEED={seed} {root} by {names:?}, {size} a page, forward: {forward}"
            );
            walks += 1;
        }
    }
    for index in 0..ground.world.entities.len() {
        let Some(seeker) = ground.world.seeker(index) else {
            continue;
        };
        let entity = &ground.world.entities[index];
        let order = model::order(&ground.world, index, &[BEST_FIRST.to_owned()]);
        let expected: Vec<Value> = model::sorted(&ground.world, index, &order)
            .iter()
            .map(|row| row[0].shown(&entity.columns[0].scalar, &ground.world.entities))
            .collect();
        let (size, forward) = (1 + choices.pick(6), choices.one_in(2));
        let found = walk(ground, &seeker.field, &[], size, forward);
        assert_eq!(found, expected, "PROPERTY_SEED={seed} {}", seeker.field);
        walks += 1;
    }
    walks
}

fn walk(
    ground: &Ground<'_>,
    root: &str,
    names: &[String],
    size: usize,
    forward: bool,
) -> Vec<Value> {
    let (many, from, more, edge) = match forward {
        true => ("first", "after", "hasNextPage", "endCursor"),
        false => ("last", "before", "hasPreviousPage", "startCursor"),
    };
    let ordered = match names.is_empty() {
        true => String::new(),
        false => format!("orderBy: [{}],", names.join(", ")),
    };
    let query = format!(
        "query($c: String) {{ {root}({ordered} {many}: {size}, {from}: $c) {{ nodes {{ id }} pageInfo {{ {more} {edge} }} }} }}"
    );
    let mut found: Vec<Value> = vec![];
    let mut variables = Map::new();
    loop {
        let answer = ground.send(&query, &variables);
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        let page = &answer["data"][root];
        let nodes = page["nodes"].as_array();
        let nodes = nodes.unwrap_or_else(|| panic!("{query}\n{variables:?}\n{answer}"));
        let ids = nodes.iter().map(|node| node["id"].clone());
        match forward {
            true => found.extend(ids),
            false => drop(found.splice(0..0, ids)),
        }
        if page["pageInfo"][more] != json!(true) {
            return found;
        }
        assert!(found.len() < 200, "a walk without an end: {query}");
        variables.insert("c".to_owned(), page["pageInfo"][edge].clone());
    }
}
