//! Structured logs on standard error: text for people, JSON lines for machines. Belongs here: set-up, and the one line
//! for each call and agent event. Not here: what happened (`event`), figures (`api::metrics`).
//!
//! Every line about a call has the field `call`. A caller's number is masked in the middle and absent when withheld;
//! keys pressed are not logged (they may be a PIN). The threads that log never wait for standard error: lines go
//! through a bounded queue, and when a reader stalls, lines are dropped and their number is logged afterwards.

use crate::config::settings::LogSettings;
use crate::event::{AgentEvent, AgentState, CallEvent, CallFact, Forwarded, LeaderAct, LeaderEvent, Party};
use crate::plane::LegStats;
use crate::plane::recording::Recording;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tracing::{Subscriber, debug, info, warn};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Lines waiting for standard error.
const QUEUE: usize = 8_192;
const GATHER: Duration = Duration::from_millis(20);
/// What a browser does wrong is told by us, once; these would tell each packet. The settings may say otherwise.
const LIBRARIES: &str = "str0m=error,is=error,dimpl=error";

/// Logging cannot be set up; the message says what to change.
#[derive(Debug)]
pub struct LogError(String);

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LogError {}

/// Keep it until the end of `main`: dropping it writes what is still queued.
#[must_use]
pub struct LogGuard(SyncSender<Message>);

impl Drop for LogGuard {
    fn drop(&mut self) {
        let (done, wait) = sync_channel(1);
        if self.0.send(Message::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(Duration::from_secs(1));
        }
    }
}

/// Sets up logging for the process. The environment's `RUST_LOG` wins over `settings.filter`.
pub fn init(settings: &LogSettings) -> Result<LogGuard, LogError> {
    let (name, filter) = match std::env::var("RUST_LOG") {
        Ok(filter) if !filter.is_empty() => ("RUST_LOG", filter),
        _ => ("log.filter", settings.filter.clone()),
    };
    let filter = EnvFilter::try_new(format!("{LIBRARIES},{filter}"))
        .map_err(|e| LogError(format!("{name} = {filter:?}: {e}; write e.g. \"info,rexian::sip=debug\"")))?;
    let (lines, queue) = Lines::new();
    let json = settings.json;
    std::thread::Builder::new()
        .name("log".into())
        .spawn({
            let dropped = lines.dropped.clone();
            move || write_lines(&queue, &mut io::stderr(), &dropped, json)
        })
        .map_err(|e| LogError(format!("the log thread cannot be started: {e}")))?;
    let guard = LogGuard(lines.queue.clone());
    tracing::subscriber::set_global_default(subscriber(filter, json, lines))
        .map_err(|e| LogError(format!("logging is set up already: {e}")))
        .map(|()| guard)
}

fn subscriber<W>(filter: EnvFilter, json: bool, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    match json {
        true => Box::new(builder.json().flatten_event(true).with_current_span(false).with_span_list(false).finish()),
        false => Box::new(builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).finish()),
    }
}

