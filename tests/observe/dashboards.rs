//! Grafana's dashboards, made in two languages from one source; `REXIAN_WRITE_DASHBOARDS=1` writes them.

use crate::{deploy, read};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const LANGUAGES: [&str; 2] = ["zh", "en"];
/// Grafana 11's; 10 and later take it.
const SCHEMA: u32 = 39;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    dashboard: Vec<Dashboard>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dashboard {
    file: String,
    zh: String,
    en: String,
    from: String,
    refresh: String,
    variables: Vec<String>,
    panel: Vec<Panel>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Stat,
    Timeseries,
    /// Stacked.
    Bars,
    Bargauge,
    Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Panel {
    kind: Kind,
    zh: String,
    en: String,
    #[serde(default)]
    help_zh: String,
    #[serde(default)]
    help_en: String,
    unit: String,
    #[serde(default = "quarter")]
    w: u32,
    h: Option<u32>,
    max: Option<f64>,
    /// A colour, then from which value on which one.
    #[serde(default)]
    steps: Vec<Step>,
    /// Expression, then its name in both languages.
    queries: Vec<[String; 3]>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Step {
    Colour(String),
    From(f64),
}

fn quarter() -> u32 {
    6
}

fn source() -> Source {
    toml_edit::de::from_str(&read("grafana/dashboards.toml")).expect("deploy/grafana/dashboards.toml")
}

/// Every query as Prometheus gets it from Grafana: all queues and trunks, over a time that the tests fill.
pub fn queries() -> BTreeSet<String> {
    let panels = source().dashboard.into_iter().flat_map(|dashboard| dashboard.panel);
    let filled = |expr: &str| {
        let expr = expr.replace("$__rate_interval", "30s").replace("$__range", "10m");
        expr.replace("$queue", ".*").replace("$trunk", ".*")
    };
    panels.flat_map(|panel| panel.queries).map(|[expr, ..]| filled(&expr)).collect()
}

impl Dashboard {
    fn render(&self, language: usize) -> Value {
        let (mut x, mut y, mut row) = (0, 0, 0);
        let mut panels = Vec::new();
        for (n, panel) in self.panel.iter().enumerate() {
            let h = panel.h.unwrap_or(if panel.kind == Kind::Stat { 4 } else { 8 });
            if x + panel.w > 24 {
                (x, y, row) = (0, y + row, 0);
            }
            panels.push(panel.render(n + 1, language, json!({ "x": x, "y": y, "w": panel.w, "h": h })));
            (x, row) = (x + panel.w, row.max(h));
        }
        let lang = LANGUAGES[language];
        json!({
            "uid": format!("rexian-{}-{lang}", self.file),
            "title": ([&self.zh, &self.en][language]),
            "tags": ["rexian", lang],
            "schemaVersion": SCHEMA,
            "version": 1,
            "editable": false,
            "graphTooltip": 1,
            "timezone": "browser",
            "time": { "from": self.from, "to": "now" },
            "refresh": self.refresh,
            "links": [{
                "type": "dashboards", "title": (["热线", "Hotline"][language]), "tags": ["rexian", lang], "asDropdown": true,
                "icon": "external link", "tooltip": "", "url": "", "targetBlank": false, "includeVars": true, "keepTime": true
            }],
            "annotations": { "list": [] },
            "templating": { "list": self.variables(language) },
            "panels": panels,
        })
    }

    fn variables(&self, language: usize) -> Vec<Value> {
        let source = json!({
            "name": "datasource", "type": "datasource", "label": (["数据源", "Data source"][language]), "query": "prometheus",
            "regex": "", "multi": false, "includeAll": false, "hide": 0, "refresh": 1, "options": []
        });
        let of = |name: &String| {
            let (label, metric) = match name.as_str() {
                "queue" => (["队列", "Queue"], "rexian_queue_info"),
                "trunk" => (["中继", "Trunk"], "rexian_trunk_up"),
                other => panic!("no such variable: {other}"),
            };
            let query = format!("label_values({metric}, {name})");
            json!({
                "name": name, "type": "query", "label": label[language], "datasource": datasource(),
                "query": { "query": query, "refId": "variable" }, "refresh": 2, "sort": 1, "regex": "",
                "multi": true, "includeAll": true, "allValue": ".*", "hide": 0, "options": [],
                "current": { "text": "All", "value": "$__all" }
            })
        };
        std::iter::once(source).chain(self.variables.iter().map(of)).collect()
    }
}

impl Panel {
    fn render(&self, id: usize, language: usize, place: Value) -> Value {
        let instant = matches!(self.kind, Kind::Stat | Kind::Bargauge | Kind::Table);
        let target = |(n, query): (usize, &[String; 3])| {
            json!({
                "refId": ((b'A' + n as u8) as char).to_string(), "datasource": datasource(), "expr": query[0],
                "legendFormat": query[1 + language], "instant": instant, "range": !instant,
                "format": if self.kind == Kind::Table { "table" } else { "time_series" }
            })
        };
        let steps: Vec<Value> = match &self.steps[..] {
            [] => vec![json!({ "color": "text", "value": null })],
            steps => {
                let mut from = Value::Null;
                let mut all = Vec::new();
                for step in steps {
                    match step {
                        Step::From(value) => from = json!(value),
                        Step::Colour(colour) => all.push(json!({ "color": colour, "value": from })),
                    }
                }
                all
            }
        };
        let by_threshold = instant && !self.steps.is_empty();
        let mut defaults = json!({
            "unit": self.unit,
            "min": 0,
            "thresholds": { "mode": "absolute", "steps": steps },
            "color": { "mode": if by_threshold { "thresholds" } else { "palette-classic" } },
        });
        if let Some(max) = self.max {
            defaults["max"] = json!(max);
        }
        if self.unit == "percentunit" {
            defaults["decimals"] = json!(2);
        } else if self.unit == "short" && self.kind == Kind::Stat {
            defaults["decimals"] = json!(0);
        }
        if let Kind::Timeseries | Kind::Bars = self.kind {
            let bars = self.kind == Kind::Bars;
            defaults["custom"] = json!({
                "drawStyle": if bars { "bars" } else { "line" },
                "fillOpacity": if bars { 60 } else { 10 },
                "lineWidth": 1,
                "showPoints": "never",
                "spanNulls": false,
                "stacking": { "mode": if bars { "normal" } else { "none" }, "group": "A" },
                "thresholdsStyle": { "mode": if self.steps.is_empty() { "off" } else { "dashed" } },
            });
        }
        let reduce = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
        let options = match self.kind {
            Kind::Stat => json!({
                "reduceOptions": reduce, "colorMode": "value", "graphMode": "none", "justifyMode": "auto",
                "orientation": "auto", "textMode": if self.queries[0][1].contains("{{version") { "name" } else { "auto" },
                "wideLayout": true, "percentChangeColorMode": "standard", "showPercentChange": false
            }),
            Kind::Bargauge => json!({
                "reduceOptions": reduce, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": true,
                "minVizHeight": 16, "minVizWidth": 8, "maxVizHeight": 300, "namePlacement": "auto", "sizing": "auto",
                "valueMode": "color", "legend": { "showLegend": false, "displayMode": "list", "placement": "bottom", "calcs": [] }
            }),
            Kind::Table => json!({ "cellHeight": "sm", "showHeader": true, "frameIndex": 0 }),
            Kind::Timeseries | Kind::Bars => json!({
                "legend": { "showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": [] },
                "tooltip": { "mode": "multi", "sort": "desc" }
            }),
        };
        let kind = match self.kind {
            Kind::Stat => "stat",
            Kind::Timeseries | Kind::Bars => "timeseries",
            Kind::Bargauge => "bargauge",
            Kind::Table => "table",
        };
        let mut panel = json!({
            "id": id, "type": kind, "title": ([&self.zh, &self.en][language]),
            "description": ([&self.help_zh, &self.help_en][language]), "gridPos": place, "datasource": datasource(),
            "targets": self.queries.iter().enumerate().map(target).collect::<Vec<_>>(),
            "fieldConfig": { "defaults": defaults, "overrides": [] }, "options": options,
        });
        if self.kind == Kind::Table {
            let hide = json!({ "excludeByName": { "Time": true, "job": true, "instance": true, "window": true } });
            panel["transformations"] = json!([{ "id": "organize", "options": hide }]);
        }
        panel
    }
}

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

#[test]
fn the_dashboards_are_what_their_source_says_in_both_languages() {
    for dashboard in source().dashboard {
        for (language, lang) in LANGUAGES.iter().enumerate() {
            let path = format!("grafana/dashboards/{lang}/{}.json", dashboard.file);
            let text = format!("{:#}\n", dashboard.render(language));
            if std::env::var_os("REXIAN_WRITE_DASHBOARDS").is_some() {
                std::fs::write(deploy(&path), &text).expect("writing a dashboard");
            }
            assert!(read(&path) == text, "{path} is out of date: run this test with REXIAN_WRITE_DASHBOARDS=1");
        }
    }
}

/// What is there beside the source's is looked at as Grafana would read it.
#[test]
fn each_pair_of_dashboards_asks_the_same_and_breaks_no_rule_of_grafana() {
    let mut uids = BTreeSet::new();
    let mut files = 0;
    for entry in std::fs::read_dir(deploy("grafana/dashboards/zh")).expect("the folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        let [zh, en] = LANGUAGES.map(|lang| -> Value {
            serde_json::from_str(&read(&format!("grafana/dashboards/{lang}/{name}"))).expect("JSON")
        });
        files += 1;
        let asked = |dashboard: &Value| -> Vec<Value> {
            let panels = dashboard["panels"].as_array().expect("panels").iter();
            panels.map(|p| json!([p["type"], p["gridPos"], p["fieldConfig"], exprs(p)])).collect()
        };
        assert_eq!(asked(&zh), asked(&en), "{name}");
        for dashboard in [&zh, &en] {
            let uid = dashboard["uid"].as_str().expect("a uid");
            assert!(uid.len() <= 40 && uids.insert(uid.to_owned()), "{uid}");
            let variables: Vec<&str> = dashboard["templating"]["list"]
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(|v| v["name"].as_str())
                .collect();
            let mut taken = BTreeSet::new();
            for panel in dashboard["panels"].as_array().expect("panels") {
                let at = |key: &str| panel["gridPos"][key].as_u64().expect("a number");
                for x in at("x")..at("x") + at("w") {
                    for y in at("y")..at("y") + at("h") {
                        assert!(x < 24 && taken.insert((x, y)), "{uid}: {} overlaps or sticks out", panel["title"]);
                    }
                }
                for expr in exprs(panel) {
                    for word in expr.split('$').skip(1) {
                        let name: String = word.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                        let known = variables.contains(&name.as_str())
                            || ["__range", "__rate_interval"].contains(&name.as_str());
                        assert!(known, "{uid}: ${name} in {expr}");
                    }
                }
                assert!(!panel["title"].as_str().expect("a title").is_empty());
            }
        }
        assert!(zh["title"].as_str().is_some_and(|t| !t.is_ascii()) && en["title"].as_str().is_some_and(str::is_ascii));
    }
    assert_eq!(files, source().dashboard.len(), "a file without a source");
}

fn exprs(panel: &Value) -> Vec<String> {
    let targets = panel["targets"].as_array().expect("targets").iter();
    targets.map(|t| t["expr"].as_str().expect("an expression").to_owned()).collect()
}
