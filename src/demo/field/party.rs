//! One caller and one seat of the field: the machine, its audio, and what its facts do to that audio.
//! Not here: sockets' readiness and timers (`field`).

use crate::demo::voice::{Heard, Voice};
use crate::sim::ua::{Account, CarrierCall, CarrierFault, Cli, Phone, Pickup, Plan, RemoteMedia, UaFact, UaOutput};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

pub(super) struct Call {
    pub carrier: usize,
    pub machine: CarrierCall,
    /// Until the call ends.
    pub voice: Option<Voice>,
    pub heard: Audio,
}

pub(super) struct Desk {
    pub socket: UdpSocket,
    pub machine: Phone,
    pub voice: Voice,
    /// SIP Call-ID of the newest offer, and of the newest call answered.
    pub offered: String,
    pub answered: Option<String>,
    /// Of the last call that ended.
    pub heard: Audio,
}

/// What one end of a call heard in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audio {
    pub packets: Heard,
    /// The tone it was told to listen for.
    pub tone: bool,
    /// The key pressed last at the other end.
    pub key: Option<char>,
}

/// A call to place.
#[derive(Clone, Debug)]
pub struct NewCall {
    pub dnis: String,
    pub cli: Cli,
    pub patience: Duration,
    /// `None`: until the other side hangs up.
    pub talk: Option<Duration>,
    pub pickup: Pickup,
    pub fault: Option<CarrierFault>,
    /// What this caller sings, in Hz.
    pub tone: f32,
}

/// A phone to install on a desk.
#[derive(Clone, Debug)]
pub struct NewPhone {
    pub account: Account,
    pub domain: String,
    pub plan: Plan,
    pub tone: f32,
}

impl Audio {
    pub(super) fn of(voice: &Voice) -> Audio {
        Audio { packets: voice.heard(), tone: voice.heard_tone(), key: voice.key() }
    }
}

impl Call {
    pub fn new(carrier: usize, machine: CarrierCall, voice: Voice) -> Call {
        Call { carrier, machine, voice: Some(voice), heard: Audio::default() }
    }

    /// So far, or in all once the call has ended.
    pub fn heard(&self) -> Audio {
        self.voice.as_ref().map_or(self.heard, Audio::of)
    }

    pub fn settle(&mut self, send: impl Fn(Vec<u8>), mut tell: impl FnMut(UaFact)) {
        while let Some(output) = self.machine.poll() {
            let fact = match output {
                // Lost here is lost on the way: the machines repeat.
                UaOutput::Send(bytes) => {
                    send(bytes);
                    continue;
                }
                UaOutput::Fact(fact) => fact,
            };
            match &fact {
                UaFact::EarlyMedia(media) => follow(self.voice.as_mut(), media, false),
                UaFact::Answered(media) | UaFact::MediaChanged(media) => follow(self.voice.as_mut(), media, true),
                UaFact::Ended(_) => {
                    if let Some(mut voice) = self.voice.take() {
                        voice.drain();
                        self.heard = Audio::of(&voice);
                    }
                }
                _ => {}
            }
            tell(fact);
        }
    }
}

impl Desk {
    pub fn new(socket: UdpSocket, machine: Phone, voice: Voice) -> Desk {
        Desk { socket, machine, voice, offered: String::new(), answered: None, heard: Audio::default() }
    }

    pub fn settle(&mut self, gateway: SocketAddr, mut tell: impl FnMut(UaFact)) {
        while let Some(output) = self.machine.poll() {
            let fact = match output {
                UaOutput::Send(bytes) => {
                    let _ = self.socket.send_to(&bytes, gateway);
                    continue;
                }
                UaOutput::Fact(fact) => fact,
            };
            match &fact {
                UaFact::Offered { sip_call_id, .. } => self.offered.clone_from(sip_call_id),
                UaFact::Answered(media) => {
                    self.answered = Some(self.offered.clone());
                    follow(Some(&mut self.voice), media, true);
                }
                UaFact::MediaChanged(media) => follow(Some(&mut self.voice), media, true),
                UaFact::Ended(_) => {
                    self.voice.drain();
                    self.heard = Audio::of(&self.voice);
                    self.voice.hang_up();
                }
                _ => {}
            }
            tell(fact);
        }
    }
}

fn follow(voice: Option<&mut Voice>, media: &RemoteMedia, sending: bool) {
    if let Some(voice) = voice {
        voice.connect(media.rtp, sending && media.listens);
    }
}
