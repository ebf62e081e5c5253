//! Carries out the plan: signs the agents in, lets the callers call, joins the two views of each call, and notes what
//! every phone saw. Belongs here: the demo's play as reactions to facts. Not here: sockets (`field`), the plan itself
//! (`plan`), drawing, judging.

use super::field::{Field, NewCall, NewPhone, Who};
use super::figures::{CallSeen, Seen};
use super::plan::{Carrier, FirstOffer, Plan, PlannedCall, PlannedSeat, Side, lead_in};
use super::tone::{caller_tone, seat_tone};
use crate::config::settings::FeatureCodes;
use crate::sim::ua::{self, Account, Cli, Ending, Pickup, Reaction, UaFact};
use crate::time::Instant;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

/// How long registrations and sign-ins may take.
const SIGN_IN: Duration = Duration::from_secs(15);
/// After a pickup the agent puts the caller on hold this late, for this long.
const HOLD: (Duration, Duration) = (Duration::from_millis(700), Duration::from_millis(600));
/// An agent that rang out or was busy is back this long after.
const BACK_AFTER: Duration = Duration::from_secs(2);

/// Where the pretend world stands, beside the gateway's address in the field.
pub struct Place {
    pub seats: IpAddr,
    pub on_queue_carrier: IpAddr,
    pub on_pickup_carrier: IpAddr,
    /// Of the seats' accounts.
    pub domain: String,
    pub password: String,
    pub codes: FeatureCodes,
}

pub struct Stage {
    field: Field,
    plan: Plan,
    carriers: [usize; 2],
    place: Place,
    /// The day's first moment.
    opened: Instant,
    cues: BTreeMap<(Instant, u64), Cue>,
    cue_no: u64,
    calls: Vec<CallState>,
    desks: Vec<DeskState>,
    /// Offers that rang out.
    pub rona: u64,
}

/// What somebody does at a set time.
#[derive(Clone, Copy, Debug)]
enum Cue {
    Dial { planned: usize },
    Hold { desk: usize, call: usize, hold: bool },
    HangUp { desk: usize, call: usize },
    BackToWork { desk: usize },
}

struct CallState {
    planned: usize,
    placed: Instant,
    life: CallLife,
}

enum CallLife {
    Waiting,
    Joined {
        desk: usize,
        picked_up: Instant,
        seat: Option<SeatHeard>,
    },
    /// `None`: ended before anybody picked up.
    Over {
        how: Ending,
        joined: Option<(Instant, Option<SeatHeard>)>,
        at: Instant,
    },
}

/// What the seat's phone had heard when its side ended.
type SeatHeard = super::field::Audio;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DeskState {
    Registering,
    SigningIn,
    Free,
    Ringing { call: usize, ignoring: bool },
    Talking { call: usize },
}

impl Stage {
    /// Installs and signs in every planned seat. The error names what failed, in words for the screen.
    pub fn open(mut field: Field, place: Place, plan: Plan) -> Result<Stage, String> {
        let io = |e: io::Error| format!("cannot open the pretend phones' sockets: {e}");
        let carriers = [
            field.open_carrier(place.on_queue_carrier).map_err(io)?,
            field.open_carrier(place.on_pickup_carrier).map_err(io)?,
        ];
        for (n, seat) in plan.seats.iter().enumerate() {
            let phone = NewPhone {
                // Old phones know MD5 alone; both kinds sit in this room.
                account: Account { user: seat.seat.clone(), secret: place.password.clone(), sha256: n % 2 == 0 },
                domain: place.domain.clone(),
                plan: first_plan(seat),
                tone: seat_tone(n),
            };
            field.install(place.seats, phone).map_err(io)?;
        }
        let desks = vec![DeskState::Registering; plan.seats.len()];
        let opened = field.now();
        let mut stage = Stage {
            field,
            plan,
            carriers,
            place,
            opened,
            cues: BTreeMap::new(),
            cue_no: 0,
            calls: Vec::new(),
            desks,
            rona: 0,
        };
        stage.sign_everybody_in()?;
        stage.opened = stage.field.now();
        for planned in 0..stage.plan.calls.len() {
            stage.cue(stage.opened + stage.plan.calls[planned].at, Cue::Dial { planned });
        }
        Ok(stage)
    }

    /// Plays on until `until`. False: every planned call has been made and is over, and every phone is free.
    pub fn play(&mut self, until: Instant) -> io::Result<bool> {
        while self.field.now() < until {
            let next = self.cues.first_key_value().map_or(until, |((at, _), _)| (*at).min(until));
            if let Some((who, fact)) = self.field.next_fact(next)? {
                self.on_fact(who, fact);
            }
            let now = self.field.now();
            while let Some(entry) = self.cues.first_entry()
                && entry.key().0 <= now
            {
                let cue = entry.remove();
                self.on_cue(cue)?;
            }
        }
        Ok(!self.is_over())
    }

    pub fn now(&self) -> Instant {
        self.field.now()
    }

