// How a call came to its agent: the gateway tells it for its records, "line 12345: mandarin; key 2: english; relaxed 1"; here it is
// told in the language of the page.

import { t } from "/words.js";

const NAMED = /^(country|key|agent|supervisor) (.+)$/;

/** What is not known is shown as it came. */
export function way(path) {
  return path.split("; ").map(step).join(" → ");
}

function step(text) {
  const [, relaxed] = text.match(/^relaxed (\d+)$/) ?? [];
  if (relaxed) return t("way_relaxed", { n: relaxed });
  const [, before, queue] = text.match(/^(.+): (.+)$/) ?? [];
  if (!queue) return text;
  const [, line, why] = before.match(/^line (.+?)(?:, (.+))?$/) ?? [];
  const told = line ? [t("way_line", { s: line }), why && reason(why)].filter(Boolean).join(" · ") : reason(before);
  return `${told} → ${queue}`;
}

function reason(why) {
  const [, word, s] = why.match(NAMED) ?? [null, why.replace(" ", "_"), ""];
  const told = t(`way_${word}`, { s });
  return told === `way_${word}` ? why : told;
}
