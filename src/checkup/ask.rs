//! One OPTIONS to a hop (RFC 3261 s11). Not here: what its answer means (`findings`).

use super::findings::{Answer, Reply};
use super::line::{Heard, Line};
use crate::host::Clock;
use crate::sip::endpoint::{Endpoint, Received};
use crate::sip::message::{Builder, Message, Method, Name};
use crate::sip::session::SERVER;
use crate::sip::tokens::Tokens;
use std::time::Duration;

/// Four transmissions over UDP; a peer that lives answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(4);

/// `domain`: ours.
pub fn ask(clock: &Clock, tokens: &mut Tokens, line: &mut Line, domain: &str) -> Reply {
    let branch = tokens.branch();
    let mut endpoint = Endpoint::new(16);
    let (flow, began) = (line.flow, clock.now());
    endpoint.request(began, flow, &branch, 0, options(tokens, line, &branch, domain));
    loop {
        let now = clock.now();
        if now.since(began) > PATIENCE {
            return Reply::Silence(PATIENCE);
        }
        endpoint.handle_timeout(now);
        while let Some(transmit) = endpoint.poll_transmit() {
            if let Err(why) = line.send(&transmit.bytes) {
                return Reply::Unreachable(why);
            }
        }
        match line.hear() {
            Heard::Message(bytes) => {
                if let Received::Response { msg, .. } = endpoint.receive(clock.now(), flow, &bytes)
                    && let Some(status) = msg.status().filter(|status| *status >= 200)
                {
                    return Reply::Answer(Answer { after: clock.now().since(began), ..answer(status, &msg) });
                }
            }
            Heard::Nothing => {}
            Heard::Gone(why) => return Reply::Unreachable(why),
        }
    }
}

fn options(tokens: &mut Tokens, line: &Line, branch: &str, domain: &str) -> Vec<u8> {
    let flow = line.flow;
    let (tag, call_id) = (tokens.token(), tokens.token());
    Builder::request(Method::Options, format!("sip:{}", flow.remote).as_bytes())
        .header(Name::Via, crate::sip::dialog::via(&flow, branch).as_bytes())
        .header(Name::MaxForwards, b"70")
        .header(Name::From, format!("<sip:rexian@{domain}>;tag={tag}").as_bytes())
        .header(Name::To, format!("<sip:{}>", flow.remote).as_bytes())
        .header(Name::CallId, format!("{call_id}@{domain}").as_bytes())
        .header(Name::CSeq, b"1 OPTIONS")
        .header(Name::Contact, crate::sip::dialog::contact(&flow).as_bytes())
        .header(Name::Accept, b"application/sdp")
        .header(Name::UserAgent, SERVER)
        .finish()
}

fn answer(status: u16, msg: &Message<'_>) -> Answer {
    // From outside, so bounded and without what a terminal would obey.
    let text =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(200).collect::<String>();
    let header = |name| msg.header(name).map(text);
    let via = msg.via();
    let param = |name| via.params.get(name).flatten().and_then(|v| std::str::from_utf8(v).ok());
    let allow: Vec<String> = msg.values(Name::Allow).map(text).collect();
    Answer {
        status,
        reason: msg.reason_phrase().map(text).unwrap_or_default(),
        product: header(Name::Server).or(header(Name::UserAgent)),
        allow: (!allow.is_empty()).then(|| allow.join(", ")),
        supported: header(Name::Supported),
        seen_as: (
            param("received").and_then(|ip| ip.trim_matches(['[', ']']).parse().ok()),
            param("rport").and_then(|port| port.parse().ok()),
        ),
        retry_after: header(Name::RetryAfter),
        ..Answer::default()
    }
}
