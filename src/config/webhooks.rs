//! `[[webhooks]]`: who is told what happens. Belongs here: reading them. Not here: telling (`api::webhooks`).

use super::people::password;
use super::reader::Section;
use super::sections::beside;
use super::settings::{Secret, WebhookLog, WebhookSettings};
use crate::api::v1::{event_types, ticket_event_types};

pub(super) fn webhooks(sections: Vec<Section<'_>>, log_is_kept: bool) -> Vec<WebhookSettings> {
    let mut all: Vec<WebhookSettings> = vec![];
    let types = [event_types(), ticket_event_types()];
    // Once for all.
    let mut untold = !log_is_kept;
    for section in sections {
        let log = section.choice("log", &WebhookLog::ALL.map(|log| (log.as_str(), log)));
        let log = log.map_or(WebhookLog::Calls, |at| at.value);
        if log == WebhookLog::Calls && std::mem::take(&mut untold) {
            let what = "[[webhooks]] tell what is in the event log, and events in [storage] says that none is kept";
            section.file.problem(section.line, what, r#"name a file as events in [storage], or remove [[webhooks]]"#);
        }
        let types = &types[log as usize];
        let name = section.text("name", "a name", "use letters, digits, - and _, at most 40", |name| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
            (!name.is_empty() && name.len() <= 40 && name.bytes().all(fits)).then(|| name.to_owned())
        });
        let url = section.text("url", "a URL", r#"write it as "https://cases.example:8443/hook""#, |url| {
            let uri: axum::http::Uri = url.parse().ok()?;
            let known = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
            known.then(|| url.to_owned())
        });
        let secret = password(&section);
        let trust = section.string("trust");
        let events = section.list("events", "a type of event", "the API's description, /v1, names them", |value| {
            value.as_str().filter(|kind| is_one_of(kind, types)).map(str::to_owned)
        });
        for (key, example) in [("name", "\"case-system\""), ("url", "\"https://cases.example/hook\"")] {
            if !section.has(key) {
                section.missing(key, example);
            }
        }
        let encrypts = url.as_ref().is_some_and(|url| url.value.starts_with("https:"));
        if let (Some(url), true, None) = (&url, encrypts, &trust) {
            let what = "url of [[webhooks]] is https, but whose certificates are trusted is not said";
            section.file.problem(url.line, what, r#"add trust = "ca.pem", the far end's CA, beside this file"#);
        }
        let trust = trust.map(|at| {
            let file = beside(&section, &at.value);
            if let Err(error) = std::fs::metadata(&file) {
                let what = format!("trust = {:?} in [[webhooks]] cannot be read: {error}", at.value);
                section.file.problem(at.line, what, "mend the path (it is beside this file) or its permissions");
            }
            file
        });
        let (file, line) = (section.file, section.line);
        section.done();
        let (Some(name), Some(url), Some(secret)) = (name, url, secret) else { continue };
        if all.iter().any(|known| known.name == name.value) {
            let what = format!("name = {:?} stands for two of [[webhooks]]", name.value);
            file.problem(name.line, what, "name one otherwise: its place in the log is kept under it");
        }
        if secret.value.len() < 16 {
            file.problem(
                secret.line.max(line),
                "the password of [[webhooks]] is too short",
                "generate one: openssl rand -base64 24",
            );
        }
        let events = events.unwrap_or_default().into_iter().map(|at| at.value).collect();
        let secret = Secret(secret.value.into());
        all.push(WebhookSettings { name: name.value, url: url.value, secret, trust, log, events });
    }
    all
}

fn is_one_of(kind: &str, types: &[String]) -> bool {
    match kind.strip_suffix('*') {
        Some(family) => family.ends_with('.') && types.iter().any(|known| known.starts_with(family)),
        None => types.iter().any(|known| known == kind),
    }
}
