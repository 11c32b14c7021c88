//! How a node learns which topic filters another one has subscribers for.
//!
//! A [`RouteSource`] is what one node has: numbered changes, the latest of them kept. Each peer that
//! follows it has a [`RouteSender`] there, which tells all routes in slices, then what changes,
//! and now and then a digest. At the other end a [`RouteMirror`] keeps a table in step, finds out
//! when it is not, and asks for everything again; what it knew stays in use until then.
//!
//! Routes are told as facts (this filter: that many), so that telling one twice does no harm, and
//! slices may be read while the routes change. Nothing here knows what carries the frames.

use std::collections::VecDeque;

use crate::frame::{Frame, FrameError, Route, put_route, routes};

/// Bytes of changes that are kept for peers that lag behind or come back.
pub const LOG_BYTES_MAX: usize = 8 << 20;

/// Bytes of routes in one frame, about.
const FRAME_BYTES: usize = 32 << 10;

/// A number of a route: those of all routes are added up to a digest.
#[must_use]
pub fn hash(route: Route<'_>) -> u64 {
    if route.weight == 0 {
        return 0;
    }
    // FNV-1a, then mixed so that sums of them tell sets apart.
    let group = route.group.unwrap_or("\u{1}").bytes();
    let octets = group.chain([0]).chain(route.filter.bytes()).chain(route.weight.to_le_bytes());
    let mut hash = octets.fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    });
    for (shift, factor) in [(33, 0xff51_afd7_ed55_8ccd), (33, 0xc4ce_b9fe_1a85_ec53)] {
        hash = (hash ^ (hash >> shift)).wrapping_mul(factor);
    }
    hash ^ (hash >> 33)
}

/// What a set of routes comes to.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Sum {
    digest: u64,
    count: u64,
}

impl Sum {
    fn change(&mut self, route: Route<'_>, was: u32) {
        let before = hash(Route { weight: was, ..route });
        self.digest = self.digest.wrapping_add(hash(route)).wrapping_sub(before);
        self.count += u64::from(route.weight != 0);
        self.count = self.count.saturating_sub(u64::from(was != 0));
    }
}

/// What one node has.
#[derive(Debug, Default)]
pub struct RouteSource {
    version: u64,
    sum: Sum,
    /// The changes with the numbers up to `version`.
    log: VecDeque<Box<[u8]>>,
    log_bytes: usize,
}

impl RouteSource {
    /// Notes a change.
    pub fn change(&mut self, route: Route<'_>, was: u32) {
        self.sum.change(route, was);
        self.version += 1;
        let mut bytes = Vec::new();
        put_route(&mut bytes, route);
        self.log_bytes += bytes.len();
        self.log.push_back(bytes.into());
        while self.log_bytes > LOG_BYTES_MAX
            && let Some(oldest) = self.log.pop_front()
        {
            self.log_bytes -= oldest.len();
        }
    }

    /// Changes were lost: [`RouteSource::found`] tells what there is, and peers are told all.
    pub fn restart(&mut self) {
        *self = Self { version: self.version + 1, ..Self::default() };
    }

    /// Notes what is there at the beginning.
    pub fn found(&mut self, route: Route<'_>) {
        self.sum.change(route, 0);
    }

    /// How many routes there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.sum.count
    }

    /// The changes behind a version; none if they are not kept any more.
    fn since(&self, version: u64) -> Option<impl Iterator<Item = &[u8]>> {
        let missing = usize::try_from(self.version.checked_sub(version)?).ok()?;
        let skipped = self.log.len().checked_sub(missing)?;
        Some(self.log.iter().skip(skipped).map(|bytes| &**bytes))
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Nobody listens.
    Silent,
    /// Everything has to be told from the beginning.
    Whole,
    /// Everything is being told; the place to go on from.
    Telling(u32),
    Following,
}

/// Tells one peer.
#[derive(Debug)]
pub struct RouteSender {
    stage: Stage,
    /// Changes up to this one were told.
    told: u64,
    /// A slice was told since changes were last noted: a digest would not fit it.
    is_ahead: bool,
}

impl Default for RouteSender {
    fn default() -> Self {
        Self { stage: Stage::Silent, told: 0, is_ahead: false }
    }
}

impl RouteSender {
    /// The peer listens, and knows a version already or none.
    pub fn connected(&mut self, source: &RouteSource, known: Option<u64>) {
        match known.filter(|version| source.since(*version).is_some()) {
            Some(version) => (self.stage, self.told) = (Stage::Following, version),
            None => self.stage = Stage::Whole,
        }
    }

    /// The peer is gone.
    pub fn disconnected(&mut self) {
        self.stage = Stage::Silent;
    }

    /// The peer wants everything again.
    pub fn wanted(&mut self) {
        if self.stage == Stage::Following {
            self.stage = Stage::Whole;
        }
    }

    /// Whether there is something to tell.
    #[must_use]
    pub fn has_news(&self, source: &RouteSource) -> bool {
        match self.stage {
            Stage::Silent => false,
            Stage::Following => self.told != source.version,
            Stage::Whole | Stage::Telling(_) => true,
        }
    }

