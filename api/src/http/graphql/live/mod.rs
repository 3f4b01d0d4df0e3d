//! Operations over a connection that stays: GraphQL over WebSocket (`graphql-transport-ws`) and over server-sent events
//! (`graphql-sse`, distinct connections), each to the letter of its protocol.

mod message;
mod operate;
mod origin;
mod session;
mod sse;
mod who;
mod ws;

pub(super) use sse::stream;
pub(super) use ws::{is_upgrade, upgrade};
