//! Waits for what other processes do.

use std::io::Read;
use std::path::Path;

/// Waits for a condition, and fails the test if it never becomes true.
pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if condition() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("waited in vain for: {what}");
}

/// The content of a file; empty if it cannot be read.
pub(crate) fn content(path: &Path) -> String {
    let mut text = String::new();
    let _ = std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text));
    text
}
