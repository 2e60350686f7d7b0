//! `application/x-www-form-urlencoded`, read and written.
