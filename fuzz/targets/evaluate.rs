//! A document of flags and a context, with a line of `---` between them.
#![no_main]

#[path = "../src/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::evaluate(bytes));
