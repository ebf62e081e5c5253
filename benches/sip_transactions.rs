//! What a transaction costs beside what parsing its messages costs (the reference, measured in the same run), with few and
//! with 200,000 completed transactions lingering; and what one that lingers costs in memory. CPU time of this process.
//! Time inside the endpoint is virtual, so a soak of several linger periods takes seconds.

use rexian::sip::endpoint::{Endpoint, Received};
use rexian::sip::flow::{Flow, Transport};
use rexian::sip::message::{Builder, Framing, Message, reason_phrase};
use rexian::time::Instant;
use rustix::time::{ClockId, clock_gettime};
use std::net::SocketAddr;
use std::time::Duration;

/// The product's allocator: it decides most of what the memory figures say.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FLOW: Flow = Flow {
    transport: Transport::Udp,
    local: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)), 5060),
    remote: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2)), 5060),
    connection: 0,
};

/// A message whose branch (and so its transaction) is changed in place.
struct Template {
    bytes: Vec<u8>,
    at: usize,
}

impl Template {
    fn request(method: &str, body: &str) -> Template {
        let text = format!(
            "{method} sip:12345@10.0.0.1:5060;user=phone SIP/2.0\r\n\
             Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK0000000000000000;rport\r\n\
             Max-Forwards: 69\r\nFrom: \"13905310000\" <sip:+8613905310000@sd.ctcims.cn;user=phone>;tag=sbc0a1b2c3d4\r\n\
             To: <sip:12345@sd.ctcims.cn;user=phone>\r\nCall-ID: 5f0c2a9e-77d1-4f0e-9a3b@10.0.0.2\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:10.0.0.2:5060;transport=udp>\r\nAllow: INVITE,ACK,CANCEL,BYE,PRACK,UPDATE,INFO,OPTIONS\r\n\
             Supported: 100rel,timer,precondition\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n\
             P-Asserted-Identity: <sip:+8613905310000@sd.ctcims.cn;user=phone>, <tel:+8613905310000>\r\n\
             P-Charging-Vector: icid-value=\"icid-5f0c2a9e77d14f0e\";orig-ioi=sd.ctcims.cn\r\n\
             User-Agent: Huawei SBC\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Template::of(text.into_bytes())
    }

    fn response(request: &Template, status: u16) -> Template {
        let msg = Message::parse(&request.bytes, Framing::Datagram).expect("the bench's request parses");
        let builder = Builder::response(&msg, status, reason_phrase(status), Some(b"bench"), FLOW.remote);
        Template::of(builder.finish())
    }

    fn of(bytes: Vec<u8>) -> Template {
        let cookie = b"branch=z9hG4bK";
        let at = bytes.windows(cookie.len()).position(|w| w == cookie).expect("has a branch") + cookie.len();
        Template { bytes, at }
    }

    fn numbered(&mut self, n: u64) -> &[u8] {
        for (digit, byte) in self.bytes[self.at..self.at + 16].iter_mut().enumerate() {
            *byte = b"0123456789abcdef"[(n >> (60 - 4 * digit)) as usize & 15];
        }
        &self.bytes
    }
}

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8 0 18 101\r\n\
    a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

struct Bench {
    endpoint: Endpoint,
    now: Instant,
    /// Virtual time between two transactions.
    pace: Duration,
    n: u64,
    invite: Template,
    options: Template,
    ack: Template,
    answers: [Template; 3],
    options_ok: Template,
}

#[derive(Clone, Copy)]
enum Kind {
    OptionsIn,
    InviteIn,
    OptionsOut,
    InviteOut,
}

impl Bench {
    fn new(lingering: u64) -> Bench {
        let invite = Template::request("INVITE", SDP);
        let options = Template::request("OPTIONS", "");
        Bench {
            endpoint: Endpoint::new(10_000_000),
            now: Instant::from_unix_secs(1_700_000_000),
            pace: Duration::from_secs(32) / lingering as u32,
            n: 0,
            ack: Template::request("ACK", ""),
            answers: [100, 180, 200].map(|status| Template::response(&invite, status)),
            options_ok: Template::response(&options, 200),
            invite,
            options,
        }
    }

    /// One whole transaction, its bytes drained, and whatever timers the time since the last one brought.
    fn transaction(&mut self, kind: Kind) {
        self.n += 1;
        self.now = self.now + self.pace;
        if self.endpoint.next_timeout().is_some_and(|at| at <= self.now) {
            self.endpoint.handle_timeout(self.now);
        }
        match kind {
            Kind::OptionsIn => {
                let bytes = self.options.numbered(self.n);
                let Received::Request { msg } = self.endpoint.receive(self.now, FLOW, bytes) else { panic!("not new") };
                let tx = self.endpoint.accept(self.now, FLOW, &msg);
                self.endpoint.respond(self.now, tx, 200, answer(&msg, 200));
            }
            Kind::InviteIn => {
                let bytes = self.invite.numbered(self.n);
                let Received::Request { msg } = self.endpoint.receive(self.now, FLOW, bytes) else { panic!("not new") };
                let tx = self.endpoint.accept(self.now, FLOW, &msg);
                self.endpoint.respond(self.now, tx, 180, answer(&msg, 180));
                self.endpoint.respond(self.now, tx, 200, answer(&msg, 200));
                let ack = self.ack.numbered(!self.n);
                assert!(matches!(self.endpoint.receive(self.now, FLOW, ack), Received::Ack { .. }));
            }
            Kind::OptionsOut => {
                let request = self.options.numbered(self.n).to_vec();
                self.endpoint.request(self.now, FLOW, &format!("z9hG4bK{:016x}", self.n), self.n, request);
                let ok = self.options_ok.numbered(self.n);
                assert!(matches!(self.endpoint.receive(self.now, FLOW, ok), Received::Response { .. }));
            }
            Kind::InviteOut => {
                let request = self.invite.numbered(self.n).to_vec();
                self.endpoint.request(self.now, FLOW, &format!("z9hG4bK{:016x}", self.n), self.n, request);
                for response in &mut self.answers {
                    let bytes = response.numbered(self.n);
                    assert!(matches!(self.endpoint.receive(self.now, FLOW, bytes), Received::Response { .. }));
                }
            }
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            std::hint::black_box(transmit);
        }
    }

