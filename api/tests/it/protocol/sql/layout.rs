//! A statement laid out for people: a clause a line, a pair of an object a line, so that a change shows where it is.

/// What a bracket holds.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Select,
    /// `json_build_object`, with the commas seen so far.
    Pairs(usize),
    Plain,
}

const CLAUSES: [&str; 7] = ["from", "where", "order", "limit", "having", "join", "left"];

pub fn lines(sql: &str) -> String {
    let tokens = tokens(sql);
    let mut out = String::new();
    let mut around = vec![Inside::Select];
    for (at, token) in tokens.iter().enumerate() {
        let depth = around.iter().filter(|one| **one != Inside::Plain).count();
        let next_is_select = tokens
            .get(at + 1)
            .is_some_and(|next| next.trim() == "select");
        let object = at > 0 && tokens[at - 1].ends_with("json_build_object");
        match token.as_str() {
            "(" => {
                out.push('(');
                let inside = match (next_is_select, object) {
                    (true, _) => Inside::Select,
                    (_, true) => Inside::Pairs(0),
                    _ => Inside::Plain,
                };
                around.push(inside);
                if inside != Inside::Plain {
                    newline(&mut out, depth);
                }
            }
            ")" => {
                let inside = around.pop();
                if inside.is_some_and(|inside| inside != Inside::Plain) {
                    newline(&mut out, depth.saturating_sub(2));
                }
                out.push(')');
            }
            "," => {
                out.push(',');
                if let Some(Inside::Pairs(commas)) = around.last_mut() {
                    *commas += 1;
                    if *commas % 2 == 0 {
                        newline(&mut out, depth - 1);
                    }
                }
            }
            word if CLAUSES.contains(&word) && around.last() == Some(&Inside::Select) => {
                newline(&mut out, depth - 1);
                out.push_str(word);
            }
            " " if out.ends_with(['\n', ' ']) || out.ends_with("(") => {}
            other => out.push_str(other),
        }
    }
    let trimmed: Vec<&str> = out.lines().map(str::trim_end).collect();
    trimmed.join("\n")
}

fn newline(out: &mut String, depth: usize) {
    while out.ends_with(' ') {
        out.pop();
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
}

/// Words, marks, spaces; texts in quotes are one token.
fn tokens(sql: &str) -> Vec<String> {
    let mut out: Vec<String> = vec![];
    let mut chars = sql.chars().peekable();
    while let Some(first) = chars.next() {
        let mut token = first.to_string();
        if first == '\'' {
            while let Some(next) = chars.next() {
                token.push(next);
                if next == '\'' && chars.peek() != Some(&'\'') {
                    break;
                }
                if next == '\'' {
                    token.extend(chars.next());
                }
            }
        } else if !matches!(first, '(' | ')' | ',' | ' ') {
            let stops = |next: &char| !matches!(next, '(' | ')' | ',' | ' ' | '\'');
            while let Some(next) = chars.next_if(stops) {
                token.push(next);
            }
        }
        out.push(token);
    }
    out
}
