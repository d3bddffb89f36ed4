//! A relay between daemon and server that holds back what it passes on, without changing the order or the rate. It must
//! never look at what passes.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How much is read at once, in bytes.
const READ_BYTES: usize = 64 * 1024;
/// How many pieces are under way in one direction; whoever sends more waits.
const PIECES_MAX: usize = 1_024;

/// Bytes, and when they are to arrive.
type Piece = (Instant, Vec<u8>);

/// Where a relay listens that leads to `server` and takes half of `round_trip` each way. It lives as long as the program.
/// Threads, not tasks: a timer of the runtime is a millisecond coarse.
pub(crate) fn start(server: SocketAddr, round_trip: Duration) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::Builder::new().name("relay".to_owned()).spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            // A connection that cannot be made is one that breaks: the client sees it.
            let _broken = carry(client, server, round_trip / 2);
        }
    })?;
    Ok(address)
}

fn carry(client: TcpStream, server: SocketAddr, delay: Duration) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
        let (pieces, due) = sync_channel(PIECES_MAX);
        thread::Builder::new().spawn(move || take(from, delay, &pieces))?;
        thread::Builder::new().spawn(move || give(to, &due))?;
    }
    Ok(())
}

/// Comes back when it is time; to pass time is what this program is for.
pub(crate) fn await_time(at: Instant) {
    while let Some(left) = at.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}

fn take(mut from: TcpStream, delay: Duration, pieces: &SyncSender<Piece>) {
    let mut chunk = vec![0; READ_BYTES];
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        let piece = chunk.get(..read).unwrap_or_default().to_vec();
        if pieces.send((Instant::now() + delay, piece)).is_err() {
            return;
        }
    }
}

fn give(mut to: TcpStream, due: &Receiver<Piece>) {
    while let Ok((at, piece)) = due.recv() {
        await_time(at);
        if to.write_all(&piece).is_err() {
            return;
        }
    }
    // Whoever hung up at the one end hangs up at the other; if it did so first, that is well, too.
    let _gone = to.shutdown(Shutdown::Write);
}
