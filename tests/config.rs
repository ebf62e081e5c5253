//! Broken configurations and exactly what an operator is told about each. Here the machine and single entries;
//! `accounts`: registered trunks; `routing`: what leads where and who answers; `storage`: where tickets
//! go; `times`: hours, shifts, guests; `trace`: what
//! integrators look at; `explanation`: what `check` says when all is good.

use rexian::casework::Post;
use rexian::config::settings::{
    Announce, AnswerMode, BrowserSettings, Cidr, DialForm, QueueSettings, Settings, WebhookLog,
};
use rexian::config::{check, load, report};
use rexian::media::PromptLibrary;
use rexian::trunk::number::normalise_dnis;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[path = "config/accounts.rs"]
mod accounts;
#[path = "config/casework.rs"]
mod casework;
#[path = "config/explanation.rs"]
mod explanation;
#[path = "config/pages.rs"]
mod pages;
#[path = "common/pki.rs"]
mod pki;
#[path = "config/recording.rs"]
mod recording;
#[path = "config/report.rs"]
mod reports;
#[path = "config/routing.rs"]
mod routing;
#[path = "config/storage.rs"]
mod storage;
#[path = "config/times.rs"]
mod times;
#[path = "config/tls.rs"]
mod tls;
#[path = "config/trace.rs"]
mod trace;

const GOOD: &str = r#"
[sip]
udp = ["127.0.0.1:5060"]
[[trunks]]
name = "carrier"
peers = ["127.0.0.0/8"]
[[queues]]
name = "mandarin"
numbers = ["12345"]
skill = "mandarin"
[[agents]]
number = "6601"
skills = { mandarin = 10 }
[[seats]]
number = "8001"
password = "mT4vQz7Lk2wX"
default_agent = "6601"
"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// `line: what | fix` of each problem; files other than the main one are named.
    fn problems(&self, config: &str) -> Vec<String> {
        let path = self.write("rexian.toml", config);
        let shown = |p: &rexian::config::Problem| {
            let other = p.file.strip_prefix(self.0.path()).unwrap_or(&p.file);
            let file = if p.file == path { String::new() } else { format!("{}:", other.display()) };
            let text = format!("{file}{}: {} | {}", p.line, p.what, p.fix);
            text.replace(&format!("{}/", self.0.path().display()), "")
        };
        check(&path).iter().map(shown).collect()
    }
}

/// GOOD with some lines replaced (an empty `from` appends).
#[track_caller]
fn broken(changes: &[(&str, &str)], wanted: &[&str]) {
    let mut config = GOOD.to_owned();
    for (from, to) in changes {
        if from.is_empty() {
            config += to;
        } else {
            assert!(config.contains(from), "{from} is not in the good configuration");
            config = config.replace(from, to);
        }
    }
    assert_eq!(Folder::new().problems(&config), wanted, "{changes:?}");
}

#[test]
fn the_good_configuration_is_good() {
    broken(&[], &[]);
}

#[test]
fn the_example_and_all_profiles_pass() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = root.join("deploy/rexian.example.toml");
    let settings = load(&example).unwrap_or_else(|problems| panic!("{}", report(&problems)));
    assert_eq!(settings.core.seats.len(), 2);
    // Installed, with the shipped profiles beside it.
    let folder = Folder::new();
    let mut profiles = BTreeSet::new();
    for entry in std::fs::read_dir(root.join("sip-profiles")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            folder.write(&format!("sip-profiles/{name}.toml"), std::fs::read(&path).unwrap());
            profiles.insert(name);
        }
    }
    assert!(profiles.contains("generic") && profiles.len() >= 2, "{profiles:?}");
    for name in profiles {
        let named = format!("peers = [\"127.0.0.0/8\"]\nprofile = \"{name}\"");
        let path = folder.write("rexian.toml", GOOD.replace("peers = [\"127.0.0.0/8\"]", &named));
        let settings = load(&path).unwrap_or_else(|problems| panic!("{name}: {}", report(&problems)));
        assert_eq!(settings.core.trunks[0].profile.name, name);
        if name.contains("on-pickup") {
            assert_eq!(settings.core.trunks[0].profile.answer, AnswerMode::OnPickup);
        }
    }
}

/// Who says nothing dials as the profile has it; who says something is obeyed.
#[test]
fn a_trunk_dials_as_its_profile_says() {
    let folder = Folder::new();
    folder.write("sip-profiles/far.toml", "dial = \"e164\"\n");
    for (said, wanted) in [("", DialForm::E164), (", dial = \"national\"", DialForm::National)] {
        let out = format!("profile = \"far\"\nhops = [\"127.0.0.1:5080\"]\ncall_out = {{ from = \"12345\"{said} }}");
        let config = GOOD.replace("[[queues]]", &format!("{out}\n[callbacks]\ntrunk = \"carrier\"\n[[queues]]"));
        let settings =
            load(&folder.write("rexian.toml", config)).unwrap_or_else(|problems| panic!("{}", report(&problems)));
        assert_eq!(settings.core.trunks[0].call_out.as_ref().unwrap().dial, wanted);
    }
}

