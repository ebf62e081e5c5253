// The word for a key, in the language that was chosen. Keys are the stable words of the gateway; the words are in `zh.js` and `en.js`.

import { EN } from "/en.js";
import { ZH } from "/zh.js";

const KEPT = "rexian-language";
const asked = new URLSearchParams(location.hash.slice(1)).get("lang");
let words = (asked ?? localStorage.getItem(KEPT)) === "en" ? EN : ZH;

/** One that is missing shows its key, and a test finds it. */
export function t(key, values = {}) {
  let text = words[key] ?? key;
  for (const [name, value] of Object.entries(values)) text = text.replace(`{${name}}`, value);
  return text;
}

/** Why an order was not carried out: our word for it, or else the gateway's sentence. */
export function unable({ unable, why }, prefix = "unable_") {
  return words[prefix + unable] ?? words[`unable_${unable}`] ?? why ?? unable;
}

/** What is stored in Chinese, in the language that was chosen. */
export function stored(list, chinese) {
  const key = Object.keys(ZH).find((key) => key.startsWith(`${list}_`) && ZH[key] === chinese);
  return key ? t(key) : chinese;
}

/** Skills are the hotline's own words; of usual ones we know what people call them. */
export function skillName(skill) {
  return words[`skill_${skill}`] ?? skill;
}

export function language() {
  return words === ZH ? "zh-CN" : "en";
}

export function switchLanguage() {
  words = words === ZH ? EN : ZH;
  localStorage.setItem(KEPT, words === EN ? "en" : "zh");
}
