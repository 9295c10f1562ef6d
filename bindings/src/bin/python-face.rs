//! Writes the typed face of what `uniffi-bindgen` generates for Python: `python-face LIBRARY DIRECTORY`.
//!
//! The generated module has annotations that a strict type checker does not accept, names that no Python programmer would give, and
//! no word about the fields of a record. What the library says of itself has all of that, so from there come
//! - `__init__.pyi`, the types and their documentation,
//! - `__init__.py`, which shows what the package shows and no more,
//! - `seatport.pyi`, which hides the generated module from type checkers,
//! - `shape.py`, from which the package mends names, texts and documentation of the generated classes.

#[path = "python-face/annotation.rs"]
mod annotation;
#[path = "python-face/face.rs"]
mod face;
#[path = "python-face/shape.rs"]
mod shape;
#[path = "python-face/text.rs"]
mod text;

use std::fs;
use std::path::Path;

use anyhow::Context;
use uniffi_bindgen::macro_metadata::extract_from_library;

use crate::face::Face;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, directory] = arguments.as_slice() else {
        anyhow::bail!("usage: python-face LIBRARY DIRECTORY");
    };
    let said = extract_from_library(library.as_str().into()).with_context(|| format!("cannot read {library}"))?;
    let face = Face::of(said);
    let directory = Path::new(directory);
    let hidden = "\"\"\"The generated code. Its types stand in `__init__.pyi`.\"\"\"\n".to_owned();
    let files = [
        ("__init__.pyi", face.stub()?),
        ("__init__.py", face.module()),
        ("seatport.pyi", hidden),
        ("shape.py", shape::of(&face)),
    ];
    for (name, text) in files {
        let path = directory.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
