//! The day as a picture (SVG): arrivals and what became of them, waits, agents by state. Belongs here: drawing, readable
//! on light and dark screens, labelled in Chinese and English. Not here: the figures drawn.

use crate::html::escaped;
use crate::report::grouped;
use crate::sim::forecast::{DAY, Day, Slot, Staff, quantile};
use jiff::civil::Date;
use std::fmt::Write as _;
use std::time::Duration;

const WIDTH: f64 = 1_240.0;
const HEIGHT: f64 = 1_090.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = WIDTH - 36.0;
/// A quarter of an hour.
const SLOT: Duration = Duration::from_secs(900);

/// Name, on light, on dark. As classes, not CSS variables: Office and print tools do not know those.
const COLOURS: [(&str, &str, &str); 15] = [
    ("bg", "#ffffff", "#12181f"),
    ("ink", "#1d2733", "#e8edf3"),
    ("soft", "#5d6b7a", "#9fb0c0"),
    ("grid", "#e3e8ee", "#26313d"),
    ("axis", "#9aa7b4", "#52606e"),
    ("card", "#f3f6f9", "#1a232d"),
    ("answered", "#3f7fbf", "#5b9bd8"),
    ("lost", "#d1495b", "#ef6f80"),
    ("median", "#2f9e8f", "#46c2b1"),
    ("nine", "#d98e04", "#f0ab2e"),
    ("rule", "#8a3ffc", "#b58cff"),
    ("talk", "#2b6cb0", "#4a8fd6"),
    ("wrap", "#8ebbe5", "#2f5f8f"),
    ("ready", "#b5dfbb", "#35653f"),
    ("away", "#c3cad3", "#4a5563"),
];

const FONT: &str = "text{font-family:'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',\
'WenQuanYi Zen Hei',sans-serif}.t{font-size:25px;font-weight:600}.h{font-size:16px;font-weight:600}.s{font-size:13px}\
.a{font-size:12px}.c{font-size:11.5px}.v{font-size:23px;font-weight:600}.end{text-anchor:end}.mid{text-anchor:middle}.g{stroke-width:1}";

