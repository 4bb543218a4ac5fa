//! What tiles of all instruction sets have in common: the order of loads, products and stores.
//!
//! A file with instructions defines, for its registers, `bias`, `weights` and `spread`, which load; `fused`, which
//! multiplies and adds; and `finish`, which writes. Rows are spelled out by whoever uses it: in a loop over an array
//! the sums go through memory.

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

pub(super) use tiles;
