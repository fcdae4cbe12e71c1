//! The judge of Kayenta.
