//! Credentials from a netrc file.
