//! Points in time and durations, within what all languages can hold.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use seatport::{Invalid, Timestamp};

/// 0001-01-01T00:00:00Z, in milliseconds since 1970. Python's `datetime` begins here.
const FIRST: i64 = -62_135_596_800_000;
/// The last millisecond of the year 9999, in milliseconds since 1970. Python's `datetime` ends here.
const LAST: i64 = 253_402_300_799_999;
/// The longest `timedelta` of Python.
const LONGEST: Duration = Duration::from_secs(999_999_999 * 86_400);

/// A time on its way out: what lies before the year 1 or after 9999 is told as the nearest that does not.
pub(crate) fn told(at: Timestamp) -> SystemTime {
    let millis = match at.as_millis() {
        // Less than a second before 1970 UniFFI would tell as after it: it writes the sign with the whole seconds.
        -999..=-1 => 0,
        millis => millis.clamp(FIRST, LAST),
    };
    let distance = Duration::from_millis(millis.unsigned_abs());
    if millis < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

/// A time on its way in, in whole milliseconds: what is finer is cut off.
///
/// # Errors
/// [`Invalid`] before the year 1 and after 9999: what is stored has to be readable.
pub(crate) fn given(at: SystemTime) -> Result<Timestamp, Invalid> {
    let millis = match at.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()),
        Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1_000_000)).map(|millis| -millis),
    };
    match millis {
        Ok(millis @ FIRST..=LAST) => Ok(Timestamp::from_millis(millis)),
        _ => Err(Invalid::new("time", "before the year 1 or after 9999", "give a time of our calendar")),
    }
}

/// A duration on its way out: one that is longer than 999,999,999 days is told as so many.
pub(crate) fn lasting(duration: Duration) -> Duration {
    duration.min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_the_way_out_and_in() {
        for millis in [FIRST, -1_000, 0, 1, 1_700_000_000_123, LAST] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(given(told(at)).unwrap(), at, "{millis}");
        }
    }

    #[test]
    fn a_time_that_no_calendar_holds_is_told_as_the_nearest_that_one_does() {
        for (millis, nearest) in [(i64::MIN, FIRST), (FIRST - 1, FIRST), (LAST + 1, LAST), (i64::MAX, LAST)] {
            assert_eq!(given(told(Timestamp::from_millis(millis))).unwrap().as_millis(), nearest, "{millis}");
        }
    }

    #[test]
    fn a_moment_before_1970_is_not_told_as_after_it() {
        for millis in [-999, -500, -1] {
            assert_eq!(told(Timestamp::from_millis(millis)), UNIX_EPOCH, "{millis}");
        }
    }

    #[test]
    fn a_time_outside_the_calendar_is_refused() {
        let (first, last) = (told(Timestamp::from_millis(FIRST)), told(Timestamp::from_millis(LAST)));
        let far = Duration::from_secs(10_000_000_000_000);
        for at in [first - Duration::from_nanos(1), last + Duration::from_millis(1), first - far, last + far] {
            assert_eq!(given(at).unwrap_err().field, "time", "{at:?}");
        }
    }

    #[test]
    fn what_is_finer_than_a_millisecond_is_cut_off_on_either_side_of_1970() {
        let given = |at| given(at).unwrap().as_millis();
        assert_eq!(given(UNIX_EPOCH + Duration::from_nanos(1_999_999)), 1);
        assert_eq!(given(UNIX_EPOCH - Duration::from_nanos(1_000_001)), -2);
    }

    #[test]
    fn a_duration_stays_within_what_python_holds() {
        assert_eq!(lasting(Duration::MAX).as_secs() / 86_400, 999_999_999);
        assert_eq!(lasting(Duration::from_millis(1_500)), Duration::from_millis(1_500));
    }
}
