//! What a document may cost before async-graphql sees it: tokens, nesting, and fragments that expand.

use std::collections::HashMap;

use async_graphql::{
    Positioned,
    parser::types::{ExecutableDocument, Field, Selection, SelectionSet},
};

/// Bounds of one document.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Tokens of the text.
    pub tokens: usize,
    /// Nesting of fields.
    pub depth: usize,
    /// Nesting of brackets of any kind, before parsing.
    pub brackets: usize,
    /// Fields with an alias.
    pub aliases: usize,
    /// Root fields of an operation.
    pub root_fields: usize,
    /// Directives.
    pub directives: usize,
    /// Fields after all fragments are expanded.
    pub expanded_fields: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 64 * 1024,
            tokens: 2000,
            depth: 12,
            brackets: 64,
            aliases: 30,
            root_fields: 20,
            directives: 50,
            expanded_fields: 2000,
        }
    }
}

/// How deep the lists of introspection may nest in each other: types have fields, which have types, which have fields;
/// each level multiplies the answer. What tools send has one.
const INTROSPECTION_LISTS: usize = 2;

/// Why a document was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// More of something than allowed.
    #[error("the document has more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// Fragments that contain themselves.
    #[error("fragment {0} contains itself")]
    Cycle(String),
    /// Introspection that multiplies: types of fields of types of fields ...
    #[error("introspection nests its lists more than {INTROSPECTION_LISTS} deep")]
    Introspection,
}

fn too_many(what: &'static str, limit: usize) -> Refusal {
    Refusal::TooMany {
        what,
        limit: limit as u64,
    }
}

/// Bounds the text. Linear in its length, allocates nothing.
pub fn check_text(text: &str, limits: &Limits) -> Result<(), Refusal> {
    if text.len() > limits.bytes {
        return Err(too_many("bytes", limits.bytes));
    }
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut depth) = (0, 0, 0usize);
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                while at < bytes.len() && bytes[at] != b'\n' && bytes[at] != b'\r' {
                    at += 1;
                }
                continue;
            }
            b'"' => at = end_of_string(bytes, at),
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > limits.brackets {
                    return Err(too_many("nested brackets", limits.brackets));
                }
                at += 1;
            }
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            _ if byte == b'_' || byte.is_ascii_alphanumeric() || byte == b'-' => {
                at += 1;
                while at < bytes.len()
                    && (bytes[at] == b'_' || bytes[at] == b'.' || bytes[at].is_ascii_alphanumeric())
                {
                    at += 1;
                }
            }
            _ => at += 1,
        }
        tokens += 1;
        if tokens > limits.tokens {
            return Err(too_many("tokens", limits.tokens));
        }
    }
    Ok(())
}

/// The place after a string or block string that starts at `at`.
pub(crate) fn end_of_string(bytes: &[u8], at: usize) -> usize {
    if bytes[at..].starts_with(b"\"\"\"") {
        let mut at = at + 3;
        while at < bytes.len() && !bytes[at..].starts_with(b"\"\"\"") {
            at += if bytes[at..].starts_with(b"\\\"\"\"") {
                4
            } else {
                1
            };
        }
        return at + 3;
    }
    let mut at = at + 1;
    while at < bytes.len() && bytes[at] != b'"' && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// Size of what a selection set expands to.
#[derive(Clone, Copy, Default)]
struct Size {
    fields: u64,
    depth: usize,
    /// Fields at the top, those of fragments included.
    direct: u64,
    /// Nesting of the lists of introspection.
    lists: usize,
}

/// Bounds the parsed document. Each fragment is measured once, so doubling fragments cost nothing to refuse.
pub fn check_document(document: &ExecutableDocument, limits: &Limits) -> Result<(), Refusal> {
    let mut walk = Walk {
        document,
        limits,
        known: HashMap::new(),
        open: vec![],
        aliases: 0,
        directives: 0,
    };
    // Fragments that no operation uses too: the validator walks through them as well.
    for fragment in document.fragments.keys() {
        let size = walk.fragment(fragment.as_str())?;
        check_fields(size, limits)?;
    }
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        walk.directives += operation.directives.len();
        let size = walk.set(&operation.selection_set)?;
        if size.direct > limits.root_fields as u64 {
            return Err(too_many("root fields", limits.root_fields));
        }
        if size.depth > limits.depth {
            return Err(too_many("levels of fields", limits.depth));
        }
        check_fields(size, limits)?;
    }
    if walk.aliases > limits.aliases {
        return Err(too_many("aliases", limits.aliases));
    }
    if walk.directives > limits.directives {
        return Err(too_many("directives", limits.directives));
    }
    Ok(())
}

fn check_fields(size: Size, limits: &Limits) -> Result<(), Refusal> {
    if size.fields > limits.expanded_fields {
        return Err(Refusal::TooMany {
            what: "fields once its fragments are expanded",
            limit: limits.expanded_fields,
        });
    }
    Ok(())
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    limits: &'a Limits,
    known: HashMap<&'a str, Size>,
    open: Vec<&'a str>,
    aliases: usize,
    directives: usize,
}

