//! The agents' tables, and our own calls to citizens. Not here: calls and their figures (the parent).

use super::super::model::{AgentRow, Staff};
use super::super::words::{self, grouped, hms, percent, secs};
use super::{Table, Words};
use crate::event::CallbackKind;
use crate::record::STATES;
use std::time::Duration;

impl Words<'_> {
    pub(super) fn agents(&self) -> Table {
        let row = |(agent, row): (&crate::ids::AgentNo, &AgentRow)| {
            let mean = |sum: Duration| secs((row.talks > 0).then(|| sum.as_secs_f64() / row.talks as f64));
            vec![
                agent.to_string(),
                grouped(row.calls),
                hms(row.talk),
                hms(row.hold),
                hms(row.wrap_up),
                mean(row.talk),
                secs(row.handle_time()),
                percent(row.staff.occupancy()),
                hms(row.staff.signed_in()),
                hms(row.staff.on_break()),
                hms(row.staff.not_ready()),
                grouped(row.offered),
                grouped(row.missed),
                grouped(row.declined + row.unreachable),
                grouped(row.passed_on),
                grouped(row.back),
                grouped(row.own),
            ]
        };
        let head = [
            self.t("工号", "agent"),
            self.t("接听", "calls"),
            self.t("通话", "talk"),
            self.t("其中保持", "of it hold"),
            self.t("整理", "wrap-up"),
            self.t("平均通话s", "mean talk s"),
            self.t("平均处理s", "AHT s"),
            self.t("利用率", "occupancy"),
            self.t("签入时长", "signed in"),
            self.t("小休", "break"),
            self.t("未就绪", "not ready"),
            self.t("派话", "offers"),
            self.t("未应答", "missed"),
            self.t("拒接/不通", "refused"),
            self.t("转出", "passed on"),
            self.t("回拨", "callbacks"),
            self.t("外呼", "own calls"),
        ];
        Table {
            id: "agents",
            title: self.t("按座席", "By agent"),
            note: self
                .t(
                    "接听按接起时刻计入当日；时长按钟点计，跨零点者切开。通话含保持；利用率 = (通话+保持+整理)/(通话+保持+整理+空闲)。",
                    "Calls count on the day they were picked up; times go by the clock, cut at midnight. Talk includes hold; \
                     occupancy = (talk + hold + wrap-up) / (talk + hold + wrap-up + ready).",
                )
                .into(),
            head: head.map(str::to_owned).into(),
            numbers_from: 1,
            rows: self.report.agents.iter().map(row).collect(),
            total: false,
        }
    }

    /// Where each agent's time went.
    pub(super) fn states(&self) -> Table {
        // A state nobody was in needs no column.
        let all = self.staff();
        let seen: Vec<usize> = (0..STATES.len()).filter(|state| !all.0[*state].is_zero()).collect();
        let mut head = vec![self.t("工号", "agent").to_owned()];
        head.extend(seen.iter().map(|state| words::state(self.language, STATES[*state].0).to_owned()));
        let row = |name: String, staff: &Staff| {
            let mut cells = vec![name];
            cells.extend(seen.iter().map(|state| hms(staff.0[*state])));
            cells
        };
        let agents = self.report.agents.iter().filter(|(_, agent)| !agent.staff.signed_in().is_zero());
        let mut rows: Vec<_> = agents.map(|(agent, data)| row(agent.to_string(), &data.staff)).collect();
        let total = !rows.is_empty();
        if total {
            rows.push(row(self.t("合计", "total").into(), &all));
        }
        Table {
            id: "agent_states",
            title: self.t("座席状态时长", "Agents' time by state"),
            note: String::new(),
            head,
            numbers_from: 1,
            rows,
            total,
        }
    }

    pub(super) fn back(&self) -> Table {
        let kinds = [
            (CallbackKind::Promised, self.t("市民选择的回拨", "callbacks taken by citizens")),
            (CallbackKind::Missed, self.t("漏接回拨", "missed calls called back")),
        ];
        let row = |(kind, name): (CallbackKind, &str)| {
            let back = self.report.total.back(kind);
            let share = (back.made > 0).then(|| back.reached as f64 / back.made as f64);
            (back.made > 0).then(|| vec![name.to_owned(), grouped(back.made), grouped(back.reached), percent(share)])
        };
        Table {
            id: "callbacks",
            title: self.t("回拨（不计入以上各率）", "Calls back (in none of the rates above)"),
            note: String::new(),
            head: [
                self.t("类别", "kind"),
                self.t("拨出", "made"),
                self.t("接通", "reached"),
                self.t("接通比例", "share"),
            ]
            .map(Into::into)
            .into(),
            numbers_from: 1,
            rows: kinds.into_iter().filter_map(row).collect(),
            total: false,
        }
    }
}
