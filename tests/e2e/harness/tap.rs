//! A tap on the wire: passes everything on to a server, and keeps what the clients said. It can be turned off, so that
//! nobody is answered any more.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::Environment;

/// A listener in front of a server. Its threads end with their connections.
pub struct Tap {
    address: SocketAddr,
    // By connection, so that what two clients say at once is not mixed.
    said: Arc<Mutex<Vec<Vec<u8>>>>,
    /// Bytes that the server said.
    answered: Arc<AtomicUsize>,
    hangs: Arc<AtomicBool>,
}

impl Tap {
    /// Taps the server at `endpoint`, `http://127.0.0.1:PORT`.
    pub fn on(endpoint: &str) -> Self {
        let server: SocketAddr =
            endpoint.trim_start_matches("http://").parse().expect("the endpoint is an address and a port");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let said = Arc::new(Mutex::new(Vec::new()));
        let (answered, hangs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (kept, count, off) = (Arc::clone(&said), Arc::clone(&answered), Arc::clone(&hangs));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (kept, count, off) = (Arc::clone(&kept), Arc::clone(&count), Arc::clone(&off));
                std::thread::spawn(move || pass_on(client, server, (&kept, count, &off)));
            }
        });
        Self { address, said, answered, hangs }
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.said.lock().expect("no thread of the tap panics").len()
    }

    /// These variables, with the tap in the server's place.
    pub fn in_place(&self, environment: &Environment) -> Environment {
        let tapped = |(name, value): &(String, String)| match name.as_str() {
            "AWS_ENDPOINT_URL" => (name.clone(), self.endpoint()),
            _ => (name.clone(), value.clone()),
        };
        environment.iter().map(tapped).collect()
    }

    /// From here on connections stand, and nobody is answered.
    pub fn hang(&self) {
        self.hangs.store(true, Ordering::Release);
    }

    /// How many bytes the server answered.
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::Acquire)
    }

    /// How often the clients said this.
    pub fn count(&self, words: &str) -> usize {
        let said = self.said.lock().expect("no thread of the tap panics");
        let windows = said.iter().flat_map(|connection| connection.windows(words.len()));
        windows.filter(|window| *window == words.as_bytes()).count()
    }
}

/// What a tap keeps of a connection, and whether it stands.
type Kept<'a> = (&'a Mutex<Vec<Vec<u8>>>, Arc<AtomicUsize>, &'a AtomicBool);

fn pass_on(mut client: TcpStream, server: SocketAddr, (said, answered, hangs): Kept<'_>) {
    let Ok(mut server) = TcpStream::connect(server) else { return };
    let (Ok(mut answers), Ok(mut back)) = (server.try_clone(), client.try_clone()) else { return };
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = answers.read(&mut buffer) {
            if back.write_all(&buffer[..length]).is_err() {
                break;
            }
            answered.fetch_add(length, Ordering::AcqRel);
        }
    });
    let connection = {
        let mut said = said.lock().expect("no thread of the tap panics");
        said.push(Vec::new());
        said.len() - 1
    };
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        let heard = &buffer[..length];
        // Kept before it is passed on: once the client has its answer, the question is here.
        said.lock().expect("no thread of the tap panics")[connection].extend_from_slice(heard);
        if !hangs.load(Ordering::Acquire) && server.write_all(heard).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}
