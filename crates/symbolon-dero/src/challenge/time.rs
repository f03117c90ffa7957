//! Times as a challenge prints them: `2026-02-14T12:00:00.000Z`.

use core::{fmt, time::Duration};

const NANOS: i128 = 1_000_000_000;
const MILLI: i128 = 1_000_000;
const DAY: i128 = 86_400;
/// Days from 0000-01-01 to 1970-01-01.
const EPOCH: i128 = 719_528;

/// A moment of the years 0000 to 9999, UTC, with the number of fraction digits that its text has.
///
/// Equality is that of the text: `12:00:00Z` and `12:00:00.000Z` differ. Moments are compared by
/// [`unix_nanos`](Self::unix_nanos).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    /// Since 1970-01-01T00:00:00Z; negative before.
    nanos: i128,
    /// 0 to 9; 0 is no fraction.
    digits: u8,
}

impl Timestamp {
    /// The time since 1970, rounded down to milliseconds and printed with three fraction digits, as servers do. `None`
    /// after the year 9999.
    #[must_use]
    pub fn from_unix(time: Duration) -> Option<Self> {
        Self::new(nanos(time).div_euclid(MILLI) * MILLI, 3)
    }

    /// This time and `lifetime` more, rounded as in [`from_unix`](Self::from_unix).
    pub(super) fn plus(self, lifetime: Duration) -> Option<Self> {
        Self::new((self.nanos + nanos(lifetime)).div_euclid(MILLI) * MILLI, 3)
    }

    /// Reads `YYYY-MM-DDTHH:MM:SS`, an optional fraction of 1 to 9 digits, `Z`. Only dates that exist, seconds 00 to 59.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z')?;
        let (head, fraction) = match text.split_once('.') {
            Some((head, fraction)) => (head, Some(fraction.as_bytes())),
            None => (text, None),
        };
        let &[y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1, b'T', h0, h1, b':', mi0, mi1, b':', s0, s1] =
            head.as_bytes()
        else {
            return None;
        };
        let (year, month, day) = (number(&[y0, y1, y2, y3])?, number(&[mo0, mo1])?, number(&[d0, d1])?);
        let (hour, minute, second) = (number(&[h0, h1])?, number(&[mi0, mi1])?, number(&[s0, s1])?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (fraction, digits) = match fraction {
            None => (0, 0),
            Some(fraction) => {
                let digits = u8::try_from(fraction.len()).ok().filter(|digits| (1..=9).contains(digits))?;
                (number(fraction)? * unit(digits), digits)
            }
        };
        let seconds = (days(year, month, day)? - EPOCH) * DAY + hour * 3600 + minute * 60 + second;
        Self::new(seconds * NANOS + fraction, digits)
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z, negative before.
    #[must_use]
    pub const fn unix_nanos(&self) -> i128 {
        self.nanos
    }

    fn new(nanos: i128, digits: u8) -> Option<Self> {
        let day = nanos.div_euclid(DAY * NANOS) + EPOCH;
        (0..days_before(10_000)).contains(&day).then_some(Self { nanos, digits })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.nanos.div_euclid(NANOS);
        let (year, month, day) = date(seconds.div_euclid(DAY) + EPOCH);
        let (hour, minute, second) =
            (seconds.rem_euclid(DAY) / 3600, seconds.rem_euclid(3600) / 60, seconds.rem_euclid(60));
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.digits > 0 {
            let fraction = self.nanos.rem_euclid(NANOS) / unit(self.digits);
            write!(f, ".{fraction:0width$}", width = usize::from(self.digits))?;
        }
        f.write_str("Z")
    }
}

/// A duration in nanoseconds. Less than 2^94, so sums of a few of them and of times do not overflow.
pub(super) fn nanos(duration: Duration) -> i128 {
    i128::from(duration.as_secs()) * NANOS + i128::from(duration.subsec_nanos())
}

/// Nanoseconds in one step of the last of `digits` fraction digits.
fn unit(digits: u8) -> i128 {
    10i128.pow(9u32.saturating_sub(u32::from(digits)))
}

/// ASCII digits, at most nine of them, as a number.
fn number(digits: &[u8]) -> Option<i128> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i128::from(digit - b'0')))
}

/// Days from 0000-01-01 to the first of January of `year >= 0`. The year 0 is a leap year.
fn days_before(year: i128) -> i128 {
    365 * year + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400
}

/// The days of each month of `year`.
fn months(year: i128) -> [i128; 12] {
    let february = days_before(year + 1) - days_before(year) - 337;
    [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

/// Days from 0000-01-01 to a date, `None` where there is no such date.
fn days(year: i128, month: i128, day: i128) -> Option<i128> {
    let before = usize::try_from(month).ok()?.checked_sub(1)?;
    let months = months(year);
    if day < 1 || day > *months.get(before)? {
        return None;
    }
    Some(days_before(year) + months.iter().take(before).sum::<i128>() + day - 1)
}

/// The inverse of [`days`], for `days >= 0`.
fn date(days: i128) -> (i128, i128, i128) {
    // 400 years have 146097 days; the mean year gives the year or a neighbour
    let mut year = days * 400 / 146_097;
    while days_before(year) > days {
        year -= 1;
    }
    while days_before(year + 1) <= days {
        year += 1;
    }
    let (mut month, mut day) = (1, days - days_before(year) + 1);
    for length in months(year) {
        if day <= length {
            break;
        }
        day -= length;
        month += 1;
    }
    (year, month, day)
}
