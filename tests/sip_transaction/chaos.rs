//! Random traffic from a seed: good messages, broken ones, repeats, wrong orders, jumps of the clock, a user who answers
//! anything at any time. Nothing may panic, every request of ours ends once, and nothing may be left when time has passed.

use super::support::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rexian::sip::endpoint::{ClientTx, Endpoint, Expired, Received, ServerTx};
use rexian::sip::flow::Flow;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Default)]
struct Tally {
    /// Per request of ours: how many ends were reported (2xx to INVITE repeat and count once).
    ends: BTreeMap<u64, usize>,
    answered: usize,
    failed: usize,
    unacknowledged: usize,
    cancelled: usize,
}

struct World {
    rng: ChaCha8Rng,
    endpoint: Endpoint,
    now: rexian::time::Instant,
    /// Everything ever sent either way, for repeats and answers out of order. Bounded.
    seen: Vec<Vec<u8>>,
    servers: Vec<(ServerTx, Vec<u8>)>,
    clients: Vec<ClientTx>,
    tally: Tally,
}

impl World {
    fn below(&mut self, n: usize) -> usize {
        (self.rng.next_u64() % n as u64) as usize
    }

    fn flow(&mut self) -> Flow {
        match self.below(5) {
            0 => tcp(0),
            1 => tcp(1),
            2 => tcp(2),
            _ => udp(),
        }
    }

    fn note(&mut self, bytes: Vec<u8>) {
        if self.seen.len() < 200 {
            self.seen.push(bytes);
        } else {
            let at = self.below(200);
            self.seen[at] = bytes;
        }
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(4) {
                0 if at < bytes.len() => bytes[at] = self.rng.next_u64() as u8,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\r\n;,<>\"=: z\0"[self.below(12)]),
                _ => bytes.truncate(at),
            }
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        let flow = self.flow();
        match self.endpoint.receive(self.now, flow, bytes) {
            Received::Request { msg } => match self.rng.next_u64() % 4 {
                0 => self.endpoint.refuse(flow, &msg, 503),
                1 => {}
                _ => {
                    let tx = self.endpoint.accept(self.now, flow, &msg);
                    self.servers.push((tx, bytes.to_vec()));
                }
            },
            Received::Response { owner, msg, .. } if msg.status() >= Some(200) => {
                self.tally.answered += 1;
                let ends = self.tally.ends.entry(owner).or_default();
                let again = *ends > 0;
                if !again {
                    *ends += 1;
                } else {
                    assert_eq!(msg.status().map(|s| s / 100), Some(2), "only a 2xx is reported twice");
                    assert_eq!(msg.cseq().method.as_bytes(), b"INVITE");
                }
            }
            Received::Cancel { .. } => self.tally.cancelled += 1,
            _ => {}
        }
    }

    fn drain(&mut self) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.note(transmit.bytes);
        }
        while let Some(expired) = self.endpoint.poll_expired() {
            match expired {
                Expired::ClientFailed { owner, .. } => {
                    self.tally.failed += 1;
                    *self.tally.ends.entry(owner).or_default() += 1;
                }
                Expired::NoAck { .. } => self.tally.unacknowledged += 1,
            }
        }
    }

    fn step(&mut self, n: u64) {
        let branch = format!("z9hG4bK{}", self.below(60));
        let method = ["INVITE", "INVITE", "BYE", "OPTIONS", "CANCEL", "ACK", "REGISTER"][self.below(7)];
        match self.below(12) {
            0 | 1 => {
                let bytes = request(method, &branch, "");
                self.note(bytes.clone());
                self.receive(&bytes);
            }
            2 => {
                let mut bytes = with_to_tag(&request(method, &branch, ""), "us");
                self.mutate(&mut bytes);
                self.receive(&bytes);
            }
            3 | 4 if !self.seen.is_empty() => {
                let at = self.below(self.seen.len());
                let mut bytes = self.seen[at].clone();
                if self.below(4) == 0 {
                    self.mutate(&mut bytes);
                }
                self.receive(&bytes);
            }
            // A peer answers something we sent.
            5 | 6 if !self.seen.is_empty() => {
                let at = self.below(self.seen.len());
                let bytes = self.seen[at].clone();
                let status = [100, 180, 200, 200, 302, 486, 487, 603][self.below(8)];
                if !bytes.starts_with(b"SIP/2.0") && !bytes.starts_with(b"ACK") {
                    self.receive(&answer_to(&bytes, status, Some("them")));
                }
            }
            7 | 8 => {
                let own = format!("z9hG4bKown{n}");
                let bytes = match self.below(2) {
                    0 => String::from_utf8(INVITE.to_vec()).unwrap().replace("z9hG4bKours", &own).into_bytes(),
                    _ => request("OPTIONS", &own, ""),
                };
                let flow = self.flow();
                self.tally.ends.insert(n, 0);
                self.clients.push(self.endpoint.request(self.now, flow, &own, n, bytes));
            }
            9 if !self.servers.is_empty() => {
                let at = self.below(self.servers.len());
                let (tx, request) = self.servers[at].clone();
                let status = [100, 180, 183, 200, 486, 487, 500][self.below(7)];
                self.endpoint.respond(self.now, tx, status, answer_to(&request, status, Some("us")));
            }
            10 if !self.clients.is_empty() => {
                let at = self.below(self.clients.len());
                match self.below(8) {
                    0 => {
                        let flow = self.flow();
                        self.endpoint.flow_failed(self.now, flow);
                    }
                    _ => self.endpoint.cancel(self.now, self.clients[at]),
                }
            }
            _ => {
                let jump = [1, 100, 600, 5_000, 40_000][self.below(5)];
                self.now = self.now + Duration::from_millis(self.rng.next_u64() % jump);
                self.endpoint.handle_timeout(self.now);
            }
        }
        self.drain();
    }

    /// The user settles everything it owes, then time passes.
    fn settle(&mut self) {
        for (tx, request) in std::mem::take(&mut self.servers) {
            self.endpoint.respond(self.now, tx, 500, answer_to(&request, 500, Some("us")));
        }
        for tx in std::mem::take(&mut self.clients) {
            self.endpoint.cancel(self.now, tx);
        }
        self.drain();
        while let Some(at) = self.endpoint.next_timeout() {
            assert!(at >= self.now || at.since(self.now).is_zero());
            self.now = self.now.max(at);
            self.endpoint.handle_timeout(self.now);
            self.drain();
        }
    }
}

