//! The audio of a test call: a tone out, and what comes in counted wherever it comes from. Not here: the gateway's own
//! media, which would refuse what does not come from the agreed address; here that is worth telling.

use crate::media::rtp::Packet;
use crate::media::tone::{FRAME, ToneGenerator};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

const HZ: f32 = 440.0;
const LEVEL_DBOV: f32 = -20.0;

pub struct Audio {
    socket: UdpSocket,
    to: Option<(SocketAddr, u8)>,
    tone: ToneGenerator,
    ssrc: u32,
    sent: u16,
    arrived: u64,
    from: Option<SocketAddr>,
}

impl Audio {
    pub fn new(ip: IpAddr, ssrc: u32) -> io::Result<Audio> {
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        let tone = ToneGenerator::new(HZ, LEVEL_DBOV);
        Ok(Audio { socket, to: None, tone, ssrc, sent: 0, arrived: 0, from: None })
    }

    pub fn local(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// From now on the tone goes there.
    pub fn connect(&mut self, remote: SocketAddr, payload_type: u8) {
        self.to = Some((remote, payload_type));
    }

    /// Every 20 ms.
    pub fn tick(&mut self) {
        let mut buffer = [0; 2_048];
        while let Ok((n, from)) = self.socket.recv_from(&mut buffer) {
            if Packet::parse(&buffer[..n]).is_some() {
                self.arrived += 1;
                self.from.get_or_insert(from);
            }
        }
        let Some((to, payload_type)) = self.to else { return };
        let packet = Packet {
            payload_type,
            marker: self.sent == 0,
            seq: self.sent,
            timestamp: u32::from(self.sent) * FRAME as u32,
            ssrc: self.ssrc,
            payload: &self.tone.frame(),
        };
        self.sent = self.sent.wrapping_add(1);
        if let Some(len) = packet.write(&mut buffer) {
            // Lost as on any network; the far end counts it.
            let _ = self.socket.send_to(&buffer[..len], to);
        }
    }

    /// Packets of RTP, and where the first came from.
    pub fn arrived(&self) -> (u64, Option<SocketAddr>) {
        (self.arrived, self.from)
    }
}
