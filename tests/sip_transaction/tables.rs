//! The four machines as tables. A row is `state | event | on | outputs | next`; `on` is the transport, `any` for both;
//! `Calling*` stands for every state whose name begins so; `=` for the same state as before.
//! Every state meets every event: a pair that no row names must change nothing and ask for nothing. And timers are
//! accounted for: those running in a state, less the one that fired and those stopped, plus those started, must be
//! exactly those that the `timers` column of the next state's line names.

use super::support::{ACK_487, INVITE, response_487, title};
use rexian::sip::flow::Transport;
use rexian::sip::message::{Framing, Message};
use rexian::sip::transaction::client::{self, Client};
use rexian::sip::transaction::invite_client::{self, InviteClient, Wish};
use rexian::sip::transaction::invite_server::{self, InviteServer};
use rexian::sip::transaction::server::{self, Server};
use rexian::sip::transaction::{Output, T1, T2, Timer};
use std::collections::{BTreeMap, BTreeSet};

struct Machine<'t> {
    rows: &'t str,
    /// `state | timers on UDP | timers on TCP`
    timers: &'t str,
    events: &'t str,
    run: &'t Run<'t>,
}

/// State, event and transport in; outputs and the next state out.
type Run<'t> = dyn Fn(&str, &str, Transport, &mut Vec<Output>) -> String + 't;

fn check(machine: Machine<'_>) {
    let columns = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let lines = |text: &str| text.lines().map(columns).filter(|cells| cells.len() > 1).collect::<Vec<_>>();
    let running: BTreeMap<_, _> = lines(machine.timers).into_iter().map(|cells| (cells[0].clone(), cells)).collect();
    let mut rows = BTreeMap::new();
    for cells in lines(machine.rows) {
        let [named, event, on, outputs, next] = &cells[..] else { panic!("row with {} cells: {cells:?}", cells.len()) };
        let meant = |state: &&String| named.strip_suffix('*').map_or(*state == named, |start| state.starts_with(start));
        for state in running.keys().filter(meant) {
            for transport in ["udp", "tcp"].into_iter().filter(|transport| on == "any" || on == transport) {
                let next = if next == "=" { state } else { next };
                let old = rows.insert((state.clone(), event.clone(), transport), (outputs.clone(), next.clone()));
                assert!(old.is_none(), "two rows for {state} | {event} on {transport}");
            }
        }
    }
    let timers_of = |state: &str, transport| -> BTreeSet<String> {
        let cell = &running[state][1 + transport as usize];
        cell.split_whitespace().map(str::to_owned).collect()
    };
    for transport in [Transport::Udp, Transport::Tcp] {
        for state in running.keys() {
            // `-` is before the beginning.
            for event in machine.events.split_whitespace().filter(|&event| (event == "start") == (state == "-")) {
                // A timer that only the other transport runs in this state cannot fire.
                if timers_of(state, Transport::Udp).contains(event) && !timers_of(state, transport).contains(event) {
                    continue;
                }
                let mut out = Vec::new();
                let next = (machine.run)(state, event, transport, &mut out);
                let got = (out.iter().map(show).collect::<Vec<_>>().join(", "), next);
                let pair = (state.clone(), event.to_owned(), name(transport));
                let expected = rows.remove(&pair).unwrap_or((String::new(), state.clone()));
                assert_eq!(got, expected, "{state} | {event} on {transport:?}");
                if got.1 == "Terminated" || got == (String::new(), state.clone()) {
                    continue;
                }
                let mut timers = timers_of(state, transport);
                timers.remove(event);
                for output in &out {
                    match output {
                        Output::Start(timer, _) => {
                            assert!(timers.insert(format!("{timer:?}")), "{timer:?} runs already")
                        }
                        Output::Stop(timer) => assert!(timers.remove(&format!("{timer:?}")), "{timer:?} does not run"),
                        _ => {}
                    }
                }
                assert_eq!(timers, timers_of(&got.1, transport), "timers after {state} | {event} on {transport:?}");
            }
        }
    }
    assert!(rows.is_empty(), "rows never reached: {rows:?}");
}

fn name(transport: Transport) -> &'static str {
    if transport == Transport::Udp { "udp" } else { "tcp" }
}

/// `send 487`, `start G 1s`: a message is named by its method or status.
fn show(output: &Output) -> String {
    match output {
        Output::Send(bytes) => format!("send {}", title(bytes)),
        Output::Cancel(bytes) => format!("cancel by {}", title(bytes)),
        Output::PassUp => "pass up".into(),
        Output::Start(timer, length) => format!("start {timer:?} {length:?}"),
        Output::Stop(timer) => format!("stop {timer:?}"),
        Output::TimedOut => "timed out".into(),
        Output::Unreachable => "unreachable".into(),
    }
}

