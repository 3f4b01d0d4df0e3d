//! The tenant fence, from outside. Two organizations of the same shape stand in one database; everything that the
//! catalog offers is asked about the one by everybody who has no business there. A new entity, field, filter or
//! mutation is asked about without a line being added here; where it takes more than the catalog can say (a row to
//! look at, a state to start from), a test fails and names what is missing.

mod aggregates;
mod ask;
pub mod document;
mod inputs;
mod ledger;
mod rows;
mod world;

mod filters;
mod gone;
mod hammer;
mod orders;
mod permissions;
mod reads;
mod related;
mod rls;
mod roots;
mod writes;
