// What one hears and speaks with: the computer's headset or the desk phone, how it is, how loud, which devices. Not here: the
// connection itself (`audio.js`).

import { canChooseSpeaker, choose, chosen } from "/devices.js";
import { make, say, setText } from "/dom.js";
import { t, unable } from "/words.js";

/** A path that is away for longer is told of (ms). */
const AWAY = 2000;
const DEVICES = [["microphone", "inputs"], ["headset", "outputs"], ["bell", "outputs"]];

export class Headset {
  #audio;
  #said = "";
  #listed = "";

  constructor(audio, run) {
    this.#audio = audio;
    this.mark = make("span", { class: "mark", "aria-hidden": "true" });
    this.text = make("span", { class: "how" });
    this.alert = make("p", { class: "notice", role: "alert", hidden: true });
    this.meter = make("meter", { min: 0, max: 1, low: 0.05, value: 0, "aria-label": t("microphone") });
    this.mute = make("button", { type: "button", class: "mute", "data-act": "mute", "aria-keyshortcuts": "Alt+M M", onclick: () => run("mute") },
      make("span", { class: "word" }), make("kbd", {}, "M"));
    this.start = make("button", { type: "button", class: "go", onclick: () => audio.start() }, t("use_headset"));
    this.more = make("button", { type: "button", class: "plain", "aria-haspopup": "dialog", onclick: () => this.#open() }, t("sound"));
    this.element = make("div", { class: "headset", role: "group", "aria-label": t("sound") },
      this.mark, this.text, this.meter, this.mute, this.start, this.more);
    this.#build(run);
  }

  #build(run) {
    this.selects = DEVICES.map(([kind]) => make("select", {
      id: `device-${kind}`, disabled: kind !== "microphone" && !canChooseSpeaker,
      onchange: (event) => (choose(kind, event.target.value), this.#audio.chosen(kind)),
    }));
    this.trouble = make("p", { class: "trouble", role: "alert" });
    this.big = make("meter", { min: 0, max: 1, low: 0.05, value: 0, "aria-label": t("level") });
    this.test = make("button", { type: "button", "data-act": "test_call", onclick: () => run("test_call") }, t("test_call"));
    this.testWhy = make("span", { class: "why" });
    this.phone = make("button", { type: "button", onclick: () => this.#audio.stop() }, t("use_phone"));
    this.dialog = make("dialog", { class: "card sound", "aria-label": t("sound") },
      make("h2", {}, t("sound")), this.trouble,
      make("div", { class: "devices" }, DEVICES.map(([kind], n) => [make("label", { for: `device-${kind}` }, t(kind)), this.selects[n]]),
        make("span", { class: "label" }, t("level")), this.big),
      make("p", { class: "why" }, canChooseSpeaker ? t("test_call_says") : t("speaker_by_system")),
      make("div", { class: "buttons" }, this.test,
        make("button", { type: "button", onclick: () => this.#audio.state === "failed" || this.#audio.state === "off" ? this.#audio.start() : this.#audio.chosen() }, t("try_again")),
        this.phone), this.testWhy,
      make("form", { method: "dialog", class: "buttons" }, make("button", { class: "main" }, t("close"))));
    this.element.append(this.dialog);
  }

  #open() {
    this.dialog.showModal();
  }

  /** `acts`: the table of acts; the test call is one of them. */
  show(situation, acts) {
    const { screen } = situation;
    const audio = this.#audio;
    const here = screen.state !== "logged_out";
    this.element.hidden = !here;
    const byPhone = audio.state === "off";
    // What the gateway reaches the seat by is the truth; what this window tries, beside it.
    const state = byPhone ? (screen.audio === "browser" ? "elsewhere" : screen.reachable ? "phone" : "no_phone") : audio.blocked ? "blocked" : audio.muted && audio.state === "live" ? "muted" : audio.state;
    this.element.dataset.audio = state;
    const why = audio.why ? unable({ unable: audio.why, why: audio.sentence }, "audio_") : "";
    const text = t(`audio_is_${state}`);
    setText(this.text, text);
    // As the gateway knows it: while the seat's sound is away in a call, the caller hears music.
    const away = !!screen.call?.answered && ["mending", "failed", "starting"].includes(audio.state) && screen.audio !== "phone";
    const bad = here ? { failed: why, no_phone: t("audio_is_no_phone_says") }[state] ?? "" : "";
    this.away = away ? [bad, t("audio_is_away_says")].filter(Boolean).join(" · ") : null;
    if (!away) this.awaySince = null;
    else this.awaySince ??= Date.now();
    this.bad = bad;
    this.#alerts();
    this.text.title = (state === "mending" && why) || text;
    if (this.#said !== text) say((this.#said = text));
    // A live connection has something wrong when the microphone that was chosen for it does not open.
    setText(this.trouble, why);
    this.meter.hidden = this.mute.hidden = byPhone || audio.state === "failed";
    this.mute.disabled = audio.state !== "live";
    this.mute.setAttribute("aria-pressed", String(audio.muted));
    setText(this.mute.firstChild, t(audio.muted ? "unmute" : "mute"));
    this.start.hidden = !(byPhone || audio.state === "failed");
    setText(this.start, t(audio.state === "failed" ? "try_again" : "use_headset"));
    const no = acts.test_call.why(situation);
    this.test.disabled = !!no;
    setText(this.test, t(acts.test_call.words(situation)));
    setText(this.testWhy, no ? t(no) : "");
    this.phone.disabled = byPhone;
    this.#devices();
  }

  /** A path that mends itself in a moment is nothing to be told of. */
  #alerts() {
    const text = this.away && Date.now() - this.awaySince > AWAY ? this.away : this.bad;
    this.alert.hidden = !text;
    setText(this.alert, text);
  }

  tick() {
    this.#alerts();
    const { level, dead } = this.#audio.level();
    this.meter.value = this.big.value = level;
    this.element.classList.toggle("dead", dead);
    if (dead) setText(this.text, t("audio_is_dead"));
  }

  #devices() {
    const { devices } = this.#audio;
    const listed = JSON.stringify(devices);
    if (this.#listed === listed) return;
    this.#listed = listed;
    DEVICES.forEach(([kind, of], n) => {
      const known = devices[of];
      const one = (device, i) => make("option", { value: device.id }, device.label || `${t(kind)} ${i + 1}`);
      this.selects[n].replaceChildren(make("option", { value: "" }, t("by_system")), ...known.map(one));
      this.selects[n].value = known.some((device) => device.id === chosen(kind)) ? chosen(kind) : "";
    });
  }
}
