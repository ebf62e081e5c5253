// Who is doing what: every agent in a row, whoever needs the leader first. The order stands still while one points at it or moves
// in it by the arrow keys.

import { make } from "/dom.js";
import { readable } from "/region.js";
import { Rows, cell } from "/rows.js";
import { span } from "/time.js";
import { skillName, t } from "/words.js";

/** A shape for each state beside its word and colour. */
const SHAPES = { ready: "●", reserved: "▲", talking: "■", hold: "▬", wrap_up: "◆", engaged: "□", not_ready: "○", logged_out: "–" };
const STATES = Object.keys(SHAPES);
/** From when on a state is worth a look. */
const LONG = { talking: 600e6, hold: 120e6, wrap_up: 180e6, reserved: 15e6, not_ready: 1200e6 };

const COLUMNS = {
  state: (agent, now) => [rank(agent, now), agent.since],
  agent: (agent) => [agent.agent],
  time: (agent) => [agent.since],
  caller: (agent) => [agent.call ? 0 : 1, agent.call?.queue ?? ""],
  skills: (agent) => [agent.skills?.[0]?.skill ?? "~"],
};

export class Floor {
  chosen = null;
  #agents = [];
  #sort = ["state", 1];
  #now = 0;

  /** `changed()`: another agent was chosen. */
  constructor(changed) {
    this.changed = changed;
    this.counts = make("p", { class: "counts" });
    this.all = make("input", { type: "checkbox", onchange: () => this.#order() });
    const head = (column) => make("th", { scope: "col", "aria-sort": "none", "data-column": column }, make("button", { type: "button", class: "plain", onclick: () => this.#sortBy(column) }, t(`floor_${column}`)));
    this.heads = Object.keys(COLUMNS).map(head);
    this.body = make("tbody");
    this.rows = new Rows(this.body, 5, (cells, agent, row) => this.#fill(cells, agent, row), {
      head: false,
      row: { tabindex: "-1", onclick: (_, key) => this.#choose(key), onfocus: (_, key) => this.#choose(key), onkeydown: (event, key) => this.#move(event, key) },
    });
    this.table = make("table", { "aria-label": t("agents") }, make("thead", {}, make("tr", {}, this.heads)), this.body);
    this.element = make("section", { class: "card floor", "aria-label": t("agents") },
      make("div", { class: "with" }, this.counts, make("label", { class: "tick" }, this.all, t("with_logged_out"))),
      make("div", { class: "scroll" }, this.table));
    this.#sortBy("state", true);
  }

  get agent() {
    return this.#agents.find((agent) => agent.agent === this.chosen) ?? null;
  }

  show(agents, now) {
    this.#agents = agents;
    this.#now = now;
    const by = (state) => agents.filter((agent) => agent.state === state).length;
    this.counts.replaceChildren(...STATES.map((state) => make("span", { "data-is": state }, make("span", { class: "shape", "aria-hidden": "true" }, SHAPES[state]), ` ${t(`state_${state}`)} ${by(state)}`)));
    this.#order();
  }

  /** Nobody is known, which is not that nobody is there. */
  blank() {
    this.show([], this.#now);
    this.counts.replaceChildren();
  }

  tick(now) {
    this.#now = now;
    this.rows.tick();
  }

  focus() {
    (this.rows.element(this.chosen) ?? this.body.firstElementChild)?.focus();
  }

  #order() {
    const [column, up] = this.#sort;
    const still = this.element.matches(":has(tbody:hover, tr:focus)");
    const before = new Map([...this.body.children].map((row, n) => [row.dataset.key, n]));
    const shown = this.#agents.filter((agent) => this.all.checked || agent.state !== "logged_out" || agent.agent === this.chosen);
    const keys = new Map(shown.map((agent) => [agent, COLUMNS[column](agent, this.#now)]));
    shown.sort((a, b) => (still ? (before.get(a.agent) ?? 1e9) - (before.get(b.agent) ?? 1e9) : 0) || compare(keys.get(a), keys.get(b)) * up || compare([a.agent], [b.agent]));
    this.rows.show(shown, (agent) => agent.agent);
    // One row is where Tab leads.
    const own = this.rows.element(this.chosen) ?? this.body.firstElementChild;
    for (const row of this.body.children) row.tabIndex = row === own ? 0 : -1;
  }

  #sortBy(column, fresh = false) {
    this.#sort = [column, !fresh && this.#sort[0] === column ? -this.#sort[1] : 1];
    for (const head of this.heads) head.setAttribute("aria-sort", head.dataset.column !== column ? "none" : this.#sort[1] > 0 ? "ascending" : "descending");
    this.#order();
  }

  #fill([state, agent, time, caller, skills], one, row) {
    const is = one.reason ? t(`reason_${one.reason}`) : t(`state_${one.state}`);
    row.dataset.is = one.reason === "unreachable" ? "unreachable" : one.state;
    row.classList.toggle("problem", rank(one, this.#now) < STATES.length);
    row.setAttribute("aria-selected", String(one.agent === this.chosen));
    const shape = one.help ? "!" : SHAPES[one.state];
    if (state.dataset.text !== shape + is + !!one.help) {
      state.dataset.text = shape + is + !!one.help;
      state.title = one.help ? `${is} · ${t("asks_help")}` : is;
      state.replaceChildren(make("span", { class: "shape", "aria-hidden": "true" }, shape), ` ${is}`, one.help ? make("strong", { class: "help" }, t("asks_help")) : "");
    }
    cell(agent, [one.agent, one.seat && `@${one.seat}`, one.team].filter(Boolean).join(" "));
    const [since, long] = [this.#now - one.since, LONG[one.state]];
    cell(time, one.state === "logged_out" ? "" : span(since), long && since > long ? "late" : "");
    const heard = one.listened_by ? ` · ${t(`heard_${one.listened_by.mode}`, { s: one.listened_by.agent })}` : "";
    const party = one.call?.party ? ` + ${one.call.party.to}` : "";
    cell(caller, one.call ? `${one.call.queue} · ${readable(one.call.caller) || t("withheld")}${party}${heard}` : "");
    cell(skills, (one.skills ?? []).map(({ skill, level }) => `${skillName(skill)} ${level}`).join("  "));
  }

  #choose(key) {
    if (this.chosen === key) return;
    this.chosen = key;
    for (const row of this.body.children) {
      row.setAttribute("aria-selected", String(row.dataset.key === key));
      row.tabIndex = row.dataset.key === key ? 0 : -1;
    }
    this.changed();
  }

  #move(event, key) {
    const row = this.rows.element(key);
    const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling, Home: this.body.firstElementChild, End: this.body.lastElementChild }[event.key];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}

/** Who needs the leader comes first; below `STATES.length` it is a problem. */
function rank({ state, reason, since, help }, now) {
  if (help) return 0;
  if (reason === "unreachable") return 1;
  if (["no_answer", "declined"].includes(reason)) return 2;
  if (LONG[state] && now - since > LONG[state]) return 3;
  return STATES.length + ["reserved", "hold", "talking", "wrap_up", "ready", "engaged", "not_ready", "logged_out"].indexOf(state);
}

function compare(a, b) {
  for (let n = 0; n < a.length; n++) if (a[n] !== b[n]) return a[n] < b[n] ? -1 : 1;
  return 0;
}
