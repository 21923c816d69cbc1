//! Ports on 127.0.0.1.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};

/// A port on 127.0.0.1 that is free now.
///
/// # Errors
/// [`Error::File`]: the system has none.
pub fn free_port() -> Result<u16> {
    let bound = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(Error::file("finding a free port on", Path::new("127.0.0.1")))
}

/// Whether a port on 127.0.0.1 becomes free within a moment: by chance, the outgoing connection of a short program may
/// have it.
pub(crate) async fn becomes_free(port: u16) -> bool {
    for _ in 0..20 {
        if is_free(port) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

/// Whether a port on 127.0.0.1 is free now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
