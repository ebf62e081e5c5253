//! Where WebSocket messages begin and end on the wire (RFC 6455 s5.2, s5.4), seen beside the library, which tells of whole ones
//! only: somebody who sends one in pieces, with pings between them, is otherwise never late. Belongs here: headers of frames
//! and when the message in hand began. Not here: what is in it (`websocket`).

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// A stream whose frames are followed from the end of the handshake on.
#[derive(Debug)]
pub struct Watched<S> {
    stream: S,
    /// `None`: still in the handshake.
    frames: Option<Frames>,
    begun: Begun,
}

/// Since when a message has been on its way; nothing: none is.
#[derive(Clone, Debug, Default)]
pub struct Begun(Arc<Mutex<Option<Instant>>>);

#[derive(Debug, Default)]
struct Frames {
    /// Of the header in hand.
    header: [u8; 14],
    have: usize,
    /// Of the payload in hand.
    left: u64,
    /// A message of several frames lacks its last.
    open: bool,
}

impl Begun {
    pub fn at(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, unfinished: bool) {
        let mut at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *at = unfinished.then(|| at.unwrap_or_else(Instant::now));
    }
}

impl<S> Watched<S> {
    pub fn new(stream: S) -> Watched<S> {
        Watched { stream, frames: None, begun: Begun::default() }
    }

    /// The handshake is over: what is read from now on are frames.
    pub fn begin(&mut self) -> Begun {
        self.frames = Some(Frames::default());
        self.begun.clone()
    }
}

impl Frames {
    fn read(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let taken = self.left.min(bytes.len() as u64);
                self.left -= taken;
                bytes = &bytes[taken as usize..];
            } else {
                self.header[self.have] = *first;
                self.have += 1;
                bytes = rest;
                self.header_read();
            }
            if self.left == 0 && self.have > 0 && self.have == self.length() {
                let [kind, ..] = self.header;
                // Control frames come between the others' pieces.
                if kind & 0x08 == 0 {
                    self.open = kind & 0x80 == 0;
                }
                self.have = 0;
            }
        }
    }

    fn header_read(&mut self) {
        if self.have != self.length() {
            return;
        }
        let h = &self.header;
        self.left = match h[1] & 0x7F {
            126 => u16::from_be_bytes([h[2], h[3]]).into(),
            127 => u64::from_be_bytes([h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9]]),
            short => short.into(),
        };
    }

    /// Of the header in hand, as far as it is known.
    fn length(&self) -> usize {
        if self.have < 2 {
            return self.header.len();
        }
        let more = match self.header[1] & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        2 + more + if self.header[1] & 0x80 == 0 { 0 } else { 4 }
    }

    fn is_unfinished(&self) -> bool {
        self.open || self.have > 0
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let done = Pin::new(&mut self.stream).poll_read(cx, buf);
        let this = &mut *self;
        if let Some(frames) = this.frames.as_mut().filter(|_| buf.filled().len() > before) {
            frames.read(&buf.filled()[before..]);
            this.begun.set(frames.is_unfinished());
        }
        done
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A masked frame as a browser sends it.
    fn frame(kind: u8, len: usize) -> Vec<u8> {
        let mut bytes = vec![kind];
        match len {
            ..126 => bytes.push(0x80 | len as u8),
            126..65_536 => bytes.extend([&[0xFE][..], &(len as u16).to_be_bytes()].concat()),
            _ => bytes.extend([&[0xFF][..], &(len as u64).to_be_bytes()].concat()),
        }
        bytes.extend([0; 4]);
        bytes.resize(bytes.len() + len, b'x');
        bytes
    }

    #[test]
    fn a_message_is_on_its_way_from_its_first_octet_to_its_last() {
        let (text, middle, last, ping) = (0x01, 0x00, 0x80, 0x89);
        for (frames, whole) in [
            (vec![frame(0x81, 0)], true),
            (vec![frame(0x81, 125), frame(0x82, 126), frame(0x81, 65_535), frame(0x81, 65_536)], true),
            (vec![frame(text, 5)], false),
            (vec![frame(text, 5), frame(ping, 3), frame(middle, 200), frame(ping, 0)], false),
            (vec![frame(text, 0), frame(ping, 125), frame(middle, 7), frame(last, 1)], true),
            (vec![vec![0x81, 0x05, 1, 2, 3, 4, 5]], true),
        ] {
            let bytes = frames.concat();
            for step in [1, 2, 3, 1_000, bytes.len()] {
                let mut read = Frames::default();
                bytes.chunks(step).for_each(|chunk| read.read(chunk));
                assert_eq!(read.is_unfinished(), !whole, "{:x?} by {step}", &bytes[..bytes.len().min(20)]);
            }
            for cut in 1..bytes.len().min(140) {
                let mut read = Frames::default();
                read.read(&bytes[..cut]);
                let ends = frames
                    .iter()
                    .scan(0, |at, f| {
                        *at += f.len();
                        Some(*at)
                    })
                    .collect::<Vec<_>>();
                if !ends.contains(&cut) {
                    assert!(read.is_unfinished(), "cut at {cut} of {:x?}", &bytes[..cut]);
                }
            }
        }
    }
}
