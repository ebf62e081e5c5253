//! `--keep`: the demo stays up for a real phone. Belongs here: what the screen says, and the trickle of calls.

use super::Demo;
use super::Options;
use super::house::CASES;
use super::plan::{self, Plan};
use super::view::View;
use crate::config::settings::Cidr;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// A person needs longer than a pretend agent.
pub const RING_TIMEOUT: Duration = Duration::from_secs(12);
/// Between two calls of the pretend carriers.
const EVERY: Duration = Duration::from_secs(12);
/// Long enough for a person to hear the tone and say something.
const TALK: Duration = Duration::from_secs(15);

/// Whose calls are a citizen's: this machine, and the network asked for with `--listen`.
pub fn citizens(listen: IpAddr) -> Vec<Cidr> {
    let loopback = Cidr { address: IpAddr::V4(Ipv4Addr::LOCALHOST), prefix: 8 };
    let network = match listen {
        IpAddr::V4(_) => Cidr { address: listen, prefix: 24 },
        IpAddr::V6(_) => Cidr { address: listen, prefix: 64 },
    };
    if listen.is_loopback() { vec![loopback] } else { vec![loopback, network] }
}

/// Until Ctrl-C.
pub(super) fn stay(demo: &mut Demo, view: &mut View, options: &Options) -> Result<(), String> {
    demo.directory.keep();
    let seat = plan::spare_seat(options.seats);
    let place = demo.stage.place();
    let (sip, codes) = (demo.sip, &place.codes);
    let languages: Vec<String> = plan::Language::ALL.iter().map(|l| format!("{} {}", l.number(), l.name())).collect();
    let lines: [String; 11] = [
        String::new(),
        "保持运行 staying up. Ctrl-C 结束 ends it.".into(),
        format!(
            "话机注册 register a phone:  服务器 server {sip} (UDP/TCP)  账号 user {}  密码 password {}",
            seat.seat, place.password
        ),
        format!(
            "  签入 sign in: 拨 dial {}   签出 out: {}   示闲 ready: {}   示忙 not ready: {}",
            codes.sign_in, codes.sign_out, codes.ready, codes.not_ready
        ),
        format!(
            "  模拟市民每 {} 秒来电 a pretend citizen calls every {0} s; the agents signed in take turns",
            EVERY.as_secs()
        ),
        format!("市民拨打 call as a citizen, from a phone account that is not registered here:  sip:12345@{sip}"),
        format!("  各语种 by language: {}", languages.join(", ")),
        format!(
            "  来电地址 taken from: {}",
            citizens(options.listen.into()).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ),
        format!(
            "工单 tickets: sqlite3 {} 'SELECT ticket_no, cli_e164, queue, agent_no, wait_ms FROM tickets'",
            demo.directory.path.join(CASES).display()
        ),
        demo.running.http().map(|h| format!("指标 metrics: http://{h}/metrics")).unwrap_or_default(),
        String::new(),
    ];
    for line in lines {
        view.say(&line);
    }
    // One pretend agent stays, so that a citizen's call is answered; a real phone then gets every second one.
    demo.stage.send_home_all_but_one();
    let mut more = Plan::new(10_000, options.seats, 1.0, options.seed + 1).calls.into_iter();
    loop {
        if let Some(call) = more.next() {
            // Answered at pickup: that tells the caller when to talk, whoever picks up.
            demo.stage.add_call(plan::PlannedCall {
                carrier: plan::Carrier::OnPickup,
                patience: Duration::from_secs(40),
                talk: TALK,
                ends_by: plan::Side::Caller,
                held: false,
                ..call
            });
        }
        let next = demo.stage.now() + EVERY;
        while demo.stage.now() < next {
            demo.step(view)?;
            if demo.interrupted() {
                return Ok(());
            }
        }
    }
}
