//! What can be watched: each root field of `Subscription` with the events that it tells of.

use eventsphere_graphql::Subscription;

/// Which thing a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// What the event happened to.
    Object,
    /// The event (of people) that it belongs to.
    Event,
}

/// A root field of `Subscription`.
#[derive(Clone, Debug)]
pub struct Topic {
    /// As the schema shows it.
    pub declared: Subscription,
    /// The types of events that it tells of.
    pub types: &'static [&'static str],
    /// What its messages hold.
    pub thing: Thing,
    /// What its messages say happened, where only the last state counts: then many events in a short time are one message.
    pub latest: Option<&'static str>,
}

impl Topic {
    /// Whether whoever acts in no organization may watch by a thing of that entity alone: what happens to it must not be
    /// many things, each of which is read for them to find that it is not theirs.
    pub fn is_narrow(&self, entity: &str) -> bool {
        entity != "Event" || self.thing == Thing::Event
    }
}

/// What slices registered.
#[derive(Clone, Debug, Default)]
pub struct Topics {
    all: Vec<Topic>,
}

impl Topics {
    /// Adds one.
    pub fn add(&mut self, topic: Topic) -> &mut Self {
        self.all.push(topic);
        self
    }

    /// All of them.
    pub fn all(&self) -> &[Topic] {
        &self.all
    }

    /// The one of that field.
    pub fn of(&self, field: &str) -> Option<&Topic> {
        self.all.iter().find(|topic| topic.declared.field == field)
    }

    /// All types of events that anybody can be told of, each once.
    pub fn types(&self) -> Vec<&'static str> {
        let mut types: Vec<&str> = self
            .all
            .iter()
            .flat_map(|topic| topic.types)
            .copied()
            .collect();
        types.sort_unstable();
        types.dedup();
        types
    }
}
