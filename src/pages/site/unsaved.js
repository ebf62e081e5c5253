// What is typed and not saved yet, kept by this window until it is: a page may have to go while the store is away. It speaks of
// citizens, and computers are shared: it is for whoever wrote it, not longer than a shift, and goes with signing out.

const KEPT = "rexian-unsaved";
const SHIFT = 12 * 3600e3;

/** `[{ticket: {ticket_no, version}, typed: Map, clash: Map, saved: Map}]`, oldest first. `clash`: of fields that were typed, what
 *  others have filled in meanwhile, `{theirs, by}`; `saved`: what this page has filled in. */
export function keep(agent, unsaved) {
  const tickets = unsaved.map(({ ticket: { ticket_no, version }, typed, clash }) => ({ ticket: { ticket_no, version }, typed: [...typed], clash: [...clash] }));
  if (tickets.length === 0) return forget();
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ agent, at: Date.now(), tickets }));
  } catch {
    // There is no room: they are in the page all the same.
  }
}

/** What this agent left here; anybody else's is gone. */
export function kept(agent) {
  try {
    const { agent: whose, at, tickets } = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
    if (whose === agent && Date.now() - at < SHIFT) return tickets.map(({ ticket, typed, clash }) => ({ ticket, typed: new Map(typed), clash: new Map(clash), saved: new Map() }));
  } catch {
    // Of another version.
  }
  forget();
  return [];
}

export function forget() {
  try {
    sessionStorage.removeItem(KEPT);
  } catch {
    // Where pages may store nothing, there is nothing.
  }
}

/** Nobody is signed in here: what is there waits for whoever wrote it until their shift is over, and not a minute longer. */
export function expire() {
  try {
    const at = Number(JSON.parse(sessionStorage.getItem(KEPT) ?? "{}").at ?? 0);
    if (Date.now() - at >= SHIFT) forget();
  } catch {
    forget();
  }
}
