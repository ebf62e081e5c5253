//! The ring of a carrier's proxies. Not here: which of them live, and so comes first (`gateway::accounts`).

use crate::sip::flow::Flow;

/// Whom to ask after this one: the next that has not failed.
pub(super) fn another(paths: &[Flow], asked: Flow, failed: &[Flow]) -> Option<Flow> {
    let open = |path: &Flow| *path != asked && !failed.contains(path);
    next_after(paths, asked).filter(open).or_else(|| paths.iter().find(|path| open(path)).copied())
}

/// The path after this one, in a ring.
pub(super) fn next_after(paths: &[Flow], last: Flow) -> Option<Flow> {
    let at = paths.iter().position(|path| same(path, &last))?;
    paths.get((at + 1) % paths.len()).copied()
}

/// To the same proxy from the same address of ours, be it by another connection.
pub(super) fn same(a: &Flow, b: &Flow) -> bool {
    (a.transport, a.local, a.remote) == (b.transport, b.local, b.remote)
}
