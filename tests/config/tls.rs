//! `[tls]`: files that cannot be used are told by `check`, before anybody connects.

use super::pki::Pki;
use super::{Folder, GOOD};
use rexian::config::load;
use rexian::config::settings::ClientCertificates;

/// Lines after GOOD, which has `[sip]` in line 2 and listens in line 3.
fn folder() -> Folder {
    let (folder, pki) = (Folder::new(), Pki::new());
    let ours = pki.issue(&["hotline.test"]);
    folder.write("ca.pem", &pki.ca);
    folder.write("sip.crt", &ours.certificate);
    folder.write("sip.key", &ours.key);
    folder.write("other.key", pki.issue(&["hotline.test"]).key);
    folder.write("old.crt", pki.issue_between(&["hotline.test"], (2020, 2021)).certificate);
    folder.write("early.crt", pki.issue_between(&["hotline.test"], (2080, 2090)).certificate);
    folder.write("text", "nothing of the kind");
    folder.write("torn.pem", "-----BEGIN PRIVATE KEY-----\nsecret-secret\n");
    folder
}

fn listening(tls: &str) -> String {
    GOOD.replace("udp = [\"127.0.0.1:5060\"]", "udp = [\"127.0.0.1:5060\"]\ntls = [\"127.0.0.1:5061\"]") + tls
}

const FILES: &str = "[tls]\ncertificate = \"sip.crt\"\nkey = \"sip.key\"\n";

#[test]
fn a_good_one_is_good() {
    let folder = folder();
    let all = format!("{FILES}trust = \"ca.pem\"\nclients = \"required\"\nclient_ca = \"ca.pem\"\n");
    let settings = load(&folder.write("rexian.toml", listening(&all))).expect("a good file");
    assert_eq!(settings.world.sip_tls, ["127.0.0.1:5061".parse().unwrap()]);
    let tls = settings.world.tls.expect("TLS");
    assert!(tls.trust.is_some() && matches!(tls.clients, ClientCertificates::Required(_)));
    let settings = load(&folder.write("rexian.toml", listening(FILES))).expect("a good file");
    assert_eq!(settings.world.tls.expect("TLS").clients, ClientCertificates::None);
}

#[test]
fn what_cannot_be_used_is_named_with_its_line() {
    let folder = folder();
    let readable = "name a PEM file that the program's user may read";
    for (change, wanted) in [
        (("sip.crt", "gone.crt"), format!("20: certificate of [tls]: gone.crt cannot be read: No such file or directory (os error 2) | {readable}")),
        (("sip.crt", "text"), format!("20: certificate of [tls]: text holds no certificate | {readable}")),
        (
            ("sip.crt", "old.crt"),
            "20: certificate of [tls]: old.crt ran out on 2021-01-01 00:00:00 UTC | get a new certificate from its CA".into(),
        ),
        (
            ("sip.crt", "early.crt"),
            "20: certificate of [tls]: early.crt is valid only from 2080-01-01 00:00:00 UTC | wait until then, or set this machine's clock right".into(),
        ),
        (("sip.key", "gone.key"), format!("21: key of [tls]: gone.key cannot be read: No such file or directory (os error 2) | {readable}")),
        (
            ("sip.key", "other.key"),
            "21: key of [tls]: other.key is not the key of sip.crt | name the key that the certificate was asked for with".into(),
        ),
        (("sip.key", "text"), "21: key of [tls]: text holds no private key | write it unencrypted, and for our user only".into()),
        (
            ("sip.key", "torn.pem"),
            "21: key of [tls]: torn.pem is no PEM file | write it with the key between its BEGIN and END lines".into(),
        ),
        (("key = \"sip.key\"\n", ""), "19: [tls] has no key | add key = \"sip.key\", a PEM file".into()),
        (
            ("key = \"sip.key\"\n", "key = \"sip.key\"\ntrust = \"sip.key\"\n"),
            format!("22: trust of [tls]: sip.key holds no certificate | {readable}"),
        ),
        (
            ("[tls]\n", "[tls]\nclients = \"required\"\n"),
            "20: clients of [tls] show certificates, but of which CA is not said | add client_ca = \"clients-ca.pem\"".into(),
        ),
        (
            ("[tls]\n", "[tls]\nclient_ca = \"ca.pem\"\n"),
            "20: client_ca in [tls] is of no use: clients are not asked for certificates | add clients = \"optional\" or \"required\", or remove it".into(),
        ),
        (
            ("[tls]\n", "[tls]\nclients = \"some\"\n"),
            "20: clients = \"some\" in [tls] is not a known word | use one of: none, optional, required".into(),
        ),
    ] {
        let config = listening(&FILES.replace(change.0, change.1));
        assert_eq!(folder.problems(&config), [wanted], "{change:?}");
    }
}

