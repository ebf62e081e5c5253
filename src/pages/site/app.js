// Signing in, and the way from there to the desk and back.

import { Desk } from "/desk.js";
import { make, say, setText } from "/dom.js";
import { expire, forget } from "/unsaved.js";
import { language, switchLanguage, t } from "/words.js";

const page = document.getElementById("page");
let desk = null;

async function start() {
  const answer = await fetch("/session").catch(() => null);
  if (answer?.ok) open(await answer.json());
  else signIn(answer ? null : "unavailable");
}

function open(who) {
  document.documentElement.lang = language();
  document.title = `${who.agent} · ${t("title")}`;
  page.removeAttribute("aria-busy");
  desk?.close();
  desk = new Desk(page, who, { leave, languageChanged: () => (switchLanguage(), open(who)), signedOut: () => signIn(null) });
}

/** At the door too, where nobody comes. */
expire();
setInterval(() => desk ?? expire(), 60000);

async function leave() {
  await fetch("/session", { method: "DELETE" }).catch(() => null);
  signIn(null);
  forget();
}

function signIn(unable) {
  desk?.close();
  desk = null;
  document.documentElement.lang = language();
  document.title = t("title");
  page.removeAttribute("aria-busy");
  const agent = make("input", { id: "agent", name: "agent", inputmode: "numeric", autocomplete: "username", required: true, maxlength: 16 });
  const password = make("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 256 });
  const trouble = make("p", { class: "trouble", role: "alert" }, unable ? t(`unable_${unable}`) : "");
  const button = make("button", { class: "main", type: "submit" }, t("enter"));
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    const body = JSON.stringify({ agent: agent.value.trim(), password: password.value });
    const headers = { "content-type": "application/json" };
    const answer = await fetch("/session", { method: "POST", headers, body }).catch(() => null);
    button.disabled = false;
    if (answer?.ok) return open(await answer.json());
    const why = await answer?.json().catch(() => null);
    setText(trouble, t(`unable_${why?.error ?? "unavailable"}`, { s: why?.wait_s ?? 0 }));
    password.value = "";
    password.focus();
  };
  page.replaceChildren(
    make("main", { class: "door" },
      make("form", { class: "card", onsubmit: submit },
        make("h1", {}, make("span", { class: "brand" }, "热线"), ` ${t("title")}`),
        make("label", { for: "agent" }, t("agent")), agent,
        make("label", { for: "password" }, t("password")), password,
        trouble, button,
        make("button", { type: "button", class: "plain", onclick: () => (switchLanguage(), signIn(null)) }, t("language"))))
  );
  say(t("title"));
  agent.focus();
}

start();
