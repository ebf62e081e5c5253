//! The files of the site, part of the program, and what every answer says to the browser about them.

use super::Pages;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

struct File {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

#[rustfmt::skip]
const FILES: [File; 42] = [
    File { path: "/", kind: HTML, text: include_str!("site/index.html") },
    File { path: "/wallboard.html", kind: HTML, text: include_str!("site/wallboard.html") },
    File { path: "/console.css", kind: STYLE, text: include_str!("site/console.css") },
    File { path: "/desk.css", kind: STYLE, text: include_str!("site/desk.css") },
    File { path: "/style.css", kind: STYLE, text: include_str!("site/style.css") },
    File { path: "/wallboard.css", kind: STYLE, text: include_str!("site/wallboard.css") },
    File { path: "/acts.js", kind: SCRIPT, text: include_str!("site/acts.js") },
    File { path: "/alert.js", kind: SCRIPT, text: include_str!("site/alert.js") },
    File { path: "/app.js", kind: SCRIPT, text: include_str!("site/app.js") },
    File { path: "/ask.js", kind: SCRIPT, text: include_str!("site/ask.js") },
    File { path: "/audio.js", kind: SCRIPT, text: include_str!("site/audio.js") },
    File { path: "/buttons.js", kind: SCRIPT, text: include_str!("site/buttons.js") },
    File { path: "/call.js", kind: SCRIPT, text: include_str!("site/call.js") },
    File { path: "/category.js", kind: SCRIPT, text: include_str!("site/category.js") },
    File { path: "/console.js", kind: SCRIPT, text: include_str!("site/console.js") },
    File { path: "/desk.js", kind: SCRIPT, text: include_str!("site/desk.js") },
    File { path: "/devices.js", kind: SCRIPT, text: include_str!("site/devices.js") },
    File { path: "/dom.js", kind: SCRIPT, text: include_str!("site/dom.js") },
    File { path: "/earlier.js", kind: SCRIPT, text: include_str!("site/earlier.js") },
    File { path: "/en.js", kind: SCRIPT, text: include_str!("site/en.js") },
    File { path: "/floor.js", kind: SCRIPT, text: include_str!("site/floor.js") },
    File { path: "/headset.js", kind: SCRIPT, text: include_str!("site/headset.js") },
    File { path: "/keys.js", kind: SCRIPT, text: include_str!("site/keys.js") },
    File { path: "/leading.js", kind: SCRIPT, text: include_str!("site/leading.js") },
    File { path: "/line.js", kind: SCRIPT, text: include_str!("site/line.js") },
    File { path: "/lines.js", kind: SCRIPT, text: include_str!("site/lines.js") },
    File { path: "/own_day.js", kind: SCRIPT, text: include_str!("site/own_day.js") },
    File { path: "/reach.js", kind: SCRIPT, text: include_str!("site/reach.js") },
    File { path: "/recordings.js", kind: SCRIPT, text: include_str!("site/recordings.js") },
    File { path: "/region.js", kind: SCRIPT, text: include_str!("site/region.js") },
    File { path: "/rows.js", kind: SCRIPT, text: include_str!("site/rows.js") },
    File { path: "/sound.js", kind: SCRIPT, text: include_str!("site/sound.js") },
    File { path: "/state.js", kind: SCRIPT, text: include_str!("site/state.js") },
    File { path: "/ticket.js", kind: SCRIPT, text: include_str!("site/ticket.js") },
    File { path: "/time.js", kind: SCRIPT, text: include_str!("site/time.js") },
    File { path: "/unsaved.js", kind: SCRIPT, text: include_str!("site/unsaved.js") },
    File { path: "/waiting.js", kind: SCRIPT, text: include_str!("site/waiting.js") },
    File { path: "/wallboard.js", kind: SCRIPT, text: include_str!("site/wallboard.js") },
    File { path: "/way.js", kind: SCRIPT, text: include_str!("site/way.js") },
    File { path: "/why.js", kind: SCRIPT, text: include_str!("site/why.js") },
    File { path: "/words.js", kind: SCRIPT, text: include_str!("site/words.js") },
    File { path: "/zh.js", kind: SCRIPT, text: include_str!("site/zh.js") },
];

pub fn router() -> Router<Arc<Pages>> {
    FILES.iter().fold(Router::new(), |router, file| {
        router.route(file.path, get(async || ([(header::CONTENT_TYPE, file.kind)], file.text)))
    })
}

const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             media-src 'self' blob:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    // The pages change with the program; they are small and near.
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("microphone=(self), camera=(), geolocation=()"),
    ),
];

