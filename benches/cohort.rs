//! What it costs to find a subject's place, beside the crate `murmur3`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serinus_core::{
    cohort::{
        Experiment, Holdout, Layer, Layers, Salt, Split, Trial,
        murmur3::{self, Hasher},
    },
    traffic::Weight,
};

fn hashing(criterion: &mut Criterion) {
    for length in [8, 24, 25, 64, 1024] {
        let text: Vec<u8> = (0..length).map(|index| b'a' + (index % 26) as u8).collect();
        let mut group = criterion.benchmark_group(format!("murmur3 over {length} bytes"));
        group.bench_function("serinus", |bencher| {
            bencher.iter(|| murmur3::hash(black_box(&text), black_box(0)));
        });
        group.bench_function("serinus, prefix of a third hashed before", |bencher| {
            let (prefix, rest) = text.split_at(length / 3);
            let prefix = Hasher::new(0).with(prefix);
            bencher.iter(|| black_box(prefix).with(black_box(rest)).finish());
        });
        group.bench_function("the crate murmur3", |bencher| {
            bencher.iter(|| ::murmur3::murmur3_32(&mut black_box(text.as_slice()), black_box(0)));
        });
        group.finish();
    }
}

fn assigning(criterion: &mut Criterion) {
    let (salt, user) = (Salt::new("checkout"), "user-0123456789-abcdefgh");
    let trial = Trial::even(Weight::percent(10.0));
    criterion.bench_function("candidate, control or rest", |bencher| {
        bencher.iter(|| black_box(trial).cohort_of(salt.place(black_box(user))));
    });
    let Ok(variants) = Split::of([("old", Weight::percent(50.0)), ("new", Weight::percent(50.0))]) else {
        return;
    };
    criterion.bench_function("one of two variants", |bencher| {
        bencher.iter(|| variants.at(salt.place(black_box(user))).map(str::len));
    });
    let mut layer = Layer::new("search");
    for name in ["a", "b", "c", "d", "e"] {
        if layer.add(Experiment::new(name, variants.clone()), Weight::percent(20.0)).is_err() {
            return;
        }
    }
    let Ok(layers) = Layers::new([Holdout::new("holdout", Weight::percent(5.0))], [layer]) else { return };
    criterion.bench_function("a layer of five experiments with a holdout", |bencher| {
        bencher.iter(|| layers.assign(black_box("search"), black_box(user)).is_ok());
    });
}

criterion_group!(benches, hashing, assigning);
criterion_main!(benches);
