//! How long one routing decision takes, from 60 to 10,000 agents, 10 to 100,000 waiting callers, 1 to 64 skills, beside a
//! plain linear scan over the same people in the same run; and how that grows.
//!
//! "Freed": a talk ends with everybody busy; the agent is made ready, matched and reserved. "Arriving": a call comes in with
//! everybody ready and the waiting ones all in need of somebody absent. Each agent has a random half of the skills at
//! random levels, so with 8 and 64 skills hardly two are alike: the worst case for anything that groups agents.
//! "Plain": one requirement a queue, the longest idle. "Rules": each queue relaxes twice, two skills have a reserve, and
//! all three strategies are in use. A decision is the whole input, outputs drained; the timer's own cost (some 25 ns) is
//! in it, steps that come due are in the CPU per call. The scan only compares bit masks and keys and keeps no books, nor
//! any rules: a lower bound for any program that walks its lists.

use allocation_counter::measure;
use rexian::acd::{Acd, AcdInput, AcdOutput, Request};
use rexian::config::settings::{AgentSettings, DistributorSettings, QueueSettings, Relaxation, Strategy};
use rexian::ids::{AgentNo, CallId, QueueName, SeatNo, Skill};
use rexian::time::Instant;
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Duration;

const DECISIONS: usize = 2_000;
const SCANS: usize = 60;
const MIN_LEVEL: u8 = 5;

fn main() {
    println!(
        "routing: one decision in ns (p50, p99); the same question to a linear scan (p50) and how many times as long;"
    );
    println!(
        "a call's three inputs (queue, pickup, end of talk): CPU in ns, allocations; the distributor's state in MiB\n"
    );
    println!("{:^22} | {:^29} | {:^29} | {:^11} |", "", "freed agent", "arriving call", "per call");
    println!(
        "{:>6} {:>7} {:>7} | {:>5} {:>5} {:>9} {:>7} | {:>5} {:>5} {:>9} {:>7} | {:>5} {:>5} | {:>6}",
        "agents", "waiting", "skills", "p50", "p99", "scan", "", "p50", "p99", "scan", "", "CPU", "alloc", "state"
    );
    for rules in [false, true] {
        println!("{}", if rules { "rules" } else { "plain" });
        let mut curve = Vec::new();
        for skills in [1, 8, 64] {
            for agents in [60, 1_000, 10_000] {
                for waiting in [10, 10_000, 100_000] {
                    curve.push((agents, waiting, skills, row(agents, waiting, skills, rules)));
                }
            }
        }
        draw(&curve);
    }
}

/// How a freed agent's decision grows: a bar to the p50, a thin one to the p99.
fn draw(curve: &[(usize, usize, usize, (u32, u32))]) {
    const WIDTH: u32 = 60;
    let longest = curve.iter().map(|(.., (_, p99))| *p99).max().unwrap_or(1).max(1);
    println!("\ngrowth of a freed agent's decision, # to the p50, - to the p99; the full width is {longest} ns");
    for (agents, waiting, skills, (p50, p99)) in curve {
        let columns = |time: u32| (u64::from(time) * u64::from(WIDTH)).div_ceil(longest.into()) as usize;
        let bar = "#".repeat(columns(*p50)) + &"-".repeat(columns(*p99) - columns(*p50));
        println!("{agents:>6} {waiting:>7} {skills:>7} |{bar}");
    }
    if let (Some((.., small)), Some((.., large))) = (curve.first(), curve.last()) {
        println!(
            "with 167 times the agents, 10,000 times the callers and 64 times the skills: {:.1} times the p50\n",
            ratio(large.0, small.0)
        );
    }
}

/// p50 and p99 of a freed agent's decision.
fn row(agents: usize, waiting: usize, skills: usize, rules: bool) -> (u32, u32) {
    let mut floor = Floor::all_busy(agents, waiting, skills, rules);
    let mut copy = None;
    let memory = measure(|| copy = Some(floor.acd.clone())).bytes_current;
    drop(copy);
    floor.freed(DECISIONS / 4);
    let mut freed = Vec::new();
    let mut cpu = Duration::ZERO;
    let allocations = measure(|| {
        let start = cpu_time();
        freed = floor.freed(DECISIONS);
        cpu = cpu_time() - start;
    });
    let scan_freed = floor.scan_waiting();
    let mut floor = Floor::all_ready(agents, waiting, skills, rules);
    let arriving = floor.arriving(DECISIONS);
    let scan_arriving = floor.scan_ready();
    let side = |times: &[u32], scan: u32| {
        let (p50, p99) = (percentile(times, 50), percentile(times, 99));
        format!("{p50:>5} {p99:>5} {scan:>9} {:>6.1}x", ratio(scan, p50))
    };
    println!(
        "{agents:>6} {waiting:>7} {skills:>7} | {} | {} | {:>5} {:>5.2} | {:>6.2}",
        side(&freed, scan_freed),
        side(&arriving, scan_arriving),
        cpu.as_nanos() as usize / DECISIONS,
        allocations.count_total as f64 / DECISIONS as f64,
        memory as f64 / (1 << 20) as f64,
    );
    (percentile(&freed, 50), percentile(&freed, 99))
}

