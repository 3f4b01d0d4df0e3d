//! The tenant fence on our side of the wire. Slices get a transaction only from an [`Actor`]; the pools are private
//! to `door.rs`. What crosses tenants goes through [`system`], and each such door gives its reason.

mod actor;
mod context;
mod decide;
mod door;
mod grants;
mod listen;
pub mod permissions;
mod read;
mod system;
mod together;
mod wire;

pub use actor::{Actor, ActorKind, Guest};
pub use decide::Undecided;
pub use door::{Door, DoorError, DoorOptions, TenantTx};
pub use grants::Grants;
pub use listen::Listener;
pub use read::ReadError;
pub use system::SystemReason;
