//! One packet under one session key: sealed and opened in place (RFC 3711 s3.1, s3.4, s4; RFC 7714 s8, s9). Belongs here:
//! nonces, layouts, tags, and the keys' derivation (RFC 3711 s4.3, RFC 6188 for 256 bits). Not here: which index a packet
//! has and whether it comes again (`index`).
//!
//! A packet that does not open is left as it was.

use crate::plane::srtp::{MasterKey, Suite};
use aes::cipher::consts::{U12, U16};
use aes::cipher::{BlockCipherEncrypt, BlockSizeUser, InnerIvInit, KeyInit, StreamCipherCore};
use aes::{Aes128Enc, Aes256Enc};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{AesGcm, Tag};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use hmac::{Hmac, Mac};
use sha1::Sha1;

const GCM_TAG: usize = 16;
/// The flag "encrypted" and the SRTCP index, in front of or behind the tag.
const TRAILER: usize = 4;
const ENCRYPTED: u32 = 1 << 31;
/// SRTCP leaves the first header and SSRC readable.
const RTCP_HEADER: usize = 8;

/// What is protected: each has keys of its own, derived under labels of its own (RFC 3711 s4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Rtp,
    Rtcp,
}

// It lives in its leg's box; one more would be one more look-up per packet.
#[allow(clippy::large_enum_variant)]
pub enum Cipher {
    Counter(Counter),
    Gcm128(Gcm<Aes128Enc>),
    Gcm256(Gcm<Aes256Enc>),
}

/// AES in counter mode, then a tag by HMAC-SHA1.
pub struct Counter {
    aes: Aes128Enc,
    salt: [u8; 14],
    mac: Hmac<Sha1>,
    tag: usize,
}

pub struct Gcm<Aes> {
    aead: AesGcm<Aes, U12>,
    salt: [u8; 12],
}

impl Cipher {
    pub fn derive(suite: Suite, kind: Kind, master: &MasterKey) -> Cipher {
        let label = if kind == Kind::Rtp { 0 } else { 3 };
        match suite {
            Suite::AesCm128HmacSha1_80 | Suite::AesCm128HmacSha1_32 => {
                let tag = if (suite, kind) == (Suite::AesCm128HmacSha1_32, Kind::Rtp) { 4 } else { 10 };
                let mac: [u8; 20] = derived(suite, master, label + 1);
                Cipher::counter(derived(suite, master, label), derived(suite, master, label + 2), mac, tag)
            }
            Suite::AeadAes128Gcm => Cipher::gcm128(derived(suite, master, label), derived(suite, master, label + 2)),
            Suite::AeadAes256Gcm => Cipher::gcm256(derived(suite, master, label), derived(suite, master, label + 2)),
        }
    }

    pub(super) fn counter(key: [u8; 16], salt: [u8; 14], mac: [u8; 20], tag: usize) -> Cipher {
        // A key of any length is one to HMAC: as `new`, which does not fail for these 20 octets.
        let mut block = [0; 64];
        block[..20].copy_from_slice(&mac);
        Cipher::Counter(Counter { aes: Aes128Enc::new(&key.into()), salt, mac: Hmac::new(&block.into()), tag })
    }

    pub(super) fn gcm128(key: [u8; 16], salt: [u8; 12]) -> Cipher {
        Cipher::Gcm128(Gcm { aead: AesGcm::new(&key.into()), salt })
    }

    pub(super) fn gcm256(key: [u8; 32], salt: [u8; 12]) -> Cipher {
        Cipher::Gcm256(Gcm { aead: AesGcm::new(&key.into()), salt })
    }

    /// The packet is the first `len` octets of `buffer`, `header` of which stay readable. Returns its length sealed;
    /// `None` if that does not fit.
    pub fn seal_rtp(&self, index: u64, ssrc: u32, header: usize, len: usize, buffer: &mut [u8]) -> Option<usize> {
        match self {
            Cipher::Counter(c) => {
                let (packet, tag) = buffer.get_mut(..len + c.tag)?.split_at_mut(len);
                c.apply(index, ssrc, packet.get_mut(header..)?);
                tag.copy_from_slice(&c.tagged(packet, &rollovers(index)).finalize().into_bytes()[..c.tag]);
                Some(len + c.tag)
            }
            Cipher::Gcm128(gcm) => gcm.seal_rtp(index, ssrc, header, len, buffer),
            Cipher::Gcm256(gcm) => gcm.seal_rtp(index, ssrc, header, len, buffer),
        }
    }

