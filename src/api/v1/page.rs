//! The description as a page for people, made of the same table; plain HTML, nothing loaded from anywhere.

use super::openapi;
use super::routes::operations;
use crate::html::escaped;
use axum::response::Html;
use serde_json::Value;
use std::fmt::Write;

const HEAD: &str = include_str!("page.html");

pub async fn overview() -> Html<String> {
    let description = openapi::document();
    let mut html = HEAD.to_owned();
    for operation in operations() {
        let path = &description["paths"][operation.path][operation.method.to_lowercase()];
        let roles: Vec<_> = operation.who.roles().map(|role| role.as_str()).collect();
        let _ = write!(
            html,
            "<section id=\"{id}\"><h2><code>{method} {path}</code></h2><p>{summary}</p><p class=roles>{roles}</p>",
            id = operation.id,
            method = operation.method,
            path = escaped(operation.path),
            summary = escaped(operation.summary),
            roles = roles.join(" · "),
        );
        table(
            &mut html,
            path["parameters"].as_array().into_iter().flatten().map(|p| {
                (
                    p["name"].as_str().unwrap_or_default(),
                    kind(&p["schema"]),
                    p["description"].as_str().unwrap_or_default(),
                )
            }),
        );
        let body = &path["requestBody"]["content"]["application/json"]["schema"];
        if body.is_object() {
            let _ = write!(html, "<p>← {}</p>", kind(body));
            fields(&mut html, body);
        }
        let answer = &path["responses"]["200"]["content"]["application/json"]["schema"];
        let _ = write!(html, "<p>→ {}</p></section>", kind(answer));
    }
    html.push_str("<h2>Shapes</h2>");
    for (name, schema) in description["components"]["schemas"].as_object().into_iter().flatten() {
        let _ = write!(html, "<section id=\"{name}\"><h3><code>{name}</code></h3>");
        if let Some(text) = schema["description"].as_str() {
            let _ = write!(html, "<p>{}</p>", escaped(text));
        }
        fields(&mut html, schema);
        for variant in schema["oneOf"].as_array().into_iter().flatten() {
            let tag = variant["properties"]["type"]["const"].as_str().unwrap_or_default();
            let text = variant["description"].as_str().unwrap_or_default();
            let _ = write!(html, "<h4><code>{tag}</code></h4><p>{}</p>", escaped(text));
            fields(&mut html, variant);
        }
        html.push_str("</section>");
    }
    html.push_str("</html>\n");
    Html(html)
}

fn fields(html: &mut String, schema: &Value) {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let properties = properties.filter(|(_, schema)| schema.get("const").is_none());
    let row = |(name, schema): (&'_ String, &'_ Value)| {
        (name.clone(), kind(schema), schema["description"].as_str().unwrap_or_default().to_owned())
    };
    let rows: Vec<_> = properties.map(row).collect();
    table(html, rows.iter().map(|(name, kind, text)| (name.as_str(), kind.clone(), text.as_str())));
}

fn table<'a>(html: &mut String, rows: impl Iterator<Item = (&'a str, String, &'a str)>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    html.push_str("<table>");
    for (name, kind, text) in rows {
        let _ = write!(html, "<tr><td><code>{}</code><td>{kind}<td>{}", escaped(name), escaped(text));
    }
    html.push_str("</table>");
}

/// A schema in a word or two; a reference links to its shape.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next()) {
        return format!("<a href=\"#{name}\"><code>{name}</code></a>");
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let kinds = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let of = match (&schema["items"], &schema["additionalProperties"]) {
        (Value::Object(_), _) => format!(" of {}", kind(&schema["items"])),
        (_, Value::Object(_)) => format!(" of {}", kind(&schema["additionalProperties"])),
        _ => {
            schema["format"].as_str().filter(|f| *f == "date-time").map(|_| ", a moment".to_owned()).unwrap_or_default()
        }
    };
    escaped(&kinds.join(" or ")) + &of
}
