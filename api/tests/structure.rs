//! The shape of the house: how long files are, who may name whom, where a connection may be opened. Reads the sources,
//! links nothing of ours.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Lines of the longest file that is allowed.
const LONGEST: usize = 800;

/// What stands below the slices. A folder or file of `api/src` that is neither here nor in [`TOP`] is a slice.
const FLOOR: [&str; 21] = [
    "believed",
    "clock",
    "config",
    "database",
    "deprecated_uses",
    "error",
    "fault",
    "generated",
    "health",
    "http",
    "jobs",
    "live",
    "metrics",
    "outcome",
    "shutdown",
    "statements",
    "tenancy",
    "throttle",
    "turns",
    "vault",
    "verbs",
];

/// Where floor and slices meet; these may name everybody, and slices may name none of them but `state`.
const TOP: [&str; 6] = [
    "app", "assemble", "cli", "lib", "main",
    // Holds what slices keep between requests, so it knows their types.
    "state",
];

/// Files outside `tenancy` and `database` that open a connection of their own, each with the reason.
const CONNECTS: [&str; 3] = [
    // Compares the catalog with the live database before there is a door.
    "assemble.rs",
    // Asks whether the database is there; must not wait for a pool that is exhausted.
    "health.rs",
    // Connects to other systems, never to a database, and to addresses only that its guard has judged.
    "webhooks/sender.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a workspace")
        .to_owned()
}

/// All files below the folder that end so.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    const SKIPPED: [&str; 5] = ["target", ".git", "third-party", "node_modules", "data"];
    let mut found = vec![];
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && !SKIPPED.contains(&name.as_str()) {
            found.extend(files(&path, endings));
        } else if endings.iter().any(|ending| name.ends_with(ending)) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text without comments: what a sentence names is no import.
