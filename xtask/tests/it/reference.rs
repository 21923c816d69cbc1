//! `docs/commands.md` is what the definitions of the commands say.

use std::path::Path;

use crate::support::Place;

#[test]
fn the_command_reference_is_current() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md");
    let written = std::fs::read_to_string(page).unwrap();
    let current = Place::new().run(&["reference"]).stdout;
    assert!(
        written == current,
        "docs/commands.md is out of date; run: cargo xtask reference --output docs/commands.md"
    );
}