fn timer(event: &str) -> Timer {
    use Timer::*;
    let all = [A, B, D, E, F, G, H, I, J, K, L, M, AfterCancel];
    all.into_iter().find(|timer| format!("{timer:?}") == event).unwrap_or_else(|| panic!("no event {event}"))
}

#[test]
fn invite_client() {
    let request = INVITE.to_vec();
    let failure = response_487();
    let failure = Message::parse(&failure, Framing::Datagram).unwrap();
    let run = |state: &str, event: &str, transport: Transport, out: &mut Vec<Output>| {
        let request = request.clone();
        let state = match state {
            "-" => return named(&InviteClient::start(request, transport, out)),
            "Calling" => InviteClient::Calling { request, resend: T1, wish: Wish::Connect },
            "Calling, 4th" => InviteClient::Calling { request, resend: T1 * 8, wish: Wish::Connect },
            "Calling, unwanted" => InviteClient::Calling { request, resend: T1, wish: Wish::Cancel },
            "Proceeding" => InviteClient::Proceeding { request },
            "Cancelling" => InviteClient::Cancelling { request },
            "Completed" => InviteClient::Completed { ack: ACK_487.to_vec() },
            "Accepted" => InviteClient::Accepted,
            _ => InviteClient::Terminated,
        };
        use invite_client::Event;
        let event = match event {
            "1xx" => Event::Provisional,
            "2xx" => Event::Success,
            "487" => Event::Failure(&failure),
            "cancel" => Event::Cancel,
            "broken" => Event::TransportError,
            letter => Event::Timer(timer(letter)),
        };
        named(&state.handle(event, transport, out))
    };
    fn named(state: &InviteClient) -> String {
        match state {
            InviteClient::Calling { wish: Wish::Cancel, .. } => "Calling, unwanted".into(),
            InviteClient::Calling { resend, .. } if *resend > T1 * 4 => "Calling, 4th".into(),
            state => variant(state),
        }
    }
    check(Machine {
        events: "start 1xx 2xx 487 cancel broken A B D M AfterCancel E L",
        timers: "
            -                 |             |
            Calling           | A B         | B
            Calling, 4th      | A B         | B
            Calling, unwanted | A B         | B
            Proceeding        |             |
            Cancelling        | AfterCancel | AfterCancel
            Completed         | D           | D
            Accepted          | M           | M
            Terminated        |             |",
        rows: "
            -                 | start  | udp | send INVITE, start A 500ms, start B 32s                          | Calling
            -                 | start  | tcp | send INVITE, start B 32s                                         | Calling
            Calling           | A      | udp | send INVITE, start A 1s                                          | =
            Calling, 4th      | A      | udp | send INVITE, start A 8s                                          | =
            Calling, unwanted | A      | udp | send INVITE, start A 1s                                          | =
            Calling*          | B      | any | timed out                                                        | Terminated
            Calling           | cancel | any |                                                                  | Calling, unwanted
            Calling, 4th      | cancel | any |                                                                  | Calling, unwanted
            Calling           | 1xx    | udp | stop A, stop B, pass up                                          | Proceeding
            Calling           | 1xx    | tcp | stop B, pass up                                                  | Proceeding
            Calling, 4th      | 1xx    | udp | stop A, stop B, pass up                                          | Proceeding
            Calling, 4th      | 1xx    | tcp | stop B, pass up                                                  | Proceeding
            Calling, unwanted | 1xx    | udp | stop A, stop B, pass up, cancel by CANCEL, start AfterCancel 32s | Cancelling
            Calling, unwanted | 1xx    | tcp | stop B, pass up, cancel by CANCEL, start AfterCancel 32s         | Cancelling
            Proceeding        | 1xx    | any | pass up                                                          | =
            Cancelling        | 1xx    | any | pass up                                                          | =
            Proceeding        | cancel | any | cancel by CANCEL, start AfterCancel 32s                          | Cancelling
            Calling*          | 2xx    | udp | stop A, stop B, pass up, start M 32s                             | Accepted
            Calling*          | 2xx    | tcp | stop B, pass up, start M 32s                                     | Accepted
            Proceeding        | 2xx    | any | pass up, start M 32s                                             | Accepted
            Cancelling        | 2xx    | any | stop AfterCancel, pass up, start M 32s                           | Accepted
            Accepted          | 2xx    | any | pass up                                                          | =
            Calling*          | 487    | udp | stop A, stop B, send ACK, pass up, start D 32s                   | Completed
            Calling*          | 487    | tcp | stop B, send ACK, pass up                                        | Terminated
            Proceeding        | 487    | udp | send ACK, pass up, start D 32s                                   | Completed
            Proceeding        | 487    | tcp | send ACK, pass up                                                | Terminated
            Cancelling        | 487    | udp | stop AfterCancel, send ACK, pass up, start D 32s                 | Completed
            Cancelling        | 487    | tcp | stop AfterCancel, send ACK, pass up                              | Terminated
            Completed         | 487    | any | send ACK                                                         | =
            Cancelling   | AfterCancel | any | timed out                                                        | Terminated
            Completed         | D      | any |                                                                  | Terminated
            Accepted          | M      | any |                                                                  | Terminated
            Calling*          | broken | any | unreachable                                                      | Terminated
            Proceeding        | broken | any | unreachable                                                      | Terminated
            Cancelling        | broken | any | unreachable                                                      | Terminated
            Completed         | broken | any |                                                                  | Terminated",
        run: &run,
    });
}

