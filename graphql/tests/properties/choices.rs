//! Where random things come from: a string of bytes, each one choice. Fewer bytes, and smaller ones, make a smaller
//! thing, so that what fails shrinks to what is needed to fail.

/// The choices still to be made.
pub struct Choices<'a>(std::slice::Iter<'a, u8>);

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.iter())
    }

    /// One of so many; the first once the bytes have run out.
    pub fn pick(&mut self, among: usize) -> usize {
        if among < 2 {
            return 0;
        }
        let mut drawn = usize::from(self.0.next().copied().unwrap_or(0));
        if among > 64 {
            drawn = drawn << 8 | usize::from(self.0.next().copied().unwrap_or(0));
        }
        drawn % among
    }

    /// True once in so many, and never once the bytes have run out.
    pub fn one_in(&mut self, so_many: usize) -> bool {
        self.pick(so_many) == so_many - 1
    }

    pub fn of<'b, T>(&mut self, among: &'b [T]) -> &'b T {
        &among[self.pick(among.len())]
    }
}

/// Bytes that follow from the seed (SplitMix64).
pub fn bytes_of(seed: u64, many: usize) -> Vec<u8> {
    let mut state = seed;
    let mut out = Vec::with_capacity(many + 8);
    while out.len() < many {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        out.extend_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    out
}
