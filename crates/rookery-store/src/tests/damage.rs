//! Files that are cut off or changed: reported, the rest kept.

use super::harness::{Model, ack, open, open_with, options, publish, put};
use super::mem_disk::{Crash, MemDisk};
use crate::disk::Disk;
use crate::format::{FRAMES_FROM, HEADER_BYTES};
use crate::{Op, StoreError, SyncPolicy};

const BATCHES: usize = 6;

fn batch(number: usize) -> Vec<Op> {
    let number = number as u64;
    vec![
        put(number as u32, &[number as u8; 20]),
        publish(number + 1, &[number, 50], 30),
        Op::Assign { session: 50, seq: number + 1, packet_id: 3 },
        ack(50, number),
    ]
}

/// The state without one of the batches.
fn model_without(left_out: Option<usize>, count: usize) -> Model {
    let mut model = Model::default();
    for number in (0..count).filter(|number| Some(*number) != left_out) {
        model.apply(&batch(number));
    }
    model
}

/// A disk with one segment and where each batch ends in it.
fn written() -> (MemDisk, Vec<usize>) {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    let path = disk.files("log").swap_remove(0);
    let mut ends = vec![HEADER_BYTES as usize];
    for number in 0..BATCHES {
        opened.commit(0, batch(number)).unwrap();
        ends.push(disk.bytes(&path).len());
    }
    (disk.after(Crash::Kill), ends)
}

#[test]
fn a_tail_cut_at_any_byte_costs_only_the_batch_it_cuts() {
    let (disk, ends) = written();
    let path = disk.files("log").swap_remove(0);
    let whole = disk.bytes(&path);
    for cut in ends[BATCHES - 2]..=whole.len() {
        let disk = disk.after(Crash::Kill);
        disk.set_bytes(&path, whole[..cut].to_vec());
        let mut opened = open(&disk);
        let kept = ends.iter().rposition(|end| *end <= cut).unwrap();
        assert_eq!(opened.state(), model_without(None, kept), "cut at {cut}");
        let report = &opened.recovered.report;
        assert_eq!(report.corrupt, vec![]);
        let tail = report.truncated_tail.as_ref().map(|tail| (tail.offset, tail.bytes));
        let torn = cut - ends[kept];
        assert_eq!(tail, (torn > 0).then_some((ends[kept] as u64, torn as u64)));
        opened.commit(0, vec![put(99, b"next")]).unwrap();
        let mut again = open(&disk.after(Crash::Kill));
        assert_eq!(again.recovered.report.truncated_tail, None);
        assert_eq!(again.state().keys.len(), kept + 1);
    }
}

#[test]
fn a_cut_after_a_clean_stop_is_no_unfinished_write() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    let path = disk.files("log").swap_remove(0);
    opened.commit(0, batch(0)).unwrap();
    let first = disk.bytes(&path).len();
    opened.commit(0, batch(1)).unwrap();
    let second = disk.bytes(&path).len();
    opened.store.clone().close().unwrap();
    let whole = disk.bytes(&path);
    for cut in [first, first + 3, second, whole.len() - 1] {
        let disk = disk.after(Crash::Kill);
        disk.set_bytes(&path, whole[..cut].to_vec());
        let report = open(&disk).recovered.report.clone();
        let details: Vec<_> = report.corrupt.iter().map(|one| one.detail.as_str()).collect();
        assert_eq!(details, ["cut after a clean stop"], "cut at {cut}");
        assert_eq!(report.corrupt[0].bytes_skipped as usize, whole.len() - cut);
        assert_eq!(report.truncated_tail, None);
        let again = open(&disk.after(Crash::Kill)).recovered.report.clone();
        assert_eq!(again.corrupt, vec![], "told once");
    }
    let report = open(&disk.after(Crash::PowerLoss)).recovered.report.clone();
    assert_eq!(
        (report.corrupt, report.truncated_tail, report.clean_shutdown),
        (vec![], None, true)
    );
}

#[test]
fn a_tail_of_zeros_is_a_write_that_was_cut_short() {
    let (disk, _) = written();
    let path = disk.files("log").swap_remove(0);
    let mut bytes = disk.bytes(&path);
    bytes.resize(bytes.len() + 3000, 0);
    disk.set_bytes(&path, bytes);
    let mut opened = open(&disk);
    assert_eq!(opened.state(), model_without(None, BATCHES));
    assert_eq!(opened.recovered.report.corrupt, vec![]);
    assert!(opened.recovered.report.truncated_tail.is_some());
}