/// One line for a call event: its beginning, pickup and end at info, the rest at debug.
pub fn call_event(event: &CallEvent) {
    let call = tracing::field::display(event.call);
    match &event.what {
        CallFact::Arrived { trunk, dnis, cli, sip_call_id, test_call, tenant, line, purpose } => {
            let (caller, line) = (cli.as_deref().and_then(masked), line.as_ref().map(|l| l.as_str()));
            info!(target: "rexian::call", call, %trunk, dnis, caller, sip_call_id, test_call, tenant, line, ?purpose, "call arrived");
        }
        CallFact::Queued { queue, skill, position, why } => {
            debug!(target: "rexian::call", call, %queue, %skill, position, ?why, "call queued");
        }
        CallFact::Moved { queue, skill, position, why } => {
            info!(target: "rexian::call", call, %queue, %skill, position, ?why, "call moved to another queue");
        }
        CallFact::Relaxed { step } => debug!(target: "rexian::call", call, step, "requirement relaxed"),
        CallFact::Announced { position, estimate } => {
            let estimate_s = estimate.map(|e| e.as_secs());
            debug!(target: "rexian::call", call, position, estimate_s, "place announced");
        }
        CallFact::CallbackOffered => debug!(target: "rexian::call", call, "callback offered"),
        CallFact::Transferred { agent, queue } => {
            info!(target: "rexian::call", call, %agent, %queue, "call passed on");
        }
        CallFact::TakenOver { agent, seat, queue, wait, ring } => {
            let (wait_ms, ring_ms) = (ms(wait), ms(ring));
            info!(target: "rexian::call", call, %agent, %seat, %queue, wait_ms, ring_ms, "call taken over");
        }
        CallFact::Offered { agent, seat, leg, chosen } => {
            debug!(target: "rexian::call", call, %agent, %seat, %leg, step = chosen.step, preferred = chosen.preferred,
                interpreter = chosen.interpreter, "call offered");
        }
        CallFact::OfferEnded { agent, why } => {
            debug!(target: "rexian::call", call, %agent, ?why, "offer ended");
        }
        CallFact::Answered { agent, seat, queue, wait, ring, spooled } => {
            let (wait_ms, ring_ms) = (ms(wait), ms(ring));
            info!(target: "rexian::call", call, %agent, %seat, %queue, wait_ms, ring_ms, spooled, "call answered");
        }
        CallFact::Held => debug!(target: "rexian::call", call, "call held"),
        CallFact::Resumed => debug!(target: "rexian::call", call, "call resumed"),
        CallFact::Digit(_) => debug!(target: "rexian::call", call, "key pressed"),
        CallFact::Forwarded(Forwarded { by, called, why }) => {
            let (by, called) = (by.as_deref().and_then(masked), called.as_deref().and_then(masked));
            let why = why.map(|w| w.as_str());
            info!(target: "rexian::call", call, by, called, why, "call was forwarded to us");
        }
        CallFact::FarEndCause { leg, status, q850 } => {
            info!(target: "rexian::call", call, %leg, status, q850, "the far end ends its leg");
        }
        CallFact::NoAudio { leg } => {
            warn!(target: "rexian::call", call, %leg, "no RTP since the leg was connected: one-way audio");
        }
        CallFact::Ended { cause, queue, skill, wait, talk, hold } => {
            let (queue, skill) = (queue.as_ref().map(|q| q.as_str()), skill.as_ref().map(|s| s.as_str()));
            let (cause, wait_ms, talk_ms, hold_ms) = (cause.as_str(), ms(wait), ms(talk), ms(hold));
            info!(target: "rexian::call", call, cause, queue, skill, wait_ms, talk_ms, hold_ms, "call ended");
        }
        CallFact::Dialled { seat, agent, to, sip_call_id } => {
            let agent = agent.as_ref().map(|agent| agent.as_str());
            info!(target: "rexian::call", call, %seat, agent, to = party(to), sip_call_id, "seat dials");
        }
        CallFact::Reached { ring } => info!(target: "rexian::call", call, ring_ms = ms(ring), "dialled party answered"),
        CallFact::PassingOn { agent, to } => {
            info!(target: "rexian::call", call, %agent, to = party(to), "call being passed on");
        }
        CallFact::PassedOn { agent, to } => {
            info!(target: "rexian::call", call, %agent, to = party(to), "call passed on to a party");
        }
        CallFact::NotPassedOn { agent, to, status } => {
            info!(target: "rexian::call", call, %agent, to = party(to), status, "call not passed on");
        }
        CallFact::Consulting { agent, to } => {
            info!(target: "rexian::call", call, %agent, to = party(to), "agent consults");
        }
        CallFact::Consulted { ring } => {
            info!(target: "rexian::call", call, ring_ms = ms(ring), "consulted party answered")
        }
        CallFact::ThreeWay => info!(target: "rexian::call", call, "three-way call"),
        CallFact::ConsultOver { agent, to, why } => {
            let (status, why) = (why.status(), why.as_str());
            info!(target: "rexian::call", call, %agent, to = party(to), why, status, "consultation over");
        }
        CallFact::Help { agent, asked } => info!(target: "rexian::call", call, %agent, asked, "agent asks for help"),
        // Why is for the event log: people write names and numbers there.
        CallFact::Supervised { by, act, agent, .. } => {
            let (act, agent) = (act.as_str(), agent.as_ref().map(|a| a.as_str()));
            info!(target: "rexian::call", call, %by, act, agent, "shift leader acts");
        }
        CallFact::Surveyed { agent } => info!(target: "rexian::call", call, %agent, "caller sent to the survey"),
        CallFact::Rated { score } => info!(target: "rexian::call", call, score, "caller rates the call"),
        // Said by who finished it.
        CallFact::Recorded(Recording { segment, ms, complete, .. }) => {
            debug!(target: "rexian::call", call, segment, ms, complete, "recorded");
        }
        CallFact::LegClosed { leg, stats } => {
            let LegStats { received, sent, lost, remote_lost, refused, jitter_us } = stats;
            debug!(target: "rexian::call", call, %leg, received, sent, lost, remote_lost, refused, jitter_us, "leg closed");
        }
    }
}

