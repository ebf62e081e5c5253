// The keyboard: every act by its key, from wherever one types; and the page that says which keys there are.

import { ACTS, pressed, wordsOf } from "/acts.js";
import { make } from "/dom.js";
import { t } from "/words.js";

const TYPING = "input:not([type=checkbox],[type=radio],[type=button]), textarea, select";
const isTyping = () => !!document.activeElement?.matches?.(TYPING);

/** `run(id)` for an act's key; `more`: further keys, `{key: [words, does]}`. Returns what takes it off again. */
export function listen(run, more) {
  const acts = new Map(Object.entries(ACTS).map(([id, act]) => [act.key, id]));
  const plain = new Map(Object.entries(ACTS).filter(([, act]) => act.also).map(([id, act]) => [act.also, id]));
  const heard = (event) => {
    const key = pressed(event);
    // What an input method is composing of is not for us.
    if (event.isComposing && !/F\d|\+/.test(key)) return;
    const id = acts.get(key) ?? (isTyping() ? undefined : plain.get(key));
    const does = id ? () => run(id) : more[key]?.[1];
    if (!does || (key.length === 1 && isTyping())) return;
    event.preventDefault();
    if (!event.repeat) does();
  };
  addEventListener("keydown", heard);
  return () => removeEventListener("keydown", heard);
}

/** Every key there is, in a dialog that Esc closes. */
export function showKeys(more, situation) {
  const row = (key, words) => make("div", {}, make("dt", {}, key.split(" ").map((one) => make("kbd", {}, one))), make("dd", {}, t(words)));
  const acts = Object.values(ACTS).map((act) => row([act.key, act.also].filter(Boolean).join(" "), wordsOf(act, situation)));
  const dialog = make("dialog", { class: "card keys", "aria-label": t("shortcuts"), onclose: () => dialog.remove() },
    make("h2", {}, t("shortcuts")),
    make("dl", {}, acts, Object.entries(more).map(([key, [words]]) => row(key, words))),
    make("form", { method: "dialog" }, make("button", { class: "main" }, t("close"))));
  document.body.append(dialog);
  dialog.showModal();
}
