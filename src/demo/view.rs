//! Draws the board: a live picture on a terminal, plain lines elsewhere. Belongs here: text and ANSI.
//! Not here: what there is to show (`board`), the judgement (`figures`).

use super::board::{Board, QueueRow};
use super::figures::Figures;
use super::plan::Language;
use super::width::fit;
use crate::event::AgentState;
use crate::ids::QueueName;
use crate::time::Instant;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Columns drawn; fits the smallest usual terminal.
const WIDTH: usize = 79;

pub enum View {
    /// Redraws in place.
    Live { drawn: usize },
    /// One line now and then.
    Plain { last: u64 },
    /// `--json`: nothing on stdout but the object at the end.
    Silent,
}

/// How far the day is.
pub struct Progress {
    pub now: Instant,
    pub since_start: f64,
    pub calls_done: u64,
    pub calls_planned: u64,
    pub sip: String,
}

impl View {
    pub fn draw(&mut self, board: &Board, progress: &Progress) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match self {
            View::Live { drawn } => {
                let mut text = String::new();
                if *drawn > 0 {
                    let _ = write!(text, "\x1b[{drawn}A");
                }
                let mut lines = picture(board, progress);
                lines.truncate(rows());
                *drawn = lines.len();
                for line in lines {
                    text.push_str(&line);
                    text.push_str("\x1b[0m\x1b[K\n");
                }
                out.write_all(text.as_bytes())?;
            }
            View::Plain { last } => {
                let second = progress.since_start as u64;
                if second < *last + 2 {
                    return Ok(());
                }
                *last = second;
                writeln!(out, "{}", plain_line(board, progress))?;
            }
            View::Silent => {}
        }
        out.flush()
    }

    pub fn say(&mut self, line: &str) {
        match self {
            View::Silent => eprintln!("{line}"),
            // Leaves the picture above and starts a new one below.
            View::Live { drawn } => {
                *drawn = 0;
                println!("{line}");
            }
            View::Plain { .. } => println!("{line}"),
        }
    }

    pub fn summary(&mut self, figures: &Figures) {
        match self {
            View::Silent => match serde_json::to_string(figures) {
                Ok(json) => println!("{json}"),
                Err(e) => eprintln!("cannot write the figures as JSON: {e}"),
            },
            View::Live { .. } => print!("{}", summary(figures, "\x1b[31m", "\x1b[0m")),
            View::Plain { .. } => print!("{}", summary(figures, "", "")),
        }
    }
}

/// What fits: a picture taller than the terminal could not be drawn over.
fn rows() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stdout());
    size.map_or(24, |s| usize::from(s.ws_row)).max(6) - 1
}

fn plain_line(board: &Board, p: &Progress) -> String {
    let waiting: usize = board.queues.values().map(|q| q.waiting.len()).sum();
    let (requests, answered, within) = board.totals();
    format!(
        "{:5.1} s  来电 calls {}/{}  等待 waiting {waiting}  在线 live {}  接通 answered {answered}/{requests}  15秒内 within 15 s {within}",
        p.since_start,
        p.calls_done,
        p.calls_planned,
        board.live_calls()
    )
}

fn picture(board: &Board, p: &Progress) -> Vec<String> {
    let mut lines = vec![
        format!("\x1b[1m热线 Rexian\x1b[0m  演示 demo  sip:{}  {:.0} s", p.sip, p.since_start),
        bar(p.calls_done, p.calls_planned),
        String::new(),
        heading(&[
            ("队列 queue", 22),
            ("等待 waiting", 14),
            ("最久 longest", 14),
            ("请求 in", 10),
            ("接通 answered", 14),
        ]),
    ];
    for language in Language::ALL {
        lines.push(queue_line(language, board.queues.get(&QueueName::new(language.name())), p.now));
    }
    lines.push(String::new());
    lines.push(agents_heading(board));
    lines.extend(agent_lines(board, p.now));
    lines.push(String::new());
    lines.push(sla_line(board));
    lines.push(String::new());
    // Always as many lines, so that nothing of an older picture is left standing.
    let news = board.news.iter().map(String::as_str).chain(std::iter::repeat("")).take(5);
    lines.extend(news.map(|n| format!("\x1b[2m{}", fit(n, WIDTH))));
    lines
}

fn bar(done: u64, planned: u64) -> String {
    const CELLS: u64 = 50;
    let full = (done * CELLS).checked_div(planned).unwrap_or(CELLS).min(CELLS);
    let cells: String = (0..CELLS).map(|i| if i < full { '█' } else { '░' }).collect();
    format!("\x1b[32m{cells}\x1b[0m {done}/{planned} 来电 calls")
}

fn heading(cells: &[(&str, usize)]) -> String {
    let cells: String = cells.iter().map(|(text, width)| fit(text, *width)).collect();
    format!("\x1b[4m{cells}")
}

fn queue_line(language: Language, row: Option<&QueueRow>, now: Instant) -> String {
    let name = fit(&format!("{} {}", language.in_chinese(), language.name()), 22);
    let Some(row) = row else { return format!("\x1b[2m{name}{}", fit("0", 14)) };
    let longest = row.waiting.values().min().map(|since| now.since(*since).as_secs_f64());
    let colour = match longest {
        None => "\x1b[2m",
        Some(s) if s > 10.0 => "\x1b[31m",
        Some(_) => "\x1b[33m",
    };
    let longest = longest.map_or("-".into(), |s| format!("{s:.1} s"));
    format!(
        "{name}{colour}{}{}\x1b[0m{}{}",
        fit(&row.waiting.len().to_string(), 14),
        fit(&longest, 14),
        fit(&row.requests.to_string(), 10),
        fit(&row.answered.to_string(), 14)
    )
}

