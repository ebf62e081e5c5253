// What is known of whoever calls: their earlier tickets, from the ring on, and whether this is about the same again.

import { ask } from "/ask.js";
import { make } from "/dom.js";
import { stored, t } from "/words.js";

const SHOWN = 5;

export class Earlier {
  #of = null;

  constructor() {
    this.element = make("section", { class: "card earlier", "aria-label": t("earlier"), hidden: true });
  }

  /** While it rings there is no ticket yet, and the number is all there is. */
  async ofNumber(call) {
    if (this.#of === call.call) return;
    this.#of = call.call;
    this.element.hidden = true;
    if (!/^\+\d{7,15}$/.test(call.caller ?? "")) return;
    const found = await ask(`/v1/tickets?number=${encodeURIComponent(call.caller)}&limit=${SHOWN}`);
    if (found.ok && this.#of === call.call) this.#show(found.body.tickets.map((one) => ({ ...one, at: one.received_at })));
  }

  /** Once there is one: everything that the hotline knows. */
  async ofTicket(no) {
    if (this.#of === no) return;
    this.#of = no;
    const found = await ask(`/v1/tickets/${no}/caller`);
    if (!found.ok || this.#of !== no) return;
    const { tickets, in_30_days: month, in_365_days: year, repeat } = found.body;
    const rows = tickets.map((one) => ({ ...one, at: one.answered_at, again: repeat?.ticket_no === one.ticket_no }));
    this.#show(rows, tickets.length ? t("in_days", { m: month, y: year }) : null, repeat);
  }

  none() {
    this.#of = null;
    this.element.hidden = true;
  }

  #show(tickets, counts = null, repeat = null) {
    const row = (one) => make("li", { class: one.again ? "again" : "" },
      make("span", { class: "no" }, one.ticket_no), make("span", { class: "when" }, (one.at ?? "").slice(0, 10)),
      make("span", { class: "what", title: one.title }, one.title || (one.kind ? stored("kind", one.kind) : "—")),
      make("span", { class: "tag" }, one.stage ? t(`stage_${one.stage}`) : stored("stage", one.status ?? "")));
    this.element.replaceChildren(...[
      make("h2", {}, t(tickets.length ? "earlier" : "earlier_none"), counts ? make("span", { class: "counts" }, counts) : null,
        repeat ? make("span", { class: "tag repeat" }, t(`repeat_${repeat.why}`, { s: repeat.ticket_no })) : null),
      tickets.length ? make("ul", {}, tickets.slice(0, SHOWN).map(row)) : null,
    ].filter(Boolean));
    this.element.hidden = false;
  }
}