    pub fn opened(&self) -> Instant {
        self.opened
    }

    pub fn calls_over(&self) -> usize {
        self.calls.iter().filter(|c| matches!(c.life, CallLife::Over { .. })).count()
    }

    pub fn calls_planned(&self) -> usize {
        self.plan.calls.len()
    }

    pub fn calls_made(&self) -> usize {
        self.calls.len()
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Everybody but the first signs out.
    pub fn send_home_all_but_one(&mut self) {
        let code = self.place.codes.sign_out.clone();
        for desk in 1..self.desks.len() {
            self.field.at_phone(desk, |phone, now| phone.dial(now, &code));
        }
    }

    /// One more call, for a stage that stays open.
    pub fn add_call(&mut self, call: PlannedCall) {
        let planned = self.plan.calls.len();
        self.plan.calls.push(call);
        let now = self.field.now();
        self.cue(now, Cue::Dial { planned });
    }

    /// What the phones saw of every call made.
    pub fn seen(&self) -> Vec<CallSeen> {
        (0..self.calls.len()).map(|n| self.call_seen(n)).collect()
    }

    fn call_seen(&self, n: usize) -> CallSeen {
        let call = &self.calls[n];
        let caller = self.field.heard_by_call(n);
        let end = match &call.life {
            CallLife::Over { joined: Some((picked_up, seat)), .. } => {
                let seat = seat.unwrap_or_default();
                Seen::Answered {
                    wait: picked_up.since(call.placed),
                    seat_heard_caller: seat.tone,
                    caller_heard_seat: caller.tone,
                    seat: seat.packets,
                }
            }
            CallLife::Over { how: Ending::HungUp | Ending::Cancelled, at, .. } => {
                Seen::Abandoned { waited: at.since(call.placed) }
            }
            CallLife::Over { how, .. } => Seen::Failed(format!("{how:?}")),
            CallLife::Waiting => Seen::Failed("still waiting when the demo's time was over".into()),
            CallLife::Joined { .. } => Seen::Failed("still talking when the demo's time was over".into()),
        };
        CallSeen {
            language: self.plan.calls[call.planned].language,
            sip_call_id: self.field.sip_call_id(n).to_string(),
            end,
            caller: caller.packets,
        }
    }

    fn is_over(&self) -> bool {
        self.calls.len() == self.plan.calls.len()
            && self.calls.iter().all(|c| matches!(c.life, CallLife::Over { .. }))
            && self.desks.iter().all(|d| *d == DeskState::Free)
    }

    fn sign_everybody_in(&mut self) -> Result<(), String> {
        let deadline = self.field.now() + SIGN_IN;
        while self.desks.iter().any(|d| *d != DeskState::Free) {
            let fact =
                self.field.next_fact(deadline).map_err(|e| format!("the pretend phones' sockets failed: {e}"))?;
            let Some((who, fact)) = fact else {
                let late = self.desks.iter().filter(|d| **d != DeskState::Free).count();
                return Err(format!("{late} of {} seats could not register and sign in", self.desks.len()));
            };
            let Who::Phone(desk) = who else { continue };
            let seat = &self.plan.seats[desk];
            match fact {
                UaFact::Registered if self.desks[desk] == DeskState::Registering => {
                    self.desks[desk] = DeskState::SigningIn;
                    let code = format!("{}{}", self.place.codes.sign_in, seat.agent);
                    self.field.at_phone(desk, |phone, now| phone.dial(now, &code));
                }
                UaFact::NotRegistered(status) => {
                    let status = status.map_or("no reply".into(), |s| s.to_string());
                    return Err(format!("seat {} was not registered: {status}", seat.seat));
                }
                UaFact::Dialled { refused: None, .. } => self.desks[desk] = DeskState::Free,
                UaFact::Dialled { code, refused: Some(status) } => {
                    let status = status.map_or("no reply".into(), |s| s.to_string());
                    return Err(format!("agent {} could not sign in by dialling {code}: {status}", seat.agent));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn on_cue(&mut self, cue: Cue) -> io::Result<()> {
        match cue {
            Cue::Dial { planned } => self.dial(planned)?,
            Cue::Hold { desk, call, hold } if self.desks[desk] == (DeskState::Talking { call }) => {
                self.field.at_phone(desk, |phone, now| phone.hold(now, hold));
            }
            Cue::HangUp { desk, call } if self.desks[desk] == (DeskState::Talking { call }) => {
                self.field.at_phone(desk, |phone, now| phone.hang_up(now));
            }
            Cue::BackToWork { desk } => {
                let code = self.place.codes.ready.clone();
                self.field.at_phone(desk, |phone, now| phone.dial(now, &code));
            }
            Cue::Hold { .. } | Cue::HangUp { .. } => {}
        }
        Ok(())
    }

    fn dial(&mut self, planned: usize) -> io::Result<()> {
        let call = &self.plan.calls[planned];
        let (carrier, pickup) = match call.carrier {
            Carrier::OnQueue => (self.carriers[0], Pickup::WhenHeard),
            Carrier::OnPickup => (self.carriers[1], Pickup::OnAnswer),
        };
        let new = NewCall {
            dnis: call.language.number().to_string(),
            cli: Cli::Shown(call.from.clone()),
            patience: call.patience,
            talk: (call.ends_by == Side::Caller).then_some(call.talk),
            pickup,
            fault: None,
            tone: caller_tone(self.calls.len()),
        };
        self.calls.push(CallState { planned, placed: self.field.now(), life: CallLife::Waiting });
        self.field.place(carrier, new)?;
        Ok(())
    }

    fn on_fact(&mut self, who: Who, fact: UaFact) {
        match (who, fact) {
            (Who::Phone(desk), UaFact::Offered { caller, .. }) => self.on_offered(desk, &caller),
            (Who::Phone(desk), UaFact::Answered(_)) => self.on_picked_up(desk),
            (Who::Phone(desk), UaFact::Ended(how)) => self.on_seat_ended(desk, how),
            (Who::Call(call), UaFact::Ended(how)) => self.on_call_ended(call, how),
            _ => {}
        }
    }

    /// The agent's screen shows who calls: by that number the two ends are known to be one call.
    fn on_offered(&mut self, desk: usize, caller: &str) {
        let call = self.calls.iter().rposition(|c| {
            let from = &self.plan.calls[c.planned].from;
            caller.contains(&from[from.len() - 8..])
        });
        let Some(call) = call else { return };
        let first = self.plan.seats[desk].first_offer;
        let ignoring = first == FirstOffer::Ignore;
        self.plan.seats[desk].first_offer = FirstOffer::Answer;
        if first != FirstOffer::Answer {
            let next = first_plan(&self.plan.seats[desk]);
            self.field.at_phone(desk, |phone, _| phone.set_plan(next));
        }
        self.desks[desk] = DeskState::Ringing { call, ignoring };
    }

    fn on_picked_up(&mut self, desk: usize) {
        let DeskState::Ringing { call, .. } = self.desks[desk] else { return };
        self.desks[desk] = DeskState::Talking { call };
        // A caller who has just hung up is not joined: the gateway ends the seat's leg again.
        let CallLife::Waiting = self.calls[call].life else { return };
        let now = self.field.now();
        self.calls[call].life = CallLife::Joined { desk, picked_up: now, seat: None };
        self.field.join(call, caller_tone(call), desk, seat_tone(desk));
        let planned = &self.plan.calls[self.calls[call].planned];
        let (talk, ends_by, held) = (planned.talk, planned.ends_by, planned.held);
        if held {
            let at = now + lead_in(planned.language) + HOLD.0;
            self.cue(at, Cue::Hold { desk, call, hold: true });
            self.cue(at + HOLD.1, Cue::Hold { desk, call, hold: false });
        }
        if ends_by == Side::Agent {
            self.cue(now + talk, Cue::HangUp { desk, call });
        }
    }

    fn on_seat_ended(&mut self, desk: usize, how: Ending) {
        let state = std::mem::replace(&mut self.desks[desk], DeskState::Free);
        let now = self.field.now();
        match state {
            DeskState::Ringing { call, ignoring } => {
                let waits_on = matches!(self.calls[call].life, CallLife::Waiting);
                let rang_out = ignoring && how == Ending::PeerCancelled && waits_on;
                self.rona += u64::from(rang_out);
                if rang_out || matches!(how, Ending::WeRefused(486)) {
                    self.cue(now + BACK_AFTER, Cue::BackToWork { desk });
                }
            }
            DeskState::Talking { call } => {
                let heard = self.field.heard_by_phone(desk);
                match &mut self.calls[call].life {
                    CallLife::Joined { desk: by, seat, .. } if *by == desk => *seat = Some(heard),
                    CallLife::Over { joined: Some((_, seat @ None)), .. } => *seat = Some(heard),
                    _ => {}
                }
            }
            DeskState::Registering | DeskState::SigningIn | DeskState::Free => {}
        }
    }

    fn on_call_ended(&mut self, call: usize, how: Ending) {
        let at = self.field.now();
        let life = &mut self.calls[call].life;
        let joined = match life {
            CallLife::Joined { picked_up, seat, .. } => Some((*picked_up, *seat)),
            CallLife::Waiting => None,
            CallLife::Over { .. } => return,
        };
        *life = CallLife::Over { how, joined, at };
    }

    fn cue(&mut self, at: Instant, cue: Cue) {
        self.cue_no += 1;
        self.cues.insert((at, self.cue_no), cue);
    }
}

fn first_plan(seat: &PlannedSeat) -> ua::Plan {
    let after = seat.answers_after;
    let reaction = match seat.first_offer {
        FirstOffer::Answer => Reaction::Answer { after },
        FirstOffer::Ignore => Reaction::Ignore,
        FirstOffer::Busy => Reaction::Refuse { after, status: 486 },
    };
    ua::Plan { reaction, hold: None, hang_up_after: None }
}
