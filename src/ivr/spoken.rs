//! Announcements, from what is to be said to the names of prompts, by language.

use crate::plane::PromptId;
use std::time::Duration;

/// The caller's place in the line, from 1.
pub fn position(language: &str, n: usize) -> Vec<PromptId> {
    let _ = (language, n);
    vec!["please-wait".into()]
}

/// How long the caller will probably wait.
pub fn estimate(language: &str, wait: Duration) -> Vec<PromptId> {
    let _ = (language, wait);
    vec!["please-wait".into()]
}

/// The key that takes a callback.
pub fn callback_offer(language: &str, key: char) -> Vec<PromptId> {
    let _ = (language, key);
    vec!["please-wait".into()]
}

/// Somebody will be there soon.
pub fn please_wait(language: &str) -> Vec<PromptId> {
    let _ = language;
    vec!["please-wait".into()]
}

/// The line is closed now.
pub fn closed(language: &str) -> Vec<PromptId> {
    let _ = language;
    vec!["please-wait".into()]
}