/// One line for a shift leader's act on an agent; why is in the event log alone.
pub fn leader_event(event: &LeaderEvent) {
    let LeaderEvent { by, agent, act, .. } = event;
    let skills = if let LeaderAct::Skills(skills) = act { Some(tracing::field::debug(skills)) } else { None };
    info!(target: "rexian::agent", %agent, %by, act = act.as_str(), skills, "shift leader acts");
}

/// One line for an agent event.
pub fn agent_event(event: &AgentEvent) {
    let (seat, state) = (event.seat.as_ref().map(|s| s.as_str()), event.state.as_str());
    let by = event.by.as_ref().map(|agent| agent.as_str());
    match event.state {
        AgentState::NotReady(reason) => {
            info!(target: "rexian::agent", agent = %event.agent, seat, state, ?reason, by, "agent state");
        }
        AgentState::LoggedOut => info!(target: "rexian::agent", agent = %event.agent, seat, state, by, "agent state"),
        _ => debug!(target: "rexian::agent", agent = %event.agent, seat, state, "agent state"),
    }
}

fn party(party: &Party) -> Option<String> {
    match party {
        Party::Seat(seat) => Some(seat.to_string()),
        Party::Outside(number) => masked(number),
        Party::Emergency(number) => Some(number.clone()),
    }
}

/// A number with the four digits before its last four hidden (`138****5678`), a short one all but its last two.
/// `None` unless it is a plain number: what is withheld, partly hidden already or a name is not logged at all.
pub fn masked(number: &str) -> Option<String> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    if digits.is_empty() || digits.len() > 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hidden = match number.len() {
        n if digits.len() >= 8 => n - 8..n - 4,
        n => n - digits.len()..n.saturating_sub(2).max(n - digits.len()),
    };
    let hide = |(n, c)| if hidden.contains(&n) { '*' } else { c };
    Some(number.chars().enumerate().map(hide).collect())
}

fn ms(d: &Duration) -> u64 {
    d.as_millis() as u64
}

enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

