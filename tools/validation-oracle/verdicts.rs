//! Judges documents as the API does, for `tools/validation-oracle`: a document a line, as a JSON string, in; for each a
//! line out, the list of what is wrong with it.

use std::io::{BufRead, Write};

use eventsphere::assemble;
use eventsphere_graphql::{Engine, guard::Limits};

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    // What is valid is asked here, not what is too much.
    let limits = Limits {
        bytes: 1 << 20,
        tokens: 100_000,
        depth: 100,
        brackets: 500,
        aliases: 10_000,
        root_fields: 1_000,
        directives: 10_000,
        expanded_fields: 1_000_000,
    };
    let verbs = assemble::verbs();
    let engine = Engine::new(assemble::catalog(&verbs)?, limits)?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let wrong: Vec<String> = match engine.check(&text).await {
            Ok(_) => vec![],
            Err(fails) => fails
                .iter()
                .map(|fail| format!("{}: {}", fail.code, fail.message))
                .collect(),
        };
        writeln!(out, "{}", serde_json::to_string(&wrong)?)?;
    }
    Ok(())
}
