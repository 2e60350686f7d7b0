//! The dates of `Expires`: read as all browsers agree to (RFC 6265bis §5.1.1), whatever separates the parts.

/// The month, day, year and time that `text` holds, in whatever order, as seconds since 1970-01-01 00:00:00 UTC.
/// Negative before that; `None` if a part is missing, or there is no such date. The zone is not looked at: it is UTC.
///
/// ```
/// use callboard_core::cookies::cookie_date;
///
/// assert_eq!(cookie_date(b"Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
/// assert_eq!(cookie_date(b"6-nov-94, 8:49:37"), Some(784_111_777));
/// assert_eq!(cookie_date(b"31 Feb 2020 00:00:00"), None);
/// ```
pub fn cookie_date(text: &[u8]) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|&byte| is_delimiter(byte)).filter(|token| !token.is_empty()) {
        // Each part is the first token that can be it; the order of these questions is the RFC's.
        if time.is_none()
            && let Some(found) = read_time(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = number(token, 1, 2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = read_month(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = number(token, 2, 4)
        {
            year = Some(found);
        }
    }
    let ([hour, minute, second], day, month) = (time?, day?, month?);
    let year = match year? {
        year @ 70..=99 => 1900 + year,
        year @ 0..=69 => 2000 + year,
        year => year,
    };
    if year < 1601 || hour > 23 || minute > 59 || second > 59 || day < 1 || day > days_of(month, year) {
        return None;
    }
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Some(days_since_1970(year, month, day) * 86_400 + seconds)
}

const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// The number that `token` begins with, of so many digits, not one more.
fn number(token: &[u8], least: usize, most: usize) -> Option<u16> {
    let length = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length < least || length > most {
        return None;
    }
    Some(token[..length].iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
}

/// `8:49:37`, and perhaps something that is no digit.
fn read_time(token: &[u8]) -> Option<[u16; 3]> {
    let mut parts = token.splitn(3, |&byte| byte == b':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let only = |part: &[u8]| if part.iter().all(u8::is_ascii_digit) { number(part, 1, 2) } else { None };
    Some([only(hour)?, only(minute)?, number(second, 1, 2)?])
}

/// From 1, by its first three letters.
fn read_month(token: &[u8]) -> Option<u16> {
    let name = token.get(..3)?;
    (1..).zip(MONTHS).find(|(_, month)| name.eq_ignore_ascii_case(*month)).map(|(number, _)| number)
}

const fn days_of(month: u16, year: u16) -> u16 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// In the Gregorian calendar; negative before 1970.
fn days_since_1970(year: u16, month: u16, day: u16) -> i64 {
    // Years begin on 1 March here, so that the leap day is the last of a year.
    let (year, month) = if month > 2 { (i64::from(year), month - 3) } else { (i64::from(year) - 1, month + 9) };
    let day_of_year = (153 * i64::from(month) + 2) / 5 + i64::from(day) - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}
