//! MJML and HTML as a row of tags and texts, for what we need to know of it before others parse it: how deep it goes,
//! whether it brings anything along that a mail must not, and what it says in plain text.

/// Elements deeper than that are refused: parsers go down one call a level.
const DEEPEST: usize = 60;

/// What a mail must not hold, whoever wrote it: things that run, load documents, or escape what is around them.
const REFUSED: [&str; 12] = [
    "script",
    "iframe",
    "object",
    "embed",
    "form",
    "input",
    "base",
    "meta",
    "link",
    "svg",
    "mj-include",
    "mj-raw",
];

/// The elements of MJML; the parser takes others for HTML and lets them through. Without `mj-raw` and `mj-include`, and
/// without `mj-font`, which loads from elsewhere.
const MJML: [&str; 30] = [
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-image",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-wrapper",
];

/// Tags that end a line of text.
const BREAKS: [&str; 22] = [
    "mj-text",
    "mj-section",
    "mj-column",
    "mj-table",
    "mj-hero",
    "mj-wrapper",
    "p",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "tr",
    "table",
    "blockquote",
    "pre",
    "section",
];

/// Tags that are never closed.
const VOID: [&str; 8] = ["br", "hr", "img", "col", "wbr", "area", "source", "track"];

/// A piece of markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    /// Name and all that stands behind it.
    Open(&'a str, &'a str, bool),
    Close(&'a str),
}

/// Tags and texts in order; comments and declarations left out.
fn pieces(markup: &str) -> impl Iterator<Item = (usize, Piece<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = markup.get(at..).filter(|rest| !rest.is_empty())?;
            let start = at;
            if let Some(comment) = rest.strip_prefix("<!--") {
                at += 4 + comment_length(comment);
                continue;
            }
            if !opens_tag(rest) {
                let length = next_tag(rest);
                at += length;
                return Some((start, Piece::Text(&rest[..length])));
            }
            let length = tag_length(rest);
            at += length;
            let inside = rest[1..length].trim_end_matches('>');
            if let Some(name) = inside.strip_prefix('/') {
                return Some((start, Piece::Close(name.trim())));
            }
            if inside.starts_with(['!', '?']) {
                continue;
            }
            let closed = inside.ends_with('/');
            let inside = inside.trim_end_matches('/');
            let (name, behind) = inside
                .split_once(|c: char| c.is_whitespace())
                .unwrap_or((inside, ""));
            return Some((start, Piece::Open(name, behind, closed)));
        }
    })
}

fn opens_tag(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next() == Some('<')
        && characters
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
}

/// Bytes before the next tag or comment; at least one.
fn next_tag(text: &str) -> usize {
    let mut from = 1;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find('<')) {
        if opens_tag(&text[from + found..]) {
            return from + found;
        }
        from += found + 1;
    }
    text.len()
}

/// Length of the tag that the text begins with; a `>` in quotes does not end it.
fn tag_length(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '>') => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The value of an attribute, its entities read.
fn attribute(behind: &str, name: &str) -> Option<String> {
    let mut rest = behind;
    while let Some((before, after)) = rest.split_once('=') {
        let key = before.split_whitespace().next_back().unwrap_or("");
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, further) = after[1..].split_once(quote)?;
        if key.eq_ignore_ascii_case(name) {
            return Some(unescaped(value));
        }
        rest = further;
    }
    None
}

/// Names of attributes in lower case, whatever stands in their values.
fn attribute_names(behind: &str) -> Vec<String> {
    let mut names = vec![];
    let mut outside = String::new();
    let mut quote = None;
    for c in behind.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => {
                quote = Some(c);
                outside.push(' ');
            }
            None => outside.push(c),
        }
    }
    for (at, _) in outside.match_indices('=') {
        let before = outside[..at].trim_end();
        let name = before
            .split(|c: char| c.is_whitespace() || c == '/')
            .next_back();
        names.extend(name.map(str::to_ascii_lowercase));
    }
    names
}

/// How far a comment goes behind its opening, as browsers read it.
fn comment_length(comment: &str) -> usize {
    for closed_at_once in [">", "->"] {
        if comment.starts_with(closed_at_once) {
            return closed_at_once.len();
        }
    }
    let ends = ["-->", "--!>"].map(|end| comment.find(end).map(|at| at + end.len()));
    ends.into_iter().flatten().min().unwrap_or(comment.len())
}

