// Who waits: the queues, each with the agents it could have, and the calls in line.

import { make } from "/dom.js";
import { readable } from "/region.js";
import { Rows, cell } from "/rows.js";
import { span } from "/time.js";
import { t } from "/words.js";

const STANDARD = 15e6;

export class Waiting {
  chosen = null;
  #calls = [];
  #agents = [];
  #now = 0;

  constructor(changed) {
    this.changed = changed;
    const [queues, calls] = [make("tbody"), make("tbody")];
    this.queues = new Rows(queues, 5, (cells, queue) => {
      const able = this.#agents.filter((agent) => agent.state !== "logged_out" && (agent.skills ?? []).some(({ skill }) => skill === queue.skill));
      const waits = queue.oldest ? this.#now - queue.oldest : 0;
      cell(cells[0], queue.name);
      cell(cells[1], String(queue.waiting), queue.waiting ? "some" : "");
      cell(cells[2], queue.oldest ? span(waits) : "—", waits > STANDARD ? "late" : "");
      cell(cells[3], String(queue.callbacks));
      const free = able.filter((agent) => agent.state === "ready").length;
      cell(cells[4], `${free} / ${able.length}`, able.length ? "" : "late");
    });
    this.calls = new Rows(calls, 4, (cells, call, row) => {
      row.setAttribute("aria-selected", String(call.call === this.chosen));
      const waits = this.#now - call.asked;
      cell(cells[0], readable(call.caller) || t("withheld"));
      cell(cells[1], call.queue);
      cell(cells[2], span(waits), waits > STANDARD ? "late" : "");
      cell(cells[3], call.moved_up ? t("moved_up") : String(call.priority ?? ""));
    }, { row: { tabindex: "0", onclick: (_, key) => this.#choose(key), onfocus: (_, key) => this.#choose(key), onkeydown: (event) => move(event) } });
    this.none = make("p", { class: "quiet" }, t("nobody_waits"));
    const table = (words, heads, body) => make("table", { "aria-label": t(words) }, make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, t(head))))), body);
    this.queuesElement = make("section", { class: "card queues", "aria-label": t("all_queues") }, make("div", { class: "scroll", tabindex: "0" }, table("all_queues", ["queue", "waiting", "longest", "callbacks", "free_of"], queues)));
    this.line = table("in_line", ["caller", "queue", "waited", "priority"], calls);
    this.callsElement = make("section", { class: "card line", "aria-label": t("in_line") }, make("div", { class: "scroll" }, this.line, this.none));
  }

  get call() {
    return this.#calls.find((call) => call.call === this.chosen) ?? null;
  }

  show({ queues, waiting, agents }, now) {
    [this.#agents, this.#calls, this.#now] = [agents, waiting, now];
    this.queues.show(queues, (queue) => queue.name);
    this.calls.show(waiting, (call) => call.call);
    this.none.hidden = waiting.length > 0;
    if (this.chosen && !this.call) this.#choose(null);
  }

  /** Nobody is known, which is not that nobody waits. */
  blank() {
    this.show({ queues: [], waiting: [], agents: [] }, this.#now);
    this.none.hidden = true;
  }

  tick(now) {
    this.#now = now;
    this.queues.tick();
    this.calls.tick();
  }

  #choose(key) {
    if (this.chosen === key) return;
    this.chosen = key;
    this.calls.tick();
    this.changed();
  }
}

function move(event) {
  const row = event.currentTarget;
  const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
