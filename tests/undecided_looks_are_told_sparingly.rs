//! What the example prints of a comparison that looks every few seconds.

use looks::Looks;

#[path = "../examples/rollout/looks.rs"]
mod looks;

#[test]
fn looks_that_decide_nothing_are_told_ever_more_seldom() {
    let mut looks = Looks::default();
    let told: Vec<_> = (1..=130)
        .filter_map(|look| Some((look, looks.is_worth_a_line("checkout/failures: Undecided (not enough)")?)))
        .collect();
    assert_eq!(told, [(1, 0), (2, 0), (4, 1), (8, 3), (16, 7), (32, 15), (64, 31), (128, 63)]);
}

#[test]
fn looks_that_decide_and_other_metrics_are_told_at_once() {
    let mut looks = Looks::default();
    for _ in 0..3 {
        let _ = looks.is_worth_a_line("checkout/failures: Undecided (not enough)");
    }
    assert_eq!(looks.is_worth_a_line("checkout/latency: Undecided (not enough)"), Some(0));
    for outcome in ["Failed", "Failed", "Successful", "Error", "Inconclusive"] {
        assert_eq!(looks.is_worth_a_line(&format!("checkout/failures: {outcome} (…)")), Some(0));
    }
    // After a decision they count anew.
    assert_eq!(looks.is_worth_a_line("checkout/failures: Undecided (not enough)"), Some(0));
}
