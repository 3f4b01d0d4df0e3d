//! Opaque tokens: `prefix_environment_random`, the random part ending in a check. The prefix lets secret scanners
//! find leaked ones, the check lets us refuse typing errors and made-up tokens without asking the database.

use aws_lc_rs::digest;

use super::{VaultError, fill_random};

/// The kinds of tokens; each has a prefix of its own, so that one is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// What an application sends as bearer.
    Api,
    /// What renews an access token.
    Refresh,
    /// What is mailed to verify an address or to reset a password.
    OneTimeCode,
    /// What is mailed to invite somebody into an organization.
    Invitation,
    /// What is mailed to offer somebody a ticket.
    Transfer,
    /// What opens a registration to a guest.
    Guest,
}

impl TokenKind {
    /// The text before the first underscore.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Api => "es",
            Self::Refresh => "esr",
            Self::OneTimeCode => "esc",
            Self::Invitation => "esi",
            Self::Transfer => "est",
            Self::Guest => "esg",
        }
    }
}

/// A token that was just made: the text is shown once, the hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// What its holder sends.
    pub text: String,
    /// sha256 of the text.
    pub hash: [u8; 32],
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 30 characters of 62: 178 random bits.
const RANDOM: usize = 30;
/// 62^6 > 2^32: room for a whole CRC-32.
const CHECK: usize = 6;

impl Secret {
    /// A new token. `environment` (`live`, `dev`, ...) is told in the token, lower-case letters only.
    pub fn new(kind: TokenKind, environment: &str) -> Result<Self, VaultError> {
        let mut text = format!("{}_{environment}_", kind.prefix());
        while text.len() < kind.prefix().len() + environment.len() + 2 + RANDOM {
            let mut byte = [0u8];
            fill_random(&mut byte)?;
            // 248 = 4 x 62: without the rest, all characters are equally likely.
            if byte[0] < 248 {
                text.push(char::from(ALPHABET[usize::from(byte[0] % 62)]));
            }
        }
        text.push_str(&check(&text));
        let hash = sha256(&text);
        Ok(Self { text, hash })
    }

    /// The text up to the first characters of its random part: enough to tell tokens apart in a list.
    pub fn beginning(&self, random: usize) -> &str {
        let end = self.text.len().saturating_sub(RANDOM + CHECK) + random.min(RANDOM / 2);
        self.text.get(..end).unwrap_or_default()
    }
}

/// The hash to look a token up by; `None` when it is no token of that kind at all.
pub fn hash_token(kind: TokenKind, text: &str) -> Option<[u8; 32]> {
    let mut parts = text.splitn(3, '_');
    let (prefix, environment, random) = (parts.next()?, parts.next()?, parts.next()?);
    let shaped = prefix == kind.prefix()
        && !environment.is_empty()
        && environment.len() <= 16
        && environment.bytes().all(|byte| byte.is_ascii_lowercase())
        && random.len() == RANDOM + CHECK
        && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !shaped {
        return None;
    }
    let (body, given) = text.split_at(text.len() - CHECK);
    (check(body) == given).then(|| sha256(text))
}

fn sha256(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    hash
}

/// CRC-32 of the text in base 62, most significant digit first.
fn check(text: &str) -> String {
    let mut rest = crc32(text.as_bytes());
    let mut digits = [b'0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// The usual CRC-32 (reflected, polynomial 0xEDB88320), bit by bit: the texts are short.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = match crc & 1 {
                1 => (crc >> 1) ^ 0xEDB8_8320,
                _ => crc >> 1,
            };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_new_token_says_what_it_is_and_is_found_by_its_hash() {
        let secret = Secret::new(TokenKind::Api, "live").unwrap();
        assert!(secret.text.starts_with("es_live_"));
        assert_eq!(secret.text.len(), "es_live_".len() + 36);
        assert_eq!(hash_token(TokenKind::Api, &secret.text), Some(secret.hash));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_eq!(secret.beginning(4), &secret.text[.."es_live_1234".len()]);
        let other = Secret::new(TokenKind::Api, "live").unwrap();
        assert_ne!(secret.hash, other.hash);
    }

    #[test]
    fn one_kind_is_never_taken_for_another() {
        let secret = Secret::new(TokenKind::Refresh, "live").unwrap();
        for kind in [TokenKind::Api, TokenKind::OneTimeCode, TokenKind::Guest] {
            assert_eq!(hash_token(kind, &secret.text), None);
        }
    }

    #[test]
    fn the_check_is_the_usual_crc() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    proptest! {
        #[test]
        fn a_typing_error_is_told_without_a_database(index in 0usize..44, by in 1usize..62) {
            let secret = Secret::new(TokenKind::Api, "live").unwrap();
            let mut bytes = secret.text.into_bytes();
            let at = ALPHABET.iter().position(|c| *c == bytes[index]).unwrap_or(0);
            bytes[index] = ALPHABET[(at + by) % 62];
            let changed = String::from_utf8(bytes).unwrap();
            prop_assume!(changed != "es_live_");
            prop_assert!(hash_token(TokenKind::Api, &changed).is_none());
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            prop_assert!(hash_token(TokenKind::Api, &text).is_none());
        }
    }
}
