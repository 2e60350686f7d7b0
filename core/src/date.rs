//! Dates as HTTP writes them, and in the three forms that it reads (RFC 9110 §5.6.7).
//!
//! Written is IMF-fixdate. Read are IMF-fixdate, the form of RFC 850 and that of asctime, each exactly as its grammar
//! says but for two things: letters compare without case (a cache should, RFC 9111 §4.2), and the name of the day has
//! to be one, not the right one. Digits are ASCII digits. What is before 1970 is no date here.

use crate::syntax::parse_decimal;

/// The last second that four digits of a year can write: 9999-12-31 23:59:59.
const LAST: u64 = 253_402_300_799;

const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The date of `unix_seconds` (since 1970-01-01 00:00:00 UTC), for `Date`, `Last-Modified`, `Expires`.
/// A time after the year 9999 gives the last second of 9999.
///
/// ```
/// use callboard_core::date::http_date;
///
/// assert_eq!(&http_date(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
/// ```
pub fn http_date(unix_seconds: u64) -> [u8; 29] {
    let seconds = unix_seconds.min(LAST);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let mut text = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    text[..3].copy_from_slice(DAYS[(days % 7) as usize]);
    two_digits(&mut text[5..7], day);
    text[8..11].copy_from_slice(MONTHS[month]);
    two_digits(&mut text[12..14], year / 100);
    two_digits(&mut text[14..16], year % 100);
    two_digits(&mut text[17..19], second / 3600);
    two_digits(&mut text[20..22], second / 60 % 60);
    two_digits(&mut text[23..25], second % 60);
    text
}

/// Year, month (0 = January) and day (1..=31) of the day `days` after 1970-01-01, in the Gregorian calendar.
fn civil(days: u64) -> (u64, usize, u64) {
    // Years begin on 1 March here, so that the leap day is a year's last and months follow one line: 153 days per five.
    let days = days + 719_468; // since 0000-03-01
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era + u64::from(month >= 10);
    (year, ((month + 2) % 12) as usize, day)
}

/// The time that an HTTP date names, in seconds since 1970-01-01 00:00:00 UTC, or `None` if it is not one (a field with
/// such a value is ignored; an invalid `Expires` has passed).
///
/// `now`, in the same seconds, is for the form of RFC 850 alone: its year of two digits is the latest that is not more
/// than 50 years ahead. The leap second 23:59:60 is the second that follows it. Years are 1970 to 9999.
///
/// ```
/// use callboard_core::date::parse_http_date;
///
/// let now = 1_700_000_000;
/// for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
///     assert_eq!(parse_http_date(text.as_bytes(), now), Some(784_111_777));
/// }
/// assert_eq!(parse_http_date(b"0", now), None);
/// ```
pub fn parse_http_date(text: &[u8], now: u64) -> Option<u64> {
    match text.get(3)? {
        b',' => fixed(text),
        b' ' => asctime(text),
        _ => rfc850(text, now),
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn fixed(text: &[u8]) -> Option<u64> {
    let text: &[u8; 29] = text.try_into().ok()?;
    let is_marked = text[3..5] == *b", " && text[7] == b' ' && text[11] == b' ' && text[16] == b' ';
    if !is_marked || !is_day_name(&text[..3]) || !is_gmt(&text[25..]) {
        return None;
    }
    seconds(
        parse_decimal(&text[12..16])?,
        month(&text[8..11])?,
        parse_decimal(&text[5..7])?,
        time_of_day(&text[17..25])?,
    )
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime(text: &[u8]) -> Option<u64> {
    let text: &[u8; 24] = text.try_into().ok()?;
    if text[7] != b' ' || text[10] != b' ' || text[19] != b' ' || !is_day_name(&text[..3]) {
        return None;
    }
    let day = if text[8] == b' ' { &text[9..10] } else { &text[8..10] };
    seconds(parse_decimal(&text[20..24])?, month(&text[4..7])?, parse_decimal(day)?, time_of_day(&text[11..19])?)
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn rfc850(text: &[u8], now: u64) -> Option<u64> {
    const ENDINGS: [&[u8]; 7] = [b"rsday", b"day", b"urday", b"day", b"day", b"sday", b"nesday"];
    let comma = text.iter().position(|&byte| byte == b',')?;
    let (name, rest) = text.split_at(comma);
    let day = DAYS.iter().position(|day| name.len() > 3 && name[..3].eq_ignore_ascii_case(*day))?;
    let rest: &[u8; 24] = rest.try_into().ok()?;
    let is_marked = rest[..2] == *b", " && rest[4] == b'-' && rest[8] == b'-' && rest[11] == b' ';
    if !is_marked || !name[3..].eq_ignore_ascii_case(ENDINGS[day]) || !is_gmt(&rest[20..]) {
        return None;
    }
    let (day, month) = (parse_decimal(&rest[2..4])?, month(&rest[5..8])?);
    let (short_year, time) = (parse_decimal(&rest[9..11])?, time_of_day(&rest[12..20])?);
    // The same moment of the calendar fifty years from now is the last that counts as the future.
    let (this_year, this_month, today) = civil(now.min(LAST) / 86_400);
    let latest = (this_year + 50, this_month, today, now.min(LAST) % 86_400);
    let mut year = latest.0 - latest.0 % 100 + short_year;
    if (year, month, day, time) > latest {
        year -= 100;
    }
    seconds(year, month, day, time)
}

/// Seconds since 1970 of a day that the calendar has.
fn seconds(year: u64, month: usize, day: u64, time_of_day: u64) -> Option<u64> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        1 if is_leap => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    };
    if !(1970..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    // As in `civil`: a year begins on 1 March.
    let year = year - u64::from(month < 2);
    let month = (month as u64 + 10) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    Some((days * 86_400 + time_of_day).min(LAST))
}

/// Seconds of `08:49:37` since midnight.
fn time_of_day(text: &[u8]) -> Option<u64> {
    let (hour, minute, second) = (parse_decimal(&text[..2])?, parse_decimal(&text[3..5])?, parse_decimal(&text[6..])?);
    let is_leap_second = (hour, minute, second) == (23, 59, 60);
    let is_time = text[2] == b':' && text[5] == b':' && hour < 24 && minute < 60 && (second < 60 || is_leap_second);
    is_time.then_some(hour * 3600 + minute * 60 + second)
}

fn is_day_name(name: &[u8]) -> bool {
    DAYS.iter().any(|day| name.eq_ignore_ascii_case(*day))
}

/// 0 for January.
fn month(name: &[u8]) -> Option<usize> {
    MONTHS.iter().position(|month| name.eq_ignore_ascii_case(*month))
}

fn is_gmt(zone: &[u8]) -> bool {
    zone.eq_ignore_ascii_case(b" GMT")
}

fn two_digits(target: &mut [u8], number: u64) {
    target[0] = b'0' + (number / 10 % 10) as u8;
    target[1] = b'0' + (number % 10) as u8;
}
