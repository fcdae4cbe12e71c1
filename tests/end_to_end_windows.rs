//! How the example shortens the windows of PromQL for rollouts that run faster than real time.

#[path = "../examples/rollout/promql.rs"]
mod promql;

#[test]
fn range_selectors_get_shorter_by_the_speed_and_nothing_else_changes() {
    for (query, expected) in [
        ("sum(rate(a[2m]))", "sum(rate(a[8s]))"),
        ("rate(a[1h30m]) / rate(b[1m])", "rate(a[360s]) / rate(b[4s])"),
        ("rate(a[1d])", "rate(a[5760s])"),
        ("max_over_time(rate(a[5m])[1h:30s])", "max_over_time(rate(a[20s])[240s:])"),
        ("rate(a[100s])", "rate(a[6667ms])"),
        // A window shorter than some scrapes would hold nothing.
        ("rate(a[1s])", "rate(a[4s])"),
        // Brackets in texts are no windows, and what is no length stays for Prometheus to refuse.
        (r#"a{b=~"[1m]", c='\'[1m]'}"#, r#"a{b=~"[1m]", c='\'[1m]'}"#),
        ("rate(a[soon])", "rate(a[soon])"),
        ("rate(a[1m", "rate(a[1m"),
    ] {
        assert_eq!(promql::with_scaled_windows(query, 15.0), expected);
    }
}