/// Nothing changes by a request from another site's page, and no WebSocket opens from one.
pub async fn guarded(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let upgrades = request.headers().contains_key(header::UPGRADE);
    let mut answer = match (!reads || upgrades) && !is_ours(request.headers()) {
        true => StatusCode::FORBIDDEN.into_response(),
        false => next.run(request).await,
    };
    answer.headers_mut().extend(HEADERS);
    answer
}

/// Browsers name the page's origin with every such request; one that names none is no browser's.
fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.zip(text(header::HOST)).is_some_and(|((_, origin), host)| origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn only_pages_of_the_host_that_is_asked_are_ours() {
        let headers = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "seats.example:8443".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            headers
        };
        assert!(is_ours(&headers(Some("https://seats.example:8443"))));
        for other in [None, Some("https://evil.example"), Some("https://seats.example"), Some("null"), Some("")] {
            assert!(!is_ours(&headers(other)), "{other:?}");
        }
    }

    /// `name: "..."` of one of the dictionaries.
    fn words(dictionary: &str) -> BTreeSet<&'static str> {
        let path = format!("/{}.js", dictionary.to_lowercase());
        let text = FILES.iter().find(|file| file.path == path).expect("the words").text;
        let (_, from) = text.split_once(&format!("const {dictionary} = {{")).expect("the dictionary");
        let (inside, _) = from.split_once("};").expect("its end");
        let keys = inside.split('"').step_by(2);
        keys.filter_map(|between| {
            between
                .rsplit([',', '\n', ' '])
                .find_map(|word| word.strip_suffix(':').or_else(|| word.trim().strip_suffix(':')))
        })
        .collect()
    }

    #[test]
    fn both_languages_have_every_word_that_is_asked_for() {
        let (zh, en) = (words("ZH"), words("EN"));
        assert!(zh.len() > 100, "{zh:?}");
        assert_eq!(zh.symmetric_difference(&en).collect::<Vec<_>>(), Vec::<&&str>::new());
        let scripts = FILES.iter().filter(|file| file.kind == SCRIPT);
        // `t("word")`, and in tables `words: "word"` and `"why_word"`.
        for text in scripts.map(|file| file.text) {
            let called =
                text.match_indices("t(\"").filter(|(at, _)| !text[..*at].ends_with(|c: char| c.is_alphanumeric()));
            let told = text.match_indices("words: \"");
            let reasons = text.match_indices("\"why_").map(|(at, _)| (at, "\""));
            for (at, before) in called.chain(told).chain(reasons) {
                let (key, _) = text[at + before.len()..].split_once('"').expect("a closing quote");
                if key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
                    assert!(zh.contains(key), "{key} has no word");
                }
            }
        }
        use crate::casework::words::{Kind, Stage, Urgency};
        let word = |value: serde_json::Value| value.as_str().expect("a word").to_owned();
        let kinds = Kind::ALL.iter().map(|kind| format!("kind_{}", word(serde_json::to_value(kind).unwrap())));
        let stages = Stage::ALL.iter().map(|stage| format!("stage_{}", word(serde_json::to_value(stage).unwrap())));
        let urgencies = Urgency::ALL.iter().map(|u| format!("urgency_{}", word(serde_json::to_value(u).unwrap())));
        for key in kinds.chain(stages).chain(urgencies) {
            assert!(zh.contains(key.as_str()), "{key} has no word");
        }
    }

    /// What stands in quotes in a piece of source, from one text up to the next other one: the words of its arms.
    fn quoted<'a>(source: &'a str, from: &str, to: &str) -> Vec<&'a str> {
        let (_, after) = source.split_once(from).unwrap_or_else(|| panic!("no {from} in the source"));
        let (piece, _) = after.split_once(to).expect("its end");
        let words: Vec<&str> = piece.split('"').skip(1).step_by(2).collect();
        assert!(!words.is_empty(), "{from} says nothing");
        words
    }

    /// Of an enum in the source, as serde writes its variants.
    fn variants(source: &str, name: &str) -> Vec<String> {
        let (_, after) = source.split_once(&format!("enum {name} {{\n")).unwrap_or_else(|| panic!("no enum {name}"));
        let (piece, _) = after.split_once("\n}").expect("its end");
        let lines = piece.lines().map(str::trim).filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
        let snake = |name: &str| -> String {
            let part =
                |c: char| if c.is_ascii_uppercase() { format!("_{}", c.to_ascii_lowercase()) } else { c.to_string() };
            name.chars().map(part).collect::<String>().trim_start_matches('_').to_owned()
        };
        let found: Vec<String> = lines.map(|line| snake(line.trim_end_matches(','))).collect();
        assert!(!found.is_empty(), "{name} has no variants");
        found
    }

    /// The gateway's own words are read off its source: one that is added there has no text here, and is told.
    #[test]
    fn whatever_the_gateway_can_answer_or_show_has_a_text() {
        let agents = include_str!("../gateway/agents.rs");
        let (live, lead, audio) = (include_str!("live.rs"), include_str!("lead.rs"), include_str!("audio.rs"));
        let (event, screen, sign_in) =
            (include_str!("../event/agent.rs"), include_str!("../screen.rs"), include_str!("sign_in.rs"));
        let zh = words("ZH");
        let mut lacking = vec![];
        let mut each = |prefix: &str, found: Vec<String>| {
            let keys = found.into_iter().map(|word| format!("{prefix}_{word}"));
            lacking.extend(keys.filter(|key| !zh.contains(key.as_str())));
        };
        let owned = |found: Vec<&str>| found.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let after = |source: &str, before: &str| {
            let pieces = source.split("#[cfg(test)]").next().expect("the source").split(before).skip(1);
            let found: Vec<String> =
                pieces.filter_map(|piece| Some(piece.strip_prefix('"')?.split('"').next()?.to_owned())).collect();
            assert!(!found.is_empty(), "{before} is nowhere");
            found
        };
        each("unable", owned(quoted(agents, "impl Unable {", "\n}")));
        each("unable", owned(quoted(audio, "impl NoAudio {", "\n}")));
        each("unable", after(live, "Answer::unable(id, "));
        each("unable", after(lead, "Err("));
        each("unable", after(sign_in, "StatusCode::UNAUTHORIZED, "));
        each("unable", after(sign_in, "StatusCode::TOO_MANY_REQUESTS, "));
        each("unable", after(sign_in, "StatusCode::SERVICE_UNAVAILABLE, "));
        each("stage", variants(screen, "Stage"));
        each("party", [variants(screen, "PartyStage"), variants(screen, "OwnStage")].concat());
        each("purpose", owned(quoted(screen, "pub fn purpose_word", "\n}")));
        each("way", owned(quoted(include_str!("../event.rs"), "impl Why {", "\n}")));
        each("reason", owned(quoted(event, "impl NotReadyReason {", "\n}")));
        each("state", owned(quoted(event, "impl AgentState {", "\n}")));
        each("mode", owned(quoted(include_str!("../gateway/screens.rs"), "fn listening(agent", "\n}")));
        assert_eq!(lacking, Vec::<String>::new(), "without a text");
    }

    #[test]
    fn no_script_or_style_is_inline() {
        for file in FILES.iter().filter(|file| file.kind == HTML) {
            let bare = file.text.contains("<script>") || file.text.contains("style=") || file.text.contains("onclick");
            assert!(!bare, "{} would not work under the policy", file.path);
        }
    }
}