    /// Returns the packet's length without its tag; `None`: not genuine.
    pub fn open_rtp(&self, index: u64, ssrc: u32, header: usize, sealed: &mut [u8]) -> Option<usize> {
        match self {
            Cipher::Counter(c) => {
                let len = sealed.len().checked_sub(c.tag).filter(|len| *len >= header)?;
                let (packet, tag) = sealed.split_at_mut(len);
                c.tagged(packet, &rollovers(index)).verify_truncated_left(tag).ok()?;
                c.apply(index, ssrc, &mut packet[header..]);
                Some(len)
            }
            Cipher::Gcm128(gcm) => gcm.open_rtp(index, ssrc, header, sealed),
            Cipher::Gcm256(gcm) => gcm.open_rtp(index, ssrc, header, sealed),
        }
    }

    /// As for RTP; `index` of 31 bits travels in the packet.
    pub fn seal_rtcp(&self, index: u32, len: usize, buffer: &mut [u8]) -> Option<usize> {
        let ssrc = ssrc_of_rtcp(buffer.get(..len)?)?;
        let trailer = (ENCRYPTED | index).to_be_bytes();
        match self {
            Cipher::Counter(c) => {
                let (packet, end) = buffer.get_mut(..len + TRAILER + c.tag)?.split_at_mut(len);
                c.apply(index.into(), ssrc, &mut packet[RTCP_HEADER..]);
                end[..TRAILER].copy_from_slice(&trailer);
                end[TRAILER..].copy_from_slice(&c.tagged(packet, &trailer).finalize().into_bytes()[..c.tag]);
                Some(len + TRAILER + c.tag)
            }
            Cipher::Gcm128(gcm) => gcm.seal_rtcp(index, ssrc, trailer, len, buffer),
            Cipher::Gcm256(gcm) => gcm.seal_rtcp(index, ssrc, trailer, len, buffer),
        }
    }

    /// Where an SRTCP packet says its index.
    pub fn rtcp_index(&self, sealed: &[u8]) -> Option<u32> {
        let end = match self {
            Cipher::Counter(c) => sealed.len().checked_sub(c.tag)?,
            Cipher::Gcm128(_) | Cipher::Gcm256(_) => sealed.len(),
        };
        let word = sealed.get(end.checked_sub(TRAILER)?..end)?;
        let word = u32::from_be_bytes(word.try_into().ok()?);
        // Not encrypted is not agreed on (UNENCRYPTED_SRTCP).
        (word & ENCRYPTED != 0).then_some(word & !ENCRYPTED)
    }

    pub fn open_rtcp(&self, index: u32, sealed: &mut [u8]) -> Option<usize> {
        let ssrc = ssrc_of_rtcp(sealed)?;
        let trailer = (ENCRYPTED | index).to_be_bytes();
        match self {
            Cipher::Counter(c) => {
                let len = sealed.len().checked_sub(TRAILER + c.tag).filter(|len| *len >= RTCP_HEADER)?;
                let (packet, end) = sealed.split_at_mut(len);
                c.tagged(packet, &trailer).verify_truncated_left(&end[TRAILER..]).ok()?;
                c.apply(index.into(), ssrc, &mut packet[RTCP_HEADER..]);
                Some(len)
            }
            Cipher::Gcm128(gcm) => gcm.open_rtcp(index, ssrc, trailer, sealed),
            Cipher::Gcm256(gcm) => gcm.open_rtcp(index, ssrc, trailer, sealed),
        }
    }
}

impl Counter {
    /// RFC 3711 s4.1.1: encrypts and decrypts.
    fn apply(&self, index: u64, ssrc: u32, payload: &mut [u8]) {
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&self.salt);
        xor(&mut iv[4..14], ssrc, index);
        keystream(&self.aes, iv, payload);
    }

    fn tagged(&self, packet: &[u8], then: &[u8]) -> Hmac<Sha1> {
        self.mac.clone().chain_update(packet).chain_update(then)
    }
}

impl<Aes: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>> Gcm<Aes> {
    /// RFC 7714 s8.1, s9.1.
    fn nonce(&self, ssrc: u32, index: u64) -> aes_gcm::Nonce<U12> {
        let mut nonce = self.salt;
        xor(&mut nonce[2..], ssrc, index);
        nonce.into()
    }