/// Where formatted lines go: a bounded queue to the log thread.
struct Lines {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl Lines {
    fn new() -> (Self, Receiver<Message>) {
        let (queue, lines) = sync_channel(QUEUE);
        (Lines { queue, dropped: Arc::default() }, lines)
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Line<'w>;
    fn make_writer(&'w self) -> Line<'w> {
        Line { bytes: Vec::new(), lines: self }
    }
}

/// One line being formatted; handed over when dropped.
struct Line<'w> {
    bytes: Vec<u8>,
    lines: &'w Lines,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let line = Message::Line(std::mem::take(&mut self.bytes));
        if let Err(TrySendError::Full(_)) = self.lines.queue.try_send(line) {
            self.lines.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The log thread: what is queued goes out in one write.
fn write_lines(queue: &Receiver<Message>, out: &mut impl Write, dropped: &AtomicU64, json: bool) {
    let mut bytes = Vec::new();
    while let Ok(first) = queue.recv() {
        let mut flushed = None;
        for message in std::iter::once(first).chain(queue.try_iter()) {
            match message {
                Message::Line(line) => bytes.extend_from_slice(&line),
                Message::Flush(done) => flushed = Some(done),
            }
            if bytes.len() >= 64 << 10 || flushed.is_some() {
                break;
            }
        }
        // A closed standard error is nobody's to repair from here.
        let _ = out.write_all(&bytes);
        bytes.clear();
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let _ = match json {
                true => writeln!(
                    out,
                    r#"{{"level":"WARN","message":"log lines dropped","lines":{lost},"target":"rexian::logging"}}"#
                ),
                false => writeln!(out, "WARN rexian::logging: log lines dropped lines={lost}"),
            };
        }
        match flushed {
            Some(done) => {
                let _ = done.send(());
            }
            // Lines come in handfuls: a thread that is asleep need not be woken for each.
            None => std::thread::sleep(GATHER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EndCause, NotReadyReason, OfferEnd};
    use crate::ids::{CallId, LegId};
    use crate::time::Instant;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn captured(json: bool, log: impl FnOnce()) -> String {
        let out = Captured::default();
        let writer = out.clone();
        let subscriber = subscriber(EnvFilter::new("trace"), json, move || writer.clone());
        tracing::subscriber::with_default(subscriber, log);
        let bytes = out.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// One event of each kind; names that would break a line or its JSON.
    fn facts() -> Vec<CallFact> {
        let second = Duration::from_secs(1);
        let arrived = |cli: Option<&str>| CallFact::Arrived {
            trunk: "联通 \"主\"".into(),
            dnis: "12345".into(),
            cli: cli.map(str::to_owned),
            sip_call_id: "a\"b\\c\r\nd\u{1b}[31m@x".into(),
            test_call: false,
            tenant: "city".into(),
            line: None,
            purpose: Default::default(),
        };
        vec![
            arrived(Some("+8613812345678")),
            arrived(Some("138****5678")),
            arrived(Some("anonymous")),
            arrived(None),
            CallFact::Queued {
                queue: "普通话".into(),
                skill: "mandarin".into(),
                position: 1,
                why: crate::event::Why::Line,
            },
            CallFact::Offered { agent: "6632".into(), seat: "801".into(), leg: LegId(7), chosen: Default::default() },
            CallFact::OfferEnded { agent: "6632".into(), why: OfferEnd::NoAnswer },
            CallFact::Answered {
                agent: "6632".into(),
                seat: "801".into(),
                queue: "普通话".into(),
                wait: second,
                ring: second,
                spooled: true,
            },
            CallFact::Held,
            CallFact::Resumed,
            CallFact::Digit('7'),
            CallFact::NoAudio { leg: LegId(7) },
            CallFact::Ended {
                cause: EndCause::CallerHangUp,
                queue: None,
                skill: Some("mandarin".into()),
                wait: second,
                talk: second,
                hold: Duration::ZERO,
            },
            CallFact::LegClosed { leg: LegId(7), stats: LegStats::default() },
        ]
    }

    fn log_all() {
        for what in facts() {
            call_event(&CallEvent { at: Instant::ZERO, call: CallId(0xabc), what });
        }
    }

    #[test]
    fn each_call_event_is_one_json_line_with_its_call_id() {
        let log = captured(true, log_all);
        let lines: Vec<serde_json::Value> = log.lines().map(|l| serde_json::from_str(l).expect(l)).collect();
        assert_eq!(lines.len(), facts().len());
        for line in &lines {
            assert_eq!(line["call"], "0000000000000abc", "{line}");
            assert_eq!(line["target"], "rexian::call");
        }
        assert_eq!(lines[0]["trunk"], "联通 \"主\"");
        assert_eq!(lines[7]["wait_ms"], 1_000);
        assert_eq!(lines[12]["cause"], "caller_hangup");
        assert!(lines[12].get("queue").is_none(), "absent, not null: {}", lines[12]);
    }

    #[test]
    fn each_call_event_is_one_text_line_with_its_call_id() {
        let log = captured(false, log_all);
        assert_eq!(log.lines().count(), facts().len(), "{log}");
        assert!(log.lines().all(|l| l.contains("call=0000000000000abc")), "{log}");
        assert!(!log.contains('\u{1b}'), "a header from the network must not steer the terminal");
    }

    #[test]
    fn callers_are_masked_and_keys_are_not_logged() {
        for json in [true, false] {
            let log = captured(json, log_all);
            assert!(log.contains("+86138****5678"));
            assert!(!log.contains("12345678"));
            assert_eq!(log.matches("caller").count() - log.matches("caller_hangup").count(), 1, "withheld: absent");
            assert!(!log.contains("anonymous"));
            assert!(!log.lines().find(|l| l.contains("key pressed")).unwrap().contains("\"7\""));
        }
    }

    #[test]
    fn masks() {
        for (number, expected) in [
            ("13812345678", Some("138****5678")),
            ("+8613812345678", Some("+86138****5678")),
            ("053182951234", Some("0531****1234")),
            ("82951234", Some("****1234")),
            ("+12345678", Some("+****5678")),
            ("8295123", Some("*****23")),
            ("110", Some("*10")),
            ("+86", Some("+86")),
            ("7", Some("7")),
            ("", None),
            ("+", None),
            ("138****5678", None),
            ("anonymous", None),
            ("１３８００００００００", None),
            ("123456789012345678901", None),
        ] {
            assert_eq!(masked(number).as_deref(), expected, "{number}");
        }
    }

    #[test]
    fn agent_events_name_the_agent_and_the_reason() {
        let event = AgentEvent {
            at: Instant::ZERO,
            agent: "6632".into(),
            seat: None,
            state: AgentState::NotReady(NotReadyReason::Break),
            by: None,
        };
        let line: serde_json::Value = serde_json::from_str(&captured(true, || agent_event(&event))).unwrap();
        assert_eq!(
            (&line["agent"], &line["state"], &line["reason"]),
            (&"6632".into(), &"not_ready".into(), &"Break".into())
        );
    }

    #[test]
    fn a_stalled_reader_costs_lines_and_never_blocks() {
        for json in [true, false] {
            let (lines, queue) = Lines::new();
            for n in 0..QUEUE + 5 {
                writeln!(lines.make_writer(), "{n}").unwrap();
            }
            let dropped = lines.dropped.clone();
            drop(lines);
            let mut out = Vec::new();
            write_lines(&queue, &mut out, &dropped, json);
            let out = String::from_utf8(out).unwrap();
            assert!(out.starts_with("0\n1\n2\n"));
            assert_eq!(out.lines().count(), QUEUE + 1);
            let notice = out.lines().find(|l| l.contains("dropped")).unwrap();
            assert!(notice.contains('5'));
            assert!(!json || serde_json::from_str::<serde_json::Value>(notice).is_ok(), "{notice}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        let settings = LogSettings { json: false, filter: "info,rexian=loud".into() };
        let message = init(&settings).err().expect("refused").to_string();
        assert!(message.contains("log.filter") && message.contains("loud"), "{message}");
    }

    /// The line of a ban, as logged, is what deploy/fail2ban looks for, in both forms; and nothing else is.
    #[test]
    fn fail2ban_reads_the_line_of_a_ban() {
        let file =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/fail2ban/filter.conf")).unwrap();
        let (_, rules) = file.split_once("failregex =").expect("a failregex");
        let rules = rules.split("ignoreregex").next().unwrap().lines().map(str::trim).filter(|line| !line.is_empty());
        // What fail2ban makes of its own word.
        let address = r"(?P<address>[0-9A-Fa-f:.]+)";
        let rules: Vec<_> = rules.map(|rule| regex::Regex::new(&rule.replace("<ADDR>", address)).unwrap()).collect();
        let escape = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
        let found = |json: bool, log: &dyn Fn()| {
            let lines = captured(json, log);
            let banned = lines.lines().find_map(|line| {
                let line = escape.replace_all(line, "");
                let found: Vec<_> = rules.iter().filter_map(|rule| rule.captures(&line)).collect();
                assert!(found.len() < 2, "counted twice: {line}");
                found.first().map(|found| found["address"].to_owned())
            });
            (banned, lines)
        };
        for address in ["203.0.113.5", "2001:db8:0:1::"] {
            let guess = |times: u32| {
                let mut guard = crate::guard::Guard::new(crate::config::settings::GuardSettings::default(), [], 1);
                for _ in 0..times {
                    guard.failed(Instant::from_unix_secs(1), address.parse().unwrap(), Some(&"8001".into()), false);
                }
            };
            for json in [false, true] {
                let (banned, lines) = found(json, &|| guess(5));
                assert_eq!(banned.as_deref(), Some(address), "json {json}: {lines}");
                assert_eq!(found(json, &|| guess(4)).0, None, "not yet");
            }
        }
        // What a peer says stands in fields, as a carrier's words of refusal do: nobody is banned by them.
        let text = "rexian::guard: address banned address=10.0.0.1 failures=5 seconds=60";
        let json = r#"","level":"WARN","message":"address banned","address":"10.0.0.1","failures":5,"seconds":60,"target":"rexian::guard"}"#;
        for said in [text, &format!("WARN {text}"), json] {
            for json in [false, true] {
                let (banned, lines) = found(json, &|| warn!(target: "rexian::trunk", why = %said, "not registered"));
                assert_eq!(banned, None, "json {json}: {lines}");
            }
        }
    }
}
