//! An in-process data plane for Serinus: a tower layer that splits, mirrors and measures.
