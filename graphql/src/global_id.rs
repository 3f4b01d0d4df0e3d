//! Global ids: opaque to clients, eighteen bytes to us (version, type tag, UUID), so that base64url needs no padding.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

/// The only version so far.
const VERSION: u8 = 1;

/// The text of an id.
pub fn encode(tag: u8, key: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(bytes(tag, key))
}

/// Writes the text of an id.
pub(crate) fn write(tag: u8, key: Uuid, out: &mut Vec<u8>) {
    let mut text = [0u8; 24];
    // Eighteen bytes make exactly so many letters.
    let written = URL_SAFE_NO_PAD.encode_slice(bytes(tag, key), &mut text);
    out.extend_from_slice(&text[..written.unwrap_or(0)]);
}

fn bytes(tag: u8, key: Uuid) -> [u8; 18] {
    let mut bytes = [0u8; 18];
    bytes[0] = VERSION;
    bytes[1] = tag;
    bytes[2..].copy_from_slice(key.as_bytes());
    bytes
}

/// Tag and key of an id; `None` when it is none of ours.
pub fn decode(text: &str) -> Option<(u8, Uuid)> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let bytes: [u8; 18] = bytes.try_into().ok()?;
    (bytes[0] == VERSION).then(|| {
        let mut key = [0u8; 16];
        key.copy_from_slice(&bytes[2..]);
        (bytes[1], Uuid::from_bytes(key))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        let key = Uuid::from_u128(0x0192_f000_0000_7000_8000_0000_0000_0001);
        let text = encode(11, key);
        assert_eq!(text.len(), 24);
        assert_eq!(decode(&text), Some((11, key)));
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in [
            "",
            "1",
            "AgsB",
            "!!!!",
            "AgAAAAAAAAAAAAAAAAAAAAAA",
            &"A".repeat(25),
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