    fn seal_rtp(&self, index: u64, ssrc: u32, header: usize, len: usize, buffer: &mut [u8]) -> Option<usize> {
        let (packet, tag) = buffer.get_mut(..len + GCM_TAG)?.split_at_mut(len);
        let (header, payload) = packet.split_at_mut_checked(header)?;
        let sealed = self.aead.encrypt_inout_detached(&self.nonce(ssrc, index), header, payload.into()).ok()?;
        tag.copy_from_slice(&sealed);
        Some(len + GCM_TAG)
    }

    fn open_rtp(&self, index: u64, ssrc: u32, header: usize, sealed: &mut [u8]) -> Option<usize> {
        let len = sealed.len().checked_sub(GCM_TAG).filter(|len| *len >= header)?;
        let (packet, tag) = sealed.split_at_mut(len);
        let (header, payload) = packet.split_at_mut(header);
        let tag: &Tag = (&*tag).try_into().ok()?;
        self.aead.decrypt_inout_detached(&self.nonce(ssrc, index), header, payload.into(), tag).ok()?;
        Some(len)
    }

    fn seal_rtcp(&self, index: u32, ssrc: u32, trailer: [u8; TRAILER], len: usize, buffer: &mut [u8]) -> Option<usize> {
        let (packet, end) = buffer.get_mut(..len + GCM_TAG + TRAILER)?.split_at_mut(len);
        let (header, payload) = packet.split_at_mut(RTCP_HEADER);
        let aad = rtcp_aad(header, trailer);
        let tag = self.aead.encrypt_inout_detached(&self.nonce(ssrc, index.into()), &aad, payload.into()).ok()?;
        end[..GCM_TAG].copy_from_slice(&tag);
        end[GCM_TAG..].copy_from_slice(&trailer);
        Some(len + GCM_TAG + TRAILER)
    }

    fn open_rtcp(&self, index: u32, ssrc: u32, trailer: [u8; TRAILER], sealed: &mut [u8]) -> Option<usize> {
        let len = sealed.len().checked_sub(GCM_TAG + TRAILER).filter(|len| *len >= RTCP_HEADER)?;
        let (packet, end) = sealed.split_at_mut(len);
        let (header, payload) = packet.split_at_mut(RTCP_HEADER);
        let tag: &Tag = end[..GCM_TAG].try_into().ok()?;
        let aad = rtcp_aad(header, trailer);
        self.aead.decrypt_inout_detached(&self.nonce(ssrc, index.into()), &aad, payload.into(), tag).ok()?;
        Some(len)
    }
}

/// RFC 7714 s9.2: the header, then what is behind the tag.
fn rtcp_aad(header: &[u8], trailer: [u8; TRAILER]) -> [u8; RTCP_HEADER + TRAILER] {
    let mut aad = [0; RTCP_HEADER + TRAILER];
    aad[..RTCP_HEADER].copy_from_slice(header);
    aad[RTCP_HEADER..].copy_from_slice(&trailer);
    aad
}

fn ssrc_of_rtcp(packet: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(packet.get(4..RTCP_HEADER)?.try_into().ok()?))
}

/// Ten octets of a nonce: SSRC, then the index in 48 bits.
fn xor(nonce: &mut [u8], ssrc: u32, index: u64) {
    let parts = ssrc.to_be_bytes().into_iter().chain(index.to_be_bytes().into_iter().skip(2));
    nonce.iter_mut().zip(parts).for_each(|(octet, part)| *octet ^= part);
}

/// The rollover counter, which the tag covers and the packet does not carry.
fn rollovers(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// Counter mode from this first block on, added to `data`.
fn keystream<Aes: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>>(aes: &Aes, iv: [u8; 16], data: &mut [u8]) {
    CtrCore::<&Aes, Ctr128BE>::inner_iv_init(aes, &iv.into()).apply_keystream_partial(data.into());
}

/// RFC 3711 s4.3.3: the keystream under the master key at a place of the label's own. No key derivation rate is spoken.
pub(super) fn derived<const N: usize>(suite: Suite, master: &MasterKey, label: u8) -> [u8; N] {
    let mut iv = [0; 16];
    let salt = master.salt(suite);
    iv[..salt.len()].copy_from_slice(salt);
    iv[7] ^= label;
    let mut out = [0; N];
    match master.key(suite).try_into() {
        Ok(key) => {
            keystream(&Aes128Enc::new(key), iv, &mut out);
        }
        // The other length there is.
        Err(_) => {
            let mut key = [0; 32];
            key.iter_mut().zip(master.key(suite)).for_each(|(to, from)| *to = *from);
            keystream(&Aes256Enc::new(&key.into()), iv, &mut out);
        }
    }
    out
}