#[test]
fn a_changed_byte_costs_only_its_batch_and_is_never_silent() {
    let (disk, ends) = written();
    let path = disk.files("log").swap_remove(0);
    let whole = disk.bytes(&path);
    for at in HEADER_BYTES as usize..whole.len() {
        let bit = at as u8 % 8;
        let disk = disk.after(Crash::Kill);
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        disk.set_bytes(&path, bytes.clone());
        let mut opened = open(&disk);
        let hit = ends.iter().rposition(|end| *end <= at).unwrap();
        assert_eq!(opened.state(), model_without(Some(hit), BATCHES), "byte {at}");
        let report = opened.recovered.report.clone();
        let found = report.corrupt.first().map(|one| (one.offset, one.bytes_skipped));
        let is_tail = report.truncated_tail.is_some();
        if !is_tail {
            let bytes = (ends[hit + 1] - ends[hit]) as u64;
            assert_eq!(found, Some((ends[hit] as u64, bytes)), "byte {at}");
            assert_eq!(disk.bytes(&disk.files("damaged")[0]), bytes_of(&whole, at, bit));
        } else {
            assert_eq!(hit, BATCHES - 1, "only the last frame can look cut short");
        }
        let again = open(&disk.after(Crash::Kill));
        assert_eq!(again.recovered.report.corrupt, vec![], "mended once");
    }
}

fn bytes_of(whole: &[u8], at: usize, bit: u8) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    bytes[at] ^= 1 << bit;
    bytes
}

#[test]
fn a_changed_header_is_read_from_another_copy_and_mended() {
    let (disk, _) = written();
    let path = disk.files("log").swap_remove(0);
    let whole = disk.bytes(&path);
    for at in (0..76).chain(2048..2124).chain(FRAMES_FROM as usize..HEADER_BYTES as usize) {
        let disk = disk.after(Crash::Kill);
        disk.set_bytes(&path, bytes_of(&whole, at, 3));
        let mut opened = open(&disk);
        assert_eq!(opened.state(), model_without(None, BATCHES), "byte {at}");
        assert_eq!(opened.recovered.report.corrupt.len(), 1);
        assert_eq!(disk.bytes(&path), whole, "byte {at}");
        assert_eq!(open(&disk.after(Crash::Kill)).recovered.report.corrupt, vec![]);
    }
}

#[test]
fn a_bad_block_costs_no_more_than_the_batches_in_it() {
    let (disk, ends) = written();
    let path = disk.files("log").swap_remove(0);
    let whole = disk.bytes(&path);
    for filling in [0, 0xEE, 0xFF] {
        let disk = disk.after(Crash::Kill);
        let mut bytes = whole.clone();
        bytes[..4096].fill(filling);
        disk.set_bytes(&path, bytes.clone());
        let mut opened = open(&disk);
        assert_eq!(opened.state(), model_without(None, BATCHES), "filled with {filling}");
        let report = &opened.recovered.report;
        assert_eq!((report.corrupt.len(), report.corrupt[0].offset), (1, 0));
        assert_eq!(disk.bytes(&disk.files("damaged")[0]), bytes);
        assert_eq!(disk.bytes(&path), whole, "all copies are there again");
        opened.commit(0, vec![put(99, b"next")]).unwrap();
        let mut again = open(&disk.after(Crash::Kill));
        assert_eq!(again.recovered.report.corrupt, vec![]);
        assert!(again.state().keys.contains_key(&(1, 99u32.to_le_bytes().to_vec())));
    }
    // The block behind it: the batches in it are gone, what follows is kept.
    let mut bytes = whole.clone();
    bytes[4096..ends[2]].fill(0xEE);
    disk.set_bytes(&path, bytes);
    let mut opened = open(&disk);
    let details = opened.recovered.report.corrupt.iter().map(|one| one.offset);
    assert_eq!(details.collect::<Vec<_>>(), [0, HEADER_BYTES]);
    let mut expected = Model::default();
    (2..BATCHES).for_each(|number| expected.apply(&batch(number)));
    assert_eq!(opened.state(), expected);
    assert_eq!(open(&disk.after(Crash::Kill)).recovered.report.corrupt, vec![]);
}

#[test]
fn a_bad_block_in_any_of_several_segments_loses_none_of_them() {
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    let mut model = Model::default();
    for number in 0..12 {
        let ops = vec![put(number, &[7; 1500])];
        model.apply(&ops);
        opened.commit(0, ops).unwrap();
    }
    let disk = disk.after(Crash::Kill);
    let files = disk.files("log");
    assert!(files.len() > 3, "{files:?}");
    for path in &files {
        let disk = disk.after(Crash::Kill);
        let mut bytes = disk.bytes(path);
        bytes[..4096].fill(0);
        disk.set_bytes(path, bytes);
        let mut again = open(&disk);
        assert_eq!(again.state(), model, "{}", path.display());
        assert_eq!(again.recovered.report.corrupt.len(), 1);
    }
}

/// The same segment as an earlier version wrote it: two copies of the header, no third.
fn as_written_before(whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole[..FRAMES_FROM as usize].to_vec();
    for at in [0, 2048] {
        bytes[at + 9] = 0;
        let crc = crc32fast::hash(&bytes[at..at + 72]);
        bytes[at + 72..at + 76].copy_from_slice(&crc.to_le_bytes());
    }
    bytes.extend_from_slice(&whole[HEADER_BYTES as usize..]);
    bytes
}

