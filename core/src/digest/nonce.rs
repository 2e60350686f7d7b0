//! Nonces that a server recognises without keeping them, and the counts that were used with each.
//!
//! A nonce holds when it was made, its serial number, and a code over both that only this server can make. Only nonces
//! that were used with a right password take memory, and only a bounded number of them: the oldest make room.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::time::Duration;

use sha2::{Digest, Sha256};

use super::algorithm::hexadecimal_of;
use crate::Instant;
use crate::authentication::is_same_secret;

/// Digits of time, of the serial number, and of the code.
const TIME: usize = 16;
const SERIAL: usize = 16;
const CODE: usize = 32;

/// Nonces in use that are remembered.
const MOST: usize = 4096;

#[derive(Clone)]
pub(super) struct Nonces {
    secret: [u8; 32],
    next: u64,
    used: BTreeMap<u64, Window>,
    /// Serial numbers below are forgotten.
    floor: u64,
}

/// The counts that were used with one nonce: the highest, and which of the 64 below it.
#[derive(Clone, Copy, Default)]
struct Window {
    highest: u32,
    below: u64,
}

impl Nonces {
    pub(super) fn new(seed: [u64; 4]) -> Self {
        let mut secret = [0; 32];
        for (part, word) in secret.chunks_mut(8).zip(seed) {
            part.copy_from_slice(&word.to_be_bytes());
        }
        Self { secret, next: 0, used: BTreeMap::new(), floor: 0 }
    }

    pub(super) fn make(&mut self, now: Instant) -> String {
        let serial = self.next;
        self.next += 1;
        self.render(now.as_nanos(), serial)
    }

    fn render(&self, time: u64, serial: u64) -> String {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&time.to_be_bytes());
        bytes[8..].copy_from_slice(&serial.to_be_bytes());
        let mut nonce = hexadecimal_of(&bytes);
        nonce.push_str(&hexadecimal_of(&code(&self.secret, &bytes)[..CODE / 2]));
        nonce
    }

    /// The serial number of a nonce that this server has made and that is not older than `lifetime`.
    pub(super) fn recognise(&self, nonce: &[u8], lifetime: Duration, now: Instant) -> Option<u64> {
        if nonce.len() != TIME + SERIAL + CODE {
            return None;
        }
        let number = |digits: &[u8]| u64::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok();
        let (time, serial) = (number(&nonce[..TIME])?, number(&nonce[TIME..TIME + SERIAL])?);
        let is_ours = is_same_secret(self.render(time, serial).as_bytes(), nonce);
        let age = now.saturating_since(Instant::from_nanos(time));
        (is_ours && age <= lifetime && serial >= self.floor).then_some(serial)
    }

    /// Notes that `count` is used with a nonce. Whether it is the first time.
    pub(super) fn spend(&mut self, serial: u64, count: u32) -> bool {
        if serial < self.floor || count == 0 {
            return false;
        }
        let is_first = self.used.entry(serial).or_default().spend(count);
        while self.used.len() > MOST {
            let Some((oldest, _)) = self.used.pop_first() else { break };
            self.floor = oldest + 1;
        }
        is_first
    }
}

impl Window {
    fn spend(&mut self, count: u32) -> bool {
        if count > self.highest {
            let step = count - self.highest;
            // The highest so far moves into the bits, the lowest bit being the count right below the highest.
            self.below = match step {
                1..=63 => self.below << step | u64::from(self.highest > 0) << (step - 1),
                64 => u64::from(self.highest > 0) << 63,
                _ => 0,
            };
            self.highest = count;
            return true;
        }
        let Some(place) = (self.highest - count).checked_sub(1).filter(|&place| place < 64) else { return false };
        let bit = 1 << place;
        let is_first = self.below & bit == 0;
        self.below |= bit;
        is_first
    }
}

/// HMAC (RFC 2104) with SHA-256.
fn code(secret: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        for (byte, secret) in block.iter_mut().zip(secret) {
            *byte ^= secret;
        }
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;
    use crate::Random;

    #[test]
    fn the_code_is_hmac() {
        // RFC 4231 §4.3, its key filled up with zeros, which is what the block does anyway.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let text = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hexadecimal_of(&code(&key, b"what do ya want for nothing?")), text);
    }

    #[test]
    fn a_count_is_spent_once_in_any_order() {
        let mut random = Random::from_seed(1);
        for _ in 0..500 {
            let (mut window, mut spent, mut highest) = (Window::default(), BTreeSet::new(), 0);
            let range = [10, 70, 200][usize::try_from(random.below(3)).unwrap()];
            for _ in 0..200 {
                let count = u32::try_from(random.below(range)).unwrap() + 1;
                let expected = count + 64 >= highest && !spent.contains(&count);
                assert_eq!(window.spend(count), expected, "{count} after {highest}, {spent:?}");
                spent.insert(count);
                highest = highest.max(count);
            }
        }
    }

    #[test]
    fn memory_is_bounded_and_what_is_forgotten_is_not_let_in() {
        let mut nonces = Nonces::new([1, 2, 3, 4]);
        let now = Instant::from_nanos(1);
        let first = nonces.make(now);
        for _ in 0..MOST {
            let nonce = nonces.make(now);
            let serial = nonces.recognise(nonce.as_bytes(), Duration::MAX, now).unwrap();
            assert!(nonces.spend(serial, 1) && !nonces.spend(serial, 1));
        }
        let serial = nonces.recognise(first.as_bytes(), Duration::MAX, now).unwrap();
        assert_eq!((serial, nonces.used.len()), (0, MOST));
        assert!(nonces.spend(serial, 1));
        assert_eq!((nonces.used.len(), nonces.floor), (MOST, 1));
        assert!(nonces.recognise(first.as_bytes(), Duration::MAX, now).is_none() && !nonces.spend(serial, 2));
    }
}
