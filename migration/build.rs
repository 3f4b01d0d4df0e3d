//! Lists `sql/functions/*.sql`, so that a new file is picked up without another edit.

use std::{
    env,
    fmt::Write as _,
    fs,
    io::{Error, Result},
    path::{Path, PathBuf},
};

fn main() -> Result<()> {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from);
    let (Some(package), Some(out)) = (variable("CARGO_MANIFEST_DIR"), variable("OUT_DIR")) else {
        return Err(Error::other("this build script is run by cargo"));
    };
    let folder = package.join("../sql/functions");
    println!("cargo::rerun-if-changed={}", folder.display());

    let mut list = String::from("&[\n");
    for file in sql_files(&folder)? {
        println!("cargo::rerun-if-changed={}", file.display());
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        // Writing to a String does not fail.
        let _ = writeln!(
            list,
            "    FunctionFile {{ name: {name:?}, text: include_str!({file:?}) }},"
        );
    }
    list.push_str("]\n");
    fs::write(out.join("function_files.rs"), list)
}

fn sql_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![];
    // No folder, no functions: a migration crate by itself still builds.
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "sql") {
                files.push(fs::canonicalize(path)?);
            }
        }
    }
    files.sort();
    Ok(files)
}