    /// Parsing alone of the messages that this kind receives.
    fn parse_only(&mut self, kind: Kind) {
        self.n += 1;
        let parse = |bytes: &[u8]| std::hint::black_box(Message::parse(bytes, Framing::Datagram)).map(drop).is_ok();
        let fine = match kind {
            Kind::OptionsIn => parse(self.options.numbered(self.n)),
            Kind::InviteIn => parse(self.invite.numbered(self.n)) && parse(self.ack.numbered(self.n)),
            Kind::OptionsOut => parse(self.options_ok.numbered(self.n)),
            Kind::InviteOut => self.answers.iter_mut().all(|response| parse(response.numbered(self.n))),
        };
        assert!(fine);
    }
}

fn answer(request: &Message<'_>, status: u16) -> Vec<u8> {
    Builder::response(request, status, reason_phrase(status), Some(b"bench"), FLOW.remote).finish()
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// CPU nanoseconds per call of `work`.
fn nanos(times: u64, mut work: impl FnMut()) -> f64 {
    let start = cpu();
    for _ in 0..times {
        work();
    }
    (cpu() - start).as_nanos() as f64 / times as f64
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("needs Linux's /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("status has VmRSS");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("VmRSS is a number of kB") * 1024
}

const LINGERING: u64 = 200_000;
const KINDS: [(&str, Kind); 4] = [
    ("OPTIONS received", Kind::OptionsIn),
    ("INVITE received", Kind::InviteIn),
    ("OPTIONS sent", Kind::OptionsOut),
    ("INVITE sent", Kind::InviteOut),
];

fn main() {
    if let Some((_, index)) =
        std::env::args().find_map(|arg| arg.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())))
    {
        return memory(KINDS[index.parse::<usize>().expect("--memory=0..3")]);
    }
    println!(
        "{:<18}{:>10}{:>14}{:>8}{:>16}{:>8}{:>12}",
        "transaction", "parse ns", "few live, ns", "ratio", "200k live, ns", "ratio", "per second"
    );
    for (name, kind) in KINDS {
        let mut few = Bench::new(100);
        nanos(20_000, || few.parse_only(kind));
        let parse = nanos(200_000, || few.parse_only(kind));
        let small = nanos(200_000, || few.transaction(kind));
        let mut many = Bench::new(LINGERING);
        nanos(LINGERING, || many.transaction(kind));
        let large = nanos(2 * LINGERING, || many.transaction(kind));
        let (few_ratio, ratio, rate) = (small / parse, large / parse, 1e9 / large);
        println!("{name:<18}{parse:>10.0}{small:>14.0}{few_ratio:>8.1}{large:>16.0}{ratio:>8.1}{rate:>12.0}");
    }

    println!("\n{:<18}{:>10}{:>16}{:>24}", "lingering", "count", "RSS bytes each", "RSS KiB left when gone");
    for index in 0..KINDS.len() {
        // A process each: memory that another measurement freed would be found again.
        let program = std::env::current_exe().expect("this program has a path");
        let ran = std::process::Command::new(program).arg(format!("--memory={index}")).status();
        assert!(ran.is_ok_and(|status| status.success()), "the memory measurement failed");
    }

    // A burst that ends all at once: the worst a single call into the endpoint can take.
    let mut bench = Bench::new(u64::from(u32::MAX));
    nanos(LINGERING, || bench.transaction(Kind::OptionsIn));
    let end = bench.now + Duration::from_secs(33);
    let start = cpu();
    bench.endpoint.handle_timeout(end);
    let took = cpu() - start;
    assert_eq!(bench.endpoint.live(), (0, 0));
    let each = took.as_nanos() as f64 / LINGERING as f64;
    println!("\n200,000 transactions ending in one call: {:.1} ms, {each:.0} ns each", took.as_secs_f64() * 1e3);
}

/// Memory of 200,000 completed transactions of one kind, and what the process keeps when they have ended and the
/// allocator (which waits a second) has had occasion to give pages back.
fn memory((name, kind): (&str, Kind)) {
    let mut quiet = Bench::new(100);
    (0..1_000).for_each(|_| quiet.transaction(kind));
    let before = resident_bytes();
    // Faster than anything ends, so that all are there together.
    let mut bench = Bench::new(100 * LINGERING);
    (0..LINGERING).for_each(|_| bench.transaction(kind));
    let (clients, servers) = bench.endpoint.live();
    let each = resident_bytes().saturating_sub(before) / LINGERING;
    assert_eq!(clients + servers, LINGERING as usize);
    while let Some(at) = bench.endpoint.next_timeout() {
        bench.endpoint.handle_timeout(at);
    }
    assert_eq!(bench.endpoint.live(), (0, 0));
    std::thread::sleep(Duration::from_millis(1_500));
    (0..10_000).for_each(|_| quiet.transaction(kind));
    let left = resident_bytes().saturating_sub(before) / 1024;
    println!("{name:<18}{LINGERING:>10}{each:>16}{left:>24}");
}
