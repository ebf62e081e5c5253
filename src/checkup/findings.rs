//! What an integrator is told about a peer, in plain words. Belongs here: from what was seen to what it means and what to
//! do. Not here: asking (`ask`), calling (`call`). Pure: the same facts, the same words.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How good the news is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    Good,
    /// It works, and something is worth knowing.
    Note,
    /// Calls will fail.
    Fault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub weight: Weight,
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.weight {
            Weight::Good => "ok   ",
            Weight::Note => "note ",
            Weight::Fault => "FAULT",
        };
        write!(f, "  {mark} {}", self.text)
    }
}

pub fn good(text: impl Into<String>) -> Finding {
    Finding { weight: Weight::Good, text: text.into() }
}

pub fn note(text: impl Into<String>) -> Finding {
    Finding { weight: Weight::Note, text: text.into() }
}

pub fn fault(text: impl Into<String>) -> Finding {
    Finding { weight: Weight::Fault, text: text.into() }
}

/// What became of an OPTIONS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing within this time.
    Silence(Duration),
    /// The host says that nobody listens there, or the connection could not be made.
    Unreachable(String),
    Answer(Answer),
}

/// An answer's telling parts, as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub reason: String,
    pub after: Duration,
    /// Server or User-Agent.
    pub product: Option<String>,
    pub allow: Option<String>,
    pub supported: Option<String>,
    /// `received` and `rport` of our Via: where it saw us.
    pub seen_as: (Option<IpAddr>, Option<u16>),
    pub retry_after: Option<String>,
}

/// `local`: where we asked from; `usual`: where the gateway itself would have.
pub fn of_options(hop: &str, local: SocketAddr, usual: Option<SocketAddr>, reply: &Reply) -> Vec<Finding> {
    let mut found = vec![];
    if let Some(usual) = usual.filter(|usual| *usual != local) {
        found.push(note(format!(
            "asked from {local}: the gateway's own {usual} is in use, by the running gateway most likely; a peer that checks our port may answer otherwise"
        )));
    }
    match reply {
        Reply::Silence(waited) => found.push(fault(format!(
            "{hop} says nothing for {} s. Wrong address or port; a firewall; a peer that ignores addresses it does not know (have the carrier allow {}); or an old proxy that was cut over and now keeps silent (ask for the new one)",
            waited.as_secs(),
            local.ip()
        ))),
        Reply::Unreachable(why) => found.push(fault(format!(
            "{hop} cannot be reached: {why}. The host is not there or nobody listens on that port with that transport; check address, port and transport of the hop, and the route to it"
        ))),
        Reply::Answer(answer) => found.extend(of_answer(hop, local, answer)),
    }
    found
}

