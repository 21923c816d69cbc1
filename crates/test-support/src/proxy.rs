//! Stands between a client and the server, counts the client's statements, and lets no more than so many through.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use tenancy_config::DatabaseUrl;

/// Why a proxy panics: a test without its sockets has nothing to test.
const SOCKETS: &str = "a proxy of a test has its sockets";

/// Which statement is the last, and whether the server gets it.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Its number, from 1 on, whatever connection it comes by.
    pub statement: usize,
    /// The server runs it, and its answer finds nobody.
    pub passes: bool,
}

/// A proxy of one client with several connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    seen: Arc<AtomicUsize>,
    reached: mpsc::Receiver<()>,
}

impl Proxy {
    /// Listens on a port of its own, in threads that end with the connections.
    ///
    /// # Panics
    /// If there is no port to have.
    pub fn before(server: u16, limit: Limit) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect(SOCKETS);
        let port = listener.local_addr().expect(SOCKETS).port();
        let (seen, (arrived, reached)) = (Arc::new(AtomicUsize::new(0)), mpsc::channel());
        let counter = Arc::clone(&seen);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", server)).expect(SOCKETS);
                // Small messages, each of which somebody waits for.
                client.set_nodelay(true).and(server.set_nodelay(true)).expect(SOCKETS);
                let gate = Gate { limit, seen: Arc::clone(&counter), arrived: arrived.clone() };
                let (mut answers, mut back) = (server.try_clone().expect(SOCKETS), client.try_clone().expect(SOCKETS));
                thread::spawn(move || {
                    let _ = std::io::copy(&mut answers, &mut back);
                    let _ = back.shutdown(Shutdown::Both);
                });
                thread::spawn(move || {
                    let _ = gate.pass(&client, &server);
                    let _ = server.shutdown(Shutdown::Both);
                });
            }
        });
        Self { port, seen, reached }
    }

    /// The same database through this proxy, password and all.
    pub fn through(&self, url: &DatabaseUrl) -> String {
        url.expose().replace(&format!(":{}/", url.port()), &format!(":{}/", self.port))
    }

    /// Whether the last statement has come.
    pub fn is_reached(&self) -> bool {
        self.reached.try_recv().is_ok()
    }

    /// How many statements have come.
    pub fn statements(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

struct Gate {
    limit: Limit,
    seen: Arc<AtomicUsize>,
    arrived: mpsc::Sender<()>,
}

impl Gate {
    /// Passes messages on until the client is gone. Those from the limit on are read, as the client's process must not be blocked
    /// when it is killed, and kept.
    fn pass(&self, mut client: &TcpStream, mut server: &TcpStream) -> Result<()> {
        loop {
            let packet = body(client, &[])?;
            server.write_all(&packet)?;
            // A request for encryption comes before the real first packet: 80877103 and 80877104 in place of a version.
            if !matches!(packet[4..8], [4, 210, 22, 47 | 48]) {
                break;
            }
        }
        let mut shut = false;
        loop {
            let mut kind = [0];
            client.read_exact(&mut kind)?;
            let message = body(client, &kind)?;
            // A simple query, or the execution of a prepared one.
            if matches!(kind[0], b'Q' | b'E') {
                let number = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
                let last = number == self.limit.statement;
                shut |= number > self.limit.statement || last && !self.limit.passes;
                if last {
                    if !shut {
                        server.write_all(&message)?;
                        // What makes the server answer an executed statement follows in a message of its own.
                        if kind[0] == b'E' {
                            server.write_all(b"S\0\0\0\x04")?;
                        }
                    }
                    shut = true;
                    let _ = self.arrived.send(());
                }
            }
            if !shut {
                server.write_all(&message)?;
            }
        }
    }
}

/// The rest of a message that begins with a length, behind what was read of it.
fn body(mut from: &TcpStream, begun: &[u8]) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut message = begun.to_vec();
    message.extend_from_slice(&length);
    let at = message.len();
    message.resize(at + u32::from_be_bytes(length) as usize - 4, 0);
    from.read_exact(&mut message[at..])?;
    Ok(message)
}
