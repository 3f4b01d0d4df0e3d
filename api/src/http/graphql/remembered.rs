//! Texts of documents that clients sent with their hash, so that the hash alone will do from then on.
//!
//! Whoever asks anonymously can make us remember anything valid, so room is given to what is asked for: a newcomer
//! takes a place only when it was asked for more often lately than all that it would displace (TinyLFU), whose use is
//! counted whether it is known or not. Sending many documents, or large ones, once each pushes out nothing that is in
//! use. What people and tokens of organizations sent has room of its own that visitors cannot touch. A document that is
//! displaced is sent again by the next client that needs it; who cannot have that registers it for good.

use std::sync::Arc;

use moka::sync::Cache;

/// What a text takes besides its own length, bytes.
const BESIDES: usize = 128;

/// The texts, by hash. Cheap to clone.
#[derive(Clone)]
pub struct Remembered {
    organizations: Cache<[u8; 32], Arc<str>>,
    visitors: Cache<[u8; 32], Arc<str>>,
}

impl Remembered {
    /// None yet; `bytes` for organizations, and as many for visitors.
    pub fn new(bytes: u64) -> Self {
        let room = || {
            Cache::builder()
                .max_capacity(bytes)
                .weigher(|_: &[u8; 32], text: &Arc<str>| {
                    u32::try_from(text.len() + BESIDES).unwrap_or(u32::MAX)
                })
                .build()
        };
        Self {
            organizations: room(),
            visitors: room(),
        }
    }

    /// The text with that hash, whoever sent it: who knows the hash knows the text.
    pub(super) fn text(&self, hash: &[u8; 32]) -> Option<Arc<str>> {
        let own = self.organizations.get(hash);
        own.or_else(|| self.visitors.get(hash))
    }

    /// Remembers the text, which has that hash and is valid.
    pub(super) fn keep(&self, for_organization: bool, hash: [u8; 32], text: &str) {
        let room = match for_organization {
            true => &self.organizations,
            false => &self.visitors,
        };
        if !room.contains_key(&hash) {
            room.insert(hash, text.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use eventsphere_graphql::document::hash_of;

    use super::*;

    fn settle(remembered: &Remembered) {
        remembered.organizations.run_pending_tasks();
        remembered.visitors.run_pending_tasks();
    }

    /// What a client does: asks by the hash, and sends the text when that is not known.
    fn use_once(remembered: &Remembered, for_organization: bool, text: &str) -> bool {
        let hash = hash_of(text);
        let found = remembered.text(&hash);
        assert!(found.as_deref().is_none_or(|found| found == text));
        if found.is_none() {
            remembered.keep(for_organization, hash, text);
        }
        settle(remembered);
        found.is_some()
    }

    fn text(number: usize) -> String {
        format!("{{ a{number}: __typename {} }}", " ".repeat(400))
    }

    #[test]
    fn a_flood_does_not_push_out_what_is_in_use() {
        let remembered = Remembered::new(16 * 1024);
        let used: Vec<String> = (0..20).map(text).collect();
        for _ in 0..4 {
            for text in &used {
                use_once(&remembered, false, text);
            }
        }
        // Fifty times what there is room for, each asked for and sent once, as the protocol has it; between any two of
        // them somebody uses one of the others.
        let mut found = 0;
        for number in 0..1500 {
            use_once(&remembered, false, &text(1000 + number));
            found += usize::from(use_once(&remembered, false, &used[number % used.len()]));
        }
        assert!(found > 1450, "{found} of 1500");
        assert!(remembered.visitors.weighted_size() <= 16 * 1024);
    }

    #[test]
    fn what_is_used_takes_the_place_of_what_is_not() {
        let remembered = Remembered::new(16 * 1024);
        for number in 1000..2500 {
            use_once(&remembered, false, &text(number));
        }
        let wanted = text(1);
        let tries = (0..10).find(|_| use_once(&remembered, false, &wanted));
        assert!(tries.is_some());
    }

    #[test]
    fn visitors_have_no_room_of_organizations() {
        let remembered = Remembered::new(16 * 1024);
        let ours = text(1);
        use_once(&remembered, true, &ours);
        for _ in 0..5 {
            for number in 1000..1100 {
                use_once(&remembered, false, &text(number));
            }
        }
        assert!(use_once(&remembered, true, &ours));
    }
}