#[test]
fn random_traffic_leaves_nothing_and_ends_every_request_once() {
    let mut total = Tally::default();
    for seed in 0..200 {
        let mut world = World {
            rng: ChaCha8Rng::seed_from_u64(seed),
            endpoint: Endpoint::new(40),
            now: START,
            seen: Vec::new(),
            servers: Vec::new(),
            clients: Vec::new(),
            tally: Tally::default(),
        };
        for n in 0..2_000 {
            world.step(n);
            assert!(world.endpoint.live().1 <= 50, "seed {seed}: more than max_transactions and its reserve");
        }
        world.settle();
        assert_eq!(world.endpoint.live(), (0, 0), "seed {seed}");
        let inside = format!("{:?}", world.endpoint);
        assert!(inside.contains("client_of: {}, server_of: {}, awaiting: {}"), "seed {seed}: left over: {inside}");
        for (owner, ends) in &world.tally.ends {
            assert_eq!(*ends, 1, "seed {seed}: request {owner} ended {ends} times");
        }
        total.answered += world.tally.answered;
        total.failed += world.tally.failed;
        total.unacknowledged += world.tally.unacknowledged;
        total.cancelled += world.tally.cancelled;
    }
    let Tally { answered, failed, unacknowledged, cancelled, .. } = total;
    let busy = answered > 1_000 && failed > 1_000 && unacknowledged > 50 && cancelled > 50;
    assert!(
        busy,
        "too little happened: {answered} answered, {failed} failed, {unacknowledged} no ACK, {cancelled} cancelled"
    );
}
