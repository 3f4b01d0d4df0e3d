//! Cursors: a position in all that happens, sealed, so that nobody can count from theirs what happens elsewhere.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    fault::Fault,
    vault::{Purpose, Vault},
};

/// The text of a position.
pub(super) fn write(vault: &Vault, position: i64) -> Result<String, Fault> {
    let sealed = vault
        .seal(Purpose::LiveCursors, "", &position.to_be_bytes())
        .map_err(|error| Fault::Internal(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// The position of a text; `None` for what we never wrote.
pub(super) fn read(vault: &Vault, text: &str) -> Option<i64> {
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let plain = vault.open(Purpose::LiveCursors, "", &sealed).ok()?;
    Some(i64::from_be_bytes(plain.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_here_is_read() {
        let vault = Vault::new([3; 32]);
        let text = write(&vault, 1_234_567).unwrap();
        assert_eq!(read(&vault, &text), Some(1_234_567));
        assert_ne!(write(&vault, 1_234_567).unwrap(), text);
        assert_eq!(read(&Vault::new([4; 32]), &text), None);
        for nonsense in ["", "x", "12", &text[1..]] {
            assert_eq!(read(&vault, nonsense), None);
        }
    }
}
