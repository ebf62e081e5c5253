// Asks a leader why, before something is done to somebody: one line, kept with the act. And for the two acts that need it,
// which queue or which skills.

import { make } from "/dom.js";
import { skillName, t } from "/words.js";

// For this window only: reasons speak of people, and computers are shared.
const KEPT = "rexian-reasons";
const MOST = 8;

/** `{why, queue, skills}`, or `null`: it is not to be done. `about`: the act's name and whom it is about. */
export function askWhy(about, { queues = null, skills = null } = {}) {
  return new Promise((resolve) => {
    const why = make("input", { id: "why", required: true, maxlength: 200, list: "reasons", autocomplete: "off" });
    const queue = queues && make("select", { id: "why-queue" }, queues.map((name) => make("option", {}, name)));
    const levels = (skills ?? []).map(({ skill, level }) => [skill, make("input", { id: `skill-${skill}`, type: "number", min: 0, max: 10, value: level, required: true })]);
    const dialog = make("dialog", { class: "card asks", "aria-label": about, onclose: () => (dialog.remove(), resolve(null)) },
      make("form", { method: "dialog", onsubmit: () => resolve(answer()) },
        make("h2", {}, about),
        queue ? [make("label", { for: "why-queue" }, t("queue")), queue] : null,
        levels.length ? make("fieldset", { class: "levels" }, make("legend", {}, t("levels")),
          levels.map(([skill, input]) => make("label", {}, skillName(skill), input))) : null,
        make("label", { for: "why" }, t("why")), why,
        make("datalist", { id: "reasons" }, [...kept(), ...t("why_customary").split("|")].map((value) => make("option", { value }))),
        make("div", { class: "buttons" }, make("button", { class: "main" }, t("do_it")),
          make("button", { type: "button", class: "plain", onclick: () => dialog.close() }, t("cancel")))));
    const answer = () => {
      keep(why.value.trim());
      return { why: why.value.trim(), queue: queue?.value, skills: levels.map(([skill, input]) => ({ skill, level: Number(input.value) })).filter(({ level }) => level > 0) };
    };
    document.body.append(dialog);
    dialog.showModal();
    (queue ?? levels[0]?.[1] ?? why).focus();
  });
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "[]").map(String).slice(0, MOST);
  } catch {
    return [];
  }
}

function keep(why) {
  sessionStorage.setItem(KEPT, JSON.stringify([why, ...kept().filter((one) => one !== why)].slice(0, MOST)));
}
