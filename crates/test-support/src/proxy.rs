//! A proxy between a client and the server. It counts the client's statements, and lets only a given number through.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use tenancy_config::DatabaseUrl;

/// Why a proxy panics: without its sockets, a test has nothing to test.
const SOCKETS: &str = "a proxy of a test has its sockets";

/// Which statement is the last one, and whether the server gets it.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Its number, counted from 1 over all connections.
    pub statement: usize,
    /// Whether the server runs it. Its answer is not passed on.
    pub passes: bool,
}

/// A proxy for one client with several connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    seen: Arc<AtomicUsize>,
    reached: Arc<AtomicBool>,
    loses_commit: Arc<AtomicBool>,
}

impl Proxy {
    /// Listens on a free port and passes on everything, until something is to be [lost](Self::lose_next_commit).
    ///
    /// # Panics
    /// If there is no free port.
    pub fn open(server: u16) -> Self {
        Self::before(server, Limit { statement: usize::MAX, passes: false })
    }

    /// Listens on a free port, in threads that end with the connections.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn before(server: u16, limit: Limit) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect(SOCKETS);
        let port = listener.local_addr().expect(SOCKETS).port();
        let [reached, loses_commit] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let seen = Arc::new(AtomicUsize::new(0));
        let gate = Gate {
            limit,
            seen: Arc::clone(&seen),
            reached: Arc::clone(&reached),
            loses_commit: Arc::clone(&loses_commit),
        };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", server)).expect(SOCKETS);
                // The messages are small, and somebody waits for each of them.
                client.set_nodelay(true).and(server.set_nodelay(true)).expect(SOCKETS);
                let gate = gate.clone();
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
        Self { port, seen, reached, loses_commit }
    }

    /// The server gets the next COMMIT, and the client loses the connection on which it waits for the answer.
    pub fn lose_next_commit(&self) {
        self.loses_commit.store(true, Ordering::SeqCst);
    }

    /// Whether a COMMIT is still to be lost.
    pub fn loses_commit(&self) -> bool {
        self.loses_commit.load(Ordering::SeqCst)
    }

    /// The URL of the same database through this proxy, with the password.
    pub fn through(&self, url: &DatabaseUrl) -> String {
        url.expose().replace(&format!(":{}/", url.port()), &format!(":{}/", self.port))
    }

    /// Whether the last statement has arrived.
    pub fn is_reached(&self) -> bool {
        self.reached.load(Ordering::SeqCst)
    }

    /// How many statements have arrived.
    pub fn statements(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

#[derive(Clone)]
struct Gate {
    limit: Limit,
    seen: Arc<AtomicUsize>,
    loses_commit: Arc<AtomicBool>,
    reached: Arc<AtomicBool>,
}

impl Gate {
    /// Passes messages on until the client is gone. Messages from the limit on are read but not passed on, so that the
    /// client's process is not blocked when it is killed.
    fn pass(&self, mut client: &TcpStream, mut server: &TcpStream) -> Result<()> {
        loop {
            let packet = body(client, &[])?;
            server.write_all(&packet)?;
            // A request for encryption precedes the real first packet: it has 80877103 or 80877104 in place of a
            // version.
            if !matches!(packet[4..8], [4, 210, 22, 47 | 48]) {
                break;
            }
        }
        let mut shut = false;
        loop {
            let mut kind = [0];
            client.read_exact(&mut kind)?;
            let message = body(client, &kind)?;
            let is_commit = kind[0] == b'Q' && message[5..].starts_with(b"COMMIT");
            if is_commit && self.loses_commit.swap(false, Ordering::SeqCst) {
                // Before the server has it, so that no answer arrives.
                client.shutdown(Shutdown::Both)?;
                return server.write_all(&message);
            }
            // A simple query, or the execution of a prepared statement.
            if matches!(kind[0], b'Q' | b'E') {
                let number = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
                let last = number == self.limit.statement;
                shut |= number > self.limit.statement || last && !self.limit.passes;
                if last {
                    if !shut {
                        server.write_all(&message)?;
                        // The message that makes the server answer an executed statement follows separately.
                        if kind[0] == b'E' {
                            server.write_all(b"S\0\0\0\x04")?;
                        }
                    }
                    shut = true;
                    self.reached.store(true, Ordering::SeqCst);
                }
            }
            if !shut {
                server.write_all(&message)?;
            }
        }
    }
}

/// The rest of a message that begins with its length, after the part that was read.
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