fn of_answer(hop: &str, local: SocketAddr, answer: &Answer) -> Vec<Finding> {
    let Answer { status, reason, after, .. } = answer;
    let said = format!("{hop} answers {status} {reason} after {} ms", after.as_millis());
    let mut found = vec![match status {
        200..=299 => good(format!("{said}: it lives and takes us for a peer")),
        401 | 407 => note(format!(
            "{said}: it lives and wants credentials; if calls need them too, give the trunk an account ([[trunks]] account)"
        )),
        403 | 603 => fault(format!(
            "{said}: it lives, and refuses us. It does not know {} or does not allow it; have the carrier add our address",
            local.ip()
        )),
        404 | 405 | 415 | 480 | 481 | 484 | 486 | 488 | 501 => {
            good(format!("{said}: it lives; many peers have no other answer to OPTIONS, calls are not affected"))
        }
        420 | 421 | 494 => fault(format!("{said}: it wants an extension that this gateway does not speak")),
        483 => fault(format!("{said}: a loop; the hop seems to lead back to ourselves")),
        503 => {
            let wait = answer.retry_after.as_ref().map_or(String::new(), |s| format!(" (Retry-After {s})"));
            fault(format!("{said}{wait}: it lives and takes no calls now: overload or maintenance"))
        }
        500..=599 => fault(format!("{said}: it lives and is broken; ask its operator")),
        300..=399 => {
            note(format!("{said}: it sends us elsewhere, which this gateway does not follow; name the right hop"))
        }
        _ => note(format!("{said}: it lives")),
    }];
    if let Some(product) = &answer.product {
        let profile = profile_of(product).map_or(String::new(), |p| format!("; its profile is likely {p:?}"));
        found.push(note(format!("it calls itself {product:?}{profile}")));
    }
    let (ip, port) = answer.seen_as;
    let elsewhere = ip.is_some_and(|ip| ip.to_canonical() != local.ip().to_canonical());
    if elsewhere || port.is_some_and(|port| port != local.port()) {
        let seen = format!("{}:{}", ip.unwrap_or(local.ip()), port.unwrap_or(local.port()));
        found.push(note(format!(
            "it sees us as {seen}, we are {local}: an address translator stands between; signalling will work, but write the outer address into [media] address_v4 or audio stays one-way"
        )));
    }
    if let Some(allow) = answer.allow.as_ref().filter(|_| (200..300).contains(status)) {
        let allows = |method: &str| allow.split(',').any(|m| m.trim().eq_ignore_ascii_case(method));
        for (method, without) in [
            (
                "PRACK",
                "ringing and early media are not acknowledged; set reliable = \"never\" if it stumbles over 100rel",
            ),
            ("UPDATE", "session timers are refreshed by re-INVITE"),
        ] {
            if !allows(method) {
                found.push(note(format!("its Allow has no {method}: {without}")));
            }
        }
    }
    found
}

/// Which shipped profile fits what a product calls itself.
fn profile_of(product: &str) -> Option<&'static str> {
    let lower = product.to_ascii_lowercase();
    let known = [
        ("asterisk", "asterisk"),
        ("freeswitch", "freeswitch"),
        ("kamailio", "kamailio"),
        ("opensips", "kamailio"),
        ("openser", "kamailio"),
        ("audiocodes", "audiocodes"),
        ("mediant", "audiocodes"),
        ("synway", "synway"),
        ("dinstar", "dinstar"),
        ("huawei", "huawei-sbc"),
        ("se2900", "huawei-sbc"),
        ("zte", "zte-sbc"),
        ("zxun", "zte-sbc"),
    ];
    known.into_iter().find(|(name, _)| lower.contains(name)).map(|(_, profile)| profile)
}

/// What became of a test call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// Provisional responses as they came; early media said so in their SDP.
    pub progress: Vec<(Duration, u16, bool)>,
    /// `None`: no final response within the time.
    pub end: Option<(Duration, u16, String)>,
    /// Q.850 of a refusal.
    pub cause: Option<u32>,
    /// As negotiated: `PCMA`, and the far end's media address.
    pub media: Option<(String, SocketAddr)>,
    pub telephone_event: Option<u8>,
    /// Of the audio that came: packets, and where from.
    pub audio: (u64, Option<SocketAddr>),
    /// Its answer could not be used: why.
    pub unusable: Option<String>,
}

pub fn of_call(number: &str, trial: &Trial) -> Vec<Finding> {
    let mut found = vec![];
    for (after, status, early) in &trial.progress {
        let early = if *early { " with early media" } else { "" };
        found.push(good(format!("{status}{early} after {} ms", after.as_millis())));
    }
    match &trial.end {
        None => found.push(fault(format!("no end to the call to {number}: nobody picked up, or the answer got lost"))),
        Some((after, status @ 200..=299, _)) => {
            found.push(good(format!("{number} picked up after {} ms ({status})", after.as_millis())));
            found.extend(of_audio(trial));
        }
        Some((_, status, reason)) => {
            found.push(fault(format!("{number} was refused: {status} {reason}: {}", refused(*status, trial.cause))))
        }
    }
    found
}

