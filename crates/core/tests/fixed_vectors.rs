//! temporary
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
use serde_json::Value;

#[path = "../../../examples/conformance/stats/fixed.rs"]
mod fixed;

fn read(v: &Value) -> Option<f64> {
    match v.as_str() { Some("NaN") => Some(f64::NAN), Some("Infinity") => Some(f64::INFINITY), Some("-Infinity") => Some(f64::NEG_INFINITY), Some(_) => None, None => v.as_f64() }
}
fn same(got: &Value, want: &Value, rel: f64, abs: f64, path: &str, out: &mut Vec<String>) {
    if want.is_null() { return; }
    if let Value::Object(o) = want {
        if o.get("error").is_some_and(|e| !e.is_null()) { if got.get("error").is_none_or(Value::is_null) { out.push(format!("{path}: no error")); } return; }
        for (k, w) in o { same(&got[k], w, rel, abs, &format!("{path}.{k}"), out); }
        return;
    }
    if let Value::Array(a) = want {
        let Some(g) = got.as_array() else { out.push(format!("{path}: {got}")); return };
        if g.len() != a.len() { out.push(format!("{path} length")); return }
        for (i, (g, w)) in g.iter().zip(a).enumerate() { same(g, w, rel, abs, &format!("{path}[{i}]"), out); }
        return;
    }
    match (read(got), read(want)) {
        (Some(g), Some(w)) => { let ok = (g.is_nan() && w.is_nan()) || g == w || (g - w).abs() <= abs + rel * w.abs(); if !ok { out.push(format!("{path}: got {g} want {w} rel {:e}", (g-w)/w)); } }
        _ => if got != want { out.push(format!("{path}: got {got} want {want}")); }
    }
}
#[test]
fn vectors() {
    let file = std::env::var("VECTORS").unwrap_or("tests/data/stat-vectors.json".into());
    let d: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let (mut n, mut bad) = (0, 0);
    for v in d["vectors"].as_array().unwrap() {
        let m = v["method"].as_str().unwrap();
        let t = std::time::Instant::now();
        let Some(a) = fixed::answer(m, &v["input"]) else { continue };
        let took = t.elapsed();
        n += 1;
        if took.as_millis() > 50 { println!("{} took {took:?}", v["id"]); }
        let mut out = vec![];
        match a { Ok(a) => same(&a, &v["expected"], v["tolerance"]["rel"].as_f64().unwrap(), v["tolerance"]["abs"].as_f64().unwrap(), "", &mut out), Err(e) => out.push(e) }
        if !out.is_empty() { bad += 1; println!("{}: {}", v["id"], out.join("; ")); }
    }
    println!("{n} run, {bad} bad");
    assert_eq!(bad, 0);
}
