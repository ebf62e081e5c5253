#![no_main]
#[allow(dead_code)]
#[path = "../../sip_parse/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    exercise::dtmf(bytes);
});
