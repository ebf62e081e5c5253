//! `[pages]`: who signs in where, and what must not be.

use super::{Folder, GOOD, broken};
use rexian::config::{load, report};
use rexian::ids::AgentNo;
use rexian::pages::password::hash;
use std::time::Duration;

#[test]
fn who_signs_in_and_for_how_long() {
    let folder = Folder::new();
    let hash = hash("gut verwahrt", &[3; 16]).unwrap();
    let agent = format!("number = \"6601\"\npassword_hash = {hash:?}");
    let config = GOOD.replace("number = \"6601\"", &agent) + "[pages]\nlisten = \"127.0.0.1:8443\"\nsession = \"9h\"\n";
    let settings = load(&folder.write("rexian.toml", config)).unwrap_or_else(|p| panic!("{}", report(&p)));
    let pages = settings.world.pages.expect("pages");
    assert_eq!((pages.listen, pages.session), ("127.0.0.1:8443".parse().unwrap(), Duration::from_secs(9 * 3_600)));
    assert_eq!(pages.passwords, [(AgentNo::new("6601"), hash)].into());
}

#[test]
fn what_is_of_no_use_or_unsafe() {
    broken(
        &[("number = \"6601\"", "number = \"6601\"\npassword_hash = \"secret\"")],
        &[
            "13: password_hash = \"secret\" in [[agents]] is not an Argon2 hash | write the line that `rexian password` prints",
        ],
    );
    broken(
        &[("", "[pages]\nlisten = \"10.0.0.5:8443\"\n")],
        &[
            "19: pages.listen 10.0.0.5:8443 is reached from outside, but there is no [tls] | add [tls] with certificate and key, or listen on \"127.0.0.1:8443\"",
        ],
    );
    broken(
        &[("", "[pages]\nlisten = \"127.0.0.1:8080\"\nsesion = \"9h\"\n")],
        &[
            "0: http.listen 127.0.0.1:8080 is taken by pages.listen 127.0.0.1:8080 | give one of them another port or address",
            "20: unknown key sesion in [pages] | did you mean session?",
        ],
    );
    broken(&[("", "[pages]\nsession = \"9h\"\n")], &["18: [pages] has no listen | add listen = \"10.1.0.5:8443\""]);
    let hash = format!("number = \"6601\"\npassword_hash = {:?}", hash("gut verwahrt", &[3; 16]).unwrap());
    broken(
        &[("number = \"6601\"", &hash)],
        &[
            "13: agent 6601 has a password_hash, but there are no pages to sign in on | add [pages] with listen = \"10.1.0.5:8443\", or remove it",
        ],
    );
}
