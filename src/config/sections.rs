//! The tables of the file that describe the machine: service, sip, media, limits, report, http, log, prompts, feature
//! codes. Belongs here: each setting's own meaning. Not here: people and numbers (`people`, `queues`, `lines`), files and
//! databases (`storage`), whether settings agree with each other (`cross`). Absent settings keep the value of `defaults`.
//!
//! Files that are read (prompts, profiles, passwords) are looked for beside the configuration; files that are written
//! (spool, cases) in the working directory, which a service manager sets.

use super::hours;
use super::problem::Problem;
use super::profile::{self, distinct};
use super::reader::{At, Section};
use super::settings::{BrowserSettings, CoreSettings, Profile, Unknown, WorldSettings};
use super::trunks::cidr;
use super::words::duration;
use crate::media::PromptLibrary;
use crate::sip::digest::Algorithm;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// Where things stood that `cross` compares.
#[derive(Default)]
pub(super) struct Places {
    pub udp: Vec<At<SocketAddr>>,
    pub tcp: Vec<At<SocketAddr>>,
    pub tls: Vec<At<SocketAddr>>,
    pub ws: Vec<At<SocketAddr>>,
    pub wss: Vec<At<SocketAddr>>,
    pub http: usize,
    pub pages: Option<At<SocketAddr>>,
    pub media: usize,
    pub max_calls: usize,
}

/// Digits, at most as many as any number has.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit())
}

/// `"400d"`.
pub(super) fn days(section: &Section<'_>, key: &'static str) -> Option<At<u32>> {
    section.text(key, "a number of days", r#"write it as "400d", at most "3660d""#, |text| {
        text.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| (1..=3_660).contains(days))
    })
}

pub(super) fn set<T>(slot: &mut T, found: Option<At<T>>) {
    if let Some(found) = found {
        *slot = found.value;
    }
}

/// `name` beside the configuration file.
pub(super) fn beside(section: &Section<'_>, name: &str) -> PathBuf {
    section.file.path.parent().unwrap_or(Path::new("")).join(name)
}

pub(super) fn service(section: Section<'_>, core: &mut CoreSettings, world: &mut WorldSettings) {
    let checked = |key, good: fn(&str) -> bool, fix: &str| {
        let found = section.string(key)?;
        if good(&found.value) {
            return Some(found);
        }
        let what = format!("{key} = {:?} in {} cannot be used", found.value, section.name);
        section.file.problem(found.line, what, fix);
        None
    };
    let host = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b));
    set(&mut core.domain, checked("domain", host, "use a host name: letters, digits, dots and hyphens"));
    set(&mut core.tenant, checked("tenant", |s| !s.is_empty(), "name the tenant, or leave it out"));
    let area = |s: &str| (2..=3).contains(&s.len()) && !s.starts_with('0') && s.bytes().all(|b| b.is_ascii_digit());
    let area_fix = r#"write two or three digits without the leading 0: "531" for Jinan"#;
    set(&mut core.area_code, checked("area_code", area, area_fix));
    let prefix = |s: &str| s.len() <= 8 && s.bytes().all(|b| b.is_ascii_uppercase());
    set(&mut world.ticket_prefix, checked("ticket_prefix", prefix, "use at most eight capital letters"));
    let offset_fix = r#"write how far local time is ahead of UTC, as "+08:00""#;
    set(&mut core.utc_offset, section.text("utc_offset", "an offset from UTC", offset_fix, hours::utc_offset));
    set(&mut world.drain, section.duration("drain", true));
    section.done();
}

