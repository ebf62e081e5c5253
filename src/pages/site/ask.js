// Asking the API, as whoever is signed in.

import { language } from "/words.js";

/** Everything that is asked here is answered in a second or two; a path that has died never answers. */
const PATIENCE = 20000;

/** `{ok, status, body}`; status 0: nobody answered. */
export async function ask(path, options = {}) {
  const headers = { "content-type": "application/json", "accept-language": language(), ...options.headers };
  const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE), ...options, headers }).catch(() => null);
  return { ok: !!answer?.ok, status: answer?.status ?? 0, body: await answer?.json().catch(() => null) };
}

/** Unique on this page and among pages. */
export function key() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