fn of_audio(trial: &Trial) -> Vec<Finding> {
    if let Some(why) = &trial.unusable {
        return vec![fault(format!("its description of the audio cannot be used: {why}"))];
    }
    let mut found = vec![];
    if let Some((codec, at)) = &trial.media {
        found.push(good(format!("{codec}, audio to {at}")));
        if at.ip().is_loopback() || at.ip().is_unspecified() {
            found.push(fault(format!(
                "{at} is no address that we can reach: its configuration names the wrong media address"
            )));
        }
    }
    match trial.telephone_event {
        Some(number) => found.push(good(format!("key presses as telephone-event, payload type {number}"))),
        None => found.push(note("no telephone-event: key presses of its callers come as tones or not at all")),
    }
    match (trial.audio, &trial.media) {
        ((0, _), _) => found.push(fault(
            "no audio came. A firewall between it and our media ports ([media] first_port and pairs), or the address in our SDP is one it cannot reach ([media] address_v4)",
        )),
        ((packets, Some(from)), Some((_, at))) if from.ip() != at.ip() => found.push(fault(format!(
            "{packets} packets of audio came from {from}, not from {at} as agreed: this gateway takes audio from the agreed address only"
        ))),
        ((packets, _), _) => found.push(good(format!("{packets} packets of audio came"))),
    }
    found
}

