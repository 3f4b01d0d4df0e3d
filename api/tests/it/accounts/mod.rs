//! People and what proves who they are, over HTTP.

mod members;
mod passwords;
mod sessions;
mod tokens;
