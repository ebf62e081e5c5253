//! The path between one browser and the program, which can be cut, mended and changed: pages and their socket by TCP, audio by UDP.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

pub struct Path {
    pub pages: SocketAddr,
    pub audio: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    over: AtomicBool,
    is_cut: Mutex<bool>,
    mended: Condvar,
    streams: Mutex<Vec<(TcpStream, Arc<AtomicBool>)>>,
    /// What the program sees of each of the browser's addresses.
    outside: Mutex<HashMap<SocketAddr, UdpSocket>>,
}

impl Path {
    /// By this address, which the program does not have itself.
    pub fn new(by: IpAddr, pages: SocketAddr, audio: SocketAddr) -> Path {
        let listener = TcpListener::bind((by, 0)).unwrap();
        let inside = UdpSocket::bind((by, 0)).unwrap();
        inside.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let state = Arc::new(State::default());
        let path =
            Path { pages: listener.local_addr().unwrap(), audio: inside.local_addr().unwrap(), state: state.clone() };
        let shared = state.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(pages) else { continue };
                let lost = Arc::new(AtomicBool::new(false));
                let ends = [&near, &far].map(|end| (end.try_clone().unwrap(), lost.clone()));
                shared.streams.lock().unwrap().extend(ends);
                for (from, to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                    let (shared, lost) = (shared.clone(), lost.clone());
                    std::thread::spawn(move || shared.pump(from, to, &lost));
                }
            }
        });
        std::thread::spawn(move || {
            let mut buffer = [0; 2_048];
            while !state.over.load(Ordering::Relaxed) {
                if let Ok((len, from)) = inside.recv_from(&mut buffer)
                    && !state.is_cut()
                {
                    let _ = state.outside(from, by, &inside).send_to(&buffer[..len], audio);
                }
            }
        });
        path
    }

    /// Nothing passes any more; connections hang, as on any network that is gone.
    pub fn cut(&self) {
        *self.state.is_cut.lock().unwrap() = true;
    }

    /// What was sent on connections meanwhile arrives, as it would.
    pub fn mend(&self) {
        *self.state.is_cut.lock().unwrap() = false;
        self.state.mended.notify_all();
    }

    /// Another network, or a router that started again: connections are broken, and audio comes from other ports.
    pub fn change(&self) {
        for (stream, _) in self.state.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.rebind();
    }

    /// Another address: of the connections there were nothing is ever heard again, not even their end.
    pub fn lose(&self) {
        for (_, lost) in self.state.streams.lock().unwrap().iter() {
            lost.store(true, Ordering::Relaxed);
        }
        self.rebind();
    }

    /// Only the ports of audio are others.
    pub fn rebind(&self) {
        self.state.outside.lock().unwrap().clear();
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::Relaxed);
        self.mend();
        self.change();
    }
}

impl State {
    fn is_cut(&self) -> bool {
        *self.is_cut.lock().unwrap()
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, lost: &AtomicBool) {
        let mut buffer = [0; 16_384];
        while let Ok(len @ 1..) = from.read(&mut buffer) {
            let mut is_cut = self.is_cut.lock().unwrap();
            while *is_cut {
                is_cut = self.mended.wait(is_cut).unwrap();
            }
            drop(is_cut);
            if lost.load(Ordering::Relaxed) {
                continue;
            }
            if to.write_all(&buffer[..len]).is_err() {
                break;
            }
        }
        if !lost.load(Ordering::Relaxed) {
            let _ = to.shutdown(Shutdown::Both);
        }
    }

    /// The port by which this address of the browser goes out.
    fn outside(self: &Arc<State>, from: SocketAddr, by: IpAddr, inside: &UdpSocket) -> UdpSocket {
        let mut outside = self.outside.lock().unwrap();
        if let Some(socket) = outside.get(&from) {
            return socket.try_clone().unwrap();
        }
        let socket = UdpSocket::bind((by, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let port = socket.local_addr().unwrap();
        outside.insert(from, socket.try_clone().unwrap());
        let (state, back, inside) = (self.clone(), socket.try_clone().unwrap(), inside.try_clone().unwrap());
        std::thread::spawn(move || {
            let is_ours = |state: &State| {
                let outside = state.outside.lock().unwrap();
                outside.get(&from).is_some_and(|socket| socket.local_addr().unwrap() == port)
            };
            let mut buffer = [0; 2_048];
            // What comes to a port that is not ours any more is nobody's.
            while !state.over.load(Ordering::Relaxed) && is_ours(&state) {
                if let Ok((len, _)) = back.recv_from(&mut buffer)
                    && is_ours(&state)
                    && !state.is_cut()
                {
                    let _ = inside.send_to(&buffer[..len], from);
                }
            }
        });
        socket
    }
}