/// The example says that what it shows are the defaults; so it must show the defaults.
#[test]
fn the_example_shows_the_defaults() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shown = load(&root.join("deploy/rexian.example.toml")).unwrap();
    let folder = Folder::new();
    let bare = load(&folder.write("rexian.toml", GOOD.replace("udp = [\"127.0.0.1:5060\"]", ""))).unwrap();
    assert_eq!(shown.core.limits, bare.core.limits);
    assert_eq!(shown.core.media, bare.core.media);
    assert_eq!(shown.core.guard, bare.core.guard);
    assert_eq!(shown.core.feature_codes, bare.core.feature_codes);
    assert_eq!(shown.core.digest, bare.core.digest);
    assert_eq!((&shown.core.domain, &shown.core.area_code), (&bare.core.domain, &bare.core.area_code));
    let (mut a, mut b) = (shown.world, bare.world);
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
    a.prompts.clear();
    b.prompts.clear();
    assert_eq!((shown.core.utc_offset, &shown.core.callbacks), (bare.core.utc_offset, &bare.core.callbacks));
    assert_eq!(shown.core.distributor.ageing, bare.core.distributor.ageing);
    assert_eq!(shown.core.trunks[0].max_calls, bare.core.trunks[0].max_calls);
    // The city's own queue: all but its number, which is a line's, and what comments say is no default.
    let mut queue = shown.core.queues[0].clone();
    (queue.language, queue.greeting, queue.announce, queue.relax) = (None, None, Announce::default(), vec![]);
    queue.numbers = ["12345".to_owned()].into();
    assert_eq!(queue, bare.core.queues[0]);
}

#[test]
fn values_of_the_wrong_kind() {
    broken(
        &[("udp = [\"127.0.0.1:5060\"]", "udp = \"127.0.0.1:5060\"")],
        &[
            r#"3: udp = "127.0.0.1:5060" in [sip] is not a list | write udp = [ ... ], each element an address with port"#,
        ],
    );
    broken(
        &[("[\"127.0.0.1:5060\"]", "[\"127.0.0.1\", 5060, \"127.0.0.1:0\", \"127.0.0.1:5061\"]")],
        &[
            r#"3: udp = "127.0.0.1" in [sip] is not an address with port | write it as "10.1.0.5:5060" or "[fd00::5]:5060", port above 0"#,
            r#"3: udp = "127.0.0.1:0" in [sip] is not an address with port | write it as "10.1.0.5:5060" or "[fd00::5]:5060", port above 0"#,
            r#"3: udp = 5060 in [sip] is not an address with port | write it as "10.1.0.5:5060" or "[fd00::5]:5060", port above 0"#,
        ],
    );
    for (value, shown) in [("15", "15"), ("\"15\"", "\"15\""), ("\"0s\"", "\"0s\""), ("\"15sec\"", "\"15sec\"")] {
        broken(
            &[("skill = \"mandarin\"", &format!("skill = \"mandarin\"\nwithin = {value}"))],
            &[&format!(
                r#"11: within = {shown} in [[queues]] is not a duration above zero | write it as "500ms", "15s", "2m" or "1h""#
            )],
        );
    }
    broken(
        &[("{ mandarin = 10 }", "{ mandarin = 11, english = 0, french = \"good\" }")],
        &[
            "7: nobody can answer queue mandarin: no agent has mandarin at level 1 | give an agent that skill, or lower min_level",
            "13: skill english = 0 is not a level | use a whole number from 1 (least) to 10 (best)",
            "13: skill french = \"good\" is not a level | use a whole number from 1 (least) to 10 (best)",
            "13: skill mandarin = 11 is not a level | use a whole number from 1 (least) to 10 (best)",
        ],
    );
    broken(
        &[("", "[service]\narea_code = \"0531\"\ndomain = \"a b\"\n[media]\nfirst_port = 80\nthreads = 0\n")],
        &[
            r#"19: area_code = "0531" in [service] cannot be used | write two or three digits without the leading 0: "531" for Jinan"#,
            r#"20: domain = "a b" in [service] cannot be used | use a host name: letters, digits, dots and hyphens"#,
            "22: first_port = 80 in [media] is not a whole number from 1024 to 65534 | choose one in that range, without quotes",
            "23: threads = 0 in [media] is not a whole number from 1 to 64 | choose one in that range, without quotes",
        ],
    );
    broken(
        &[("", "[log]\njson = \"yes\"\nfilter = \"info,,=x=\"\n")],
        &[
            "19: json = \"yes\" in [log] is not true or false | write true or false, without quotes",
            r#"20: filter = "info,,=x=" in [log] is not understood: invalid filter directive | write it as "info" or "info,rexian::sip=debug""#,
        ],
    );
}

