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
    out.push_str("];\n\nstatic EXAMPLES: &[Example] = &[\n");
    examples(&own.join("examples"), &mut out)?;
    out.push_str("];\n");
    fs::write(
        PathBuf::from(env::var("OUT_DIR")?).join("playground_files.rs"),
        out,
    )?;
    println!("cargo::rerun-if-changed={}", own.display());
    println!("cargo::rerun-if-changed={}", own.join("examples").display());
    for folder in sorted(&own.join("examples"))? {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
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

/// A folder for each task; in it `02-event-page.visitor.graphql` becomes "Event page", asked by a visitor.
fn examples(folder: &Path, out: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    for task in sorted(folder)? {
        for path in sorted(&task)? {
            let file = text(&path);
            let Some((stem, who)) = file
                .strip_suffix(".graphql")
                .and_then(|name| name.rsplit_once('.'))
                .filter(|(_, who)| *who != "fill")
            else {
                continue;
            };
            writeln!(
                out,
                "    Example {{ task: {:?}, name: {:?}, who: {who:?}, query: include_str!({path:?}), variables: {:?}, fill: {:?} }},",
                title(&text(&task)),
                title(stem),
                beside(&path, stem, "variables.json")?,
                beside(&path, stem, "fill.graphql")?,
            )?;
        }
    }
    Ok(())
}

fn text(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The file of that name with another ending; empty when there is none.
fn beside(path: &Path, stem: &str, ending: &str) -> std::io::Result<String> {
    let other = path.with_file_name(format!("{stem}.{ending}"));
    match other.is_file() {
        true => fs::read_to_string(other),
        false => Ok(String::new()),
    }
}

/// `02-event-page` becomes "Event page".
fn title(stem: &str) -> String {
    let words = stem
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '-')
        .replace('-', " ");
    let mut characters = words.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + characters.as_str())
        .unwrap_or_default()
}