    /// Tells what changed, and the next slice if everything is told. `slice` appends routes from a place
    /// on and says where to go on. Changes of the source have to be noted before each call.
    pub fn tell(
        &mut self,
        source: &RouteSource,
        out: &mut Vec<u8>,
        slice: impl FnOnce(u32, &mut dyn FnMut(Route<'_>)) -> Option<u32>,
    ) {
        self.is_ahead = false;
        let is_lagging = source.since(self.told).is_none();
        match self.stage {
            Stage::Silent => return,
            Stage::Whole => self.begin(source, out),
            Stage::Telling(_) | Stage::Following if is_lagging => self.begin(source, out),
            Stage::Telling(_) | Stage::Following => self.tell_changes(source, out),
        }
        let Stage::Telling(from) = self.stage else { return };
        let mut items = Vec::new();
        let next = slice(from, &mut |route| put_route(&mut items, route));
        // Even if there is none: it tells the version.
        Frame::Routes { version: self.told, items: &items }.encode(out);
        self.is_ahead = true;
        self.stage = next.map_or(Stage::Following, Stage::Telling);
        if next.is_none() {
            Frame::RoutesEnd.encode(out);
        }
    }

    fn begin(&mut self, source: &RouteSource, out: &mut Vec<u8>) {
        self.told = source.version;
        self.stage = Stage::Telling(0);
        Frame::RoutesBegin.encode(out);
    }

    fn tell_changes(&mut self, source: &RouteSource, out: &mut Vec<u8>) {
        let Some(changes) = source.since(self.told) else { return };
        let mut items = Vec::new();
        for change in changes {
            items.extend_from_slice(change);
            self.told += 1;
            if items.len() > FRAME_BYTES {
                Frame::Routes { version: self.told, items: &items }.encode(out);
                items.clear();
            }
        }
        if !items.is_empty() {
            Frame::Routes { version: self.told, items: &items }.encode(out);
        }
    }

    /// Tells what the peer should know by now, if it was told everything.
    pub fn check(&self, source: &RouteSource, out: &mut Vec<u8>) {
        if self.stage == Stage::Following && self.told == source.version && !self.is_ahead {
            let Sum { digest, count } = source.sum;
            Frame::RoutesDigest { version: source.version, digest, count }.encode(out);
        }
    }
}

/// Where a mirror keeps what it learns.
pub trait RouteTable {
    /// A number under which routes are kept, not in use; none = there is none left.
    fn number(&mut self) -> Option<u16>;
    /// Notes routes under a number; tells `each` what there was.
    fn set(&mut self, number: u16, routes: &[Route<'_>], each: &mut dyn FnMut(Route<'_>, u32));
    /// Forgets everything under a number.
    fn retire(&mut self, number: u16);
}

/// One table under a number, with what it comes to.
#[derive(Copy, Clone, Debug)]
struct Kept {
    number: u16,
    sum: Sum,
}

/// What one node knows of another one's routes.
#[derive(Debug, Default)]
pub struct RouteMirror {
    version: u64,
    current: Option<Kept>,
    /// Takes the place of the current one when everything was told.
    next: Option<Kept>,
}

impl RouteMirror {
    /// The version to go on from after a cut.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.current.map(|_| self.version)
    }

    /// How many routes are known.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.next.or(self.current).map_or(0, |kept| kept.sum.count)
    }

    /// The numbers in use.
    pub fn numbers(&self) -> impl Iterator<Item = u16> {
        self.current.into_iter().chain(self.next).map(|kept| kept.number)
    }

    /// The connection is gone: what was half told is told anew.
    pub fn disconnected(&mut self, table: &mut impl RouteTable) {
        if let Some(kept) = self.next.take() {
            table.retire(kept.number);
        }
    }

    /// The other node is gone.
    pub fn forget(&mut self, table: &mut impl RouteTable) {
        for kept in self.current.take().into_iter().chain(self.next.take()) {
            table.retire(kept.number);
        }
    }

    /// Takes a frame about routes; whether everything has to be told anew.
    ///
    /// # Errors
    ///
    /// A list of routes is none.
    pub fn take(
        &mut self,
        frame: Frame<'_>,
        table: &mut impl RouteTable,
    ) -> Result<bool, FrameError> {
        match frame {
            Frame::RoutesBegin => {
                self.disconnected(table);
                self.next = table.number().map(|number| Kept { number, sum: Sum::default() });
                // Without a place for them, asking again would help nobody.
                Ok(false)
            }
            Frame::Routes { version, items } => {
                self.note(version, items, table)?;
                Ok(false)
            }
            Frame::RoutesEnd => {
                if let Some(next) = self.next.take()
                    && let Some(old) = self.current.replace(next)
                {
                    table.retire(old.number);
                }
                Ok(false)
            }
            Frame::RoutesDigest { version, digest, count } => {
                let expected = Sum { digest, count };
                let fits = self.version == version
                    && self.current.is_some_and(|kept| kept.sum == expected);
                Ok(self.next.is_none() && !fits)
            }
            _ => Ok(false),
        }
    }

    fn note(
        &mut self,
        version: u64,
        items: &[u8],
        table: &mut impl RouteTable,
    ) -> Result<(), FrameError> {
        let routes = routes(items).collect::<Result<Vec<_>, _>>()?;
        self.version = version;
        let Some(kept) = self.next.as_mut().or(self.current.as_mut()) else { return Ok(()) };
        let sum = &mut kept.sum;
        table.set(kept.number, &routes, &mut |route, was| sum.change(route, was));
        Ok(())
    }
}