fn ratio(a: u32, b: u32) -> f64 {
    f64::from(a) / f64::from(b.max(1))
}

/// A staffed hotline under a load that stays as it is.
struct Floor {
    acd: Acd,
    random: Random,
    now: Instant,
    skills: usize,
    next_call: u64,
    /// Calls being talked on.
    talking: Vec<CallId>,
    /// What the scans look at: class and key of the waiting, classes and idle key of the agents.
    waiting: Vec<(usize, u64)>,
    agents: Vec<(u64, u64)>,
}

impl Floor {
    fn staffed(agents: usize, skills: usize, rules: bool) -> Floor {
        let mut random = Random(7);
        let mut masks = Vec::new();
        let mut roster: Vec<AgentSettings> = (0..agents)
            .map(|i| {
                // Everybody can do something.
                let own = random.below(skills);
                let held = (0..skills).filter(|&s| s == own || random.below(2) == 0).collect::<Vec<_>>();
                let levels = held.iter().map(|&s| (s, if s == own { 10 } else { random.below(10) as u8 + 1 }));
                let levels: Vec<(usize, u8)> = levels.collect();
                masks.push(levels.iter().filter(|(_, l)| *l >= MIN_LEVEL).fold(0u64, |m, (s, _)| m | 1 << s));
                let skills = levels.into_iter().map(|(s, level)| (skill(s), level)).collect();
                AgentSettings { skills, ..AgentSettings::new(agent(i).as_str(), []) }
            })
            .collect();
        // The one whom the callers wait for when everybody else is ready; never signs in.
        roster.push(AgentSettings::new("absent", [("rare", 10)]));
        let mut queues: Vec<QueueSettings> = (0..skills).map(|s| queue(queue_name(s), skill(s))).collect();
        let mut distributor = DistributorSettings::default();
        if rules {
            queues.iter_mut().enumerate().for_each(|(s, queue)| relax(queue, s, skills));
            distributor.reserve = (0..skills.min(2)).map(|s| (skill(s), 3)).collect();
        }
        queues.push(queue("rare".into(), "rare".into()));
        let mut floor = Floor {
            acd: Acd::new(&queues, &roster, &distributor),
            random,
            now: Instant::from_unix_secs(1_700_000_000),
            skills,
            next_call: 0,
            talking: Vec::new(),
            waiting: Vec::new(),
            agents: masks.into_iter().enumerate().map(|(i, mask)| (mask, i as u64)).collect(),
        };
        for i in 0..agents {
            floor.input(AcdInput::SignIn { agent: agent(i), seat: SeatNo::new(i.to_string()) });
            floor.input(AcdInput::Ready { agent: agent(i) });
        }
        floor
    }

    fn all_busy(agents: usize, waiting: usize, skills: usize, rules: bool) -> Floor {
        let mut floor = Floor::staffed(agents, skills, rules);
        while floor.acd.waiting() < waiting || floor.talking.len() < agents {
            let before = floor.talking.len();
            let queue = floor.random.below(skills);
            floor.call(queue_name(queue));
            if floor.talking.len() == before {
                floor.waiting.push((queue, floor.next_call));
            }
            if floor.acd.waiting() > waiting {
                // Nobody ready has this skill; make room for callers who find somebody.
                let (_, call) = floor.waiting.pop().expect("somebody waits");
                floor.input(AcdInput::Leave { call: CallId(call) });
            }
        }
        floor
    }

    fn all_ready(agents: usize, waiting: usize, skills: usize, rules: bool) -> Floor {
        let mut floor = Floor::staffed(agents, skills, rules);
        for _ in 0..waiting {
            floor.call("rare".into());
        }
        assert_eq!((floor.acd.waiting(), floor.acd.offers()), (waiting, 0));
        floor
    }

    /// A talk ends, the freed agent gets a waiting caller and picks up; a new caller joins the line.
    fn freed(&mut self, decisions: usize) -> Vec<u32> {
        let waiting = self.acd.waiting();
        let mut times = Vec::with_capacity(decisions);
        for _ in 0..decisions {
            self.relax();
            let at = self.random.below(self.talking.len());
            let call = self.talking.swap_remove(at);
            let (offered, time) = self.timed(AcdInput::TalkEnded { call });
            times.push(time);
            if let Some(call) = offered {
                self.pick_up(call);
            }
            while self.acd.waiting() < waiting {
                let queue = self.random.below(self.skills);
                self.call(queue_name(queue));
            }
        }
        times
    }

