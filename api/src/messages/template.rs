//! Texts with values in them. A template can print values, ask whether there is one (`if`) and go through a list (`for`);
//! it cannot make names of its own, call anything or read anything else, and what it may cost is bounded. Values are
//! escaped for where they stand. A mail is MJML, from which HTML and, unless it is given, the plain text are made.

use std::io;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use mrml::prelude::{parser::ParserOptions, render::RenderOptions};
use serde_json::Value as Json;

use super::{markup, variables};

/// Steps of one rendering.
const FUEL: u64 = 50_000;
/// Bytes that a rendering may come to.
const LARGEST: usize = 1 << 20;
/// Values that open something for whoever reads them. They stand in no subject: subjects are kept in the log of
/// deliveries, which members read.
const SECRETS: [&str; 4] = ["code", "action_url", "tickets", "unsubscribe_url"];
/// All that may stand in `{% %}`.
const TAGS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// A template: a mail has `subject` and `mjml`, other channels `text` alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    /// Subject line.
    pub subject: Option<&'a str>,
    /// The mail with its looks.
    pub mjml: Option<&'a str>,
    /// Plain text.
    pub text: Option<&'a str>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// One line; empty where there is none.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// With its looks, for mails.
    pub html: Option<String>,
}

/// Why nothing came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// `subject`, `mjml` or `text`.
    pub part: &'static str,
    /// Line of that part, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong, for people.
    pub what: String,
    /// Whether a name that there is not is the reason.
    pub unknown: bool,
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.part, self.what),
            None => write!(f, "{}: {}", self.part, self.what),
        }
    }
}

/// What to do about a value that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is a flaw: when a template is saved.
    Refused,
    /// It is nothing: rather a letter with a gap than none.
    Empty,
}

/// Checks the names that a template uses against those that messages of the kind have.
pub fn check(source: Source<'_>, kind: &str) -> Result<(), Flaw> {
    for (part, text) in parts(source) {
        let environment = environment(part, Missing::Refused);
        let template = environment
            .template_from_str(text)
            .map_err(|error| flaw(part, &error))?;
        logic_light(part, text)?;
        let names = template.undeclared_variables(true);
        if part == "subject"
            && let Some(name) = names.iter().find(|name| is_secret(name))
        {
            return Err(Flaw {
                part,
                line: line_of(text, name),
                what: format!(
                    "{name} stands in no subject: members read the subjects of what was sent"
                ),
                unknown: false,
            });
        }
        let mut unknown: Vec<String> = names
            .into_iter()
            .filter(|name| !variables::is_known(kind, name))
            .collect();
        unknown.sort_unstable();
        if let Some(name) = unknown.first() {
            return Err(Flaw {
                part,
                line: line_of(text, name),
                what: format!(
                    "there is no {name} in this message; there are {}",
                    variables::listed(kind)
                ),
                unknown: true,
            });
        }
    }
    Ok(())
}

/// Fills in the values.
pub fn render(source: Source<'_>, values: &Json, missing: Missing) -> Result<Made, Flaw> {
    let subject = source
        .subject
        .map(|text| fill("subject", text, &without_secrets(values), missing))
        .transpose()?;
    let fill = |part, text: &str| fill(part, text, values, missing);
    let mjml = source.mjml.map(|text| fill("mjml", text)).transpose()?;
    let text = source.text.filter(|text| !text.trim().is_empty());
    let text = text.map(|text| fill("text", text)).transpose()?;
    let html = mjml.as_deref().map(html).transpose()?;
    let text = text
        .or_else(|| mjml.as_deref().map(markup::plain))
        .unwrap_or_default();
    Ok(Made {
        subject: one_line(&subject.unwrap_or_default()),
        text,
        html,
    })
}

fn is_secret(name: &str) -> bool {
    let name = name.split('.').next().unwrap_or(name);
    SECRETS.contains(&name)
}

fn without_secrets(values: &Json) -> Json {
    let mut values = values.clone();
    if let Some(values) = values.as_object_mut() {
        values.retain(|name, _| !is_secret(name));
    }
    values
}

fn parts<'a>(source: Source<'a>) -> impl Iterator<Item = (&'static str, &'a str)> {
    let parts = [
        ("subject", source.subject),
        ("mjml", source.mjml),
        ("text", source.text),
    ];
    parts
        .into_iter()
        .filter_map(|(part, text)| Some((part, text?)))
}

fn environment(part: &str, missing: Missing) -> Environment<'static> {
    use minijinja::filters;
    let mut environment = Environment::empty();
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("length", filters::length);
    environment.add_filter("default", filters::default);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(50);
    environment.set_undefined_behavior(match missing {
        Missing::Refused => UndefinedBehavior::SemiStrict,
        Missing::Empty => UndefinedBehavior::Chainable,
    });
    let escape = match part {
        "mjml" => AutoEscape::Html,
        _ => AutoEscape::None,
    };
    environment.set_auto_escape_callback(move |_| escape.clone());
    environment
}

