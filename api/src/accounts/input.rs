//! Checks of what people type, each with the code and the sentence of its user error.

use eventsphere_graphql::engine::{Outcome, UserError};

use super::passwords;

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    code: &'static str,
    message: String,
}

impl Problem {
    /// With the code and the sentence of its user error.
    pub fn new(code: &'static str, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
        }
    }
}

/// Collects what is wrong with the fields of one input, so that all of it is told at once.
#[derive(Debug, Default)]
pub struct Problems {
    errors: Vec<UserError>,
}

impl Problems {
    /// The checked value, or `None` and one more user error about this field.
    pub fn check<T>(&mut self, field: &str, checked: Result<T, Problem>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(problem) => {
                self.errors.push(UserError {
                    code: problem.code.to_owned(),
                    message: problem.message,
                    field: vec![field.to_owned()],
                });
                None
            }
        }
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The outcome that tells them.
    pub fn outcome(self) -> Outcome {
        Outcome {
            user_errors: self.errors,
            ..Outcome::default()
        }
    }
}

/// An e-mail address as we keep it: ASCII, lower case. Whether it exists is found out by mail, not by its shape.
pub fn email(text: &str) -> Result<String, Problem> {
    let email = text.trim().to_ascii_lowercase();
    let shaped = (3..=254).contains(&email.len())
        && email.bytes().all(|byte| byte.is_ascii_graphic())
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        })
        && !email.contains(['<', '>', ',', ';', '"', '\\', '(', ')']);
    match shaped {
        true => Ok(email),
        false => Err(Problem {
            code: "EMAIL_INVALID",
            message: "This is not an e-mail address.".to_owned(),
        }),
    }
}

/// A password of acceptable length. Nothing else is asked of it: rules about digits make passwords worse.
pub fn password(text: String) -> Result<String, Problem> {
    match passwords::LENGTH.contains(&text.chars().count()) {
        true => Ok(text),
        false => Err(Problem {
            code: "PASSWORD_LENGTH",
            message: format!(
                "A password has {} to {} characters.",
                passwords::LENGTH.start(),
                passwords::LENGTH.end()
            ),
        }),
    }
}

/// The name of a person or a thing: 1 to `longest` characters on one line.
pub fn name(text: &str, longest: usize) -> Result<String, Problem> {
    let name = text.trim();
    let length = name.chars().count();
    match (1..=longest).contains(&length) && !name.chars().any(char::is_control) {
        true => Ok(name.to_owned()),
        false => Err(Problem {
            code: "NAME_INVALID",
            message: format!("A name has 1 to {longest} characters, on one line."),
        }),
    }
}

/// A text of at most `longest` characters, on several lines if need be; may be empty.
pub fn text(text: &str, longest: usize) -> Result<String, Problem> {
    let text = text.trim();
    let plain = |character: char| !character.is_control() || character == '\n';
    match text.chars().count() <= longest && text.chars().all(plain) {
        true => Ok(text.to_owned()),
        false => Err(Problem::new(
            "TEXT_INVALID",
            &format!("A text has at most {longest} characters and no control characters."),
        )),
    }
}

/// A BCP 47 language tag such as `en` or `pt-BR`.
pub fn locale(text: &str) -> Result<String, Problem> {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let shaped = text.len() <= 35
        && (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
    match shaped {
        true => Ok(text.to_owned()),
        false => Err(Problem {
            code: "LOCALE_INVALID",
            message: "A locale is a language tag such as `en` or `pt-BR`.".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_in_lower_case() {
        assert_eq!(email(" Ada@Example.ORG ").unwrap(), "ada@example.org");
        assert!(email("o'hara+tag@x.example").is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(250));
        for text in [
            "",
            "a",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@b\r\nBcc: c@d",
            "a@b,c@d",
            "a\0@b",
            "ä@b",
            "<a@b>",
            long.as_str(),
        ] {
            assert_eq!(email(text).unwrap_err().code, "EMAIL_INVALID", "{text:?}");
        }
    }

    #[test]
    fn passwords_are_counted_in_characters() {
        assert!(password("123456789".into()).is_err());
        assert!(password("1234567890".into()).is_ok());
        assert!(password("ääääääääää".into()).is_ok());
        assert!(password("x".repeat(200)).is_ok());
        assert!(password("x".repeat(201)).is_err());
    }

    #[test]
    fn names_stay_on_one_line() {
        assert_eq!(name("  Ada Lovelace ", 200).unwrap(), "Ada Lovelace");
        for text in ["", "   ", "a\nb", "a\0b"] {
            assert!(name(text, 200).is_err(), "{text:?}");
        }
        assert!(name(&"x".repeat(101), 100).is_err());
    }

    #[test]
    fn texts_may_have_lines() {
        assert_eq!(text(" a\nb ", 9).unwrap(), "a\nb");
        assert!(text("", 9).is_ok());
        assert!(text("a\0b", 9).is_err());
        assert!(text("0123456789", 9).is_err());
    }

    #[test]
    fn locales_are_language_tags() {
        for text in ["en", "pt-BR", "zh-Hant-TW", "yue"] {
            assert!(locale(text).is_ok(), "{text}");
        }
        for text in ["", "e", "EN", "en_US", "en-", "english", "en-<b>"] {
            assert!(locale(text).is_err(), "{text}");
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let mut problems = Problems::default();
        assert_eq!(problems.check("email", email("x")), None);
        assert_eq!(problems.check("name", name("Ada", 9)), Some("Ada".into()));
        assert_eq!(problems.check("password", password("x".into())), None);
        let outcome = problems.outcome();
        let codes: Vec<&str> = outcome
            .user_errors
            .iter()
            .map(|e| e.code.as_str())
            .collect();
        assert_eq!(codes, ["EMAIL_INVALID", "PASSWORD_LENGTH"]);
        assert_eq!(outcome.user_errors[0].field, ["email"]);
    }
}
