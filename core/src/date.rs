//! Dates as HTTP writes them (IMF-fixdate, RFC 9110 §5.6.7).

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

fn two_digits(target: &mut [u8], number: u64) {
    target[0] = b'0' + (number / 10 % 10) as u8;
    target[1] = b'0' + (number % 10) as u8;
}
