//! Made vectors: unit vectors in clusters, like those of a library in which many files sound alike, from a seed.

use earmark::embedding::Embedding;

/// A generator of random numbers (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("it is below a usize")
    }

    /// Uniform in [0, 1).
    pub fn fraction(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// About normally distributed, with variance 1.
    fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
        (sum as f32 / 65_536.0 - 2.0) * 1.732_050_8
    }

    /// A random direction.
    pub fn direction(&mut self, dimension: usize) -> Vec<f32> {
        let values: Vec<f32> = (0..dimension).map(|_| self.normal()).collect();
        unit(&values).as_slice().to_vec()
    }
}

/// Scales to unit length.
pub fn unit(values: &[f32]) -> Embedding {
    Embedding::normalized(values).expect("a made vector has a direction")
}

/// Where clusters are.
pub struct Clusters {
    centres: Vec<Vec<f32>>,
    random: Random,
}

impl Clusters {
    pub fn new(seed: u64, count: usize, dimension: usize) -> Self {
        let mut random = Random(seed);
        Self { centres: (0..count).map(|_| random.direction(dimension)).collect(), random }
    }

    /// A vector of a random cluster, `spread` times as long a way from its centre as the centre is from the origin.
    pub fn vector(&mut self, spread: f32) -> Embedding {
        let centre = self.random.below(self.centres.len());
        let way = self.random.direction(self.centres[centre].len());
        let values: Vec<f32> = self.centres[centre].iter().zip(way).map(|(&at, by)| at + spread * by).collect();
        unit(&values)
    }

    pub fn vectors(&mut self, count: usize, spread: f32) -> Vec<Embedding> {
        (0..count).map(|_| self.vector(spread)).collect()
    }

    /// Vectors of the clusters, all moved the same way: queries of another modality.
    pub fn shifted(&mut self, count: usize, spread: f32, shift: f32) -> Vec<Embedding> {
        let by = self.random.direction(self.centres[0].len());
        let moved = |vector: Embedding| {
            let values: Vec<f32> = vector.as_slice().iter().zip(&by).map(|(&at, &by)| at + shift * by).collect();
            unit(&values)
        };
        self.vectors(count, spread).into_iter().map(moved).collect()
    }
}
