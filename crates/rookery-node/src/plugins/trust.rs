//! Whether a worker still answers at a hookpoint.
//!
//! One that answered nothing for a whole deadline is doubted: it hangs, or what it waits for does.
//! Then it gets one question at a time, and all others have the configured answer at once. Whoever
//! asked that one waits a part of the deadline only. An answer to it before its deadline, and the
//! worker is asked as before.

use rookery_core::effects::AskId;

/// Which part of the deadline somebody waits for a worker that is doubted.
const PATIENCE: u64 = 10;

#[derive(Copy, Clone, Debug)]
struct Probe {
    id: AskId,
    /// Whoever asked waits so long.
    patience_ms: u64,
    deadline_ms: u64,
}

#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Trust {
    /// When the worker answered last, or began.
    answered_ms: u64,
    is_doubted: bool,
    probe: Option<Probe>,
}

impl Trust {
    pub(super) fn since(now_ms: u64) -> Self {
        Self { answered_ms: now_ms, ..Self::default() }
    }

    /// Whether the worker is asked another question.
    pub(super) fn allows(&self, now_ms: u64) -> bool {
        !self.is_doubted || self.probe.is_none_or(|probe| probe.deadline_ms <= now_ms)
    }

    pub(super) fn asked(&mut self, id: AskId, now_ms: u64, deadline_ms: u64) {
        if self.is_doubted {
            let patience_ms = now_ms + (deadline_ms.saturating_sub(now_ms) / PATIENCE).max(1);
            self.probe = Some(Probe { id, patience_ms, deadline_ms });
        }
    }

    /// An answer to a question that somebody waits for.
    pub(super) fn answered(&mut self, now_ms: u64) {
        *self = Self::since(now_ms);
    }

    /// An answer that nobody waits for any more.
    pub(super) fn answered_late(&mut self, id: AskId, now_ms: u64) {
        if self.probe.is_some_and(|probe| probe.id == id && now_ms < probe.deadline_ms) {
            self.answered(now_ms);
        }
    }

    /// The deadline of a question has passed; true when the worker is doubted from now on.
    pub(super) fn missed(&mut self, asked_ms: u64) -> bool {
        let begins = !self.is_doubted && self.answered_ms <= asked_ms;
        self.is_doubted |= begins;
        begins
    }