#[test]
fn non_invite_client() {
    let request = b"OPTIONS sip:x SIP/2.0\r\n\r\n".to_vec();
    let run = |state: &str, event: &str, transport: Transport, out: &mut Vec<Output>| {
        let request = request.clone();
        let state = match state {
            "-" => return named(&Client::start(request, transport, out)),
            "Trying" => Client::Trying { request, resend: T1 },
            "Trying, late" => Client::Trying { request, resend: T2 },
            "Proceeding" => Client::Proceeding { request },
            "Completed" => Client::Completed,
            _ => Client::Terminated,
        };
        use client::Event;
        let event = match event {
            "1xx" => Event::Provisional,
            "final" => Event::Final,
            "broken" => Event::TransportError,
            letter => Event::Timer(timer(letter)),
        };
        named(&state.handle(event, transport, out))
    };
    fn named(state: &Client) -> String {
        match state {
            Client::Trying { resend, .. } if *resend == T2 => "Trying, late".into(),
            state => variant(state),
        }
    }
    check(Machine {
        events: "start 1xx final broken E F K A J",
        timers: "
            -            |     |
            Trying       | E F | F
            Trying, late | E F | F
            Proceeding   | E F | F
            Completed    | K   | K
            Terminated   |     |",
        rows: "
            -            | start  | udp | send OPTIONS, start E 500ms, start F 32s | Trying
            -            | start  | tcp | send OPTIONS, start F 32s                | Trying
            Trying       | E      | udp | send OPTIONS, start E 1s                 | =
            Trying, late | E      | udp | send OPTIONS, start E 4s                 | =
            Proceeding   | E      | udp | send OPTIONS, start E 4s                 | =
            Trying*      | F      | any | timed out                                | Terminated
            Proceeding   | F      | any | timed out                                | Terminated
            Trying*      | 1xx    | any | pass up                                  | Proceeding
            Proceeding   | 1xx    | any | pass up                                  | =
            Trying*      | final  | udp | stop E, stop F, pass up, start K 5s      | Completed
            Trying*      | final  | tcp | stop F, pass up                          | Terminated
            Proceeding   | final  | udp | stop E, stop F, pass up, start K 5s      | Completed
            Proceeding   | final  | tcp | stop F, pass up                          | Terminated
            Completed    | K      | any |                                          | Terminated
            Trying*      | broken | any | unreachable                              | Terminated
            Proceeding   | broken | any | unreachable                              | Terminated",
        run: &run,
    });
}

