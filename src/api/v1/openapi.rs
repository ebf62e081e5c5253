//! The API's description (OpenAPI 3.1), made of the table of operations and the types that are served. Not here: either.

use super::problem::Problem;
use super::routes::{Operation, operations};
use axum::Json;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

pub async fn description() -> Json<Value> {
    Json(document())
}

pub(super) fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for operation in operations() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.to_lowercase()] = described(operation, &mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rexian 热线",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Calls, queues, agents, service figures and events of a 12345 citizen hotline. Times are \
                RFC 3339 in China's zone; spans are seconds.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas.take_definitions(true),
        },
    })
}

fn described(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let answer = (operation.answer)(schemas);
    let mut answers = Map::new();
    // What is no JSON says itself what it is.
    let form = answer.get("contentMediaType").and_then(Value::as_str).unwrap_or("application/json").to_owned();
    let done = json!({"description": "Done.", "content": {form: {"schema": answer}}});
    if operation.headers.iter().any(|(name, _)| *name == "Range") {
        answers.insert("206".into(), done.clone());
    }
    answers.insert("200".into(), done);
    let problem = schemas.subschema_for::<Problem>();
    for status in operation.problems.iter().chain(&[401, 403, 503]) {
        let content = json!({"application/problem+json": {"schema": problem}});
        answers.insert(status.to_string(), json!({"description": meaning(*status), "content": content}));
    }
    let roles = operation.who.roles().map(|role| role.as_str()).collect::<Vec<_>>();
    let mut said = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "description": format!("Roles: {}.", roles.join(", ")),
        "x-roles": roles,
        "parameters": parameters(operation, schemas),
        "responses": answers,
    });
    if let Some(body) = operation.body {
        let schema = body(schemas);
        let required = ["required", "$ref", "oneOf"].iter().any(|key| schema.get(*key).is_some());
        said["requestBody"] = json!({"required": required, "content": {"application/json": {"schema": schema}}});
    }
    said
}

/// Of the path, and of the query, which is an object's schema.
fn parameters(operation: &Operation, schemas: &mut SchemaGenerator) -> Vec<Value> {
    let named = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let path = named.map(|name| json!({"name": name, "in": "path", "required": true, "schema": form_of(name)}));
    let header = |(name, description): &(&str, &str)| {
        let schema = json!({"type": "string"});
        json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema})
    };
    let mut all: Vec<Value> = path.chain(operation.headers.iter().map(header)).collect();
    let Some(query) = operation.query else { return all };
    let reference = query(schemas);
    let name = reference.get("$ref").and_then(Value::as_str).and_then(|at| at.rsplit('/').next()).map(str::to_owned);
    // It is taken apart into parameters: the whole is referred to by nobody.
    let object = name.and_then(|name| schemas.definitions_mut().remove(&name)).unwrap_or_else(|| reference.to_value());
    for (name, schema) in object["properties"].as_object().into_iter().flatten() {
        let mut schema = schema.clone();
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let required = object["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
        let mut parameter = json!({"name": name, "in": "query", "required": required, "schema": schema});
        if let Some(description) = description {
            parameter["description"] = description;
        }
        if parameter["schema"]["items"].is_object() {
            // Several in one, with commas between.
            (parameter["style"], parameter["explode"]) = ("form".into(), false.into());
        }
        all.push(parameter);
    }
    all
}

/// Of what a path names.
fn form_of(name: &str) -> Value {
    match name {
        "call" => json!({"type": "string", "pattern": "^[0-9a-f]{16}$"}),
        "recording" => json!({"type": "string", "pattern": "^[0-9a-f]{16}-[0-9]{3}$"}),
        "seq" => json!({"type": "integer", "minimum": 0}),
        "ticket_no" => json!({"type": "string", "pattern": "^[!-~]{1,64}$"}),
        _ => json!({"type": "string"}),
    }
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "A parameter or the body is wrong; the detail says what.",
        401 => "No token, or an unknown one.",
        403 => "Not for this role.",
        404 => "There is no such thing.",
        409 => "It has changed meanwhile, or is not in a state for this.",
        412 => "It is not at the version that If-Match names: read it again.",
        413 => "The body is too long.",
        416 => "There is nothing at that place.",
        422 => "What is sent cannot be used: the detail says what, in the language asked for.",
        410 => "The events asked for have been deleted for their age.",
        _ => "What the answer is made of cannot be had now; try again.",
    }
}
