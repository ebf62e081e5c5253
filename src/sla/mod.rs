//! SLA metrics: pure folds over call events.