    /// The question to a worker that is doubted, and until when somebody waits for its answer.
    pub(super) fn probe(&self) -> Option<(AskId, u64)> {
        self.probe.map(|probe| (probe.id, probe.patience_ms))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::net::UnixStream;

    use rookery_core::effects::{AskId, Question};
    use rookery_core::ids::ConnKey;

    use super::super::hook::{HookNumber, SUBSCRIBE, UNSUBSCRIBE};
    use super::super::worker::{Pending, Worker};

    const DEADLINE_MS: u64 = 5000;

    fn id(number: u32) -> AskId {
        AskId { shard: 0, conn: ConnKey { slot: 0, generation: 0 }, number }
    }

    /// A worker whose process never reads, and a clock.
    struct Scene {
        worker: Worker,
        process: UnixStream,
        now_ms: u64,
    }

    impl Scene {
        fn new() -> Self {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let mut worker = Worker::default();
            worker.attach(ours.into());
            worker.begin(0);
            Self { worker, process: theirs, now_ms: 0 }
        }

        /// Whether a question is asked rather than answered by what is configured.
        fn asks_at(&mut self, hook: HookNumber, number: u32) -> bool {
            if !self.worker.may_be_asked(hook, self.now_ms, 1000, 1 << 20) {
                return false;
            }
            let filters = vec!["t".into()];
            let question = Question::Unsubscribe { client_id: "c".into(), filters };
            let (is_replaced, filters) = (false, None);
            let pending = Pending {
                id: id(number),
                question,
                is_replaced,
                filters,
                asked: 1,
                asked_ms: self.now_ms,
                hook,
            };
            self.worker.ask(pending, self.now_ms + DEADLINE_MS);
            true
        }

        fn asks(&mut self, number: u32) -> bool {
            self.asks_at(UNSUBSCRIBE, number)
        }

        /// Whether somebody still waited for the answer.
        fn answers(&mut self, number: u32) -> bool {
            self.worker.answered(id(number), self.now_ms).is_some()
        }

        /// Time passes; the questions that nobody waits for any longer.
        fn pass(&mut self, ms: u64) -> Vec<u32> {
            let mut late = Vec::new();
            let end_ms = self.now_ms + ms;
            while let Some(at_ms) = self.worker.next_deadline().filter(|at_ms| *at_ms <= end_ms) {
                self.now_ms = at_ms;
                self.worker.expire(at_ms, &mut late);
            }
            self.now_ms = end_ms;
            late.into_iter().map(|pending| pending.id.number).collect()
        }
    }

    #[test]
    fn after_one_deadline_nobody_waits_for_a_worker_that_hangs() {
        let mut scene = Scene::new();
        for number in 0..5 {
            assert!(scene.asks(number));
            assert_eq!(scene.pass(1000), if number == 4 { vec![0, 1, 2, 3, 4] } else { vec![] });
        }
        assert!(scene.asks(10), "one question is for the worker to show that it answers");
        assert!(!scene.asks(11), "the others have their answer at once");
        assert_eq!(scene.pass(499), Vec::<u32>::new());
        assert_eq!(scene.pass(1), [10], "and nobody waits long for that one");
        assert!(!scene.asks(12), "it may be answered yet");
        scene.pass(4500);
        assert!(scene.asks(13), "another one a deadline later");
        let figures = scene.worker.figures;
        assert_eq!((figures.asked, figures.late, figures.failed), (7, 1, 5));
    }

    #[test]
    fn an_answer_in_time_ends_the_doubt() {
        for (waits_ms, is_awaited) in [(10, true), (4000, false)] {
            let mut scene = Scene::new();
            scene.asks(0);
            assert_eq!(scene.pass(DEADLINE_MS), [0]);
            assert!(scene.asks(1) && !scene.asks(2));
            scene.pass(waits_ms);
            assert!(!scene.answers(0), "that of the late question says nothing");
            assert!(!scene.asks(2));
            assert_eq!(scene.answers(1), is_awaited);
            assert!(scene.asks(2) && scene.asks(3));
            assert_eq!(scene.pass(DEADLINE_MS - 1), Vec::<u32>::new());
        }
    }

    #[test]
    fn an_answer_after_the_deadline_does_not_end_it() {
        let mut scene = Scene::new();
        scene.asks(0);
        scene.pass(DEADLINE_MS);
        assert!(scene.asks(1));
        scene.pass(DEADLINE_MS);
        scene.answers(1);
        assert!(scene.asks(2) && !scene.asks(3));
    }

    #[test]
    fn one_late_answer_among_others_is_no_reason_to_doubt() {
        let mut scene = Scene::new();
        assert!(scene.asks(0) && scene.asks(1));
        scene.pass(2000);
        assert!(scene.answers(1));
        assert!(scene.asks(2));
        assert_eq!(scene.pass(3000), [0]);
        assert!(scene.asks(3) && scene.asks(4));
        assert!(scene.answers(2) && scene.answers(4));
    }

    #[test]
    fn each_hookpoint_is_doubted_by_itself() {
        let mut scene = Scene::new();
        assert!(scene.asks(0));
        scene.pass(DEADLINE_MS);
        assert!(scene.asks(1) && !scene.asks(2));
        assert!(scene.asks_at(SUBSCRIBE, 3) && scene.asks_at(SUBSCRIBE, 4));
    }

    #[test]
    fn another_process_is_trusted() {
        let mut scene = Scene::new();
        scene.asks(0);
        scene.pass(DEADLINE_MS);
        assert!(scene.asks(1) && !scene.asks(2));
        let (ours, theirs) = UnixStream::pair().unwrap();
        let left = scene.worker.attach(ours.into());
        assert_eq!(left.len(), 1);
        scene.process = theirs;
        scene.worker.begin(scene.now_ms);
        assert!(scene.asks(2) && scene.asks(3));
    }
}
