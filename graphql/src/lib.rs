//! The schema engine: entities -> catalog -> schema; operation -> one SQL statement. It knows no event, no ticket
//! and no tenant: who asks, and on which connection, is the business of whoever implements [`engine::Host`].

pub mod aggregates;
pub mod answer;
mod apart;
pub mod catalog;
pub mod collect;
pub mod compile;
pub mod cost;
pub mod declare;
pub mod deprecation;
pub mod document;
pub mod drift;
mod duplicates;
pub mod engine;
pub mod execute;
pub mod front;
pub mod functions;
pub mod generated;
pub mod given;
pub mod global_id;
pub mod guard;
pub mod input;
pub mod joint;
mod keywords;
mod merging;
mod payload;
pub mod plan;
mod plans;
pub mod rows;
mod single;
pub mod subscription;
pub mod types;
mod unknown;
pub mod values;
pub mod verb;
pub mod watch;

pub use aggregates::Aggregates;
pub use catalog::{Catalog, CatalogError, RootFunction, Scalar};
pub use declare::{Declaration, DescribedEnum, Docs, declare};
pub use deprecation::{Deprecation, used::Deprecated};
pub use execute::{Engine, Incoming};
pub use functions::RowSource;
pub use subscription::Subscription;
pub use verb::{InputObject, InputType, PayloadType, ValueObject, ValueType, Verb};
pub use watch::{Told, Watch};
