//! Accounts of trunks: the carrier's subscriber that we are, and what an operator is told when one cannot work.

use super::{Folder, GOOD, broken};
use rexian::config::load;
use rexian::config::settings::{Account, RegisterQuirks};
use std::time::Duration;

/// Where REGISTERs go.
const OUT: &str = "hops = [\"127.0.0.1:5080\"]\n";

fn trunk(more: &str) -> (&'static str, String) {
    ("peers = [\"127.0.0.0/8\"]", format!("peers = [\"127.0.0.0/8\"]\n{OUT}{more}"))
}

#[track_caller]
fn told(account: &str, wanted: &[&str]) {
    let (from, to) = trunk(account);
    broken(&[(from, &to)], wanted);
}

#[test]
fn one_account_or_one_for_each_number() {
    let folder = Folder::new();
    folder.write("secrets/ims", "mT4vQz7Lk2\nsecond line\n");
    let (from, to) =
        trunk("account = { user = \"+8653112345\", domain = \"sd.ctcims.cn\", password_file = \"secrets/ims\" }");
    let settings = load(&folder.write("rexian.toml", GOOD.replace(from, &to))).unwrap();
    let plain = Account::new("+8653112345", "sd.ctcims.cn", "mT4vQz7Lk2");
    assert_eq!(settings.core.trunks[0].accounts, std::slice::from_ref(&plain));
    assert_eq!((plain.auth_user.as_str(), plain.expires), ("+8653112345", Duration::from_secs(3_600)));

    let (from, to) = trunk(
        "[[trunks.accounts]]\nuser = \"+8653112345\"\ndomain = \"sd.ctcims.cn\"\nauth_user = \"+8653112345@sd.ctcims.cn\"\n\
         password = \"x\"\nexpires = \"10m\"\ninstance = \"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"\n\
         [[trunks.accounts]]\nuser = \"+8653112346\"\ndomain = \"sd.ctcims.cn\"\npassword = \"Qz7\"\n",
    );
    let settings = load(&folder.write("rexian.toml", GOOD.replace(from, &to))).unwrap();
    let [first, second] = &settings.core.trunks[0].accounts[..] else { panic!("two accounts") };
    assert_eq!(first.auth_user, "+8653112345@sd.ctcims.cn");
    assert_eq!(first.expires, Duration::from_secs(600));
    assert_eq!(first.instance.as_deref(), Some("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
    assert_eq!(*second, Account::new("+8653112346", "sd.ctcims.cn", "Qz7"), "a weak password is the carrier's affair");
    assert!(!format!("{settings:?}").contains("Qz7"));
}

#[test]
fn accounts_that_cannot_work() {
    told(
        "account = { user = \"a b\", domain = \"sd.ctcims.cn:5060\", auth_user = \"a\\\"b\", password = \"\", expires = \"10s\", instance = \"uuid\" }",
        &[
            r#"8: auth_user = 'a"b' in account of [[trunks]] is not a user name | write it as the carrier gave it, without quotes and backslashes"#,
            r#"8: domain = "sd.ctcims.cn:5060" in account of [[trunks]] is not a domain | write it as "sd.ctcims.cn", without a port"#,
            r#"8: expires in account of [[trunks]] is too short | write at least "30s"; carriers grant "1h" or less"#,
            r#"8: instance = "uuid" in account of [[trunks]] is not a URN | write it as "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6""#,
            r#"8: the password in account of [[trunks]] is empty | ask the carrier for it"#,
            r#"8: user = "a b" in account of [[trunks]] is not the user of a SIP address | write it as "+8653112345""#,
        ],
    );
    told(
        "account = { user = \"1\", passwort = \"x\" }",
        &[
            r#"8: account of [[trunks]] has no domain | add domain = "sd.ctcims.cn""#,
            r#"8: account of [[trunks]] has no password | add password = "...", or password_file"#,
            "8: unknown key passwort in account of [[trunks]] | did you mean password?",
        ],
    );
    let one = "{ user = \"1\", domain = \"d\", password = \"x\" }";
    told(
        &format!("account = {one}\naccounts = [{one}]"),
        &[
            "8: [[trunks]] has both account and accounts | move the one into the list",
            "9: account sip:1@d is there twice, first in line 8 | two registrations of one address oust each other: remove one",
        ],
    );
    broken(
        &[("peers = [\"127.0.0.0/8\"]", &format!("peers = [\"127.0.0.0/8\"]\naccount = {one}"))],
        &[
            "7: trunk carrier has an account, but nowhere to register it | add hops, the addresses of the carrier's proxies",
        ],
    );
}

#[test]
fn how_a_kind_of_carrier_wants_it_registered() {
    let folder = Folder::new();
    let named = GOOD.replace("name = \"carrier\"", "name = \"carrier\"\nprofile = \"ims\"");
    folder.write("sip-profiles/ims.toml", "register = [\"proxy-route\", \"empty-authorization\"]\n");
    let settings = load(&folder.write("rexian.toml", &named)).unwrap();
    let quirks = RegisterQuirks { proxy_route: true, introduced: true };
    assert_eq!(settings.core.trunks[0].profile.register, quirks);
    folder.write("sip-profiles/ims.toml", "register = [\"route\"]\n");
    assert_eq!(
        folder.problems(&named),
        [
            r#"sip-profiles/ims.toml:1: register = "route" in the file is not a known word | use one of: proxy-route, empty-authorization"#
        ]
    );
}