/// Who may open one, and from where without encryption.
fn websockets(section: &Section<'_>, world: &mut WorldSettings, places: &Places) {
    for At { value, line } in places.ws.iter().filter(|at| !at.value.ip().is_loopback()) {
        let what = format!("sip.ws {value} is reached from outside without encryption");
        let fix = r#"use wss = [...], or ws on a loopback address with a proxy in front that ends TLS"#;
        section.file.problem(*line, what, fix);
    }
    let origin = |text: &str| {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let plain = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
        plain.then(|| text.to_ascii_lowercase())
    };
    let fix = r#"write where the phone's page comes from, as in "https://phones.example:8443""#;
    let origins = section.list("web_origins", "an origin", fix, |value| value.as_str().and_then(origin));
    if let Some(first) = origins.as_ref().and_then(|all| all.first())
        && world.sip_ws.is_empty()
        && world.sip_wss.is_empty()
    {
        let what = "web_origins is of no use: nothing of [sip] listens for WebSockets";
        section.file.problem(first.line, what, r#"add wss = ["10.1.0.5:5443"] to [sip], or remove it"#);
    }
    world.web_origins = origins.unwrap_or_default().into_iter().map(|at| at.value).collect();
}

/// Also reads the profiles, whose folder is named here.
pub(super) fn sip(
    section: Section<'_>,
    core: &mut CoreSettings,
    world: &mut WorldSettings,
    places: &mut Places,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Profile> {
    let [udp, tcp, tls, ws, wss] = ["udp", "tcp", "tls", "ws", "wss"].map(|key| section.sockets(key));
    // Naming one transport's listeners says that the others have none but those named.
    if [&udp, &tcp, &tls, &ws, &wss].iter().any(|named| named.is_some()) {
        let values = |places: &[At<SocketAddr>]| places.iter().map(|at| at.value).collect();
        let named = [
            (&mut places.udp, &mut world.sip_udp, udp),
            (&mut places.tcp, &mut world.sip_tcp, tcp),
            (&mut places.tls, &mut world.sip_tls, tls),
            (&mut places.ws, &mut world.sip_ws, ws),
            (&mut places.wss, &mut world.sip_wss, wss),
        ];
        for (place, of_world, named) in named {
            *place = named.unwrap_or_default();
            *of_world = values(place);
        }
    }
    websockets(&section, world, places);
    if world.sip_addresses().next().is_none() {
        let what = "[sip] listens nowhere: udp, tcp, tls, ws and wss are all empty";
        section.file.problem(section.line, what, r#"add udp = ["10.1.0.5:5060"], with this machine's address"#);
    }
    set(
        &mut world.dns,
        section.sockets("dns").map(|all| At { value: all.into_iter().map(|at| at.value).collect(), line: 0 }),
    );
    let algorithms = [("sha-256", Algorithm::Sha256), ("md5", Algorithm::Md5)];
    if let Some(list) = section.choices("digest", &algorithms) {
        core.digest = distinct(&section, "digest", list);
    }
    let fix = r#"write it as "10.1.0.7" or "10.1.0.0/28""#;
    let proxies = section.list("proxies", "a network", fix, |v| v.as_str().and_then(super::trunks::cidr));
    core.proxies = proxies.unwrap_or_default().into_iter().map(|at| at.value).collect();
    let limits = &mut core.limits;
    set(&mut limits.nonce_lifetime, section.duration("nonce_lifetime", false));
    let longest = section.duration("registration_expiry", false);
    let shortest = section.duration("min_registration_expiry", false);
    let line = longest.as_ref().or(shortest.as_ref()).map_or(section.line, |at| at.line);
    set(&mut limits.registration_expiry, longest);
    set(&mut limits.min_registration_expiry, shortest);
    if limits.min_registration_expiry > limits.registration_expiry {
        let (min, max) = (limits.min_registration_expiry, limits.registration_expiry);
        let what = format!("min_registration_expiry ({min:?}) is longer than registration_expiry ({max:?})");
        section.file.problem(line, what, "no phone could register; make the minimum the shorter one");
    }
    set(&mut limits.bindings_per_seat, section.number("bindings_per_seat", 1..=16));
    set(&mut limits.max_transactions, section.number("max_transactions", 100..=10_000_000));
    let named = section.string("profiles").map(|at| beside(&section, &at.value));
    // Without the setting the folder is used where it is, and not missed where it is not.
    let usual = beside(&section, "sip-profiles");
    let folder = named.or_else(|| usual.is_dir().then_some(usual));
    section.done();
    profile::load_all(folder.as_deref(), problems)
}

pub(super) fn media(section: Section<'_>, core: &mut CoreSettings, world: &mut WorldSettings, places: &mut Places) {
    places.media = section.line;
    let (bind_v4, bind_v6) = (section.ip("bind_v4", true), section.ip("bind_v6", false));
    let (address_v4, address_v6) = (section.ip("address_v4", true), section.ip("address_v6", false));
    if [&bind_v4, &bind_v6, &address_v4, &address_v6].into_iter().any(Option::is_some) {
        (world.media_bind_v4, core.media.address_v4) = bound(&section, "v4", bind_v4, address_v4);
        (world.media_bind_v6, core.media.address_v6) = bound(&section, "v6", bind_v6, address_v6);
    }
    let media = &mut core.media;
    let first = section.number("first_port", 1024..=65_534);
    let pairs = section.number("pairs", 1..=32_000);
    let line = first.as_ref().or(pairs.as_ref()).map_or(section.line, |at| at.line);
    if let Some(first) = first {
        if first.value % 2 == 1 {
            let what = format!("first_port = {} in [media] is odd", first.value);
            section.file.problem(
                first.line,
                what,
                "RTP takes even ports and RTCP the next (RFC 3550 s11); use an even one",
            );
        }
        media.first_port = first.value as u16;
    }
    if let Some(pairs) = pairs {
        media.pairs = pairs.value as u16;
    }
    let last = u32::from(media.first_port) + 2 * u32::from(media.pairs) - 1;
    if last > 65_535 {
        let what = format!("{} pairs from first_port {} end at port {last}", media.pairs, media.first_port);
        section.file.problem(line, what, "the last port is 65535; begin lower or take fewer pairs");
    }
    if let Some(threads) = section.number("threads", 1..=64) {
        world.media_threads = threads.value as usize;
    }
    set(&mut media.expect_rtp_within, section.duration("expect_rtp_within", false));
    set(&mut media.rtp_timeout, section.duration("rtp_timeout", false));
    world.browsers = section.number("browser_port", 1024..=65_535).map(|port| BrowserSettings::new(port.value as u16));
    let (silence, back) = (section.duration("browser_silence", false), section.duration("browser_return", false));
    for (key, at, says) in [
        ("browser_silence", &silence, "when browsers are missed"),
        ("browser_return", &back, "how long calls wait for them"),
    ] {
        if let (Some(at), None) = (at, &world.browsers) {
            section.file.problem(
                at.line,
                format!("{key} in [media] says {says}, but there is no browser_port"),
                format!("add browser_port, the UDP port of seats in browsers, or take {key} out"),
            );
        }
    }
    set(&mut media.browser_return, back);
    if let (Some(silence), Some(browsers)) = (silence, &mut world.browsers) {
        browsers.silence = silence.value;
    }
    section.done();
}

/// Bind address and the address written into SDP, of one family.
fn bound(
    section: &Section<'_>,
    family: &str,
    bind: Option<At<IpAddr>>,
    address: Option<At<IpAddr>>,
) -> (Option<IpAddr>, Option<IpAddr>) {
    if let Some(bad) = address.as_ref().filter(|a| a.value.is_unspecified() || a.value.is_multicast()) {
        let what = format!("address_{family} = {} in [media] is no address a peer can send to", bad.value);
        section.file.problem(bad.line, what, "write the address of this machine that phones and trunks reach");
    }
    match (bind, address) {
        (Some(bind), None) if bind.value.is_unspecified() => {
            let what = format!("bind_{family} = {} in [media] needs address_{family}", bind.value);
            let fix = format!("add address_{family}, the address that phones and trunks reach: it is written into SDP");
            section.file.problem(bind.line, what, fix);
            (Some(bind.value), None)
        }
        (Some(bind), None) => (Some(bind.value), Some(bind.value)),
        (bind, Some(address)) => (Some(bind.map_or(address.value, |b| b.value)), Some(address.value)),
        (None, None) => (None, None),
    }
}

pub(super) fn limits(section: Section<'_>, core: &mut CoreSettings, places: &mut Places) {
    places.max_calls = section.line;
    if let Some(calls) = section.number("max_calls", 1..=100_000) {
        places.max_calls = calls.line;
        core.limits.max_calls = calls.value;
    }
    section.done();
}

pub(super) fn guard(section: Section<'_>, core: &mut CoreSettings) {
    let guard = &mut core.guard;
    let line = section.line;
    set(&mut guard.unknown, section.choice("unknown", &[("silence", Unknown::Silence), ("refuse", Unknown::Refuse)]));
    let fix = r#"write "10.1.0.7" or "10.1.0.0/16" with no host bits set, not the whole internet"#;
    if let Some(networks) = section.list("never_ban", "a network", fix, |v| v.as_str().and_then(cidr)) {
        guard.never_ban = networks.into_iter().map(|at| at.value).collect();
    }
    set(&mut guard.failures, section.number("failures", 2..=1_000));
    set(&mut guard.seat_failures, section.number("seat_failures", 2..=100_000));
    set(&mut guard.forget, section.duration("forget", false));
    set(&mut guard.ban, section.duration("ban", false));
    set(&mut guard.longest_ban, section.duration("longest_ban", false));
    if guard.ban > guard.longest_ban {
        let what = format!("ban ({:?}) is longer than longest_ban ({:?})", guard.ban, guard.longest_ban);
        section.file.problem(line, what, "make longest_ban the longer one: bans double until they are as long");
    }
    section.done();
}

pub(super) fn report(section: Section<'_>, world: &mut WorldSettings) {
    let report = &mut world.report;
    set(&mut report.hotline, section.string("hotline"));
    set(&mut report.connection_rate, section.number("connection_rate", 1..=100));
    set(&mut report.within_share, section.number("within_share", 1..=100));
    let within = section.list("within", "a duration", r#"write it as "15s""#, |v| duration(v.as_str()?));
    if let Some(within) = within {
        report.within = within.into_iter().map(|at| at.value).collect();
    }
    section.done();
}

pub(super) fn http(section: Section<'_>, world: &mut WorldSettings, places: &mut Places) {
    let enabled = section.boolean("enabled").is_none_or(|at| at.value);
    if let Some(listen) = section.socket("listen") {
        places.http = listen.line;
        world.http = Some(listen.value);
    }
    world.http = world.http.filter(|_| enabled);
    world.tokens = super::tokens::tokens(section.tables("tokens"), &world.casework.departments);
    section.done();
}

pub(super) fn log(section: Section<'_>, world: &mut WorldSettings) {
    set(&mut world.log.json, section.boolean("json"));
    if let Some(filter) = section.string("filter") {
        match tracing_subscriber::EnvFilter::try_new(&filter.value) {
            Ok(_) => world.log.filter = filter.value,
            Err(e) => {
                let what = format!("filter = {:?} in [log] is not understood: {e}", filter.value);
                section.file.problem(filter.line, what, r#"write it as "info" or "info,rexian::sip=debug""#);
            }
        }
    }
    section.done();
}

pub(super) fn prompts(root: &Section<'_>, world: &mut WorldSettings) {
    let mut lines = BTreeMap::new();
    for (name, At { value, line }) in root.entries("prompts") {
        match value.as_str() {
            Some(path) => {
                world.prompts.insert(name.clone(), beside(root, path));
                lines.insert(name, line);
            }
            None => {
                let what = format!("prompt {name} is not a text");
                root.file.problem(line, what, "write the path of a WAV file in quotes");
            }
        }
    }
    // Loaded as the media plane will load them, so that what passes here plays there.
    let faults = if lines.is_empty() { vec![] } else { PromptLibrary::load(&world.prompts).err().unwrap_or_default() };
    for fault in faults {
        let line = lines.get(&fault.prompt).copied().unwrap_or(root.line);
        root.file.problem(line, fault.to_string(), format!("put a PCM WAV file at {}", fault.file.display()));
    }
}

pub(super) fn feature_codes(section: Section<'_>, core: &mut CoreSettings) {
    let codes = &mut core.feature_codes;
    let slots = [
        ("sign_in", &mut codes.sign_in),
        ("sign_out", &mut codes.sign_out),
        ("ready", &mut codes.ready),
        ("not_ready", &mut codes.not_ready),
        ("extend_wrap_up", &mut codes.extend_wrap_up),
    ];
    let mut all: Vec<(&str, String)> = vec![];
    for (key, slot) in slots {
        let found = section.string(key);
        let line = found.as_ref().map_or(section.line, |at| at.line);
        set(slot, found);
        let rest = slot.trim_start_matches(['*', '#']);
        if slot.is_empty() || slot.len() > 16 || rest.bytes().any(|b| !b.is_ascii_digit()) {
            let what = format!("{key} = {slot:?} in [feature_codes] cannot be dialled");
            section.file.problem(line, what, r#"use * or # and digits, as in "*11""#);
        }
        // A phone's user may dial digits after a code, so no code may begin another.
        if let Some((other, code)) = all.iter().find(|(_, c)| c.starts_with(slot.as_str()) || slot.starts_with(c)) {
            let what = format!("{key} = {slot:?} in [feature_codes] cannot be told from {other} = {code:?}");
            section.file.problem(line, what, "choose codes of which none begins another");
        }
        all.push((key, slot.clone()));
    }
    section.done();
}
