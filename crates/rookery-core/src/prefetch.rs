//! Asks for memory before it is needed.
//!
//! What a window of messages occupies is more than the cache next to a processor holds. The order in
//! which it is needed again is known, so the wait for one message goes by while others are handled.

use std::sync::Arc;

/// Counters of an [`Arc`], which stand before its value.
const COUNTERS_BYTES: usize = 2 * size_of::<usize>();

/// Most lines of one value that are asked for: the bytes at its end are rarely used.
const BYTES_MAX: usize = 3 * LINE_BYTES;
const LINE_BYTES: usize = 64;

/// Has `shared`, counters included, brought near. A hint: nothing depends on it.
#[inline(always)]
pub(crate) fn prefetch<T>(shared: &Arc<T>) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start = Arc::as_ptr(shared).cast::<i8>().wrapping_sub(COUNTERS_BYTES);
        for at in (0..BYTES_MAX.min(COUNTERS_BYTES + size_of::<T>())).step_by(LINE_BYTES) {
            // SAFETY: prefetching reads nothing that the program could see and cannot fail, whatever
            // the address; where the counters really lie does not matter.
            #[allow(unsafe_code)]
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(at));
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (shared, COUNTERS_BYTES);
}
