//! The tests of GrowthBook's gbstats 0.8.