/// Why the markup is refused, with the line of it: too deep, something that a mail must not hold, a link to a script.
pub fn refused(markup: &str) -> Option<(usize, String)> {
    let mut depth = 0usize;
    for (at, piece) in pieces(markup) {
        let line = || markup[..at].matches('\n').count() + 1;
        match piece {
            Piece::Open(name, behind, closed) => {
                let name = name.to_ascii_lowercase();
                if REFUSED.contains(&name.as_str()) {
                    return Some((line(), format!("<{name}> is not allowed in a mail")));
                }
                if name.starts_with("mj-") && !MJML.contains(&name.as_str()) {
                    return Some((line(), format!("there is no element <{name}>")));
                }
                if let Some(reason) = refused_attributes(behind) {
                    return Some((line(), reason));
                }
                if !closed && !VOID.contains(&name.as_str()) {
                    depth += 1;
                }
                if depth > DEEPEST {
                    let reason =
                        format!("elements stand inside of each other more than {DEEPEST} deep");
                    return Some((line(), reason));
                }
            }
            Piece::Close(_) => depth = depth.saturating_sub(1),
            Piece::Text(_) => {}
        }
    }
    None
}

fn refused_attributes(behind: &str) -> Option<String> {
    for name in attribute_names(behind) {
        if name.len() > 2 && name.starts_with("on") {
            return Some(format!("the attribute {name} is not allowed in a mail"));
        }
    }
    for name in ["href", "src", "background-url", "action-url"] {
        let value = attribute(behind, name).unwrap_or_default();
        let value: String = value
            .chars()
            .filter(|c| !c.is_whitespace() && !c.is_control())
            .collect();
        // What is left of an entity here is one that readers of mail may know and we do not.
        let begins = value.split(['/', '?', '#']).next().unwrap_or_default();
        if begins.contains('&') {
            return Some("a link that cannot be read is not allowed in a mail".to_owned());
        }
        let scheme = value
            .split_once(':')
            .map(|(scheme, _)| scheme.to_ascii_lowercase());
        let known = ["http", "https", "mailto", "tel", "cid", "sms"];
        if let Some(scheme) =
            scheme.filter(|scheme| scheme.chars().all(|c| c.is_ascii_alphanumeric()))
            && !known.contains(&scheme.as_str())
        {
            return Some(format!("links to {scheme}: are not allowed in a mail"));
        }
    }
    None
}

/// What it says without its looks: paragraphs with an empty line between them, links with their address.
pub fn plain(markup: &str) -> String {
    let mut out = Plain::default();
    for (_, piece) in pieces(markup) {
        match piece {
            Piece::Text(text) => out.text(text),
            Piece::Open(name, behind, closed) => {
                out.open(&name.to_ascii_lowercase(), behind, closed)
            }
            Piece::Close(name) => out.close(&name.to_ascii_lowercase()),
        }
    }
    out.finish()
}

#[derive(Default)]
struct Plain {
    lines: Vec<String>,
    line: String,
    /// How many elements around say nothing.
    silent: usize,
    /// The address of the link around, and where its words begin.
    link: Option<(String, usize)>,
}

impl Plain {
    fn text(&mut self, text: &str) {
        if self.silent > 0 {
            return;
        }
        let text = unescaped(text);
        let before = self.line.is_empty() || self.line.ends_with(' ');
        if text.starts_with(char::is_whitespace) && !before {
            self.line.push(' ');
        }
        let words: Vec<_> = text.split_whitespace().collect();
        self.line.push_str(&words.join(" "));
        if text.ends_with(char::is_whitespace) && !words.is_empty() {
            self.line.push(' ');
        }
    }

