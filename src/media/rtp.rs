//! RTP packets as bytes. Belongs here: reading a datagram into what matters, writing our header, telling RTP from RTCP.
//! Not here: what a packet means to a leg (`inbound`, `outbound`). (RFC 3550 s5.1; RFC 5761 s4.)

use rtp_rs::RtpReader;

/// Our packets carry neither CSRC nor extension: the header is always this long.
pub const HEADER: usize = 12;
/// Comfort noise (RFC 3389), and its number before that RFC.
pub const COMFORT_NOISE: [u8; 2] = [13, 19];

/// One valid RTP packet, borrowed from the receive buffer. Extensions, CSRCs and padding are left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'p> {
    pub payload_type: u8,
    pub marker: bool,
    pub seq: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: &'p [u8],
}

impl<'p> Packet<'p> {
    /// `None`: not RTP version 2, or its lengths contradict the datagram's.
    pub fn parse(datagram: &'p [u8]) -> Option<Packet<'p>> {
        let reader = RtpReader::new(datagram).ok()?;
        Some(Packet {
            payload_type: reader.payload_type(),
            marker: reader.mark(),
            seq: reader.sequence_number().into(),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
            payload: reader.payload(),
        })
    }

    /// Writes header and payload to `out`, returning the length; `None` if it does not fit.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let len = HEADER + self.payload.len();
        let out = out.get_mut(..len)?;
        out[0] = 0x80;
        out[1] = u8::from(self.marker) << 7 | self.payload_type;
        out[2..4].copy_from_slice(&self.seq.to_be_bytes());
        out[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        out[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        out[HEADER..].copy_from_slice(self.payload);
        Some(len)
    }
}

/// Is this datagram RTCP, on whichever port it came? Packet types 192-223 are never RTP's under RFC 5761.
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let packet = Packet {
            payload_type: 8,
            marker: true,
            seq: 0xFFFE,
            timestamp: 0xFFFF_FF00,
            ssrc: 0xDEAD_BEEF,
            payload: &[1, 2, 3],
        };
        let mut buffer = [0; 64];
        let len = packet.write(&mut buffer).unwrap();
        assert_eq!(Packet::parse(&buffer[..len]), Some(packet));
        assert_eq!(packet.write(&mut [0; 14]), None);
    }

    #[test]
    fn extension_csrc_and_padding_are_no_audio() {
        let mut datagram = vec![0xB1, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 0xBE, 0xDE, 0, 1, 7, 7, 7, 7];
        datagram.extend([0x55; 10]);
        datagram.extend([0, 0, 3]);
        assert_eq!(Packet::parse(&datagram).unwrap().payload, [0x55; 10]);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let valid = [0x80, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x55];
        assert!(Packet::parse(&valid).is_some());
        for (first, what) in [(0x40, "version 1"), (0x8F, "15 CSRCs"), (0x90, "extension"), (0xA0, "padding")] {
            let mut datagram = valid;
            datagram[0] = first;
            assert_eq!(Packet::parse(&datagram), None, "{what} beyond the end");
        }
        assert_eq!(Packet::parse(&valid[..11]), None);
        assert_eq!(Packet::parse(&[]), None);
    }

    #[test]
    fn rtcp_is_told_from_marked_rtp() {
        assert!(is_rtcp(&[0x80, 200, 0, 1]));
        assert!(!is_rtcp(&[0x80, 0x80 | 8, 0, 1]), "PCMA with the marker");
        assert!(!is_rtcp(&[0x80, 0x80 | 101, 0, 1]), "telephone-event with the marker");
        assert!(!is_rtcp(&[0x80]));
    }
}