impl<'a> Walk<'a> {
    fn fragment(&mut self, name: &'a str) -> Result<Size, Refusal> {
        if let Some(size) = self.known.get(name) {
            return Ok(*size);
        }
        if self.open.contains(&name) {
            return Err(Refusal::Cycle(name.to_owned()));
        }
        // An unknown fragment is the validator's to name.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Size::default());
        };
        self.open.push(name);
        let size = self.set(&fragment.node.selection_set)?;
        self.open.pop();
        self.known.insert(name, size);
        Ok(size)
    }

    fn set(&mut self, set: &'a Positioned<SelectionSet>) -> Result<Size, Refusal> {
        let mut total = Size::default();
        for item in &set.node.items {
            let (directives, size) = match &item.node {
                Selection::Field(field) => (field.node.directives.len(), self.field(&field.node)?),
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    (spread.node.directives.len(), self.fragment(name)?)
                }
                Selection::InlineFragment(inline) => (
                    inline.node.directives.len(),
                    self.set(&inline.node.selection_set)?,
                ),
            };
            self.directives += directives;
            total.fields = total.fields.saturating_add(size.fields);
            total.direct = total.direct.saturating_add(size.direct);
            total.depth = total.depth.max(size.depth);
            total.lists = total.lists.max(size.lists);
        }
        Ok(total)
    }

    fn field(&mut self, field: &'a Field) -> Result<Size, Refusal> {
        if field.alias.is_some() {
            self.aliases += 1;
        }
        let name = field.name.node.as_str();
        let inner = self.set(&field.selection_set)?;
        if matches!(name, "__schema" | "__type") && inner.lists > INTROSPECTION_LISTS {
            return Err(Refusal::Introspection);
        }
        let list = matches!(
            name,
            "fields" | "interfaces" | "possibleTypes" | "inputFields"
        );
        // The introspection query of every tool is deeper than any question about data need be.
        let depth = match name {
            "__schema" | "__type" if inner.depth <= self.limits.depth + 8 => 1,
            _ => inner.depth + 1,
        };
        Ok(Size {
            fields: inner.fields.saturating_add(1),
            depth,
            direct: 1,
            lists: inner.lists + usize::from(list),
        })
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn a_short_text_passes() {
        assert_eq!(
            check_text(
                "query A($x: Int = 1) { a(b: \"}\\\"\") { c } # {{{{\n }",
                &Limits::default()
            ),
            Ok(())
        );
    }

    #[test]
    fn tokens_and_brackets_are_counted_outside_strings_and_comments() {
        let limits = Limits {
            tokens: 5,
            brackets: 2,
            ..Limits::default()
        };
        assert_eq!(check_text("{ a b c }", &limits), Ok(()));
        assert!(check_text("{ a b c d }", &limits).is_err());
        assert!(check_text("{{{", &limits).is_err());
        assert_eq!(
            check_text("\"\"\"{{{{{{ a b c d e f \"\"\"", &limits),
            Ok(())
        );
    }

    #[test]
    fn doubling_fragments_are_refused_without_expanding_them() {
        let mut text = "{ ...f0 }".to_owned();
        for level in 0..60 {
            text += &format!(
                " fragment f{level} on Query {{ ...f{} ...f{} }}",
                level + 1,
                level + 1
            );
        }
        text += " fragment f60 on Query { a }";
        let document = parse_query(&text).unwrap();
        assert!(matches!(
            check_document(&document, &Limits::default()),
            Err(Refusal::TooMany { .. })
        ));
    }

    #[test]
    fn introspection_may_not_multiply() {
        let refused = |text: &str| {
            check_document(&parse_query(text).unwrap(), &Limits::default())
                == Err(Refusal::Introspection)
        };
        assert!(refused(
            "{ __schema { types { ...t } } } fragment t on __Type { fields { type { fields { type { inputFields { name } } } } } }"
        ));
        assert!(!refused(
            "{ __schema { types { fields { type { fields { name } } } inputFields { name } } } }"
        ));
    }

    #[test]
    fn root_fields_are_counted_through_fragments() {
        let names: Vec<String> = (0..21).map(|n| format!("f{n}")).collect();
        let text = format!("{{ ...a }} fragment a on Query {{ {} }}", names.join(" "));
        assert_eq!(
            check_document(&parse_query(&text).unwrap(), &Limits::default()),
            Err(too_many("root fields", 20))
        );
    }

    #[test]
    fn a_fragment_in_itself_is_refused() {
        let document =
            parse_query("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }")
                .unwrap();
        assert!(matches!(
            check_document(&document, &Limits::default()),
            Err(Refusal::Cycle(_))
        ));
    }
}
