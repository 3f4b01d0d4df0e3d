//! Fields given twice in one input object. The parser keeps the last without a word, so they are looked for in the text.

use async_graphql::Pos;

use crate::guard::end_of_string;

/// What surrounds a place in the text.
enum Around<'a> {
    /// `(` or `[`, or `{` of a selection.
    Other,
    /// `{` of an input object, with the names given so far.
    Object(Vec<&'a str>),
}

/// The first field that an input object of the document gives twice. The text has been parsed before.
pub(crate) fn find(text: &str) -> Option<(String, Pos)> {
    let bytes = text.as_bytes();
    let (mut at, mut parentheses) = (0, 0usize);
    let mut around: Vec<Around<'_>> = vec![];
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'#' => at = after_comment(bytes, at),
            b'(' => {
                parentheses += 1;
                around.push(Around::Other);
            }
            b'{' if parentheses > 0 => around.push(Around::Object(vec![])),
            b'{' | b'[' => around.push(Around::Other),
            b')' => {
                parentheses = parentheses.saturating_sub(1);
                around.pop();
            }
            b']' | b'}' => {
                around.pop();
            }
            byte if is_name(byte) => {
                let start = at;
                while at < bytes.len() && is_name(bytes[at]) {
                    at += 1;
                }
                let name = &text[start..at];
                if let Some(Around::Object(names)) = around.last_mut()
                    && next_is_colon(bytes, at)
                {
                    if names.contains(&name) {
                        return Some((name.to_owned(), position(text, start)));
                    }
                    names.push(name);
                }
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// The place of the line's end.
fn after_comment(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'\n' && bytes[at] != b'\r' {
        at += 1;
    }
    at
}

fn next_is_colon(bytes: &[u8], mut at: usize) -> bool {
    while at < bytes.len() {
        match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | 0xef | 0xbb | 0xbf => at += 1,
            b'#' => at = after_comment(bytes, at),
            byte => return byte == b':',
        }
    }
    false
}

fn position(text: &str, at: usize) -> Pos {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Pos {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_given_twice_is_found_where_it_stands_again() {
        let found = find("{ a(x: {\n b: 1, c: {b: 2}, b: 3}) }");
        assert_eq!(
            found,
            Some((
                "b".to_owned(),
                Pos {
                    line: 2,
                    column: 19
                }
            ))
        );
    }

    #[test]
    fn the_same_name_elsewhere_is_none() {
        for text in [
            "{ a(x: {b: {b: 1}, c: b, d: $b}) b: b c: b }",
            "query($b: T = {b: 1}) { a(b: {b: \"b: 1 b: 2\"}) # {b: b:}\n }",
            "{ a(x: [{b: 1}, {b: 1}]) { a(x: {b # :\n : 1}) } }",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
