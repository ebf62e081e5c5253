//! A test call by a trunk: placed, listened to for three seconds, ended. Not here: what it tells (`findings`).

use super::audio::Audio;
use super::findings::Trial;
use super::line::{Heard, Line};
use crate::config::settings::{CoreSettings, Hop, Srtp, TrunkSettings};
use crate::host::Clock;
use crate::leg::{HangupReason, LegCommand, LegEnd, LegEvent};
use crate::plane::{Codec, Direction, Negotiated};
use crate::sdp::encryption::Encryption;
use crate::sdp::offer_answer::Local;
use crate::sip::body;
use crate::sip::endpoint::{Endpoint, Expired, Received};
use crate::sip::message::{Message, Method};
use crate::sip::reason;
use crate::sip::session::{Context, Peer, Session, Target};
use crate::sip::tokens::Tokens;
use crate::time::Instant;
use crate::trunk::dial;
use std::time::Duration;

/// Ringing for longer is not tried.
const RINGING: Duration = Duration::from_secs(40);
const LISTENING: Duration = Duration::from_secs(3);
const LEAVING: Duration = Duration::from_secs(4);
const TICK: Duration = Duration::from_millis(20);
const OWNER: u64 = 1;

struct Caller<'a> {
    clock: &'a Clock,
    tokens: &'a mut Tokens,
    line: &'a mut Line,
    endpoint: Endpoint,
    began: Instant,
    trial: Trial,
    audio: Audio,
    next_tick: Instant,
}

/// `number`: E.164 or as dialled here. An error is ours, not the peer's.
pub fn call(
    clock: &Clock,
    tokens: &mut Tokens,
    line: &mut Line,
    core: &CoreSettings,
    trunk: &TrunkSettings,
    hop: &Hop,
    number: &str,
) -> Result<Trial, String> {
    let out = trunk.call_out.as_ref().ok_or("the trunk has no call_out: calls of ours have no number to show")?;
    if trunk.srtp == Srtp::Required {
        return Err("the trunk takes encrypted audio alone, which a test call does not speak".into());
    }
    if !trunk.accounts.is_empty() {
        let why = "the trunk registers, which a test call does not: see rexian_trunk_accounts and the log, and call from a seat";
        return Err(why.into());
    }
    let no_port = |e| format!("no port for audio on {}: {e}", line.flow.local.ip());
    let audio = Audio::new(line.flow.local.ip(), tokens.next_u64() as u32).map_err(no_port)?;
    let here = audio.local().map_err(no_port)?;
    let local = Local {
        address: here.ip(),
        port: here.port(),
        session_id: 1,
        version: 1,
        codecs: trunk.profile.codecs.clone(),
        dtmf_payload_type: trunk.profile.dtmf_payload_type,
        direction: Direction::SendRecv,
        encryption: Encryption::new(Srtp::Never, || tokens.key()),
    };
    let addresses = dial::addresses(number, out, trunk.profile.number_uri, &core.area_code, hop, line.flow.local.ip());
    let headers: Vec<_> = dial::identity_header(trunk.profile.own_identity, None)
        .map(|name| (name, addresses.from.clone()))
        .into_iter()
        .collect();
    let target = Target {
        flow: line.flow,
        request_uri: addresses.request_uri.as_bytes(),
        from: addresses.from.clone(),
        to: addresses.to,
        headers: &headers,
        subscriber: None,
        peer: Peer::Carrier,
        reliable: trunk.profile.reliable,
        route: vec![],
    };
    let began = clock.now();
    let (endpoint, trial) = (Endpoint::new(64), Trial::default());
    let mut caller = Caller { clock, tokens, line, endpoint, began, trial, audio, next_tick: began };
    let tag = caller.tokens.token();
    let mut events = vec![];
    let mut cx = Context { now: began, endpoint: &mut caller.endpoint, tokens: caller.tokens, events: &mut events };
    let mut session = Session::place(&mut cx, OWNER, tag, target, local);
    caller.run(&mut session)?;
    Ok(caller.trial)
}

