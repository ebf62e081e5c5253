// Asking the API, as whoever is signed in.

import { language } from "/words.js";

/** `{ok, status, body}`; status 0: nobody answered. */
export async function ask(path, options = {}) {
  const headers = { "content-type": "application/json", "accept-language": language(), ...options.headers };
  const answer = await fetch(path, { ...options, headers }).catch(() => null);
  return { ok: !!answer?.ok, status: answer?.status ?? 0, body: await answer?.json().catch(() => null) };
}

/** Unique on this page and among pages. */
export function key() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
