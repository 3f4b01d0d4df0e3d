//! The tenant fence, from outside. Two organizations of the same shape stand in one database; everything that the
//! catalog offers is asked about the one by everybody who has no business there. A new entity, field, filter or
//! mutation is asked about without a line being added here; where it takes more than the catalog can say (a row to
//! look at, a state to start from), a test fails and names what is missing.

/// A part of the matrix, under the name of its test: it is run once, by whoever asks for it first, its own test or the one
/// that counts what was asked.
macro_rules! part {
    ($test:ident, $part:ident, $body:ident) => {
        pub(super) static $part: super::whole::Part = super::whole::Part::new(|| Box::pin($body()));

        #[tokio::test]
        async fn $test() {
            $part.run().await;
        }
    };
}

mod aggregates;
mod ask;
pub mod document;
mod inputs;
mod ledger;
mod rows;
mod world;

mod crowd;
mod filters;
mod gone;
mod hammer;
mod live;
mod orders;
mod permissions;
mod reads;
mod related;
mod rls;
mod roots;
mod secrets;
mod shared;
mod till;
mod whole;
mod writes;