    /// A call comes, the longest idle picks up, talks and is ready again.
    fn arriving(&mut self, decisions: usize) -> Vec<u32> {
        let mut times = Vec::with_capacity(decisions);
        for _ in 0..decisions {
            self.relax();
            self.next_call += 1;
            let (call, queue) = (CallId(self.next_call), queue_name(self.random.below(self.skills)));
            let since = self.now;
            let (offered, time) = self.timed(AcdInput::Enqueue(Request::of_caller(call, queue, since)));
            assert_eq!(offered, Some(call), "somebody was ready");
            times.push(time);
            self.input(AcdInput::Answered { call });
            self.input(AcdInput::TalkEnded { call });
        }
        times
    }

    fn call(&mut self, queue: QueueName) {
        self.relax();
        self.next_call += 1;
        let (call, since) = (CallId(self.next_call), self.now);
        if let Some(call) = self.input(AcdInput::Enqueue(Request::of_caller(call, queue, since))) {
            self.pick_up(call);
        }
    }

    fn pick_up(&mut self, call: CallId) {
        self.input(AcdInput::Answered { call });
        self.talking.push(call);
    }

    fn timed(&mut self, input: AcdInput) -> (Option<CallId>, u32) {
        let start = std::time::Instant::now();
        let offered = self.input(input);
        (offered, start.elapsed().as_nanos() as u32)
    }

    /// The call offered in this step.
    fn input(&mut self, input: AcdInput) -> Option<CallId> {
        self.now = self.now + Duration::from_millis(1);
        self.acd.handle(self.now, input).expect("accepted");
        self.offered()
    }

    /// Steps that have come due; whoever finds an agent by one is picked up.
    fn relax(&mut self) {
        while self.acd.next_timeout().is_some_and(|due| due <= self.now) {
            self.acd.handle_timeout(self.now);
            let outputs: Vec<AcdOutput> = std::iter::from_fn(|| self.acd.next_output()).collect();
            for output in outputs {
                if let AcdOutput::Offer { call, .. } = output {
                    self.waiting.retain(|(_, waiting)| *waiting != call.0);
                    self.pick_up(call);
                }
            }
        }
    }

    fn offered(&mut self) -> Option<CallId> {
        let mut offered = None;
        while let Some(output) = self.acd.next_output() {
            if let AcdOutput::Offer { call, .. } = output {
                offered = Some(call);
            }
        }
        offered
    }

    /// The freed agent's question, asked of a plain list: ns of one scan, p50.
    fn scan_waiting(&mut self) -> u32 {
        scans(|random| {
            let (mask, _) = self.agents[random.below(self.agents.len())];
            let list = self.waiting.iter().filter(|(class, _)| mask >> class & 1 == 1);
            black_box(list.min_by_key(|(_, key)| *key));
        })
    }

    /// The arriving call's question, asked of a plain list.
    fn scan_ready(&mut self) -> u32 {
        scans(|random| {
            let class = random.below(self.skills);
            let list = self.agents.iter().filter(|(mask, _)| mask >> class & 1 == 1);
            black_box(list.min_by_key(|(_, key)| *key));
        })
    }
}

fn scans(mut scan: impl FnMut(&mut Random)) -> u32 {
    let mut random = Random(11);
    let mut times = Vec::new();
    for _ in 0..SCANS {
        let start = std::time::Instant::now();
        scan(&mut random);
        times.push(start.elapsed().as_nanos() as u32);
    }
    percentile(&times, 50)
}

fn queue(name: QueueName, skill: Skill) -> QueueSettings {
    QueueSettings {
        min_level: MIN_LEVEL,
        max_waiting: u32::MAX,
        max_wait: Some(Duration::from_secs(86_400)),
        wrap_up: Duration::ZERO,
        ..QueueSettings::new(name.as_str(), skill.as_str())
    }
}

/// After 20 s any level, after 60 s the next skill; every third queue by another strategy.
fn relax(queue: &mut QueueSettings, s: usize, skills: usize) {
    let step = |after, skill, level| Relaxation {
        after: Duration::from_secs(after),
        skills: [(skill, level)].into(),
        use_reserve: false,
        interpreter: false,
    };
    queue.relax = vec![step(20, skill(s), 1), step(60, skill((s + 1) % skills), MIN_LEVEL)];
    queue.strategy = [Strategy::LongestIdle, Strategy::LeastOccupied, Strategy::MostSkilled][s % 3];
}

fn agent(i: usize) -> AgentNo {
    AgentNo::new(format!("{i:05}"))
}

fn skill(s: usize) -> Skill {
    Skill::new(format!("skill-{s}"))
}

fn queue_name(s: usize) -> QueueName {
    QueueName::new(format!("queue-{s}"))
}

fn percentile(times: &[u32], p: usize) -> u32 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() - 1) * p / 100]
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) % n as u64) as usize
    }
}