#[test]
fn unknown_keys_and_syntax() {
    broken(
        &[("numbers =", "numers ="), ("", "[sipp]\nudp = []\n[media]\ncolour = 1\n")],
        &[
            "7: no call reaches queue mandarin | add numbers = [\"12345\"], or lead a line, a language or another queue's overflow to it",
            "9: unknown key numers in [[queues]] | did you mean numbers?",
            "18: unknown key sipp in the file | did you mean sip?",
            "21: unknown key colour in [media] | remove it; known here: bind_v4, bind_v6, address_v4, address_v6, \
             first_port, pairs, threads, expect_rtp_within, rtp_timeout, browser_port, browser_silence, browser_return",
        ],
    );
    broken(
        &[("", "[queue_defaults]\nwithin = 3\nnumbers = []\n")],
        &[
            r#"19: within = 3 in [[queues]] is not a duration above zero | write it as "500ms", "15s", "2m" or "1h""#,
            "20: unknown key numbers in [queue_defaults] | remove it; known here: min_level, priority, strategy, \
             prefer_last_agent, within, short_abandon, max_waiting, max_wait, ring_timeout, rona, wrap_up, \
             wrap_up_extension, greeting, music, announce_agent, announce, callback, test",
        ],
    );
    let found = Folder::new().problems(&GOOD.replace("name = \"carrier\"", "name = \"carrier"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("5: not TOML: "), "{found:?}");
    let found = Folder::new().problems(&GOOD.replace("numbers = [\"12345\"]", "name = \"again\""));
    assert!(found.len() == 1 && found[0].starts_with("9: not TOML: duplicate key"), "{found:?}");
    let missing = check(Path::new("/no/such/rexian.toml"));
    assert!(missing.len() == 1 && missing[0].what.contains("cannot be read"), "{missing:?}");
}

#[test]
fn addresses_and_ports() {
    broken(
        &[(
            "udp = [\"127.0.0.1:5060\"]",
            "udp = [\"127.0.0.1:5060\",\n\"127.0.0.1:5060\"]\ntcp = [\"127.0.0.1:8080\"]",
        )],
        &[
            "0: http.listen 127.0.0.1:8080 is taken by sip.tcp 127.0.0.1:8080 | give one of them another port or address",
            "4: sip.udp 127.0.0.1:5060 is taken by sip.udp 127.0.0.1:5060 | give one of them another port or address",
        ],
    );
    broken(
        &[("", "[http]\nlisten = \"0.0.0.0:5060\"\n"), ("udp = [", "tcp = [")],
        &["19: http.listen 0.0.0.0:5060 is taken by sip.tcp 127.0.0.1:5060 | give one of them another port or address"],
    );
    broken(
        &[(":5060", ":20500")],
        &["3: sip.udp 127.0.0.1:20500 lies within the media ports 20000 to 20999 | move media.first_port or that port"],
    );
    broken(
        &[("[[trunks]]", "[media]\nbrowser_port = 20010\n[[trunks]]")],
        &[
            "4: media.browser_port 127.0.0.1:20010 lies within the media ports 20000 to 20999 | move media.first_port or that port",
        ],
    );
    broken(
        &[("[[trunks]]", "[media]\nbrowser_port = 5060\n[[trunks]]")],
        &[
            "4: media.browser_port 127.0.0.1:5060 is taken by sip.udp 127.0.0.1:5060 | give one of them another port or address",
        ],
    );
    broken(
        &[("[[trunks]]", "[media]\nbrowser_silence = \"5s\"\n[[trunks]]")],
        &[
            "5: browser_silence in [media] says when browsers are missed, but there is no browser_port | add browser_port, the UDP port of seats in browsers, or take browser_silence out",
        ],
    );
    broken(
        &[("udp = [\"127.0.0.1:5060\"]", "udp = []")],
        &[
            "2: [sip] listens nowhere: udp, tcp, tls, ws and wss are all empty | add udp = [\"10.1.0.5:5060\"], with this machine's address",
        ],
    );
    broken(
        &[("127.0.0.1:5060", "10.1.0.5:5060")],
        &["3: sip listens on 10.1.0.5:5060 but media is on 127.0.0.1: nobody outside would hear anything | \
           set address_v4 in [media] to the address that phones and trunks reach"],
    );
    broken(
        &[("127.0.0.1:5060", "[::1]:5060")],
        &["3: sip listens on [::1]:5060 but media has no IPv6 address | add address_v6 to [media], or listen on the \
           other family"],
    );
    broken(
        &[("", "[media]\nbind_v4 = \"0.0.0.0\"\n")],
        &[
            "3: sip listens on 127.0.0.1:5060 but media has no IPv4 address | add address_v4 to [media], or listen on \
             the other family",
            "19: bind_v4 = 0.0.0.0 in [media] needs address_v4 | add address_v4, the address that phones and trunks \
             reach: it is written into SDP",
        ],
    );
    broken(
        &[("", "[media]\naddress_v4 = \"fd00::1\"\naddress_v6 = \"10.1.0.5\"\n")],
        &[
            r#"19: address_v4 = "fd00::1" in [media] is not an IPv4 address | write it as "10.1.0.5", without a port"#,
            r#"20: address_v6 = "10.1.0.5" in [media] is not an IPv6 address | write it as "fd00::5", without brackets or port"#,
        ],
    );
    broken(
        &[("", "[media]\nfirst_port = 65001\npairs = 400\n[limits]\nmax_calls = 300\n")],
        &[
            "19: 400 pairs from first_port 65001 end at port 65800 | the last port is 65535; begin lower or take fewer pairs",
            "19: first_port = 65001 in [media] is odd | RTP takes even ports and RTCP the next (RFC 3550 s11); use an even one",
            "22: max_calls = 300 needs 600 media port pairs, media.pairs is 400 | a call has two legs, a pair each: raise \
             pairs or lower max_calls",
        ],
    );
    broken(
        &[("[[trunks]]", "registration_expiry = \"30s\"\n[[trunks]]")],
        &[
            "4: min_registration_expiry (60s) is longer than registration_expiry (30s) | no phone could register; make the \
           minimum the shorter one",
        ],
    );
}

#[test]
fn tokens_of_the_api() {
    let token = |name: &str, role: &str, sha256: &str| {
        format!("[[http.tokens]]\nname = {name:?}\nrole = {role:?}\nsha256 = {sha256:?}\n")
    };
    let [one, two] = ["0f".repeat(32), "f0".repeat(32)];
    let clerk = format!("{}department = \"水务集团\"\n", token("王", "clerk", &"ff".repeat(32)));
    let good = token("大屏", "wallboard", &one) + &token("office", "hotline_office", &two) + &clerk;
    let settings = load(&Folder::new().write("rexian.toml", format!("{GOOD}{good}"))).unwrap();
    let [wallboard, office, clerk] = &settings.world.tokens[..] else { panic!("three tokens") };
    assert_eq!(
        (wallboard.who.name.as_str(), &wallboard.who.post, wallboard.sha256),
        ("大屏", &Post::Wallboard, [0x0f; 32])
    );
    assert_eq!((&office.who.post, office.sha256), (&Post::HotlineOffice, [0xf0; 32]));
    assert_eq!(clerk.who.post, Post::Clerk { department: "水务集团".into() });
    let lost = token("王", "clerk", &one) + &token("李", "operator", &two) + "department = \"供电局\"\n";
    broken(
        &[("", &format!("[casework]\ndepartments = [\"水务集团\"]\n{lost}"))],
        &[
            r#"22: a clerk acts for a department: role = "clerk" in [[http.tokens]] | add department = "市城市管理局""#,
            r#"26: only a clerk acts for a department: role = "operator" in [[http.tokens]] | remove department, or write role = "clerk""#,
            r#"28: department = "供电局" in [[http.tokens]] is none that tickets are passed to | name it as departments in [casework] or the categories do"#,
        ],
    );

    let bad = token("a", "leader", "12")
        + &token("b", "operator", &one)
        + &token("b", "operator", &one)
        + "[[http.tokens]]\n";
    broken(
        &[("", &bad)],
        &[
            r#"20: role = "leader" in [[http.tokens]] is not a known word | use one of: operator, shift_leader, hotline_office, clerk, platform_engineer, wallboard"#,
            r#"21: sha256 = "12" in [[http.tokens]] is not a SHA-256 | write the 64 hexadecimal digits that `rexian token` prints"#,
            "26: two of [[http.tokens]] are the same token | make one of its own for each with `rexian token`",
            r#"27: name = "b" stands for two of [[http.tokens]] | name it otherwise"#,
            r#"30: [[http.tokens]] has no name | add name = "wallboard-1""#,
            r#"30: [[http.tokens]] has no role | add role = "wallboard""#,
            r#"30: [[http.tokens]] has no sha256 | add sha256 = "...""#,
        ],
    );
}

#[test]
fn webhooks() {
    let folder = Folder::new();
    folder.write("hook.secret", "a secret of some length\n");
    folder.write("ca.pem", "");
    let good = "[[webhooks]]\nname = \"cases\"\nurl = \"https://cases.example:8443/hook\"\ntrust = \"ca.pem\"\n\
        password_file = \"hook.secret\"\nevents = [\"call.ended\", \"agent.*\"]\n";
    let settings = load(&folder.write("rexian.toml", format!("{GOOD}{good}"))).unwrap();
    let [hook] = &settings.world.webhooks[..] else { panic!("one webhook") };
    assert_eq!((hook.name.as_str(), &*hook.secret.0), ("cases", "a secret of some length"));
    assert_eq!((hook.log, &hook.events[..]), (WebhookLog::Calls, &["call.ended", "agent.*"].map(str::to_owned)[..]));
    let of_tickets =
        good.replace("events = [\"call.ended\", \"agent.*\"]", "log = \"tickets\"\nevents = [\"ticket.*\"]");
    let unlogged = format!("{GOOD}[storage]\nevents = \"\"\n{of_tickets}");
    let settings = load(&folder.write("tickets.toml", unlogged)).unwrap();
    assert_eq!(settings.world.webhooks[0].log, WebhookLog::Tickets, "the case store keeps that log");
    let mixed = good.replace("[\"call.ended\", \"agent.*\"]", "[\"ticket.archived\"]");
    let problems = folder.problems(&format!("{GOOD}{mixed}"));
    assert!(problems.len() == 1 && problems[0].contains("ticket.archived"), "{problems:?}");
    assert!(!format!("{settings:?}").contains("some length"));

    let bad = "[[webhooks]]\nname = \"a b\"\nurl = \"ftp://x\"\npassword = \"short\"\nevents = [\"call.sneezed\", \"c*\"]\n\
        [[webhooks]]\nname = \"a\"\nurl = \"https://x\"\npassword = \"short\"\n";
    broken(
        &[("", bad), ("", "[storage]\nevents = \"\"\n")],
        &[
            "18: [[webhooks]] tell what is in the event log, and events in [storage] says that none is kept | name a file as events in [storage], or remove [[webhooks]]",
            r#"19: name = "a b" in [[webhooks]] is not a name | use letters, digits, - and _, at most 40"#,
            r#"20: url = "ftp://x" in [[webhooks]] is not a URL | write it as "https://cases.example:8443/hook""#,
            r#"22: events = "c*" in [[webhooks]] is not a type of event | the API's description, /v1, names them"#,
            r#"22: events = "call.sneezed" in [[webhooks]] is not a type of event | the API's description, /v1, names them"#,
            r#"25: url of [[webhooks]] is https, but whose certificates are trusted is not said | add trust = "ca.pem", the far end's CA, beside this file"#,
            "26: the password of [[webhooks]] is too short | generate one: openssl rand -base64 24",
        ],
    );
}

#[test]
fn trunks() {
    broken(
        &[("\"127.0.0.0/8\"", "")],
        &[
            "4: [[trunks]] allows no peers, so no call can come in by it | add peers = [\"10.1.0.7\"], the addresses the carrier sends from",
        ],
    );
    for bad in ["10.1.0.7/16", "10.1.0.0/33", "0.0.0.0/0", "carrier.example"] {
        broken(
            &[("127.0.0.0/8", bad)],
            &[&format!(
                "6: peers = \"{bad}\" in [[trunks]] is not a network | write it as \"10.1.0.0/16\" or \"10.1.0.7\", no host bits set, not the whole internet"
            )],
        );
    }
    broken(
        &[(
            "",
            "[[trunks]]\nname = \"carrier\"\npeers = [\"10.0.0.1\"]\n[[trunks]]\nname = \"b\"\npeers = [\"127.0.0.1\"]\n",
        )],
        &[
            "19: name = \"carrier\" in [[trunks]] is there twice, first in line 5 | give this one another or remove it",
            "23: peer 127.0.0.1/32 of trunk b is never reached: trunk carrier has 127.0.0.0/8 already | put the narrower \
             network first, or remove it",
        ],
    );
    broken(
        &[("name = \"carrier\"", "name = \"carrier\"\nprofile = \"genric\"")],
        &[
            "0: there is no usable [[trunks]], so no call can come in | add one with name and peers",
            "6: there is no profile \"genric\" | did you mean \"generic\"?",
        ],
    );
    broken(
        &[("name = \"carrier\"\n", "")],
        &[
            "0: there is no usable [[trunks]], so no call can come in | add one with name and peers",
            "4: [[trunks]] has no name | add name = \"unicom-1\"",
        ],
    );
}

#[test]
fn queues() {
    let second = "[[queues]]\nname = \"b\"\nnumbers = [\"82001234\", \"+8653112345\"]\nskill = \"mandarin\"\n";
    broken(
        &[("", second)],
        &[
            "20: number \"+8653112345\" (12345) leads to mandarin already, line 9 | a called number leads to one queue; remove it from the other",
        ],
    );
    broken(
        &[("[\"12345\"]", "[\"12345\", \"053112345\"]")],
        &[
            "9: number \"053112345\" (12345) leads to mandarin already, line 9 | a called number leads to one queue; remove it from the other",
        ],
    );
    broken(
        &[("[\"12345\"]", "[]")],
        &[
            "7: no call reaches queue mandarin | add numbers = [\"12345\"], or lead a line, a language or another queue's overflow to it",
        ],
    );
    broken(
        &[("skill = \"mandarin\"", "skill = \"mandrin\"")],
        &[
            "7: nobody can answer queue mandarin: no agent has mandrin at level 1 | did you mean skill \"mandarin\"?",
            "13: skill mandarin is asked for by no queue | did you mean mandrin?",
        ],
    );
    broken(
        &[("skill = \"mandarin\"", "skill = \"mandarin\"\nmin_level = 9"), ("= 10", "= 8")],
        &[
            "7: nobody can answer queue mandarin: no agent has mandarin at level 9 | give an agent that skill, or lower min_level",
        ],
    );
    broken(
        &[("skill = \"mandarin\"", "skill = \"mandarin\"\ngreeting = \"greting\"\nmusic = \"vivaldi\"")],
        &[
            "11: there is no prompt \"greting\" | did you mean \"greeting\"?",
            "12: there is no prompt \"vivaldi\" | add vivaldi = \"file.wav\" to [prompts]",
        ],
    );
}

#[test]
fn agents_and_seats() {
    broken(
        &[("default_agent = \"6601\"", "default_agent = \"6602\"")],
        &["14: default_agent \"6602\" of seat 8001 is no agent | did you mean \"6601\"?"],
    );
    broken(
        &[("default_agent = \"6601\"", "srtp = \"maybe\"")],
        &["17: srtp = \"maybe\" in [[seats]] is not a known word | use one of: never, if-offered, required"],
    );
    broken(
        &[("number = \"6601\"", "number = \"Li Lei\""), ("default_agent = \"6601\"", "")],
        &[
            "7: nobody can answer queue mandarin: no agent has mandarin at level 1 | give an agent that skill, or lower min_level",
            "12: number = \"Li Lei\" in [[agents]] cannot be used | write it as \"6632\"",
        ],
    );
    for (password, weakness) in [
        ("", "is empty"),
        ("aB3$xyz", "is shorter than 10 characters"),
        ("aaaaaaaaaaaaaaa", "repeats a few characters"),
        ("8001-mT4vQz7", "contains the number itself"),
        ("MyPassword!9x", "contains a word everybody tries"),
    ] {
        broken(
            &[("mT4vQz7Lk2wX", password)],
            &[&format!("16: the password of seat 8001 {weakness} | generate one: openssl rand -base64 18")],
        );
    }
    broken(
        &[(
            "",
            "[[seats]]\nnumber = \"8002\"\npassword = \"mT4vQz7Lk2wX\"\n[[seats]]\nnumber = \"8001\"\npassword_file = \"none\"\n[[seats]]\nnumber = 8004\n",
        )],
        &[
            "20: seat 8002 has the password of seat 8001 | give each seat its own: openssl rand -base64 18",
            "22: number = \"8001\" in [[seats]] is there twice, first in line 15 | give this one another or remove it",
            "23: password_file = \"none\" cannot be read: No such file or directory (os error 2) | mend the path (it is beside this file) or its permissions",
            "24: [[seats]] has no password | add password = \"...\", or password_file",
            "25: number = 8004 in [[seats]] is not a text | put it in double quotes",
        ],
    );
    broken(
        &[("", "[feature_codes]\nready = \"*11\"\nnot_ready = \"hello\"\n")],
        &[
            "19: ready = \"*11\" in [feature_codes] cannot be told from sign_in = \"*11\" | choose codes of which none begins another",
            "20: not_ready = \"hello\" in [feature_codes] cannot be dialled | use * or # and digits, as in \"*11\"",
        ],
    );
    broken(
        &[("", "[feature_codes]\nextend_wrap_up = \"*1\"\n")],
        &[
            "19: extend_wrap_up = \"*1\" in [feature_codes] cannot be told from sign_in = \"*11\" | choose codes of which none begins another",
        ],
    );
    broken(
        &[("", "[feature_codes]\nextend_wrap_up = \"8001\"\n")],
        &["14: seat 8001 is also a feature code | give the seat another number"],
    );
    // A password is never shown, even when it is of the wrong kind.
    broken(
        &[("password = \"mT4vQz7Lk2wX\"", "password = 123456789012")],
        &["16: password in [[seats]] is not a text | put it in double quotes"],
    );
}

#[test]
fn files_that_are_named() {
    let folder = Folder::new();
    folder.write("no.wav", "this is no WAV file");
    folder.write("secret", "q9Zr!mT4vL2\n");
    folder.write("profiles/x.toml", "answer = \"on-pikup\"\ncodec = [\"pcma\"]\n");
    folder.write("profiles/y.toml", "codecs = [\"pcma\", \"pcma\"]\ncaller_from = []\n");
    folder.write("profiles/z.toml", "called_from = \"to\"\ndial = \"far\"\nnumber_uri = 1\nown_identity = \"none\"\n");
    let config = GOOD
        .replace("[sip]", "[sip]\nprofiles = \"profiles\"")
        .replace("password = \"mT4vQz7Lk2wX\"", "password_file = \"secret\"")
        + "[prompts]\ngreeting = \"no.wav\"\nother = \"none.wav\"\n[storage]\nspool = \"no/such/spool.db\"\n";
    assert_eq!(
        folder.problems(&config),
        [
            "profiles/x.toml:1: answer = \"on-pikup\" in the file is not a known word | use one of: on-queue, on-pickup",
            "profiles/x.toml:2: unknown key codec in the file | did you mean codecs?",
            "profiles/y.toml:1: codecs names one value twice | remove one of them",
            "profiles/y.toml:2: caller_from names nothing usable | name at least one in caller_from",
            "profiles/z.toml:1: called_from = \"to\" in the file is not a list | write called_from = [ ... ], each element a known word",
            "profiles/z.toml:2: dial = \"far\" in the file is not a known word | use one of: local, national, e164",
            "profiles/z.toml:3: number_uri = 1 in the file is not a known word | use one of: sip-phone, sip, tel",
            "profiles/z.toml:4: own_identity = \"none\" in the file is not a known word | use one of: p-asserted-identity, p-preferred-identity, from",
            "20: prompt \"greeting\": no.wav is not a sound WAV file: Ill-formed WAVE file: no RIFF tag found | put a PCM WAV file at no.wav",
            "21: prompt \"other\": none.wav cannot be opened: No such file or directory (os error 2) | put a PCM WAV file at none.wav",
            "23: spool = \"no/such/spool.db\" in [storage]: no folder no/such | create the folder or name another; it must be writable",
        ]
    );
}

#[test]
fn many_problems_at_once_are_printed_with_their_places() {
    let folder = Folder::new();
    let path = folder.write("rexian.toml", GOOD.replace("skill =", "skil =").replace("mT4vQz7Lk2wX", "x"));
    let text = report(&check(&path)).replace(&format!("{}", path.display()), "rexian.toml");
    assert_eq!(
        text,
        "rexian.toml: there is no usable [[queues]], so no call is answered\n    add one with name, numbers and skill\n\
         rexian.toml:7: [[queues]] has no skill\n    add skill = \"mandarin\"\n\
         rexian.toml:10: unknown key skil in [[queues]]\n    did you mean skill?\n\
         rexian.toml:16: the password of seat 8001 is shorter than 10 characters\n    generate one: openssl rand -base64 18\n\
         4 problems found\n"
    );
}

#[test]
fn published_passwords_stay_on_loopback() {
    let public = [
        ("127.0.0.1:5060", "10.1.0.5:5060"),
        ("mT4vQz7Lk2wX", "example-mT4vQz7Lk2"),
        ("", "[media]\naddress_v4 = \"10.1.0.5\"\n"),
    ];
    broken(
        &public,
        &["16: the password of seat 8001 is one of the published example | generate one: openssl rand -base64 18"],
    );
    broken(&public[1..2], &[]);
}

/// A whole configuration, in the other ways TOML allows, read to the values meant.
#[test]
fn what_is_written_is_what_is_meant() {
    let folder = Folder::new();
    folder.write("s/8001", "  q9Zr!mT4vL2  \nsecond line\n");
    let path = folder.write(
        "rexian.toml",
        r#"
agents = [{ number = "6601", skills = { mandarin = 10 } }, { number = "6602", skills = { mandarin = 3 } }]
queue_defaults = { within = "20s", max_wait = "10m" }
[sip]
udp = ["10.1.0.5:5060", "[fd00::5]:5060"]
digest = ["sha-256", "md5"]
proxies = ["10.1.0.7", "10.2.0.0/28"]
[media]
bind_v4 = "0.0.0.0"
address_v4 = "10.1.0.5"
address_v6 = "fd00::5"
browser_port = 19998
browser_silence = "8s"
browser_return = "45s"
[http]
enabled = false
[[trunks]]
name = "unicom-1"
peers = ["10.9.0.0/24", "fd00:9::/32"]
[[queues]]
name = "mandarin"
numbers = ["12345", "82001234"]
skill = "mandarin"
within = "10s"
[[seats]]
number = "8001"
password_file = "s/8001"
"#,
    );
    let Settings { core, world } = load(&path).unwrap_or_else(|problems| panic!("{}", report(&problems)));
    assert_eq!((world.sip_udp.len(), world.sip_tcp.len(), world.http), (2, 0, None));
    assert_eq!(world.media_bind_v4.unwrap().to_string(), "0.0.0.0");
    assert_eq!(world.media_bind_v6.unwrap().to_string(), "fd00::5");
    assert_eq!(core.media.address_v4.unwrap().to_string(), "10.1.0.5");
    assert_eq!(world.browsers, Some(BrowserSettings { port: 19_998, silence: Duration::from_secs(8) }));
    assert_eq!(core.media.browser_return, Duration::from_secs(45));
    assert_eq!(core.digest.len(), 2);
    assert!(core.proxies.len() == 2 && core.proxies[1].contains("10.2.0.15".parse().unwrap()));
    let peers: Vec<Cidr> = core.trunks[0].peers.clone();
    assert!(peers[0].contains("10.9.0.200".parse().unwrap()) && !peers[0].contains("10.9.1.1".parse().unwrap()));
    let queue = &core.queues[0];
    assert_eq!((queue.within, queue.max_wait), (Duration::from_secs(10), Some(Duration::from_secs(600))));
    assert_eq!(core.agents[1].skills.iter().map(|(s, l)| format!("{s}{l}")).collect::<String>(), "mandarin3");
    assert_eq!(&*core.seats[0].secret.0, "q9Zr!mT4vL2");
    assert!(!format!("{core:?}").contains("q9Zr"), "passwords are not printed");
}

/// What runs without a file must be as good as what `check` demands of a file.
#[test]
fn defaults_are_sound() {
    let Settings { core, world } = Settings::demo([7; 32]);
    assert!(world.sip_udp.iter().chain(&world.sip_tcp).chain(&world.http).all(|a| a.ip().is_loopback()));
    assert!(u32::from(core.media.pairs) >= 2 * core.limits.max_calls);
    let languages = ["mandarin", "dialect", "english", "japanese", "korean", "french", "russian", "german"];
    assert_eq!(core.queues.iter().map(|q| q.name.as_str()).collect::<Vec<_>>(), languages);
    let dnis = |n: &String| normalise_dnis(n.as_bytes(), &core.area_code);
    let numbers: BTreeSet<String> = core.queues.iter().flat_map(|q| &q.numbers).map(dnis).collect();
    assert_eq!(numbers.len(), languages.len() - 1, "Mandarin is reached by the city's own line");
    let line = &core.lines[0];
    assert_eq!((core.lines.len(), line.queue.as_str(), &line.numbers), (1, "mandarin", &["12345".to_owned()].into()));
    assert!(line.choice.by_country && line.choice.remembered && !line.choice.by_key, "no menu unless asked for");
    let codes: Vec<&String> = core.languages.iter().flat_map(|l| &l.countries).collect();
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len(), "a country speaks one language");
    for queue in &core.queues {
        let steps = queue.steps();
        let able = |step: usize| core.agents.iter().filter(|a| a.meets(&steps[step].skills)).count();
        assert!(able(0) >= 2, "{} needs two agents", queue.name);
        let frees = |step: usize| steps[step].use_reserve && !steps[step - 1].use_reserve;
        let wider = |step: usize| able(step) > able(step - 1) || frees(step) && able(step) >= able(step - 1);
        assert!((1..steps.len()).all(wider), "each step of {} finds more", queue.name);
        let prompts = queue.greeting.iter().chain([&queue.music]);
        assert!(prompts.clone().all(|p| PromptLibrary::built_in_names().any(|name| name == &**p)), "{prompts:?}");
    }
    let english: &QueueSettings = &core.queues[2];
    let asked: Vec<String> = english.steps().iter().map(|s| format!("{:?} {:?}", s.after, s.skills)).collect();
    assert_eq!(
        asked,
        ["0ns {\"english\": 8}", "20s {\"english\": 5}", "60s {\"english\": 1}", "120s {\"mandarin\": 1}"]
    );
    assert_eq!(english.steps().iter().map(|s| s.interpreter).collect::<Vec<_>>(), [false, false, false, true]);
    for (skill, kept) in &core.distributor.reserve {
        let having = core.agents.iter().filter(|a| a.skills.contains_key(skill)).count();
        assert!(having > *kept as usize, "a reserve of {skill} leaves somebody");
    }
    let secrets: BTreeSet<&str> = core.seats.iter().map(|s| &*s.secret.0).collect();
    assert!(secrets.len() == core.seats.len() && secrets.iter().all(|s| s.len() >= 16));
    assert_ne!(core.seats, Settings::demo([8; 32]).core.seats);
    for seat in &core.seats {
        assert!(core.agents.iter().any(|a| Some(&a.number) == seat.default_agent.as_ref()));
    }
}