/// No tags beside those for conditions and lists, and no products: what is written is as long as its template and its
/// values let one expect.
fn logic_light(part: &'static str, text: &str) -> Result<(), Flaw> {
    let mut rest = text;
    while let Some(at) = rest.find("{%").into_iter().chain(rest.find("{{")).min() {
        let inside = &rest[at + 2..];
        let (end, is_tag) = match rest[at..].starts_with("{%") {
            true => (inside.find("%}"), true),
            false => (inside.find("}}"), false),
        };
        let expression = &inside[..end.unwrap_or(inside.len())];
        let line = Some(text[..text.len() - inside.len()].matches('\n').count() + 1);
        let word = expression
            .trim_start_matches(['-', '+'])
            .split_whitespace()
            .next()
            .unwrap_or("");
        let refused = match is_tag && !TAGS.contains(&word) {
            true => Some(format!(
                "{{% {word} %}} is not available; there are if and for"
            )),
            false if expression.contains('*') => Some("values are not multiplied here".to_owned()),
            false => None,
        };
        if let Some(what) = refused {
            return Err(Flaw {
                part,
                line,
                what,
                unknown: false,
            });
        }
        rest = &inside[expression.len()..];
    }
    Ok(())
}

fn fill(part: &'static str, text: &str, values: &Json, missing: Missing) -> Result<String, Flaw> {
    logic_light(part, text)?;
    let environment = environment(part, missing);
    let template = environment
        .template_from_str(text)
        .map_err(|error| flaw(part, &error))?;
    let mut out = Bounded::default();
    template
        .render_captured_to(minijinja::value::Serde(values), &mut out)
        .map_err(|error| flaw(part, &error))?;
    String::from_utf8(out.0).map_err(|_| Flaw {
        part,
        line: None,
        what: "it is no text".to_owned(),
        unknown: false,
    })
}

/// Takes no more than a letter may have.
#[derive(Default)]
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LARGEST {
            return Err(io::Error::other("it becomes longer than a megabyte"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn flaw(part: &'static str, error: &minijinja::Error) -> Flaw {
    use minijinja::ErrorKind;
    let what = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it takes too long".to_owned(),
        (ErrorKind::WriteFailure, _) => "it becomes longer than a megabyte".to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    Flaw {
        part,
        line: error.line(),
        what,
        unknown: error.kind() == ErrorKind::UndefinedError,
    }
}

fn html(mjml: &str) -> Result<String, Flaw> {
    let flaw = |line, what| Flaw {
        part: "mjml",
        line,
        what,
        unknown: false,
    };
    if let Some((line, reason)) = markup::refused(mjml) {
        return Err(flaw(Some(line), reason));
    }
    let options = RenderOptions {
        // Nothing is loaded from elsewhere because a text names a font.
        fonts: std::collections::HashMap::new(),
        ..RenderOptions::default()
    };
    let parsed = mrml::parse_with_options(mjml, &ParserOptions::default()).map_err(|error| {
        let (line, what) = mjml_error(mjml, &error);
        flaw(line, what)
    })?;
    parsed
        .element
        .render(&options)
        .map_err(|error| flaw(None, error.to_string()))
}

/// Line of the text as filled in, and the reason.
fn mjml_error(mjml: &str, error: &mrml::prelude::parser::Error) -> (Option<usize>, String) {
    use mrml::prelude::parser::Error;
    let line = |at: usize| {
        mjml.get(..at)
            .map(|before| before.matches('\n').count() + 1)
    };
    match error {
        Error::UnexpectedElement { position, .. } => (
            line(position.start),
            "an element cannot stand here".to_owned(),
        ),
        Error::UnexpectedToken { position, .. } => {
            (line(position.start), "this cannot stand here".to_owned())
        }
        Error::MissingAttribute { name, position, .. } => (
            line(position.start),
            format!("the attribute {name} is missing"),
        ),
        Error::InvalidAttribute { position, .. } => (
            line(position.start),
            "an attribute has no such value".to_owned(),
        ),
        Error::InvalidFormat { position, .. } => (
            line(position.start),
            "this is not written as it should be".to_owned(),
        ),
        Error::EndOfStream { .. } => (
            None,
            "it ends too early: an element is not closed".to_owned(),
        ),
        Error::NoRootNode => (None, "it has to begin with <mjml>".to_owned()),
        Error::ParserError { source, .. } => (None, format!("it is no MJML: {source}")),
        other => (None, other.to_string()),
    }
}

/// Line of the first place where the name stands.
fn line_of(text: &str, name: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    text.match_indices(name)
        .find(|(at, _)| {
            !text[..*at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part)
        })
        .map(|(at, _)| text[..at].matches('\n').count() + 1)
}

/// A value in a subject never starts a header of its own.
fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
