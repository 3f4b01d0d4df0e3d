//! How many connections each address and each organization has in this process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The counts. Cheap to clone.
#[derive(Clone, Default)]
pub struct Places {
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// One of them; free when dropped.
#[derive(Debug)]
pub struct Place {
    taken: Arc<Mutex<HashMap<String, usize>>>,
    key: String,
}

impl Places {
    /// A place of that key, where fewer than `most` are taken.
    pub fn take(&self, key: &str, most: usize) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(key.to_owned()).or_default();
        if *count >= most {
            if *count == 0 {
                taken.remove(key);
            }
            return None;
        }
        *count += 1;
        Some(Place {
            taken: self.taken.clone(),
            key: key.to_owned(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_left() {
        let places = Places::default();
        let one = places.take("a", 2).unwrap();
        let _other = places.take("a", 2).unwrap();
        assert!(places.take("a", 2).is_none());
        assert!(places.take("b", 1).is_some());
        assert!(places.take("c", 0).is_none());
        drop(one);
        assert!(places.take("a", 2).is_some());
        assert_eq!(places.taken.lock().unwrap().len(), 1);
    }
}
