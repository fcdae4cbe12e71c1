//! MurmurHash3, x86, 32 bits, by Austin Appleby (public domain).
//!
//! Written out because it stands on the way of every request and of every evaluation of a flag: over slices, without
//! allocation, in parts that need not be joined first. It is no defence against people who choose their own names to
//! get into a cohort; no hash without a secret is.

/// The hash of a text in one piece.
///
/// ```
/// use serinus_core::cohort::murmur3;
///
/// assert_eq!(murmur3::hash(b"Hello, world!", 0), 3_224_780_355);
/// assert_eq!(murmur3::hash(b"abc", 0x9747_b28c), 3_360_318_173);
/// ```
#[must_use = "the hash is the result"]
#[inline]
pub const fn hash(bytes: &[u8], seed: u32) -> u32 {
    Hasher::new(seed).with(bytes).finish()
}

/// The hash of a text that comes in parts, or whose beginning is the same each time.
///
/// It is twelve bytes and copied at will: what is written to a copy leaves the original as it was.
///
/// ```
/// use serinus_core::cohort::murmur3::{self, Hasher};
///
/// const CHECKOUT: Hasher = Hasher::new(0).with(b"checkout-v2");
///
/// for user in ["user-1", "user-2"] {
///     let joined = format!("checkout-v2{user}");
///     assert_eq!(CHECKOUT.with(user.as_bytes()).finish(), murmur3::hash(joined.as_bytes(), 0));
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hasher {
    state: u32,
    /// The bytes after the last whole word, the first one lowest; how many tells the length.
    rest: u32,
    /// Of everything written so far, modulo 2^32.
    length: u32,
}

impl Hasher {
    /// Nothing written yet.
    #[must_use = "it does nothing until something is written and the hash taken"]
    #[inline]
    pub const fn new(seed: u32) -> Self {
        Self { state: seed, rest: 0, length: 0 }
    }

    /// Appends bytes: two writes are one write of both.
    #[inline]
    pub const fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<4>();
        // What is left from earlier writes shifts every word by as many bytes.
        let shift = self.length % 4 * 8;
        let (mut state, mut pending) = (self.state, self.rest as u64);
        let mut index = 0;
        while index < words.len() {
            pending |= (u32::from_le_bytes(words[index]) as u64) << shift;
            state = mix(state, pending as u32);
            pending >>= 32;
            index += 1;
        }
        let last = match *rest {
            [a] => u32::from_le_bytes([a, 0, 0, 0]),
            [a, b] => u32::from_le_bytes([a, b, 0, 0]),
            [a, b, c] => u32::from_le_bytes([a, b, c, 0]),
            _ => 0,
        };
        pending |= (last as u64) << shift;
        if shift as usize + rest.len() * 8 >= 32 {
            state = mix(state, pending as u32);
            pending >>= 32;
        }
        *self = Self { state, rest: pending as u32, length: self.length.wrapping_add(bytes.len() as u32) };
    }

    /// The same with bytes appended.
    #[must_use = "the bytes are in the value returned"]
    #[inline]
    pub const fn with(mut self, bytes: &[u8]) -> Self {
        self.write(bytes);
        self
    }

    /// The hash of everything written.
    #[must_use = "the hash is the result"]
    #[inline]
    pub const fn finish(self) -> u32 {
        // Where no bytes are left, this changes nothing: nothing scrambled is nothing.
        let mut hash = self.state ^ scramble(self.rest);
        hash ^= self.length;
        hash ^= hash >> 16;
        hash = hash.wrapping_mul(0x85eb_ca6b);
        hash ^= hash >> 13;
        hash = hash.wrapping_mul(0xc2b2_ae35);
        hash ^ (hash >> 16)
    }
}

const fn mix(state: u32, word: u32) -> u32 {
    (state ^ scramble(word)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

const fn scramble(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_vectors_of_the_reference_hold() {
        assert_eq!(hash(b"", 0), 0);
        assert_eq!(hash(b"", 1), 0x514e_28b7);
        assert_eq!(hash(b"test", 0x9747_b28c), 0x704b_81dc);
        assert_eq!(hash(b"The quick brown fox jumps over the lazy dog", 0x9747_b28c), 0x2fa8_26cd);
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_crate_of_its_name(bytes: Vec<u8>, seed: u32) {
            let expected = ::murmur3::murmur3_32(&mut bytes.as_slice(), seed).unwrap();
            prop_assert_eq!(hash(&bytes, seed), expected);
        }

        #[test]
        fn parts_are_hashed_as_if_they_were_joined(parts: Vec<Vec<u8>>, seed: u32) {
            let mut hasher = Hasher::new(seed);
            for part in &parts {
                hasher.write(part);
            }
            prop_assert_eq!(hasher.finish(), hash(&parts.concat(), seed));
        }
    }
}