impl Caller<'_> {
    fn run(&mut self, session: &mut Session) -> Result<(), String> {
        let Some(media) = self.until(session, self.began + RINGING, true)? else {
            // Ringing still: let it go, and wait for that to be acknowledged.
            self.act(session, |s, cx| s.command(cx, LegCommand::Hangup(HangupReason::Normal)));
            return self.until(session, self.clock.now() + LEAVING, false).map(|_| ());
        };
        self.act(session, |s, cx| s.command(cx, LegCommand::Acknowledge));
        self.trial.media = Some((codec(media.codec).into(), media.remote_rtp));
        self.trial.telephone_event = media.dtmf;
        if media.direction.sends() {
            self.audio.connect(media.remote_rtp, media.payload_type);
        }
        self.until(session, self.clock.now() + LISTENING, false)?;
        self.trial.audio = self.audio.arrived();
        self.act(session, |s, cx| s.command(cx, LegCommand::Hangup(HangupReason::Normal)));
        self.until(session, self.clock.now() + LEAVING, false).map(|_| ())
    }

    /// Goes on until the far end answers (if that is waited for), the session is over, or the time is.
    fn until(&mut self, session: &mut Session, end: Instant, answer: bool) -> Result<Option<Negotiated>, String> {
        while self.clock.now() < end && !session.is_over() {
            for event in self.step(session)? {
                match event {
                    LegEvent::Answered { media } if answer => return Ok(Some(media)),
                    LegEvent::Ended(LegEnd::Fault) if answer => {
                        self.trial.unusable = Some("its answer to our offer cannot be used".into());
                    }
                    _ => {}
                }
            }
        }
        Ok(None)
    }

    fn step(&mut self, session: &mut Session) -> Result<Vec<LegEvent>, String> {
        let now = self.clock.now();
        let mut events = vec![];
        if now >= self.next_tick {
            self.audio.tick();
            self.next_tick = (self.next_tick + TICK).max(now);
        }
        self.endpoint.handle_timeout(now);
        while let Some(Expired::ClientFailed { tx, .. }) = self.endpoint.poll_expired() {
            events.extend(self.act(session, |s, cx| s.request_failed(cx, tx)));
        }
        if session.next_timeout().is_some_and(|at| at <= now) {
            events.extend(self.act(session, |s, cx| s.handle_timeout(cx)));
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.line.send(&transmit.bytes)?;
        }
        match self.line.hear() {
            Heard::Message(bytes) => events.extend(self.heard(session, &bytes)),
            Heard::Nothing => {}
            Heard::Gone(why) => return Err(why),
        }
        Ok(events)
    }

    fn heard(&mut self, session: &mut Session, bytes: &[u8]) -> Vec<LegEvent> {
        let flow = self.line.flow;
        match self.endpoint.receive(self.clock.now(), flow, bytes) {
            Received::Response { tx, msg, .. } => {
                self.note(&msg);
                self.act(session, |s, cx| s.response(cx, tx, &msg))
            }
            Received::Request { msg } if session.dialog().owns(&msg) => {
                let tx = self.endpoint.accept(self.clock.now(), flow, &msg);
                self.act(session, |s, cx| s.request(cx, tx, flow, &msg))
            }
            Received::Ack { msg } => self.act(session, |s, cx| s.acknowledged(cx, &msg)),
            _ => vec![],
        }
    }

    fn note(&mut self, msg: &Message<'_>) {
        let (Some(status), Method::Invite) = (msg.status(), msg.cseq().method) else { return };
        let after = self.clock.now().since(self.began);
        match status {
            101..=199 => self.trial.progress.push((after, status, !body::sdp(msg).is_empty())),
            200.. if self.trial.end.is_none() => {
                let phrase = String::from_utf8_lossy(msg.reason_phrase().unwrap_or_default());
                let phrase = phrase.chars().filter(|c| !c.is_control()).take(80).collect();
                self.trial.end = Some((after, status, phrase));
                self.trial.cause = reason::q850(msg).map(u32::from);
            }
            _ => {}
        }
    }

    fn act(&mut self, session: &mut Session, act: impl FnOnce(&mut Session, &mut Context<'_>)) -> Vec<LegEvent> {
        let mut events = vec![];
        let now = self.clock.now();
        act(session, &mut Context { now, endpoint: &mut self.endpoint, tokens: self.tokens, events: &mut events });
        events
    }
}

fn codec(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcma => "PCMA",
        Codec::Pcmu => "PCMU",
    }
}
