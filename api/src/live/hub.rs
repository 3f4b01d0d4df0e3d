//! All groups of this process, and which of them what happens concerns.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    feed::{Item, follow},
    group::Group,
};
use crate::state::App;

/// The groups.
#[derive(Default)]
pub(super) struct Hub {
    inner: Mutex<Inner>,
    /// Something was dispatched for the first time since somebody watches.
    begun: Notify,
}

#[derive(Default)]
struct Inner {
    groups: HashMap<String, Arc<Group>>,
    /// Groups by the thing that they are about.
    routes: HashMap<Uuid, Vec<Arc<Group>>>,
    /// Up to where everything was handed to the groups; `None` while nobody follows.
    dispatched: Option<i64>,
    followed: bool,
    /// Groups that were made so far.
    made: usize,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The group of that key, made by `make`, which is told its number, where there is none, with `join` done to it before anything else is handed
    /// to it. Somebody follows from now on.
    pub fn join(
        self: &Arc<Self>,
        app: &App,
        key: &str,
        make: impl FnOnce(usize) -> Group,
        join: impl FnOnce(&Group),
    ) -> Arc<Group> {
        let mut inner = self.lock();
        let group = match inner.groups.get(key) {
            Some(group) => group.clone(),
            None => {
                inner.made += 1;
                let group = Arc::new(make(inner.made));
                inner.groups.insert(key.to_owned(), group.clone());
                let route = inner.routes.entry(group.route()).or_default();
                route.push(group.clone());
                group
            }
        };
        join(&group);
        if !inner.followed {
            inner.followed = true;
            tokio::spawn(follow(app.clone(), self.clone()));
        }
        group
    }

    /// Somebody left the group; the last one takes it along.
    pub fn leave(&self, group: &Arc<Group>, reader: u64) {
        let mut inner = self.lock();
        if !group.leave(reader) {
            return;
        }
        let known = inner.groups.get(group.key());
        if known.is_some_and(|known| Arc::ptr_eq(known, group)) {
            inner.groups.remove(group.key());
        }
        if let Some(route) = inner.routes.get_mut(&group.route()) {
            route.retain(|other| !Arc::ptr_eq(other, group));
            if route.is_empty() {
                inner.routes.remove(&group.route());
            }
        }
    }

    /// Hands out what happened; with it everything up to `upto` was.
    pub fn dispatch(&self, app: &App, items: impl Iterator<Item = Arc<Item>>, upto: i64) {
        let mut inner = self.lock();
        for item in items {
            for key in item.keys() {
                for group in inner.routes.get(&key).into_iter().flatten() {
                    group.hear(app, &item);
                }
            }
        }
        inner.dispatched = Some(upto);
        drop(inner);
        self.begun.notify_waiters();
    }

    /// Lets every so many-th group, another one each time, look whether its thing has changed by itself.
    pub fn look(&self, app: &App, time: usize, of: usize) {
        let inner = self.lock();
        let some = inner.groups.values();
        some.filter(|group| group.number() % of == time % of)
            .for_each(|group| group.look(app));
    }

    /// Up to where everything was handed out, once that is known.
    pub async fn dispatched(&self) -> i64 {
        loop {
            let begun = self.begun.notified();
            tokio::pin!(begun);
            begun.as_mut().enable();
            if let Some(position) = self.lock().dispatched {
                return position;
            }
            begun.await;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.lock().groups.is_empty()
    }

    /// Groups and those who read in them.
    pub fn figures(&self) -> (usize, usize) {
        let inner = self.lock();
        let readers = inner.groups.values().map(|group| group.readers());
        (inner.groups.len(), readers.sum())
    }

    /// Whoever followed stops, unless somebody came meanwhile.
    pub fn nobody_follows(&self) -> bool {
        let mut inner = self.lock();
        let ends = inner.groups.is_empty();
        if ends {
            inner.followed = false;
            inner.dispatched = None;
        }
        ends
    }
}