fn style() -> String {
    let classes = |pick: fn(&(&'static str, &'static str, &'static str)) -> &'static str| -> String {
        let class = |c: (&'static str, &'static str, &'static str)| {
            let (name, colour) = (c.0, pick(&c));
            format!(".f-{name}{{fill:{colour}}}.s-{name}{{stroke:{colour}}}")
        };
        COLOURS.into_iter().map(class).collect()
    };
    format!("{FONT}{}@media(prefers-color-scheme:dark){{{}}}", classes(|c| c.1), classes(|c| c.2))
}

/// One chart's place and scale.
struct Panel {
    top: f64,
    bottom: f64,
    most: f64,
}

impl Panel {
    fn x(at: Duration) -> f64 {
        LEFT + (RIGHT - LEFT) * at.as_secs_f64() / DAY.as_secs_f64()
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * (value / self.most).clamp(0.0, 1.0)
    }

    /// Grid, hours and scale.
    fn frame(&self, svg: &mut String, unit: &str) {
        let step = step(self.most);
        let mut value = 0.0;
        while value <= self.most + 1e-9 {
            let y = self.y(value);
            let class = if value == 0.0 { "axis" } else { "grid" };
            let _ = write!(svg, "<line class='g s-{class}' x1='{LEFT}' x2='{RIGHT}' y1='{y:.1}' y2='{y:.1}'/>");
            let _ =
                write!(svg, "<text class='a end f-soft' x='{:.1}' y='{:.1}'>{value}{unit}</text>", LEFT - 8.0, y + 4.0);
            value += step;
        }
        for hour in (0..=24).step_by(2) {
            let x = Panel::x(Duration::from_secs(3_600 * hour));
            let (low, high) = (self.bottom, self.bottom + 5.0);
            let _ = write!(svg, "<line class='g s-axis' x1='{x:.1}' x2='{x:.1}' y1='{low:.1}' y2='{high:.1}'/>");
            let _ =
                write!(svg, "<text class='a mid f-soft' x='{x:.1}' y='{:.1}'>{hour:02}:00</text>", self.bottom + 19.0);
        }
    }
}

pub fn draw(date: Date, day: &Day, what_if: &str) -> String {
    let slots = day.slots(SLOT);
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' height='{HEIGHT}' role='img'>\
         <title>热线一天的预测 forecast of a day, {date}</title><style>{}</style>\
         <rect width='{WIDTH}' height='{HEIGHT}' class='f-bg'/>\
         <text class='t f-ink' x='{LEFT}' y='48'>12345 热线话务预测 Forecast of the day</text>\
         <text class='s end f-soft' x='{RIGHT}' y='48'>{date}　{}</text>",
        style(),
        escaped(what_if)
    );
    cards(&mut svg, day);
    arrivals(&mut svg, &slots);
    waits(&mut svg, day, &slots);
    agents(&mut svg, &slots);
    let _ = writeln!(
        svg,
        "<text class='a f-soft' x='{LEFT}' y='{:.1}'>Rexian simulate：真实的网关程序，虚拟的市民、座席与时间　\
         the real gateway; citizens, agents and time are simulated. 每 15 分钟一格 one step is 15 minutes.</text></svg>",
        HEIGHT - 16.0
    );
    svg
}

fn cards(svg: &mut String, day: &Day) {
    let total = day.total.total();
    let figure = |id: &str| day.total.figures().into_iter().find(|f| f.id == id).and_then(|f| f.value);
    let percent = |ratio: Option<f64>| ratio.map_or("–".into(), |r| format!("{:.1} %", 100.0 * r));
    let seconds = |s: Option<f64>| s.map_or("–".into(), |s| format!("{s:.0} s"));
    let n = day.within.as_secs_f64();
    let mut staff = Staff::default();
    for slot in day.slots(DAY) {
        staff = slot.staff;
    }
    let cards = [
        (grouped(day.calls.len() as u64), "来电 calls".to_owned()),
        (percent(figure("connection_rate")), "接通率 connection".into()),
        (percent(figure("service_level")), format!("{n}秒人工接通率 service")),
        (percent(figure("timely_answer")), format!("{n}秒应答及时率 timely")),
        (seconds(figure("average_speed_of_answer")), "平均等待 mean wait".into()),
        (seconds(Some(total.longest_wait.as_secs_f64())), "最长等待 longest wait".into()),
        (percent(staff.occupancy()), "工时利用率 occupancy".into()),
    ];
    let gap = 12.0;
    let width = (RIGHT - LEFT - gap * (cards.len() - 1) as f64) / cards.len() as f64;
    for (i, (value, name)) in cards.iter().enumerate() {
        let x = LEFT + i as f64 * (width + gap);
        let middle = x + width / 2.0;
        let _ = write!(
            svg,
            "<rect x='{x:.1}' y='68' width='{width:.1}' height='72' rx='8' class='f-card'/>\
             <text class='v mid f-ink' x='{middle:.1}' y='102'>{value}</text>\
             <text class='c mid f-soft' x='{middle:.1}' y='126'>{name}</text>"
        );
    }
}

fn arrivals(svg: &mut String, slots: &[Slot]) {
    let panel = Panel {
        top: 214.0,
        bottom: 404.0,
        most: rounded(slots.iter().map(|s| f64::from(s.offered)).fold(4.0, f64::max)),
    };
    heading(svg, 182.0, "来电与接通", "Calls and answers, per 15 min");
    legend(svg, 182.0, &[("answered", "接通 answered"), ("lost", "未接通 not answered")]);
    panel.frame(svg, "");
    for slot in slots {
        let x = Panel::x(slot.from) + 1.0;
        let width = Panel::x(slot.from + SLOT) - x - 1.0;
        let (answered, all) = (panel.y(f64::from(slot.answered)), panel.y(f64::from(slot.offered)));
        let mut bar = |top: f64, bottom: f64, colour: &str| {
            if bottom - top > 0.05 {
                let height = bottom - top;
                let _ = write!(
                    svg,
                    "<rect x='{x:.1}' y='{top:.1}' width='{width:.1}' height='{height:.1}' class='f-{colour}'/>"
                );
            }
        };
        bar(answered, panel.bottom, "answered");
        bar(all, answered, "lost");
    }
}

fn waits(svg: &mut String, day: &Day, slots: &[Slot]) {
    let n = day.within.as_secs_f64();
    let at = |share: f64| -> Vec<Option<f64>> { slots.iter().map(|s| quantile(&s.waits, share)).collect() };
    let (median, nine) = (at(0.5), at(0.9));
    let top = nine.iter().flatten().copied().fold(1.4 * n, f64::max);
    let panel = Panel { top: 494.0, bottom: 684.0, most: rounded(top) };
    heading(svg, 462.0, "接通者的等待", "Waits of those answered");
    legend(svg, 462.0, &[("median", "中位数 half waited at most"), ("nine", "九成 nine in ten at most")]);
    panel.frame(svg, " s");
    let y = panel.y(n);
    let _ = write!(
        svg,
        "<line x1='{LEFT}' x2='{RIGHT}' y1='{y:.1}' y2='{y:.1}' class='s-rule' stroke-width='1.3' stroke-dasharray='6 4'/>\
         <text class='a f-rule' x='{:.1}' y='{:.1}'>{n} 秒标准 standard</text>",
        LEFT + 6.0,
        y - 5.0
    );
    line(svg, &panel, slots, &nine, "nine");
    line(svg, &panel, slots, &median, "median");
}

/// Steps from slot to slot; a gap where nobody was answered.
fn line(svg: &mut String, panel: &Panel, slots: &[Slot], values: &[Option<f64>], colour: &str) {
    let mut path = String::new();
    let mut drawing = false;
    for (slot, value) in slots.iter().zip(values) {
        if let Some(value) = value {
            let y = panel.y(*value);
            let verb = if drawing { 'L' } else { 'M' };
            let _ = write!(path, "{verb}{:.1} {y:.1}H{:.1}", Panel::x(slot.from), Panel::x(slot.from + SLOT));
        }
        drawing = value.is_some();
    }
    let _ = write!(svg, "<path d='{path}' fill='none' class='s-{colour}' stroke-width='2.2' stroke-linejoin='round'/>");
}

/// Name, colour and height of each layer, the lowest first.
type Layer = (&'static str, &'static str, fn(&Staff) -> f64);

const LAYERS: [Layer; 5] = [
    ("通话 talking", "talk", |s| s.talking),
    ("话后整理 wrap-up", "wrap", |s| s.wrap_up),
    ("振铃 ringing", "nine", |s| s.ringing),
    ("空闲 ready", "ready", |s| s.ready),
    ("未就绪 not ready", "away", |s| s.not_ready),
];

fn agents(svg: &mut String, slots: &[Slot]) {
    let panel =
        Panel { top: 774.0, bottom: 1_014.0, most: rounded(slots.iter().map(|s| s.staff.all()).fold(4.0, f64::max)) };
    heading(svg, 742.0, "座席状态", "Agents by state");
    // A state nobody was in all day needs no colour.
    let layers: Vec<Layer> =
        LAYERS.into_iter().filter(|(_, _, of)| slots.iter().map(|s| of(&s.staff)).sum::<f64>() > 0.01).collect();
    legend(svg, 742.0, &layers.iter().map(|(name, colour, _)| (*colour, *name)).collect::<Vec<_>>());
    panel.frame(svg, "");
    let mut floor = vec![0.0; slots.len()];
    for (_, colour, of) in &layers {
        let ceiling: Vec<f64> = slots.iter().zip(&floor).map(|(slot, floor)| floor + of(&slot.staff)).collect();
        let mut path = format!("M{LEFT} {:.1}", panel.y(floor[0]));
        for (slot, height) in slots.iter().zip(&ceiling) {
            let _ =
                write!(path, "L{:.1} {:.1}H{:.1}", Panel::x(slot.from), panel.y(*height), Panel::x(slot.from + SLOT));
        }
        for (slot, height) in slots.iter().zip(&floor).rev() {
            let _ =
                write!(path, "L{:.1} {:.1}H{:.1}", Panel::x(slot.from + SLOT), panel.y(*height), Panel::x(slot.from));
        }
        let _ = write!(svg, "<path d='{path}Z' class='f-{colour}'/>");
        floor = ceiling;
    }
}

fn heading(svg: &mut String, y: f64, zh: &str, en: &str) {
    let _ =
        write!(svg, "<text class='h f-ink' x='{LEFT}' y='{y}'>{zh}<tspan class='s f-soft' dx='8'>{en}</tspan></text>");
}

/// From the right edge leftwards.
fn legend(svg: &mut String, y: f64, entries: &[(&str, &str)]) {
    let mut x = RIGHT;
    for (colour, name) in entries.iter().rev() {
        let width: f64 = name.chars().map(|c| if c.is_ascii() { 6.3 } else { 13.0 }).sum::<f64>() + 22.0;
        x -= width;
        let _ = write!(
            svg,
            "<rect x='{x:.1}' y='{:.1}' width='12' height='12' rx='2' class='f-{colour}'/>\
             <text class='s f-soft' x='{:.1}' y='{y}'>{name}</text>",
            y - 11.0,
            x + 17.0
        );
        x -= 14.0;
    }
}

/// The next half step.
fn rounded(most: f64) -> f64 {
    let step = step(most) / 2.0;
    (most / step).ceil() * step
}

/// Four to eight steps of 1, 2 or 5.
fn step(most: f64) -> f64 {
    let rough = most / 6.0;
    let power = 10f64.powf(rough.log10().floor()).max(1.0);
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= rough).unwrap_or(10.0 * power)
}
