//! Anytime-valid t statistics of linear models.
