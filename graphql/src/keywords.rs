//! What the parser takes although it is no GraphQL: a keyword that runs into the name behind it (`fragmentF on Query`, which
//! it reads as `fragment F on Query`).

use async_graphql::Pos;

use crate::guard::end_of_string;

/// What definitions that can be executed begin with, unless with a brace.
const KEYWORDS: [&str; 4] = ["query", "mutation", "subscription", "fragment"];

/// The first definition that begins with a word which is no keyword. For texts that the parser took.
pub(crate) fn glued(text: &str) -> Option<Pos> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut begins) = (0, 0usize, true);
    while at < bytes.len() {
        match bytes[at] {
            b'#' => {
                while at < bytes.len() && bytes[at] != b'\n' && bytes[at] != b'\r' {
                    at += 1;
                }
            }
            b'"' => at = end_of_string(bytes, at),
            b'{' | b'[' | b'(' => {
                begins = false;
                depth += 1;
                at += 1;
            }
            byte @ (b'}' | b']' | b')') => {
                depth = depth.saturating_sub(1);
                begins = depth == 0 && byte == b'}';
                at += 1;
            }
            byte if byte == b'_' || byte.is_ascii_alphabetic() => {
                let from = at;
                while at < bytes.len() && (bytes[at] == b'_' || bytes[at].is_ascii_alphanumeric()) {
                    at += 1;
                }
                if begins && !KEYWORDS.contains(&&text[from..at]) {
                    return Some(position(text, from));
                }
                begins = false;
            }
            _ => at += 1,
        }
    }
    None
}

fn position(text: &str, at: usize) -> Pos {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    Pos { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_stand_alone() {
        for text in [
            "{ a }",
            "query { a }",
            "query queryNamed($x: X = {a: 1}) @d(b: {c: 2}) { a }",
            "# fragmentF\n\"\"\"queryX\"\"\" query Q { a(b: \"} queryX\") } fragment fragmentF on queryX { a }",
            "mutation{a}subscription{a}",
        ] {
            assert_eq!(glued(text), None, "{text}");
        }
        for (text, line, column) in [
            ("queryNamed { a }", 1, 1),
            ("query { ...F }\n fragmentF on Query { a }", 2, 2),
            ("{ a } mutationX { a }", 1, 7),
        ] {
            assert_eq!(glued(text), Some(Pos { line, column }), "{text}");
        }
    }
}
