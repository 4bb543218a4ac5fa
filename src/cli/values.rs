//! Values as people type them: lengths of time, dates, ranges.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::library::Range;

const MS_PER_DAY: i64 = 24 * 60 * 60 * 1_000;
/// Far beyond any recording and any file's age, and far from where sums in milliseconds would overflow.
const LONGEST_S: f64 = 1e10;

/// A length of time: `90` or `1.5` are seconds, `2m`, `1m30s`, `2h`, `3d`, `250ms`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let refused = || format!("{text:?} is no length of time, expected e.g. 90, 1.5, 2m, 1m30s, 2h or 3d");
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let (number, after) = split_number(rest).ok_or_else(refused)?;
        let unit_end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let unit = match &after[..unit_end] {
            // Only as the whole text: in 1m30 it would be open what 30 are.
            "" if rest.len() == text.len() && after.is_empty() => 1.0,
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return Err(refused()),
        };
        seconds += number * unit;
        rest = &after[unit_end..];
    }
    if text.is_empty() || seconds > LONGEST_S { Err(refused()) } else { Ok(Duration::from_secs_f64(seconds)) }
}

fn split_number(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// [`duration`] in whole milliseconds.
pub(super) fn duration_ms(text: &str) -> Result<u64, String> {
    let milliseconds = duration(text)?.as_secs_f64() * 1_000.0;
    #[expect(clippy::cast_sign_loss, reason = "lengths of time are not negative")]
    Ok(milliseconds.round() as u64)
}

/// A point in time, in milliseconds since 1970: a date (its first moment, UTC), or how long ago.
pub(super) fn moment_ms(text: &str) -> Result<i64, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    moment_ms_at(text, i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

fn moment_ms_at(text: &str, now_ms: i64) -> Result<i64, String> {
    if let Some(days) = days_of_date(text) {
        return Ok(days * MS_PER_DAY);
    }
    // A bare number would be taken for a year by some, and for days by others.
    let with_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
    let refused = || format!("{text:?} is no point in time, expected a date (2026-03-31) or an age (3d, 2h)");
    let age = if with_unit { duration_ms(text).map_err(|_| refused())? } else { return Err(refused()) };
    Ok(now_ms.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX)))
}

/// Days from 1970-01-01 to the date `YYYY-MM-DD` of the Gregorian calendar.
fn days_of_date(text: &str) -> Option<i64> {
    let digits = |part: &str, length| (part.len() == length).then(|| part.parse::<i64>().ok()).flatten();
    let mut parts = text.split('-');
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(month).ok()?.checked_sub(1)?;
    if parts.next().is_some() || month >= lengths.len() || !(1..=lengths[month]).contains(&day) {
        return None;
    }
    // Every fourth year before this one was a leap year, except the hundredth, except the four hundredth.
    let days_before_year = |year: i64| {
        let past = year - 1;
        365 * year + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400)
    };
    Some(days_before_year(year) - days_before_year(1970) + lengths[..month].iter().sum::<i64>() + day - 1)
}

/// A number or a range with both ends: `48000`, `44100-96000`, `2-` or `-2`.
pub(super) fn range(text: &str) -> Result<Range<u64>, String> {
    let refused = || format!("{text:?} is no range, expected e.g. 48000, 44100-96000, 48000- or -48000");
    let bound = |part: &str| match part.trim() {
        "" => Ok(None),
        number => number.parse().map(Some).map_err(|_| refused()),
    };
    let (min, max) = match text.split_once('-') {
        Some((min, max)) => (bound(min)?, bound(max)?),
        None => (bound(text)?, bound(text)?),
    };
    let upside_down = matches!((min, max), (Some(min), Some(max)) if min > max);
    if (min, max) == (None, None) || upside_down { Err(refused()) } else { Ok(Range { min, max }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_understood() {
        let check = |text: &str, expected: u64| assert_eq!(duration_ms(text), Ok(expected), "{text}");
        check("90", 90_000);
        check("1.5", 1_500);
        check(".5", 500);
        check("2m", 120_000);
        check("1m30s", 90_000);
        check("1h0.5m", 3_630_000);
        check("3d", 3 * 86_400_000);
        check("250ms", 250);
        check("0", 0);
        for wrong in ["", "m", "1m30", "1.2.3", "-5", "2y", "1e400", "nan", "1 m", "inf", "99999999999"] {
            let error = duration(wrong).unwrap_err();
            assert!(error.contains("is no length of time, expected e.g. 90"), "{wrong}: {error}");
        }
    }

    #[test]
    fn points_in_time_are_dates_or_ages() {
        const NOW_MS: i64 = 1_700_000_000_000;
        let check = |text: &str, expected: i64| assert_eq!(moment_ms_at(text, NOW_MS), Ok(expected), "{text}");
        check("1970-01-01", 0);
        check("1969-12-31", -MS_PER_DAY);
        check("2000-02-29", 951_782_400_000);
        check("2000-03-01", 951_868_800_000);
        check("2100-03-01", 4_107_542_400_000);
        check("2026-11-23", 1_795_392_000_000);
        check("3d", NOW_MS - 3 * MS_PER_DAY);
        check("1h30m", NOW_MS - 5_400_000);
        for wrong in ["", "2023", "3", "2023-02-29", "2100-02-29", "2023-13-01", "2023-00-10", "2023-01-00", "23-1-1"] {
            let error = moment_ms_at(wrong, NOW_MS).unwrap_err();
            assert!(error.contains("expected a date (2026-03-31) or an age (3d, 2h)"), "{wrong}: {error}");
        }
    }

    #[test]
    fn ranges_may_be_open() {
        let check = |text: &str, min, max| assert_eq!(range(text), Ok(Range { min, max }), "{text}");
        check("48000", Some(48_000), Some(48_000));
        check("44100-96000", Some(44_100), Some(96_000));
        check("2-", Some(2), None);
        check("-2", None, Some(2));
        for wrong in ["", "-", "a", "3-2", "1-2-3", "1.5", "-1-"] {
            assert!(range(wrong).unwrap_err().contains("is no range"), "{wrong}");
        }
    }
}
