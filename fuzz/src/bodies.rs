//! What the fuzz targets do; also run by `crates/flags/tests/fuzz_targets_hold.rs`, over seeds and their mutations.

use serinus_flags::{Context, Document, Flags, Format, Options, Value, logic::Generation};

/// Reads bytes as a document, in both formats, and once more after itself.
pub(crate) fn document(bytes: &[u8]) {
    for format in [Format::Json, Format::Yaml] {
        let Ok(document) = Document::from_slice(bytes, format) else { continue };
        for fault in document.faults().iter().chain(document.warnings()) {
            assert!(!fault.to_string().is_empty());
        }
        let flags = Flags::default();
        assert_eq!(flags.load(&document).change().added.len(), document.len());
        let again = flags.update(bytes, format).map(|report| report.document().faults().to_vec());
        assert_eq!(again.as_deref(), Ok(document.faults()));
    }
}

/// Evaluates every flag of a document for a context: the same twice, and the same by every way of asking.
pub(crate) fn evaluate(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((document, context)) = text.split_once("\n---\n") else { return };
    let context: Context = serde_json::from_str(context).unwrap_or_default();
    for generation in [Generation::V1, Generation::V2, Generation::V3] {
        let options = Options::default().generation(generation).split_reason(true);
        let Ok(document) = options.read(document.as_bytes(), Format::Json, None) else { return };
        let flags = Flags::default();
        flags.load(&document);
        let snapshot = flags.snapshot();
        for key in document.keys() {
            let one = snapshot.evaluate_at(key, &context, 1_800_000_000);
            let other = snapshot.evaluate_at(key, &context, 1_800_000_000);
            assert_eq!(one, other);
            assert_eq!(one.value.is_some(), one.variant.is_some());
            let _ = one.error.map(|error| error.to_string());
            let handle = flags.handle(key);
            assert_eq!(flags.bool(key, &context), handle.bool(&context));
            assert_eq!(flags.int(key, &context), handle.int(&context));
            let details = flags.details::<Value>(key, &context);
            assert_eq!(details.value().is_ok(), details.variant().is_some());
        }
    }
}
