//! What organizers look at: numbers by group, lists narrowed by what they hang on, and search. Each is compared with
//! plain SQL of our own.

mod aggregates;
mod bounds;
mod functions;
mod related;
mod search;
mod stage;
