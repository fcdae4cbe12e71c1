//! What it costs to find a subject's place, beside the crate `murmur3`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serinus_core::cohort::murmur3::{self, Hasher};

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

criterion_group!(benches, hashing);
criterion_main!(benches);