#[test]
fn listening_and_certificate_need_each_other() {
    let folder = folder();
    let without = "4: sip.tls 127.0.0.1:5061 has no certificate | add [tls] with certificate = \"sip.crt\" and key = \"sip.key\", PEM files beside this one";
    assert_eq!(folder.problems(&listening("")), [without]);
    let useless = "18: [tls] is of no use: nothing listens by TLS | add tls = [\"10.1.0.5:5061\"] to [sip] or listen to [pages], or remove [tls]";
    assert_eq!(folder.problems(&format!("{GOOD}{FILES}")), [useless]);
    let taken = listening(FILES).replace("tls = [\"127.0.0.1:5061\"]", "tls = [\"127.0.0.1:8080\"]");
    let clash = folder.problems(&taken);
    assert!(clash.iter().any(|p| p.contains("is taken by sip.tls 127.0.0.1:8080")), "{clash:?}");
}

#[test]
fn websockets_are_encrypted_or_behind_a_proxy_here_and_say_whose_pages_may_come() {
    let folder = folder();
    let with = |more: &str, tls: &str| {
        GOOD.replace("udp = [\"127.0.0.1:5060\"]", &format!("udp = [\"127.0.0.1:5060\"]\n{more}")) + tls
    };
    let all = "wss = [\"127.0.0.1:5443\"]\nws = [\"127.0.0.1:5080\"]\nweb_origins = [\"https://Phones.example:8443\"]";
    let world = load(&folder.write("rexian.toml", with(all, FILES))).expect("a good file").world;
    assert_eq!([&world.sip_wss, &world.sip_ws].map(|at| at[0].port()), [5443, 5080]);
    assert_eq!(world.web_origins, ["https://phones.example:8443"]);

    let wss = "wss = [\"127.0.0.1:5443\"]";
    let outside = with("ws = [\"0.0.0.0:5080\"]", "").replace("127.0.0.1:5060", "0.0.0.0:5060");
    for (file, wanted) in [
        (with(wss, ""), "4: sip.wss 127.0.0.1:5443 has no certificate | add [tls]"),
        (
            outside,
            "4: sip.ws 0.0.0.0:5080 is reached from outside without encryption | use wss = [...], or ws on a loopback",
        ),
        (
            with("web_origins = [\"https://p.example\"]", ""),
            "4: web_origins is of no use: nothing of [sip] listens for WebSockets",
        ),
        (
            with(&format!("{wss}\nweb_origins = [\"phones.example\"]"), FILES),
            "5: web_origins = \"phones.example\" in [sip] is not an origin",
        ),
        (
            with(&format!("{wss}\nweb_origins = [\"https://p.example/phone\"]"), FILES),
            "write where the phone's page comes from",
        ),
        (with("wss = [\"127.0.0.1:8080\"]", FILES), "is taken by sip.wss 127.0.0.1:8080"),
    ] {
        let problems = folder.problems(&file);
        assert!(problems.iter().any(|problem| problem.contains(wanted)), "{wanted}: {problems:#?}");
    }
}