fn code(path: &Path) -> String {
    let text = read(path);
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// First part of the path below `api/src`: the slice or the part of the floor.
fn part(path: &Path, source: &Path) -> String {
    let below = path.strip_prefix(source).expect("below");
    let first = below
        .iter()
        .next()
        .expect("a part")
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The names that follow `crate::` in the text, those in braces too.
fn named(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, mark) in text.match_indices("crate::") {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &text[at + mark.len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(in_braces(group)),
            None => names.extend(first_word(rest)),
        }
    }
    names
}

fn first_word(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The first word of each item of a group that was just opened.
fn in_braces(text: &str) -> Vec<String> {
    let (mut depth, mut start, mut names) = (1, 0, vec![]);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => {}
            _ => continue,
        }
        if (c == ',' && depth == 1) || depth == 0 {
            names.extend(first_word(text[start..at].trim()));
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// Who names whom in `api/src`, with the files that do.
fn imports() -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let source = root().join("api/src");
    let mut graph: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for path in files(&source, &[".rs"]) {
        let own = part(&path, &source);
        let of_part = graph.entry(own.clone()).or_default();
        for name in named(&code(&path)) {
            if name != own {
                of_part
                    .entry(name)
                    .or_default()
                    .push(path.display().to_string());
            }
        }
    }
    graph
}

fn is_slice(name: &str) -> bool {
    !FLOOR.contains(&name) && !TOP.contains(&name)
}

#[test]
fn imports_are_read_as_they_are_written() {
    let text = "use crate::{accounts::{self, mail}, fault::Fault, tenancy::{Actor, Door}};\nlet x = crate::http::Problem; \
         other_crate::no::Way";
    let found: Vec<String> = named(text).into_iter().collect();
    assert_eq!(found, ["accounts", "fault", "http", "tenancy"]);
}

#[test]
fn no_file_is_too_long() {
    let mut long = vec![];
    for path in files(&root(), &[".rs", ".sql"]) {
        let lines = read(&path).lines().count();
        if lines > LONGEST {
            long.push(format!("{} has {lines} lines", path.display()));
        }
    }
    assert!(long.is_empty(), "cut these: {long:#?}");
}

#[test]
fn the_floor_names_no_slice() {
    let graph = imports();
    assert!(
        graph.keys().filter(|part| is_slice(part)).count() > 3,
        "{graph:?}"
    );
    for (part, names) in graph
        .iter()
        .filter(|(part, _)| FLOOR.contains(&part.as_str()))
    {
        for (name, by) in names {
            let below = FLOOR.contains(&name.as_str()) || name == "state";
            let known = graph.contains_key(name);
            assert!(below || !known, "{part} names {name} in {by:?}");
        }
    }
}

#[test]
fn slices_form_a_graph_without_circles() {
    let graph = imports();
    let slices: BTreeMap<&String, BTreeSet<&String>> = graph
        .iter()
        .filter(|(part, _)| is_slice(part))
        .map(|(part, names)| {
            (
                part,
                names
                    .keys()
                    .filter(|name| is_slice(name) && graph.contains_key(*name))
                    .collect(),
            )
        })
        .collect();
    let mut left = slices.clone();
    while !left.is_empty() {
        let free: Vec<&String> = left
            .iter()
            .filter(|(_, names)| names.iter().all(|name| !left.contains_key(*name)))
            .map(|(part, _)| *part)
            .collect();
        assert!(
            !free.is_empty(),
            "these name each other in a circle: {left:#?}"
        );
        for part in free {
            left.remove(part);
        }
    }
}

#[test]
fn slices_do_not_reach_over_to_where_they_are_put_together() {
    let graph = imports();
    let top = ["app", "assemble", "cli", "main", "lib"];
    for (part, names) in graph.iter().filter(|(part, _)| is_slice(part)) {
        for (name, by) in names {
            assert!(
                !top.contains(&name.as_str()),
                "{part} names {name} in {by:?}"
            );
        }
    }
}

#[test]
fn connections_and_roles_are_taken_at_the_door_only() {
    const WAYS: [&str; 11] = [
        "set role",
        "set local role",
        "set session authorization",
        "set_config('role'",
        ".connect(",
        "::connect(",
        "connect_lazy",
        "connect_with",
        "PgPoolOptions",
        "batch_execute",
        "begin_with_config",
    ];
    let source = root().join("api/src");
    let mut users = BTreeSet::new();
    for path in files(&source, &[".rs"]) {
        let inside = ["tenancy", "database"].contains(&part(&path, &source).as_str());
        let text = code(&path);
        if let Some(way) = WAYS.iter().find(|way| !inside && text.contains(**way)) {
            let name = path
                .strip_prefix(&source)
                .expect("below")
                .display()
                .to_string();
            assert!(
                CONNECTS.contains(&name.as_str()),
                "{name} has `{way}`: take a transaction from tenancy::Door"
            );
            users.insert(name);
        }
    }
    let allowed: BTreeSet<String> = CONNECTS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(users, allowed, "an exception that nobody needs any more");
}

#[test]
fn nothing_but_the_fence_itself_names_its_inner_parts() {
    let source = root().join("api/src");
    for path in files(&source, &[".rs"]) {
        if part(&path, &source) == "tenancy" {
            continue;
        }
        for inner in ["actor", "door", "read", "system", "grants"] {
            let way = format!("tenancy::{inner}::");
            assert!(
                !code(&path).contains(&way),
                "{} names {way}",
                path.display()
            );
        }
    }
}

#[test]
fn every_sql_function_says_what_it_is_and_is_closed_to_the_public() {
    let folder = root().join("sql/functions");
    let all = files(&folder, &[".sql"]);
    assert!(all.len() > 10, "no functions in {}", folder.display());
    for path in all {
        let (text, name) = (read(&path), path.display());
        assert!(text.starts_with("-- "), "{name} begins with no header");
        for part in ["-- Called from:", "-- Raises:"] {
            assert!(text.contains(part), "{name} does not say `{part}`");
        }
        for (at, mark) in text.match_indices("create or replace function ") {
            let function = text[at + mark.len()..]
                .split('(')
                .next()
                .unwrap_or_default();
            let revoked = text.split(';').any(|statement| {
                statement.contains(&format!("revoke execute on function {function}("))
                    && statement.trim_end().ends_with("from public")
            });
            assert!(revoked, "{name} leaves {function} open to everybody");
        }
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Put together, so that this file does not name them.
    let words = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["unimpl", "emented!"].concat(),
    ];
    let mut found = vec![];
    for path in files(
        &root(),
        &[
            ".rs",
            ".sql",
            ".sh",
            ".toml",
            ".md",
            ".yml",
            ".yaml",
            "Makefile",
            "Dockerfile",
        ],
    ) {
        let text = read(&path);
        let words = words.iter().filter(|word| text.contains(word.as_str()));
        found.extend(words.map(|word| format!("{} has {word}", path.display())));
    }
    assert!(found.is_empty(), "{found:#?}");
}
