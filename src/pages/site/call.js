// The call in hand: who calls, from where, how they came here, for how long; and what can be done with it.

import { Buttons } from "/buttons.js";
import { make, say, setText } from "/dom.js";
import { readable, region } from "/region.js";
import { span } from "/time.js";
import { way } from "/way.js";
import { skillName, t } from "/words.js";

export class CallCard {
  #shown = "";

  /** `day`: shown while there is no call. */
  constructor(run, day) {
    this.title = make("h2", {});
    this.number = make("p", { class: "number" });
    this.region = make("p", { class: "region" });
    this.facts = make("dl", {});
    this.muted = make("p", { class: "muted", role: "alert", hidden: true }, t("muted_big"));
    this.acts = new Buttons(t("call"), ["answer", "hang_up", "hold", "mute", "help", "emergency", "survey", "keypad"], run);
    this.body = make("div", { class: "who" }, this.number, this.region, this.facts, day);
    this.element = make("section", { class: "card call", "aria-label": t("call") },
      this.title, this.muted, this.body, this.acts.element);
  }

  show(situation) {
    const { screen, audio } = situation;
    const { call } = screen;
    const stage = call?.stage ?? (screen.own?.stage === "ringing" ? "ringing" : screen.own || screen.test_call ? "own" : "none");
    this.element.className = `card call ${stage}`;
    this.muted.hidden = !audio.muted;
    this.acts.show(situation);
    const shown = JSON.stringify([call, screen.serving, screen.own, screen.state, screen.test_call]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.waited = this.talked = null;
    if (call) this.#call(call);
    else this.#none(screen);
  }

  #none(screen) {
    const { own } = screen;
    this.title.replaceChildren(t(own ? (own.stage === "ringing" ? "stage_own_ringing" : "stage_own") : screen.test_call ? "stage_test" : "call"));
    setText(this.number, own ? readable(own.to) || t("withheld") : "");
    const quiet = screen.serving ? "serving" : { ready: "waits_for_call", logged_out: "waits_for_sign_in" }[screen.state] ?? "no_call";
    setText(this.region, own ? region(own.to) : t(screen.test_call ? "test_call_says" : quiet));
    this.facts.replaceChildren();
  }

  #call(call) {
    const tag = (words, kind = "") => make("span", { class: `tag ${kind}` }, words);
    this.title.replaceChildren(t(`stage_${call.stage}`), ...[
      call.test ? tag(t("test")) : null,
      call.withheld ? tag(t("withheld_tag"), "secret") : null,
      call.purpose === "inbound" ? null : tag(t(`purpose_${call.purpose}`)),
    ].filter(Boolean));
    const name = call.withheld ? t("withheld") : readable(call.caller) || t("unknown_number");
    setText(this.number, name);
    setText(this.region, [region(call.caller), t("skill_is", { s: skillName(call.skill) })].filter(Boolean).join(" · "));
    const row = (label, value) => make("div", {}, make("dt", {}, t(label)), make("dd", {}, value));
    this.waited = make("time");
    this.talked = call.answered ? make("time") : null;
    this.facts.replaceChildren(...[
      row("waited", this.waited), this.talked ? row("talked", this.talked) : null,
      row("queue", call.queue), row("called", call.line ? `${call.line} (${call.dnis})` : call.dnis), row("path", way(call.path)),
    ].filter(Boolean));
    if (call.stage === "ringing") say(`${t("stage_ringing")} ${name}`);
  }

  tick({ screen: { call } }, now) {
    if (!call) return;
    if (this.waited) setText(this.waited, span((call.answered ?? now) - call.asked));
    if (this.talked) setText(this.talked, span(now - call.answered));
  }
}
