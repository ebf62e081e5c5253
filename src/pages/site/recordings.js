// Calls that are over, and what was recorded of them, for whoever leads the shift. Each recording that is played is written down with the
// call's ticket; none is fetched before somebody plays it.

import { ask } from "/ask.js";
import { make } from "/dom.js";
import { readable } from "/region.js";
import { Rows, cell } from "/rows.js";
import { clock, span } from "/time.js";
import { t } from "/words.js";

const SHOWN = 200;
const micros = (moment) => (moment ? Date.parse(moment) * 1000 : 0);

export class Recordings {
  #calls = [];
  #chosen = null;

  constructor() {
    const body = make("tbody");
    this.rows = new Rows(body, 6, (cells, call, row) => {
      row.setAttribute("aria-selected", String(call.call === this.#chosen));
      cell(cells[0], `${(call.begun_at ?? "").slice(5, 10)} ${clock(micros(call.begun_at))}`);
      cell(cells[1], readable(call.src) || t("withheld"));
      cell(cells[2], call.queue ?? "—");
      cell(cells[3], agents(call));
      cell(cells[4], span(call.wait_s * 1e6));
      cell(cells[5], span(talked(call)));
    }, { row: { tabindex: "0", onclick: (_, key) => this.#choose(key), onkeydown: (event, key) => this.#move(event, key) } });
    this.search = make("input", { type: "search", "aria-label": t("find_call"), placeholder: t("find_call"), oninput: () => this.#show() });
    this.none = make("p", { class: "quiet" });
    this.found = make("div", { class: "found", role: "status" }, make("p", { class: "quiet" }, t("choose_recorded")));
    const heads = ["rec_at", "caller", "queue", "agent", "waited", "talked"].map((head) => make("th", { scope: "col" }, t(head)));
    this.element = make("div", { class: "console recordings" },
      make("section", { class: "card calls", "aria-label": t("calls_over") },
        make("div", { class: "with" }, this.search, make("button", { type: "button", onclick: () => this.watch() }, t("look_again"))),
        this.none, make("div", { class: "scroll" }, make("table", { "aria-label": t("calls_over") }, make("thead", {}, make("tr", {}, heads)), body))),
      make("section", { class: "card", "aria-label": t("recordings") }, make("h2", {}, t("recordings")), this.found,
        make("p", { class: "quiet" }, t("audited"))));
  }

  async watch() {
    const found = await ask(`/v1/calls?limit=${SHOWN}`);
    this.#calls = found.ok ? found.body.calls.filter((call) => talked(call) > 0) : [];
    this.none.textContent = found.ok ? (this.#calls.length ? "" : t("no_calls_yet")) : found.body?.detail ?? t("unable_no_answer");
    this.#show();
  }

  #show() {
    const wanted = this.search.value.trim().replace(/\s/g, "");
    const has = (call) => [call.src, agents(call), call.queue, call.call].some((text) => (text ?? "").replace(/\s/g, "").includes(wanted));
    this.rows.show(this.#calls.filter((call) => !wanted || has(call)), (call) => call.call);
  }

  async #choose(call) {
    this.#chosen = call;
    this.rows.tick();
    this.found.replaceChildren(make("p", { class: "quiet" }, t("connecting")));
    const answer = await ask(`/v1/recordings?call=${call}`);
    if (this.#chosen !== call) return;
    const list = answer.body?.recordings ?? [];
    const one = (recording) => make("li", {},
      make("p", {}, `${recording.segment}. ${clock(micros(recording.from))} · ${span(recording.seconds * 1e6)} `,
        recording.complete ? null : make("span", { class: "tag secret" }, t("not_complete"))),
      make("audio", { controls: true, preload: "none", src: recording.audio, "aria-label": `${t("recordings")} ${recording.segment}` }));
    this.found.replaceChildren(list.length ? make("ol", {}, list.map(one)) : make("p", { class: "quiet" }, answer.body?.deleted_at ? `${t("recording_deleted")} ${answer.body.deleted_at.slice(0, 10)}` : answer.ok ? t("not_recorded") : answer.status === 404 ? t("nothing_records") : answer.body?.detail ?? t("unable_no_answer")));
  }

  #move(event, key) {
    const row = this.rows.element(key);
    const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
    if (next) next.focus();
    else if (event.key === "Enter" || event.key === " ") this.#choose(key);
    else return;
    event.preventDefault();
  }
}

const agents = (call) => [...new Set(call.segments.map((segment) => segment.agent).filter(Boolean))].join(" ");
const talked = (call) => call.segments.reduce((sum, segment) => sum + Math.max(0, micros(segment.until ?? call.ended_at) - micros(segment.from)), 0);