    fn open(&mut self, name: &str, behind: &str, closed: bool) {
        match name {
            "mj-head" | "style" | "title" if !closed => self.silent += 1,
            "br" => self.end_line(),
            "hr" | "mj-divider" => {
                self.paragraph();
                self.line.push_str("--");
                self.paragraph();
            }
            "li" => {
                self.end_line();
                self.line.push_str("- ");
            }
            "a" => self.link = attribute(behind, "href").map(|href| (href, self.line.len())),
            "mj-button" => {
                self.paragraph();
                self.link = attribute(behind, "href").map(|href| (href, 0));
            }
            "td" | "th" if !self.line.is_empty() => self.line.push_str("  "),
            _ if BREAKS.contains(&name) => self.paragraph(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "mj-head" | "style" | "title" => self.silent = self.silent.saturating_sub(1),
            "a" => {
                if let Some((href, from)) = self.link.take() {
                    let words = self.line.get(from..).unwrap_or("").trim();
                    let address = href.strip_prefix("mailto:").unwrap_or(&href);
                    if words != address && !address.is_empty() {
                        self.line = format!("{} ({address})", self.line.trim_end());
                    }
                }
            }
            "mj-button" => {
                if let Some((href, _)) = self.link.take() {
                    self.line = format!("{}:", self.line.trim_end());
                    self.end_line();
                    self.line.push_str(&href);
                }
                self.paragraph();
            }
            "li" | "tr" => self.end_line(),
            _ if BREAKS.contains(&name) => self.paragraph(),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim();
        if self.silent == 0 && !line.is_empty() {
            self.lines.push(line.to_owned());
        }
    }

    fn paragraph(&mut self) {
        self.end_line();
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }

    fn finish(mut self) -> String {
        self.end_line();
        while self.lines.last().is_some_and(String::is_empty) {
            self.lines.pop();
        }
        self.lines.push(String::new());
        self.lines.join("\n")
    }
}

/// Text with its entities read, as far as mails have them.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.char_indices().take(12).find(|(_, c)| *c == ';');
        let read = end.and_then(|(end, _)| Some((entity(&rest[1..end])?, end)));
        match read {
            Some((character, end)) => {
                out.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "middot" => '·',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "copy" => '©',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_links_and_buttons_are_told_in_words() {
        let markup = "<mjml><mj-head><mj-style>.a{}</mj-style></mj-head><mj-body><mj-text>Hello <b>Ann</b> &amp; all,</mj-text>\
             <mj-text>see <a href=\"https://x.example/a?b=1&amp;c=2\">this</a> or\n <a href='mailto:me@x.example'>me@x.example</a></mj-text>\
             <mj-button href=\"https:&#x2f;&#x2f;x.example\">Go</mj-button><mj-text>One<br />two</mj-text>\
             <ul><li>a</li><li>b</li></ul></mj-body></mjml>";
        assert_eq!(
            plain(markup),
            "Hello Ann & all,\n\nsee this (https://x.example/a?b=1&c=2) or me@x.example\n\nGo:\nhttps://x.example\n\n\
             One\ntwo\n\n- a\n- b\n"
        );
    }

    #[test]
    fn what_runs_or_loads_is_refused_with_its_line() {
        for (markup, line, word) in [
            ("<p>a</p>\n<SCRIPT>x</SCRIPT>", 2, "script"),
            ("<mj-raw><b></b></mj-raw>", 1, "mj-raw"),
            ("<a\nhref=\" java\nscript:alert(1)\">x</a>", 1, "javascript"),
            ("<img src=\"x.png\" onerror=\"alert(1)\">", 1, "onerror"),
            ("<img src=\"a>b\" onerror='x'>", 1, "onerror"),
        ] {
            let (at, reason) = refused(markup).expect(markup);
            assert_eq!(at, line, "{markup}");
            assert!(reason.contains(word), "{reason}");
        }
        let deep = format!("{}{}", "<div>".repeat(100), "</div>".repeat(100));
        assert!(refused(&deep).is_some_and(|(_, reason)| reason.contains("deep")));
        assert_eq!(
            refused("<p><a href=\"https://x.example\">a < b & c</a><br></p>"),
            None
        );
    }

    #[test]
    fn nothing_that_is_cut_off_confuses_it() {
        for markup in [
            "<",
            "<!--",
            "<a",
            "<a href=\"",
            "a & b &#; &#xffffffff;",
            "</",
            "é<é>",
        ] {
            let _ = (plain(markup), refused(markup));
        }
        assert_eq!(plain("a & b &#; < c"), "a & b &#; < c\n");
    }
}
