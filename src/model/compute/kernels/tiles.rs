//! What tiles of all instruction sets have in common: the order of loads, products and stores.
//!
//! A file with instructions defines, for its registers, `bias`, `weights` and `spread`, which load; `fused`, which
//! multiplies and adds; and `finish`, which writes: of those for f32, [`single`] makes most. Rows are spelled out by
//! whoever uses it: in a loop over an array the sums go through memory.

/// Defines what instruction sets do alike with f32, by what their instructions for it are called: to load, to store, to
/// add and to subtract. The file has `positive`, the larger of a value and 0.
macro_rules! single {
    ($features:literal, $register:ty, $load:ident, $store:ident, $plus:ident, $minus:ident) => {
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn bias(at: *const f32) -> $register {
            $load(at)
        }

        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn weights(at: *const f32) -> $register {
            $load(at)
        }

        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn store(at: *mut f32, value: $register) {
            $store(at, value);
        }

        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn plus(a: $register, b: $register) -> $register {
            $plus(a, b)
        }

        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn minus(a: $register, b: $register) -> $register {
            $minus(a, b)
        }

        /// A register of a pixel, finished and written.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn finish(tile: &Tile<'_, f32>, sum: $register, at: usize) {
            let mut sum = sum;
            if !tile.residual.is_null() {
                sum = $plus(sum, $load(tile.residual.add(at)));
            }
            if tile.rectified {
                sum = positive(sum);
            }
            $store(tile.output.add(at), sum);
        }

        #[target_feature(enable = $features)]
        unsafe fn gate(values: &mut [f32], gates: &[f32]) {
            super::gate(values, gates);
        }
    };
}

/// Defines `tile`, which computes `pixels` pixels of `panel` channels, two registers of channels at a time.
macro_rules! tiles {
    (
        $features:literal, $number:ty, $lanes:literal,
        $($pixels:literal => $name:ident($($row:literal $low:ident $high:ident),+);)+
    ) => {
        $(
            #[target_feature(enable = $features)]
            unsafe fn $name<const BOTH: bool>(tile: &Tile<'_, $number>, panel: usize) {
                const TOGETHER: usize = <$number as Number>::TOGETHER;
                let first = bias(tile.bias);
                let second = if BOTH { bias(tile.bias.add($lanes)) } else { first };
                $(let (mut $low, mut $high) = (first, second);)+
                let step = tile.input_step;
                let mut packed = tile.weights;
                for &tap in tile.taps {
                    let mut input = tile.input.add(tap);
                    for _ in 0..tile.run / TOGETHER {
                        let first = weights(packed);
                        if BOTH {
                            let second = weights(packed.add($lanes * TOGETHER));
                            $(
                                let value = spread(input.add($row * step));
                                $low = fused(value, first, $low);
                                $high = fused(value, second, $high);
                            )+
                        } else {
                            $($low = fused(spread(input.add($row * step)), first, $low);)+
                        }
                        packed = packed.add(panel * TOGETHER);
                        input = input.add(TOGETHER);
                    }
                }
                $(
                    finish(tile, $low, $row * tile.output_step);
                    if BOTH { finish(tile, $high, $row * tile.output_step + $lanes); }
                )+
            }
        )+

        unsafe fn tile(tile: &Tile<'_, $number>, pixels: usize, panel: usize) {
            for channel in (0..panel).step_by(2 * $lanes) {
                // SAFETY: the instructions were found to be there, and the caller has promised the rest.
                unsafe {
                    let part = tile.beyond(channel);
                    match (pixels, channel + $lanes < panel) {
                        $(
                            ($pixels, true) => $name::<true>(&part, panel),
                            ($pixels, false) => $name::<false>(&part, panel),
                        )+
                        _ => unreachable!("{pixels} pixels are more than a tile has"),
                    }
                }
            }
        }
    };
}

/// Defines a module `grouped`, whose `tile` computes `pixels` pixels of [`HALF_PANEL`](super::HALF_PANEL) channels in
/// groups: each lane is given the inputs of its own group, one after the other, so that no weight is zero. Further
/// functions of the file load `lanes` and put values there, `permuted`.
#[cfg(target_arch = "x86_64")]
macro_rules! grouped {
    (
        $features:literal, $number:ty, $lanes:literal,
        $($pixels:literal => $name:ident($($row:literal $low:ident $high:ident),+);)+
    ) => {
        mod grouped {
            use super::*;

            $(
                #[target_feature(enable = $features)]
                unsafe fn $name(tile: &Tile<'_, $number>) {
                    let first = bias(tile.bias);
                    $(let mut $low = first;)+
                    let step = tile.input_step;
                    let mut packed = tile.weights;
                    for &tap in tile.taps {
                        let input = tile.input.add(tap);
                        for places in tile.lanes {
                            let (places, first) = (lanes(places.as_ptr()), weights(packed));
                            $($low = fused(permuted(input.add($row * step), places), first, $low);)+
                            packed = packed.add($lanes * <$number as Number>::TOGETHER);
                        }
                    }
                    $(finish(tile, $low, $row * tile.output_step);)+
                }
            )+

            pub(super) unsafe fn tile(tile: &Tile<'_, $number>, pixels: usize) {
                // SAFETY: the instructions were found to be there, and the caller has promised the rest.
                unsafe {
                    match pixels {
                        $($pixels => $name(tile),)+
                        _ => unreachable!("{pixels} pixels are more than a tile has"),
                    }
                }
            }
        }
    };
}

/// Hands the rows of up to 14 pixels to another macro.
#[cfg(target_arch = "x86_64")]
macro_rules! up_to_14 {
    ($then:ident, $features:literal, $number:ty, $lanes:literal) => {
        $then! {
            $features, $number, $lanes,
            1 => tile_1(0 a0 b0);
            2 => tile_2(0 a0 b0, 1 a1 b1);
            3 => tile_3(0 a0 b0, 1 a1 b1, 2 a2 b2);
            4 => tile_4(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3);
            5 => tile_5(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4);
            6 => tile_6(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5);
            7 => tile_7(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6);
            8 => tile_8(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7);
            9 => tile_9(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8);
            10 => tile_10(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9);
            11 => tile_11(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9,
                10 a10 b10);
            12 => tile_12(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9,
                10 a10 b10, 11 a11 b11);
            13 => tile_13(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9,
                10 a10 b10, 11 a11 b11, 12 a12 b12);
            14 => tile_14(0 a0 b0, 1 a1 b1, 2 a2 b2, 3 a3 b3, 4 a4 b4, 5 a5 b5, 6 a6 b6, 7 a7 b7, 8 a8 b8, 9 a9 b9,
                10 a10 b10, 11 a11 b11, 12 a12 b12, 13 a13 b13);
        }
    };
}

#[cfg(target_arch = "x86_64")]
pub(super) use {grouped, up_to_14};
pub(super) use {single, tiles};
