//! Lists the playground's files for the binary to carry, so that a new file needs no second entry anywhere.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let assets = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("assets");
    let own = assets.join("playground");
    let bundle = assets.join("third-party/graphiql");
    let mut out = String::from("static FILES: &[(&str, &[u8])] = &[\n");
    list(&own, "", &mut out)?;
    list(&bundle, "graphiql/", &mut out)?;
    out.push_str("];\n\nstatic EXAMPLES: &[(&str, &str, &str)] = &[\n");
    examples(&own.join("examples"), &mut out)?;
    out.push_str("];\n");
    fs::write(
        PathBuf::from(env::var("OUT_DIR")?).join("playground_files.rs"),
        out,
    )?;
    println!("cargo::rerun-if-changed={}", own.display());
    println!("cargo::rerun-if-changed={}", own.join("examples").display());
    println!("cargo::rerun-if-changed={}", bundle.display());
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

fn sorted(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn list(folder: &Path, prefix: &str, out: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    for path in sorted(folder)?.iter().filter(|path| path.is_file()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(
            out,
            "    ({:?}, include_bytes!({:?})),",
            format!("{prefix}{name}"),
            path
        )?;
    }
    Ok(())
}

/// `02-event-page.graphql` becomes "Event page".
fn examples(folder: &Path, out: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    for path in sorted(folder)? {
        if path.extension().is_none_or(|ending| ending != "graphql") {
            continue;
        }
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let words = stem
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '-')
            .replace('-', " ");
        let mut characters = words.chars();
        let name: String = characters
            .next()
            .map(|first| first.to_uppercase().collect::<String>() + characters.as_str())
            .unwrap_or_default();
        let variables = path.with_extension("variables.json");
        let variables = match variables.is_file() {
            true => fs::read_to_string(variables)?,
            false => "{}".to_owned(),
        };
        writeln!(
            out,
            "    ({name:?}, include_str!({path:?}), {variables:?}),"
        )?;
    }
    Ok(())
}