#[test]
fn a_person_without_a_file_is_told_what_to_type() {
    let settings = Settings::demo([7; 32]);
    let help = settings.phone_help();
    let first = &settings.core.seats[0];
    assert!(help.starts_with("SIP server  127.0.0.1:5060 (UDP) or 127.0.0.1:5060 (TCP)\n"), "{help}");
    assert!(help.contains(&format!("user 8001   password {}   agent 6601\n", first.secret.0)), "{help}");
    assert!(help.ends_with("dial *11 to sign in, *13 ready, *14 not ready, *12 to sign out\n"), "{help}");
}

/// Cut off anywhere, or with any line lost: told of or fine, never a panic, and never silently without an entry.
#[test]
fn mutilated_files_are_survived() {
    let example = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/rexian.example.toml"));
    let example = example.unwrap();
    let folder = Folder::new();
    let lines: Vec<&str> = example.lines().collect();
    for i in 0..lines.len() {
        let without = [&lines[..i], &lines[i + 1..]].concat().join("\n");
        for text in [without, lines[..i].join("\n"), lines[i..].join("\n")] {
            let path = folder.write("rexian.toml", &text);
            if let Ok(settings) = load(&path) {
                let core = settings.core;
                assert!(!core.trunks.is_empty() && !core.queues.is_empty() && !core.agents.is_empty(), "{text}");
            }
        }
    }
}

#[test]
fn the_guard() {
    let guard = |lines: &str, wanted: &[&str]| broken(&[("", &format!("[guard]\n{lines}\n"))], wanted);
    let all = r#"unknown = "refuse"
failures = 3
seat_failures = 9
forget = "1h"
ban = "5m"
longest_ban = "1h"
never_ban = ["10.2.0.0/16"]"#;
    guard(all, &[]);
    guard(
        r#"unknown = "answer""#,
        &[r#"19: unknown = "answer" in [guard] is not a known word | use one of: silence, refuse"#],
    );
    guard(
        r#"ban = "2h""#,
        &[
            "18: ban (7200s) is longer than longest_ban (3600s) | make longest_ban the longer one: bans double until they are as long",
        ],
    );
    for (line, start) in [
        (r#"never_ban = ["0.0.0.0/0"]"#, "19: "),
        ("failures = 1", "19: failures = 1 in [guard] is not a whole number from 2 to 1000"),
        (r#"bann = "2h""#, "19: "),
    ] {
        let problems = Folder::new().problems(&format!("{GOOD}[guard]\n{line}\n"));
        assert!(matches!(&problems[..], [only] if only.starts_with(start)), "{line}: {problems:?}");
    }
}