/// A refusal in plain words; the carrier's own cause says more than the status.
fn refused(status: u16, cause: Option<u32>) -> String {
    let by_cause = cause.and_then(|cause| match cause {
        1 | 28 => Some("the number does not exist, or is written in a form it does not take: see dial in call_out"),
        3 => Some("no route to that number"),
        16 | 31 => None,
        17 => Some("busy"),
        18 | 19 => Some("it rang and nobody answered"),
        20 => Some("the telephone is switched off or out of coverage"),
        21 | 55 | 57 => Some("this line may not call that number"),
        27 | 38 | 41 | 42 => Some("the network is in trouble"),
        34 | 44 => Some("all channels are busy"),
        65 | 79 | 88 => Some("it takes none of our codecs"),
        102 => Some("a timer ran out on its side"),
        _ => None,
    });
    let by_status = match status {
        401 | 407 => "it wants credentials: give the trunk an account, or mend its password",
        403 => "it does not let us call: our address, our calling number (call_out from) or the number is not allowed",
        404 | 484 | 604 => "it does not know that number, or not in this form: see dial in call_out",
        408 | 480 => "nobody could be reached",
        415 | 488 | 606 => "it takes none of our codecs, or insists on encryption: see srtp and the profile's codecs",
        420 => "it insists on an extension that we did not offer",
        421 => "it wants 100rel or a session timer: see reliable in the profile",
        422 => "our session timer is too short for it",
        486 | 600 => "busy",
        487 => "the call was cancelled",
        503 => "it takes no more calls now",
        500..=599 => "it is in trouble",
        603 => "the called party does not want the call",
        _ => "see RFC 3261 s21",
    };
    match (by_cause, cause) {
        (Some(words), Some(cause)) => format!("{words} (Q.850 cause {cause})"),
        (_, Some(cause)) => format!("{by_status} (Q.850 cause {cause})"),
        _ => by_status.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Weight::*;

    fn local() -> SocketAddr {
        "10.0.0.5:5060".parse().unwrap()
    }

    fn answer(status: u16) -> Answer {
        Answer { status, reason: "X".into(), after: Duration::from_millis(12), ..Answer::default() }
    }

    #[track_caller]
    fn told(found: Vec<Finding>, want: &[(Weight, &str)]) {
        assert_eq!(found.len(), want.len(), "{found:#?}");
        for (finding, (weight, words)) in found.iter().zip(want) {
            assert!(finding.weight == *weight && finding.text.contains(words), "{words} in {finding:?}");
        }
    }

    #[test]
    fn each_answer_means_something() {
        let asked = |reply: Reply| of_options("10.1.0.7:5060", local(), Some(local()), &reply);
        for (status, weight, words) in [
            (200, Good, "takes us for a peer"),
            (202, Good, "takes us for a peer"),
            (302, Note, "does not follow"),
            (401, Note, "account"),
            (403, Fault, "does not know 10.0.0.5"),
            (404, Good, "it lives"),
            (405, Good, "it lives"),
            (483, Fault, "loop"),
            (500, Fault, "broken"),
            (501, Good, "it lives"),
            (503, Fault, "overload"),
            (499, Note, "it lives"),
        ] {
            told(asked(Reply::Answer(answer(status))), &[(weight, words)]);
        }
        told(asked(Reply::Silence(Duration::from_secs(4))), &[(Fault, "nothing for 4 s")]);
        told(asked(Reply::Unreachable("refused".into())), &[(Fault, "cannot be reached: refused")]);
    }

    #[test]
    fn what_an_answer_tells_besides() {
        let full = Answer {
            product: Some("Asterisk PBX 20.1".into()),
            allow: Some("INVITE, ACK, BYE, PRACK".into()),
            seen_as: (Some("203.0.113.9".parse().unwrap()), Some(40_000)),
            ..answer(200)
        };
        let elsewhere = "10.0.0.5:45123".parse().unwrap();
        told(
            of_options("h", elsewhere, Some(local()), &Reply::Answer(full)),
            &[
                (Note, "10.0.0.5:5060 is in use"),
                (Good, "200 X after 12 ms"),
                (Note, "profile is likely \"asterisk\""),
                (Note, "sees us as 203.0.113.9:40000"),
                (Note, "no UPDATE"),
            ],
        );
        let same = Answer { seen_as: (Some(local().ip()), Some(5060)), ..answer(200) };
        told(of_options("h", local(), None, &Reply::Answer(same)), &[(Good, "lives")]);
        let busy = Answer { retry_after: Some("30".into()), ..answer(503) };
        told(of_options("h", local(), None, &Reply::Answer(busy)), &[(Fault, "(Retry-After 30)")]);
    }

    #[test]
    fn what_a_call_tells() {
        let at: SocketAddr = "10.1.0.8:4000".parse().unwrap();
        let up = Trial {
            progress: vec![(Duration::from_millis(90), 183, true)],
            end: Some((Duration::from_millis(2_000), 200, "OK".into())),
            media: Some(("PCMA".into(), at)),
            telephone_event: Some(101),
            audio: (120, Some(at)),
            ..Trial::default()
        };
        let all_well = [
            (Good, "183 with early media after 90 ms"),
            (Good, "picked up after 2000 ms"),
            (Good, "PCMA, audio to 10.1.0.8:4000"),
            (Good, "payload type 101"),
            (Good, "120 packets"),
        ];
        told(of_call("10086", &up), &all_well);
        let changed = |n: usize, told: (Weight, &'static str)| {
            let mut all = all_well;
            all[n] = told;
            all
        };
        told(of_call("10086", &Trial { audio: (0, None), ..up.clone() }), &changed(4, (Fault, "no audio came")));
        let stray = Trial { audio: (9, Some("10.1.0.9:4000".parse().unwrap())), ..up.clone() };
        told(of_call("10086", &stray), &changed(4, (Fault, "not from 10.1.0.8:4000")));
        told(
            of_call("10086", &Trial { telephone_event: None, ..up.clone() }),
            &changed(3, (Note, "no telephone-event")),
        );
        let refused =
            |status, cause| Trial { end: Some((Duration::ZERO, status, "X".into())), cause, ..Trial::default() };
        told(of_call("1", &refused(404, None)), &[(Fault, "see dial in call_out")]);
        told(of_call("1", &refused(480, Some(20))), &[(Fault, "out of coverage (Q.850 cause 20)")]);
        told(of_call("1", &refused(503, Some(16))), &[(Fault, "no more calls now (Q.850 cause 16)")]);
        told(of_call("1", &Trial::default()), &[(Fault, "no end to the call")]);
    }
}
