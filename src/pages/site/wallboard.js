// The big screen. Every answer is the whole of it, so that whatever was missed, the next one is right; and it says how old its
// figures are as soon as they are not fresh. The token of the link stands behind the #, which no server ever sees in its log.

import { make, setText } from "/dom.js";
import { Rows, cell } from "/rows.js";
import { clock, span, wait } from "/time.js";
import { language, skillName, t } from "/words.js";

const EVERY = 2000;
const PATIENCE = 5000;
/** Older than this the figures are greyed, and it says so. */
const STALE = 8000;
/** GB/T 33358: connected in 24 h; answered within so many seconds. */
const CONNECTED = 0.95;
const STANDARD = 15;
const LATE = 60;

const token = new URLSearchParams(location.hash.slice(1)).get("token");
const page = document.getElementById("page");
const dash = "—";
const percent = (value) => (value == null ? dash : value >= 0.9995 ? "100%" : `${(value * 100).toFixed(1)}%`);
const seconds = (value) => (value == null ? dash : span(value * 1e6));
const figure = (group, id) => group.figures.find((one) => one.id === id);
const rateMood = (value) => (value == null || value >= CONNECTED ? "" : "bad");
const waitMood = (value) => (value > LATE ? "bad" : value > STANDARD ? "slow" : "");

const tiles = new Map();
function tile(id, kind = "") {
  const parts = { name: make("p", { class: "name" }), value: make("p", { class: "value" }), formula: make("p", { class: "formula" }) };
  tiles.set(id, { ...parts, kind, element: make("section", { class: `tile ${kind}` }, parts.name, parts.value, parts.formula) });
  return tiles.get(id).element;
}

function put(id, label, value, { formula = "", mood = "" } = {}) {
  const tile = tiles.get(id);
  setText(tile.name, label);
  setText(tile.value, value);
  setText(tile.formula, formula);
  tile.element.className = `tile ${tile.kind} ${mood}`;
}

const RATES = ["connection_rate", "connection_rate_24h", "service_level", "timely_answer"];
const COUNTS = ["offered", "answered", "lost"];
const MEANS = ["average_speed_of_answer", "talk_time", "wrap_up_time"];
const AGENTS = ["idle", "ringing", "talking", "wrap_up", "busy", "on_break"];
const COLUMNS = ["skill", "waiting", "longest", "connection", "service", "timely", "answered", "idle", "talking", "wrap_up", "busy", "on_break"];

const time = make("time", { class: "clock" });
const age = make("p", { class: "age", role: "status" });
const body = make("tbody");
const heads = COLUMNS.map((column) => make("th", { scope: "col" }, t(`board_${column}`)));
const rows = new Rows(body, COLUMNS.length, (cells, [skill, group]) => {
  const rate = (id) => figure(group, id)?.value;
  cell(cells[0], skillName(skill));
  cell(cells[1], String(group.waiting), group.waiting ? "slow" : "zero");
  cell(cells[2], group.waiting ? seconds(group.longest_wait_s) : dash, group.waiting ? waitMood(group.longest_wait_s) : "zero");
  ["connection_rate", "service_level", "timely_answer"].forEach((id, n) => cell(cells[3 + n], percent(rate(id)), id === "connection_rate" ? rateMood(rate(id)) : ""));
  cell(cells[6], `${group.today.answered}/${group.today.offered}`);
  ["idle", "talking", "wrap_up", "busy", "on_break"].forEach((is, n) => cell(cells[7 + n], String(group.agents[is]), group.agents[is] ? "" : "zero"));
});

function show(board) {
  const { total } = board;
  const waits = total.waiting > 0;
  for (const column of ["service", "timely"]) setText(heads[COLUMNS.indexOf(column)], t(`board_${column}`, { n: total.within_s ?? "N" }));
  put("waiting", t("board_waiting_now"), String(total.waiting), { mood: waits ? "slow" : "" });
  put("longest", t("board_longest_wait"), waits ? seconds(total.longest_wait_s) : dash, { mood: waits ? waitMood(total.longest_wait_s) : "" });
  for (const id of RATES) {
    const one = figure(total, id);
    if (one) put(id, t(`board_${id}`, { n: total.within_s ?? "N" }), percent(one.value), { formula: one.formula, mood: id.startsWith("connection") ? rateMood(one.value) : "" });
  }
  for (const id of COUNTS) put(id, t(`board_${id}_today`), String(total.today[id]));
  for (const id of MEANS) {
    const one = figure(total, id);
    put(id, t(`board_mean_${id}`), seconds(one?.value));
  }
  for (const id of AGENTS) put(id, t(`board_${id}`), String(total.agents[id]));
  const all = board.trunks.reduce((sum, trunk) => sum + trunk.channels, 0);
  const down = board.trunks.filter((trunk) => !trunk.up).map((trunk) => trunk.name);
  put("channels", down.length ? t("board_trunk_down", { s: down.join(" ") }) : t("board_channels"), `${board.channels_in_use}/${all}`, { mood: down.length ? "bad" : "" });
  const skills = Object.entries(board.skills);
  rows.show(skills, ([skill]) => skill);
  document.body.classList.toggle("many", skills.length > 6);
  document.body.classList.toggle("crowd", skills.length > 10);
}

async function keep() {
  let last = null;
  let trouble = "board_reading";
  setInterval(() => {
    const old = last === null ? Infinity : Date.now() - last;
    document.body.classList.toggle("stale", old > STALE);
    setText(age, old > STALE ? `${t(trouble)}${last === null ? "" : ` · ${t("board_old", { s: span(old * 1000) })}`}` : t("board_live"));
    setText(time, clock(Date.now() * 1000));
  }, 500);
  for (;;) {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const answer = await fetch("/v1/wallboard", { headers, signal: AbortSignal.timeout(PATIENCE) }).catch(() => null);
    const board = answer?.ok ? await answer.json().catch(() => null) : null;
    if (board) {
      show(board);
      page.removeAttribute("aria-busy");
      last = Date.now();
    }
    trouble = [401, 403].includes(answer?.status) ? "board_not_allowed" : "board_no_answer";
    await wait(EVERY);
  }
}

document.documentElement.lang = language();
document.title = t("board_title");
page.replaceChildren(
  make("header", {}, make("h1", {}, make("span", { class: "brand" }, "热线"), ` ${t("board_title")}`), age, time),
  make("div", { class: "first" }, tile("waiting", "huge"), tile("longest", "huge"), RATES.map((id) => tile(id, "huge"))),
  make("div", { class: "second" }, [...COUNTS, ...MEANS, "channels"].map((id) => tile(id))),
  make("div", { class: "third" }, AGENTS.map((id) => tile(id, `agents ${id}`))),
  make("table", {}, make("thead", {}, make("tr", {}, heads)), body));
// A screen on a wall does not sleep.
const awake = () => document.hidden || navigator.wakeLock?.request("screen").catch(() => null);
document.addEventListener("visibilitychange", awake);
awake();
keep();
