//! A transcript's text: what a peer sends, verbatim, and what must come back. `sip-profiles/README.md` explains the form.

use std::fmt::Write as _;
use std::time::Duration;

pub struct Script {
    pub profile: String,
    /// Further lines of the trunk's section in `rexian.toml`.
    pub trunk: String,
    /// Where the peer sends from, if a step does not say.
    pub peer: String,
    /// Whether an agent is there, who picks up 3 s after the seat begins to ring.
    pub agent: bool,
    pub steps: Vec<(usize, Step)>,
}

#[derive(Debug)]
pub enum Step {
    /// The peer sends this.
    Send { from: Option<String>, message: String },
    /// The gateway must have sent this, next.
    Expect(Expected),
    /// Time passes.
    Wait(Duration),
    /// Time passes until the gateway says something, a minute at most.
    WaitForNext,
    /// Something on our side of the gateway.
    Ours(Ours),
    /// A fact of the call, as the tests word it, that must have been recorded by now.
    Fact(String),
}

#[derive(Debug)]
pub enum Ours {
    Call(String),
    AgentHangsUp,
}

#[derive(Debug)]
pub struct Expected {
    /// Status code or method.
    pub what: String,
    pub to: Option<String>,
    pub lines: Vec<Line>,
}

/// What a line of the message must or must not be; `*` stands for anything.
#[derive(Debug)]
pub struct Line {
    pub wanted: bool,
    pub pattern: String,
}

impl Script {
    /// `Err` names the line that cannot be read.
    pub fn parse(text: &str) -> Result<Script, String> {
        let mut script = Script {
            profile: String::new(),
            trunk: String::new(),
            peer: "10.1.0.1:5060".into(),
            agent: false,
            steps: vec![],
        };
        let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line)).peekable();
        while let Some((number, line)) = lines.next_if(|(_, line)| !begins_step(line)) {
            match line.split_once(':').map(|(key, value)| (key, value.trim())) {
                _ if line.trim().is_empty() || line.starts_with('#') => {}
                Some(("profile", name)) => script.profile = name.into(),
                Some(("trunk", toml)) => writeln!(script.trunk, "{toml}").unwrap(),
                Some(("peer", address)) => script.peer = address.into(),
                Some(("agent", "yes")) => script.agent = true,
                _ => return Err(format!("{number}: not a head line: {line}")),
            }
        }
        while let Some((number, line)) = lines.next() {
            let mut block = vec![];
            while let Some((_, line)) = lines.next_if(|(_, line)| !begins_step(line)) {
                block.push(line);
            }
            let step = step(line, &block).map_err(|fault| format!("{number}: {fault}"))?;
            script.steps.extend(step.map(|step| (number, step)));
        }
        Ok(script)
    }
}

fn begins_step(line: &str) -> bool {
    ["->", "<-", "+ ", "* ", "= ", "--"].iter().any(|mark| line.starts_with(mark))
}

/// `None`: a remark.
fn step(line: &str, block: &[&str]) -> Result<Option<Step>, String> {
    let (mark, rest) = line.split_at(2);
    let words: Vec<&str> = rest.split_whitespace().collect();
    let alone = |step| match block.iter().find(|line| !line.trim().is_empty()) {
        Some(stray) => Err(format!("does not belong here: {stray}")),
        None => Ok(Some(step)),
    };
    match (mark, words.as_slice()) {
        ("--", _) => Ok(None),
        ("->", []) => Ok(Some(Step::Send { from: None, message: message(block) })),
        ("->", ["from", address]) => Ok(Some(Step::Send { from: Some((*address).into()), message: message(block) })),
        ("<-", [what, rest @ ..]) => {
            let to = rest.windows(2).find(|w| w[0] == "to").map(|w| w[1].to_owned());
            let lines = block.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
            let line = |text: &str| match text.strip_prefix("no ") {
                Some(pattern) => Line { wanted: false, pattern: pattern.trim().into() },
                None => Line { wanted: true, pattern: text.into() },
            };
            Ok(Some(Step::Expect(Expected { what: (*what).into(), to, lines: lines.map(line).collect() })))
        }
        ("+ ", ["next"]) => alone(Step::WaitForNext),
        ("+ ", [time]) => alone(Step::Wait(duration(time).ok_or_else(|| format!("no time: {time}"))?)),
        ("* ", ["call", number]) => alone(Step::Ours(Ours::Call((*number).into()))),
        ("* ", ["agent", "hangs", "up"]) => alone(Step::Ours(Ours::AgentHangsUp)),
        ("= ", _) => alone(Step::Fact(rest.trim().into())),
        _ => Err(format!("unknown step: {line}")),
    }
}

/// As it goes over the wire: lines end in CRLF, the blank lines before the next step are no part of it.
fn message(block: &[&str]) -> String {
    let end = block.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    let mut text: String = block[..end].iter().flat_map(|line| [line.trim_end(), "\r\n"]).collect();
    if !text.contains("\r\n\r\n") {
        text.push_str("\r\n");
    }
    text
}

fn duration(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(ms) => ms.parse().ok().map(Duration::from_millis),
        None => text.strip_suffix('s')?.parse().ok().map(Duration::from_secs),
    }
}

/// `*` in `pattern` stands for any text.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn patterns() {
    for (pattern, text, wanted) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a*", "ab", true),
        ("*b", "ab", true),
        ("a*c*e", "abcde", true),
        ("a*c*e", "abde", false),
        ("*", "", true),
        ("aa*aa", "aaa", false),
    ] {
        assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let fault = |text| Script::parse(text).map(|_| ()).unwrap_err();
    assert_eq!(fault("profil: x\n"), "1: not a head line: profil: x");
    assert_eq!(fault("profile: x\n+ soon\n"), "2: no time: soon");
    assert_eq!(fault("profile: x\n+ 3s\nVia: x\n"), "2: does not belong here: Via: x");
}
