// Who waits where this agent's skills are asked for.

import { make } from "/dom.js";
import { Rows, cell } from "/rows.js";
import { span } from "/time.js";
import { t } from "/words.js";

/** Callers are to be answered within this (GB/T 33358). */
const STANDARD = 15e6;

export class Lines {
  #now = 0;

  constructor() {
    const body = make("tbody");
    this.rows = new Rows(body, 4, (cells, queue) => {
      const waits = queue.oldest ? this.#now - queue.oldest : 0;
      cell(cells[0], queue.name);
      cell(cells[1], String(queue.waiting), queue.waiting ? "some" : "");
      cell(cells[2], queue.oldest ? span(waits) : "—", waits > STANDARD ? "late" : "");
      cell(cells[3], String(queue.callbacks));
    });
    const heads = ["queues", "waiting", "longest", "callbacks"];
    this.element = make("section", { class: "card lines", "aria-label": t("queues") },
      make("table", {}, make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, t(head))))), body));
  }

  show(queues, now) {
    this.#now = now;
    this.rows.show(queues, (queue) => queue.name);
  }

  tick(now) {
    this.#now = now;
    this.rows.tick();
  }
}
