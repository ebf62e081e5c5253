//! The page of rules as a table. Not here: judging them (`compliance`).

use super::super::compliance::{Figure, Rule, Verdict};
use super::super::words::{Language, grouped, percent};
use super::{Table, Words};

impl Words<'_> {
    pub(super) fn compliance(&self) -> Table {
        let row = |rule: &Rule| {
            let of = |[zh, en]: &[String; 2]| if self.language == Language::Zh { zh.clone() } else { en.clone() };
            vec![
                rule.source.to_owned(),
                of(&rule.text),
                self.figure(rule),
                self.verdict(rule.verdict).to_owned(),
                self.t(rule.formula[0], rule.formula[1]).to_owned(),
                of(&rule.from),
            ]
        };
        let head = [
            self.t("依据", "source"),
            self.t("要求", "rule"),
            self.t("结果", "figure"),
            self.t("结论", "verdict"),
            self.t("公式", "formula"),
            self.t("数据来源", "from"),
        ];
        Table {
            id: "compliance",
            title: self.t("GB/T 33358-2016 符合性", "Compliance with GB/T 33358-2016"),
            note: self
                .t(
                    "无数据 = 本系统未计量；仅列示 = 该要求没有数量界限。",
                    "No data: nothing measures it here. Shown only: the rule sets no limit that a number could break.",
                )
                .into(),
            head: head.map(str::to_owned).into(),
            numbers_from: 9,
            rows: self.report.rules.iter().map(row).collect(),
            total: false,
        }
    }

    fn figure(&self, rule: &Rule) -> String {
        let window = self.report.worst.filter(|_| rule.id == "connection_rate").map(|window| {
            let period = self.report.period;
            let at = format!("{} {}", period.date_of(window.ends), period.clock(window.ends));
            match self.language {
                Language::Zh => format!("，最低窗口止于 {at}"),
                Language::En => format!(", the worst 24 h end at {at}"),
            }
        });
        match &rule.figure {
            Figure::None => "–".into(),
            Figure::Share { part, of } => {
                let share = percent(Some(*part as f64 / *of as f64));
                format!("{share} ({}/{}){}", grouped(*part), grouped(*of), window.unwrap_or_default())
            }
            Figure::Count(n) => grouped(*n),
            Figure::Names(names) => {
                format!("{}{}", self.t("缺：", "missing: "), names.join("、"))
            }
        }
    }

    fn verdict(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Pass => self.t("符合", "pass"),
            Verdict::Fail => self.t("不符合", "fail"),
            Verdict::NoData => self.t("无数据", "no data"),
            Verdict::Noted => self.t("仅列示", "shown only"),
        }
    }
}
