//! Operations as one node hands them to another: the records of a frame's body.

use crate::ops::{MessageRef, Op, Table};
use crate::record::{Record, Records, write_op};

/// Appends an operation; the order of an `Ordered` one is not kept.
pub fn encode_op(op: &Op, out: &mut Vec<u8>) {
    write_op(out, op, 0);
}

/// The operations that [`encode_op`] wrote; none when the bytes are something else.
#[must_use]
pub fn decode_ops(bytes: &[u8]) -> Option<Vec<Op>> {
    let mut records = Records::new(bytes);
    let ops: Option<Vec<Op>> = records.by_ref().map(|placed| op_of(placed.record)).collect();
    ops.filter(|_| records.is_sound())
}

fn op_of(record: Record<'_>) -> Option<Op> {
    Some(match record {
        Record::Put { table, key, value } => {
            Op::Put { table: Table(table), key: key.into(), value: value.into() }
        }
        Record::Delete { table, key } => Op::Delete { table: Table(table), key: key.into() },
        Record::Publish { seq, refs, message, .. } => {
            let refs = refs.map(|(session, state)| {
                let (flags, meta) = (state.flags, state.meta);
                MessageRef { session, flags, meta }
            });
            Op::Publish { seq, message: message.into(), refs: refs.collect(), is_moved: false }
        }
        Record::Assign { session, seq, packet_id } => Op::Assign { session, seq, packet_id },
        Record::Release { session, seq } => Op::Release { session, seq },
        Record::Ack { session, seq } => Op::Ack { session, seq },
        Record::DropSession { session, .. } => Op::DropSession { session },
        Record::Epoch(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use smallvec::smallvec;

    use super::{decode_ops, encode_op};
    use crate::ops::{MessageRef, Op, Table};

    #[test]
    fn operations_come_out_as_they_went_in() {
        let one = MessageRef { session: 7, flags: 5, meta: 9 };
        let two = MessageRef { session: 8, flags: 1, meta: 0 };
        let ops = [
            Op::Put { table: Table(1), key: Box::from(*b"k"), value: Box::from(*b"value") },
            Op::Delete { table: Table(2), key: Box::from(*b"") },
            Op::Publish {
                seq: 3,
                message: Arc::from(&b"message"[..]),
                refs: smallvec![one, two],
                is_moved: false,
            },
            Op::Assign { session: 7, seq: 3, packet_id: 65_535 },
            Op::Release { session: 7, seq: 3 },
            Op::Ack { session: 8, seq: 3 },
            Op::DropSession { session: 7 },
        ];
        let mut bytes = Vec::new();
        ops.iter().for_each(|op| encode_op(op, &mut bytes));
        let found = decode_ops(&bytes).expect("operations");
        assert_eq!(format!("{found:?}"), format!("{ops:?}"));
        assert!(decode_ops(&bytes[..bytes.len() - 1]).is_none(), "cut short");
        assert!(decode_ops(&[99]).is_none(), "no record");
        assert!(decode_ops(&[]).is_some_and(|ops| ops.is_empty()));
    }
}