#[test]
fn invite_server() {
    let answer = |status: u16| format!("SIP/2.0 {status} x\r\n\r\n").into_bytes();
    let run = |state: &str, event: &str, transport: Transport, out: &mut Vec<Output>| {
        let state = match state {
            "-" => return named(&InviteServer::start(answer(100), out)),
            "Proceeding" => InviteServer::Proceeding { last: answer(100) },
            "Proceeding, rung" => InviteServer::Proceeding { last: answer(180) },
            "Cancelled" => InviteServer::Cancelled { last: answer(100) },
            "Cancelled, rung" => InviteServer::Cancelled { last: answer(180) },
            "Completed" => InviteServer::Completed { response: answer(486), resend: T1 },
            "Completed, late" => InviteServer::Completed { response: answer(486), resend: T2 },
            "Confirmed" => InviteServer::Confirmed,
            "Accepted" => InviteServer::Accepted,
            _ => InviteServer::Terminated,
        };
        use invite_server::Event;
        let event = match event {
            "INVITE" => Event::Repeated,
            "ACK" => Event::Ack,
            "CANCEL" => Event::Cancel,
            "say-180" => Event::Provisional(answer(180)),
            "say-200" => Event::Success(answer(200)),
            "say-486" => Event::Failure(answer(486)),
            letter => Event::Timer(timer(letter)),
        };
        named(&state.handle(event, transport, out))
    };
    fn named(state: &InviteServer) -> String {
        match state {
            InviteServer::Proceeding { last } if title(last) == "180" => "Proceeding, rung".into(),
            InviteServer::Cancelled { last } if title(last) == "180" => "Cancelled, rung".into(),
            InviteServer::Completed { resend, .. } if *resend == T2 => "Completed, late".into(),
            state => variant(state),
        }
    }
    check(Machine {
        events: "start INVITE ACK CANCEL say-180 say-200 say-486 G H I L A J",
        timers: "
            -                |     |
            Proceeding       |     |
            Proceeding, rung |     |
            Cancelled        |     |
            Cancelled, rung  |     |
            Completed        | G H | H
            Completed, late  | G H | H
            Confirmed        | I   | I
            Accepted         | L   | L
            Terminated       |     |",
        rows: "
            -                | start   | any | send 100                             | Proceeding
            Proceeding       | INVITE  | any | send 100                             | =
            Proceeding, rung | INVITE  | any | send 180                             | =
            Cancelled        | INVITE  | any | send 100                             | =
            Cancelled, rung  | INVITE  | any | send 180                             | =
            Proceeding*      | say-180 | any | send 180                             | Proceeding, rung
            Cancelled*       | say-180 | any | send 180                             | Cancelled, rung
            Proceeding       | CANCEL  | any | pass up                              | Cancelled
            Proceeding, rung | CANCEL  | any | pass up                              | Cancelled, rung
            Proceeding*      | say-200 | any | send 200, start L 32s                | Accepted
            Cancelled*       | say-200 | any | send 200, start L 32s                | Accepted
            Accepted         | say-200 | any | send 200                             | =
            Accepted         | ACK     | any | pass up                              | =
            Accepted         | L       | any |                                      | Terminated
            Proceeding*      | say-486 | udp | send 486, start G 500ms, start H 32s | Completed
            Proceeding*      | say-486 | tcp | send 486, start H 32s                | Completed
            Cancelled*       | say-486 | udp | send 486, start G 500ms, start H 32s | Completed
            Cancelled*       | say-486 | tcp | send 486, start H 32s                | Completed
            Completed*       | INVITE  | any | send 486                             | =
            Completed        | G       | udp | send 486, start G 1s                 | =
            Completed, late  | G       | udp | send 486, start G 4s                 | =
            Completed*       | H       | any | timed out                            | Terminated
            Completed*       | ACK     | udp | stop G, stop H, start I 5s           | Confirmed
            Completed*       | ACK     | tcp | stop H                               | Terminated
            Confirmed        | I       | any |                                      | Terminated",
        run: &run,
    });
}

#[test]
fn non_invite_server() {
    let answer = |status: u16| format!("SIP/2.0 {status} x\r\n\r\n").into_bytes();
    let run = |state: &str, event: &str, transport: Transport, out: &mut Vec<Output>| {
        let state = match state {
            "Trying" => Server::Trying,
            "Proceeding" => Server::Proceeding { last: answer(100) },
            "Completed" => Server::Completed { response: answer(200) },
            _ => Server::Terminated,
        };
        use server::Event;
        let event = match event {
            "again" => Event::Repeated,
            "say-100" => Event::Provisional(answer(100)),
            "say-200" => Event::Final(answer(200)),
            letter => Event::Timer(timer(letter)),
        };
        variant(&state.handle(event, transport, out))
    };
    check(Machine {
        events: "again say-100 say-200 J L",
        timers: "
            Trying     |   |
            Proceeding |   |
            Completed  | J | J
            Terminated |   |",
        rows: "
            Trying     | say-100 | any | send 100              | Proceeding
            Proceeding | say-100 | any | send 100              | =
            Proceeding | again   | any | send 100              | =
            Trying     | say-200 | udp | send 200, start J 32s | Completed
            Trying     | say-200 | tcp | send 200              | Terminated
            Proceeding | say-200 | udp | send 200, start J 32s | Completed
            Proceeding | say-200 | tcp | send 200              | Terminated
            Completed  | again   | any | send 200              | =
            Completed  | J       | any |                       | Terminated",
        run: &run,
    });
}

/// The first word of the state's debug form: its variant.
fn variant(state: &impl std::fmt::Debug) -> String {
    format!("{state:?}").split([' ', '{']).next().unwrap_or_default().to_owned()
}