fn agents_heading(board: &Board) -> String {
    let mut line = String::from("\x1b[4m坐席 agents");
    for state in ["空闲", "振铃", "通话", "保持", "整理", "示忙", "离线"] {
        let n = board.agents.values().filter(|(s, _)| state_word(*s).0 == state).count();
        if n > 0 {
            let _ = write!(line, "  {state} {n}");
        }
    }
    line
}

/// Four agents a line; beyond 24 the rest is only counted in the heading.
fn agent_lines(board: &Board, now: Instant) -> Vec<String> {
    let cells: Vec<String> = board
        .agents
        .iter()
        .take(24)
        .map(|(agent, (state, since))| {
            let (zh, en, colour) = state_word(*state);
            let text = format!("{agent} {zh} {en} {:.0}s", now.since(*since).as_secs_f64());
            format!("{colour}{}\x1b[0m", fit(&text, 19))
        })
        .collect();
    cells.chunks(4).map(|row| row.join(" ")).collect()
}

fn state_word(state: AgentState) -> (&'static str, &'static str, &'static str) {
    match state {
        AgentState::LoggedOut => ("离线", "out", "\x1b[2m"),
        AgentState::NotReady(_) => ("示忙", "away", "\x1b[31m"),
        AgentState::Ready => ("空闲", "ready", "\x1b[32m"),
        AgentState::Reserved => ("振铃", "ring", "\x1b[33m"),
        AgentState::Talking => ("通话", "talk", "\x1b[36m"),
        AgentState::Hold => ("保持", "hold", "\x1b[35m"),
        AgentState::WrapUp => ("整理", "wrap", "\x1b[34m"),
        AgentState::Engaged => ("外呼", "dial", "\x1b[35m"),
    }
}

fn sla_line(board: &Board) -> String {
    let (requests, answered, within) = board.totals();
    format!(
        "15秒人工接通率 {}   15秒应答及时率 {}   接通率 connection rate {}",
        percent(within, requests),
        percent(within, answered),
        percent(answered, requests)
    )
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "-".into() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

/// `red` and `plain`: what begins and ends a warning's colour.
fn summary(f: &Figures, red: &str, plain: &str) -> String {
    let share = |x: f64| format!("{:.1} %", 100.0 * x);
    let rows = [
        ("来电 calls offered", f.offered.to_string()),
        ("接通 answered", f.answered.to_string()),
        ("放弃 abandoned", f.abandoned.to_string()),
        ("15秒内接通 answered within 15 s", f.within_n.to_string()),
        ("  15秒人工接通率 (of requests)", share(f.within_n_of_requests)),
        ("  15秒应答及时率 (of answered)", share(f.within_n_of_answered)),
        ("接通率 connection rate", share(f.connection_rate)),
        ("等待 wait p50 / p95", format!("{:.1} s / {:.1} s", f.wait_p50, f.wait_p95)),
        ("座席未应答 rang out (RONA)", f.rona.to_string()),
        ("工单 tickets in the case store", f.tickets.to_string()),
        ("双向语音 audio checked both ways", format!("{}/{}", f.audio_ok, f.answered)),
        ("RTP 丢包 loss", format!("{} ({} of {})", share(f.rtp_loss), f.rtp_lost, f.rtp_lost + f.rtp_received)),
        ("用时 took", format!("{:.0} s", f.seconds)),
    ];
    let mut text = String::from("\n小结 summary\n");
    for (label, value) in rows {
        let _ = writeln!(text, "  {}{value}", fit(label, 36));
    }
    if f.problems.is_empty() {
        text.push_str("  一致 the phones, the gateway's counters and the case store agree\n");
    } else {
        let _ = writeln!(text, "\n{red}问题 problems{plain}");
        for problem in &f.problems {
            let _ = writeln!(text, "  {problem}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::width::columns;
    use super::*;
    use crate::event::AgentEvent;
    use crate::ids::AgentNo;

    fn visible(line: &str) -> String {
        let mut parts = line.split("\x1b[");
        let first = parts.next().unwrap_or_default().to_string();
        first + &parts.map(|p| p.split_once('m').map_or("", |(_, text)| text)).collect::<String>()
    }

    #[test]
    fn the_picture_fits_the_smallest_usual_terminal_and_keeps_its_height() {
        let mut board = Board::default();
        let progress = Progress {
            now: Instant(100_000_000),
            since_start: 99.0,
            calls_done: 1_234,
            calls_planned: 10_000,
            sip: "192.168.100.100:50600".into(),
        };
        for n in 0..12 {
            let state = AgentState::NotReady(crate::event::NotReadyReason::NoAnswer);
            let agent = AgentNo::new(format!("66{n:02}"));
            board.on_agent(&AgentEvent { at: Instant(0), agent, seat: None, state, by: None });
        }
        let empty = picture(&board, &progress);
        board.news.extend((0..5).map(|_| "接通 answered ".repeat(12)));
        let full = picture(&board, &progress);
        assert_eq!(empty.len(), full.len());
        assert!(full.len() < 24, "{} lines", full.len());
        for line in &full {
            assert!(columns(&visible(line)) <= 80, "{} columns: {line}", columns(&visible(line)));
        }
    }
}
