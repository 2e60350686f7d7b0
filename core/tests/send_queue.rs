//! The send queue against the plainest model: one vector. Random writes, advances, resets and looks, from a seed.

use bytes::{Buf, Bytes};
use callboard_core::{Random, SendQueue};

fn random_bytes(random: &mut Random, bound: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(random.below(bound)).unwrap()];
    random.fill(&mut bytes);
    bytes
}

fn assert_same(queue: &SendQueue, model: &[u8], seed: u64) {
    assert_eq!(queue.len(), model.len(), "seed {seed}");
    assert_eq!(queue.remaining(), model.len());
    assert_eq!(queue.is_empty(), model.is_empty());
    assert_eq!(queue.has_remaining(), !model.is_empty());
    let chunks: Vec<&[u8]> = queue.chunks().collect();
    assert!(chunks.iter().all(|chunk| !chunk.is_empty()), "seed {seed}: an empty chunk");
    assert_eq!(chunks.concat(), model, "seed {seed}");
    assert_eq!(queue.chunk(), chunks.first().copied().unwrap_or_default(), "seed {seed}");
}

#[test]
fn any_use_gives_the_bytes_in_the_order_of_writing() {
    for seed in 0..300 {
        let mut random = Random::from_seed(seed);
        let (mut queue, mut model) = (SendQueue::new(), Vec::<u8>::new());
        let mut sent = 0;
        let largest = [40, 5_000, 60_000][usize::try_from(seed % 3).unwrap()];
        for _ in 0..120 {
            match random.below(12) {
                0..=2 => {
                    let bytes = random_bytes(&mut random, largest);
                    queue.put_slice(&bytes);
                    model.extend(bytes);
                }
                3..=5 => {
                    let bytes = random_bytes(&mut random, largest);
                    queue.put_bytes(Bytes::from(bytes.clone()));
                    model.extend(bytes);
                }
                6..=9 => {
                    let count = usize::try_from(random.below(model.len() as u64 + 1)).unwrap();
                    queue.advance(count);
                    model.drain(..count);
                    sent += count as u64;
                }
                10 => {
                    let scratch = queue.take_scratch();
                    assert!(model.is_empty() || scratch.capacity() == 0, "seed {seed}: scratch taken from under bytes");
                    queue.give_scratch(if random.below(2) == 0 { scratch } else { vec![7; 3] });
                }
                _ if random.below(10) == 0 => {
                    queue.clear();
                    model.clear();
                }
                _ => {}
            }
            assert_same(&queue, &model, seed);
            assert_eq!(queue.total_sent(), sent, "seed {seed}");
        }
    }
}

#[cfg(feature = "std")]
#[test]
fn vectored_chunks_are_a_prefix_of_the_content() {
    use std::io::IoSlice;

    for seed in 0..50 {
        let mut random = Random::from_seed(seed);
        let (mut queue, mut model) = (SendQueue::new(), Vec::<u8>::new());
        for _ in 0..20 {
            let bytes = random_bytes(&mut random, 9_000);
            queue.put_bytes(Bytes::from(bytes.clone()));
            model.extend(bytes);
        }
        while queue.has_remaining() {
            let mut slices = [IoSlice::new(&[]); 4];
            let filled = queue.chunks_vectored(&mut slices);
            assert!(filled > 0);
            let gathered: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.iter().copied()).collect();
            assert!(model.starts_with(&gathered), "seed {seed}");
            let count = 1 + usize::try_from(random.below(gathered.len() as u64)).unwrap();
            queue.advance(count);
            model.drain(..count);
        }
        assert!(model.is_empty());
    }
}

#[test]
fn small_blocks_are_joined_and_large_ones_are_not_copied() {
    let large = Bytes::from(vec![b'x'; 5_000]);
    let mut queue = SendQueue::new();
    queue.put_slice(b"head ");
    queue.put_bytes(Bytes::from_static(b"small "));
    queue.put_bytes(large.clone());
    queue.put_slice(b"tail");
    let chunks: Vec<&[u8]> = queue.chunks().collect();
    assert_eq!(chunks.len(), 3);
    assert_eq!((chunks[0], chunks[2]), (&b"head small "[..], &b"tail"[..]));
    assert_eq!(chunks[1].as_ptr(), large.as_ptr(), "the large block was copied");
    for (length, chunks) in [(4096, 1), (4097, 2)] {
        let mut queue = SendQueue::new();
        queue.put_slice(b"head");
        queue.put_bytes(Bytes::from(vec![0; length]));
        assert_eq!(queue.chunks().count(), chunks, "{length} bytes");
    }
}

#[test]
fn a_queue_that_is_never_drained_does_not_grow() {
    let mut queue = SendQueue::new();
    queue.put_slice(&[0; 1000]);
    for _ in 0..10_000 {
        queue.put_slice(&[0; 1000]);
        queue.advance(1000);
    }
    assert_eq!(queue.len(), 1000);
    queue.advance(1000);
    assert!(queue.take_scratch().capacity() <= 256 * 1024);
}

#[test]
fn a_spike_gives_its_memory_back_and_common_use_keeps_it() {
    let mut queue = SendQueue::new();
    queue.put_slice(&vec![0; 300_000]);
    queue.advance(300_000);
    assert_eq!(queue.take_scratch().capacity(), 0);
    queue.put_slice(&[0; 3_000]);
    queue.advance(3_000);
    assert!(queue.take_scratch().capacity() >= 3_000);
}

#[test]
fn scratch_moves_from_one_queue_to_another() {
    let mut first = SendQueue::new();
    first.give_scratch(Vec::with_capacity(500));
    first.put_slice(b"x");
    assert_eq!(first.take_scratch().capacity(), 0, "bytes are still unsent");
    first.advance(1);
    assert!(first.has_scratch());
    let scratch = first.take_scratch();
    assert!(scratch.capacity() >= 500 && !first.has_scratch());
    let mut second = SendQueue::new();
    second.put_slice(b"busy");
    second.give_scratch(scratch);
    assert_eq!(second.chunk(), b"busy", "memory given to a busy queue must not touch its bytes");
}

#[test]
fn numbers_are_written_as_the_standard_library_writes_them() {
    use std::fmt::Write;

    let mut random = Random::from_seed(1);
    let mut numbers = vec![0, 1, 9, 10, 15, 16, 99, 100, u64::MAX];
    numbers.extend((0..200).map(|_| random.next_u64() >> random.below(64)));
    for number in numbers {
        let mut queue = SendQueue::new();
        queue.put_decimal(number);
        queue.put_slice(b" ");
        queue.put_hexadecimal(number);
        write!(queue, " {number:?}").unwrap();
        assert_eq!(queue.chunk(), format!("{number} {number:x} {number}").as_bytes());
    }
}

#[test]
#[should_panic(expected = "advanced 3 bytes of 2")]
fn advancing_past_the_end_is_a_programming_error() {
    let mut queue = SendQueue::new();
    queue.put_slice(b"ab");
    queue.advance(3);
}