#[test]
fn a_segment_with_two_copies_of_its_header_is_read_and_written_on() {
    let (disk, _) = written();
    let path = disk.files("log").swap_remove(0);
    let before = as_written_before(&disk.bytes(&path));
    disk.set_bytes(&path, before.clone());
    let mut opened = open(&disk);
    assert_eq!(opened.state(), model_without(None, BATCHES));
    assert_eq!(opened.recovered.report.corrupt, vec![]);
    opened.commit(0, vec![put(99, b"next")]).unwrap();
    let disk = disk.after(Crash::Kill);
    assert_eq!(disk.bytes(&path)[..before.len()], before);
    let mut again = open(&disk);
    assert_eq!(again.recovered.report.corrupt, vec![]);
    assert_eq!(again.state().keys.len(), BATCHES + 1);
    // One copy is mended from the other, and no third one is written over what stands there.
    let state = again.state();
    drop(again);
    disk.set_bytes(&path, bytes_of(&before, 20, 3));
    assert_eq!(open(&disk).state(), state);
    assert_eq!(disk.bytes(&path), before);
}

#[test]
fn a_file_without_any_header_is_put_aside() {
    let (disk, ends) = written();
    let path = disk.files("log").swap_remove(0);
    let mut bytes = disk.bytes(&path);
    bytes[..ends[0]].fill(0xEE);
    disk.set_bytes(&path, bytes.clone());
    let mut opened = open(&disk);
    assert_eq!(opened.state(), Model::default());
    assert_eq!(opened.recovered.report.corrupt[0].bytes_skipped, bytes.len() as u64);
    assert_eq!(disk.bytes(&disk.files("damaged")[0]), bytes);
    opened.commit(0, vec![put(1, b"on")]).unwrap();
}

#[test]
fn a_file_cut_inside_its_header_is_mended_and_written_behind_it() {
    let (disk, _) = written();
    let path = disk.files("log").swap_remove(0);
    let whole = disk.bytes(&path);
    for cut in [80, 3000, 4096, 4150] {
        let disk = disk.after(Crash::Kill);
        disk.set_bytes(&path, whole[..cut].to_vec());
        let mut opened = open(&disk);
        assert_eq!(opened.state(), Model::default());
        assert_eq!(opened.recovered.report.corrupt.len(), 1, "cut at {cut}");
        opened.commit(0, vec![put(1, b"on")]).unwrap();
        let mut again = open(&disk.after(Crash::Kill));
        assert_eq!(again.recovered.report.corrupt, vec![], "cut at {cut}");
        assert_eq!(again.state().keys.len(), 1, "cut at {cut}");
    }
}

#[test]
fn a_future_version_is_refused_and_nothing_is_touched() {
    let (disk, _) = written();
    let path = disk.files("log").swap_remove(0);
    let mut bytes = disk.bytes(&path);
    (bytes[8], bytes[2048 + 8]) = (2, 2);
    disk.set_bytes(&path, bytes.clone());
    let error = open_with(&disk, options(SyncPolicy::Never)).err();
    let expected = StoreError::FutureVersion { file: path.clone(), found: 2, supported: 1 };
    assert_eq!(error, Some(expected));
    assert_eq!(disk.bytes(&path), bytes);
}

#[test]
fn a_published_frame_does_not_pass_for_one() {
    // A client that publishes the bytes of a frame of another store, or of this one's other
    // segment, must not have them read as operations behind a damaged stretch.
    let other = MemDisk::default();
    let mut writer = open(&other);
    writer.commit(0, vec![put(666, b"forged")]).unwrap();
    let forged = other.bytes(&other.files("log")[0])[HEADER_BYTES as usize..].to_vec();
    let disk = MemDisk::default();
    let mut opened = open(&disk);
    opened.commit(0, vec![put(1, &forged)]).unwrap();
    opened.commit(0, vec![put(2, b"genuine")]).unwrap();
    let disk = disk.after(Crash::Kill);
    let path = disk.files("log").swap_remove(0);
    let mut bytes = disk.bytes(&path);
    bytes[HEADER_BYTES as usize] ^= 1;
    disk.set_bytes(&path, bytes);
    let keys: Vec<_> = open(&disk).state().keys.into_keys().collect();
    assert_eq!(keys, vec![(1, 2u32.to_le_bytes().to_vec())]);
}

#[test]
fn a_log_that_is_gone_or_emptied_is_not_taken_for_a_new_one() {
    let (disk, _) = written();
    let path = disk.files("log").swap_remove(0);
    for is_removed in [true, false] {
        let disk = disk.after(Crash::Kill);
        if is_removed {
            disk.remove(&path).unwrap();
        } else {
            disk.set_bytes(&path, vec![]);
        }
        let mut opened = open(&disk);
        assert_eq!(opened.state(), Model::default());
        assert_eq!(opened.recovered.report.corrupt.len(), 1, "removed: {is_removed}");
        assert!(!opened.recovered.report.clean_shutdown);
    }
}
