//! Tests of means, ratios of means and adjusted means.
