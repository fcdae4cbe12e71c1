//! The report as a page of plots.
use serinus_core::simulate::Report;
pub(crate) const TRAILS: u64 = 8;
pub(crate) fn of(_: &Report) -> Result<String, String> {
    Err("not yet".to_owned())
}
