//! What the API says of itself, held against what it does: schemathesis makes requests of the OpenAPI description, good and
//! bad ones, and no answer is a server's error, or one that the description does not know.

use crate::api::hotline;
use crate::common::caller::{Street, answers};
use crate::common::until;
use rexian::demo::field::Who;
use rexian::demo::records;
use std::process::Command;
use std::time::Duration;

/// `tests/run` installs it and says where; without that it is left out, unless a test without clients is none.
fn schemathesis() -> Option<String> {
    let found = std::env::var("REXIAN_SCHEMATHESIS").ok();
    let required = std::env::var_os("CI").is_some() || std::env::var_os("REXIAN_REQUIRE_CLIENTS").is_some();
    assert!(found.is_some() || !required, "no schemathesis: tests/run installs it, if PyPI can be reached");
    if found.is_none() {
        eprintln!("skipped: REXIAN_SCHEMATHESIS names no schemathesis; tests/run installs it");
    }
    found
}

#[test]
fn no_answer_is_a_servers_error_or_unknown_to_the_description() {
    let Some(schemathesis) = schemathesis() else { return };
    let server = hotline().start();
    // So that there is something to be asked for.
    let mut street = Street::new(&server.hotline);
    let phone = street.sign_in(server.hotline.seat_address(1), 1, answers());
    let call = street.call();
    street.wait_answered(Who::Phone(phone));
    street.run(Duration::from_millis(200));
    street.field.at_call(call, |c, now| c.hang_up(now));
    street.wait_ended(Who::Phone(phone));
    until("the call's ticket", || server.tickets().first().cloned());
    let http = server.hotline.http();
    let output = Command::new(schemathesis)
        .current_dir(server.directory.path())
        .args(["run", &format!("http://{http}/v1/openapi.json"), "--url", &format!("http://{http}")])
        .args(["-H", "Authorization: Bearer token-platform_engineer"])
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-time", "45", "--max-examples", "60"])
        // An event stream goes on until nobody listens.
        .args(["--request-timeout", "10", "--suppress-health-check", "all", "--warnings", "off", "--seed", "12345"])
        .output()
        .expect("running schemathesis");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains(" generated, "), "it tested nothing:\n{said}");
    assert!(matches!(records::get(http, "/healthz"), Ok((200, _))), "{}", server.log());
}

/// Without the one that good data must be taken: an identifier of the right form need not name anything.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
    response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,ignored_auth";
