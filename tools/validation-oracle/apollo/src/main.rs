//! Judges documents as apollo-compiler does, for `tools/validation-oracle`: the schema's file is named, a document a line,
//! as a JSON string, comes in; for each a line goes out, the list of what is wrong with it.

use std::io::{BufRead, Write};

use apollo_compiler::{ExecutableDocument, Schema};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: apollo-verdicts SCHEMA")?;
    let sdl = std::fs::read_to_string(&path)?;
    let schema = Schema::parse_and_validate(sdl, &path).map_err(|wrong| wrong.to_string())?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let wrong: Vec<String> =
            match ExecutableDocument::parse_and_validate(&schema, text, "document.graphql") {
                Ok(_) => vec![],
                Err(invalid) => invalid
                    .errors
                    .iter()
                    .map(|error| error.to_json().message)
                    .collect(),
            };
        writeln!(out, "{}", serde_json::to_string(&wrong)?)?;
    }
    Ok(())
}
