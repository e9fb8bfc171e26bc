//! What an error carries beyond its two words.

use super::{Error, Kind};
use crate::subsystem::refs;
use core::{
    alloc::Layout,
    fmt::{self, Write},
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull,
};

#[cfg(target_has_atomic = "ptr")]
use crate::subsystem::AtomicCount as Count;
#[cfg(not(target_has_atomic = "ptr"))]
use crate::subsystem::CellCount as Count;

/// Where a payload lies, and who takes the block back.
pub struct Placed {
    pub(super) block: NonNull<u8>,
    pub(super) owner: NonNull<()>,
    pub(super) give_back: unsafe fn(owner: NonNull<()>, block: NonNull<u8>, layout: Layout),
}

/// Gives out blocks for payloads.
pub trait Place {
    /// A block for `layout`; `give_back` with `owner` returns it.
    fn place(self, layout: Layout) -> Option<Placed>;
}

/// One block: this, and behind it the message.
#[repr(C, align(8))]
pub(super) struct Payload {
    /// Errors that refer to it. Atomic where there are atomics: an error made over a subsystem for many threads may go to
    /// another one.
    count: Count,
    pub(super) kind: &'static Kind,
    pub(super) number: usize,
    /// `'static` stands for what the error borrows, one thread for whoever may use it.
    pub(super) cause: Option<Error<'static>>,
    owner: NonNull<()>,
    give_back: unsafe fn(NonNull<()>, NonNull<u8>, Layout),
    /// Bytes of the message, and for how many there is room.
    len: usize,
    room: usize,
}

fn layout(room: usize) -> Option<Layout> {
    let (layout, at) = Layout::new::<Payload>().extend(Layout::array::<u8>(room).ok()?).ok()?;
    debug_assert!(at == size_of::<Payload>());
    Some(layout)
}

impl Payload {
    /// An error with a payload, and room for a message of so many bytes. `Err`: there is no memory, and the cause comes back.
    pub(super) fn place<'a, B>(
        keeper: impl Place,
        kind: &'static Kind,
        number: usize,
        cause: Option<Error<'a, B>>,
        room: usize,
    ) -> Result<Error<'a, B>, Option<Error<'a, B>>> {
        let Some(Placed { block, owner, give_back }) = layout(room).and_then(|layout| keeper.place(layout)) else {
            return Err(cause);
        };
        // SAFETY: the payload is reached through errors of `'a` and `B` only.
        let cause = cause.map(|cause| unsafe { cause.relabelled() });
        let payload = block.cast::<Self>();
        // SAFETY: a fresh block of that layout.
        unsafe { payload.write(Self { count: Count::one(), kind, number, cause, owner, give_back, len: 0, room }) };
        Ok(Error { head: payload.cast(), tail: core::ptr::null(), keeps: PhantomData })
    }

    /// Writes the message of an error that nobody else refers to yet. False: the room was not enough.
    pub(super) fn write<B>(error: &mut Error<'_, B>, message: fmt::Arguments<'_>) -> bool {
        let Some(payload) = error.payload() else { return true };
        // A formatter that writes less than it did the first time leaves room; what is more does not fit.
        let mut tail = Tail { payload, whole: true };
        let _ = tail.write_fmt(message);
        tail.whole
    }

    /// Has the message of an error that nobody else refers to yet written into all of its room; where that is for a part only, which may
    /// end inside of a character, as far as it goes.
    pub(super) fn write_by<B>(error: &mut Error<'_, B>, is_part: bool, write: impl FnOnce(&mut [u8]) -> usize) {
        let Some(payload) = error.payload() else { return };
        let payload = payload.as_ptr();
        // SAFETY: nobody else refers to the payload yet; the block has `room` bytes behind it.
        let text = unsafe {
            let (start, room) = (payload.add(1).cast::<u8>(), (*payload).room);
            start.write_bytes(0, room);
            core::slice::from_raw_parts_mut(start, room)
        };
        let mut len = write(text).min(text.len());
        let mut at = 0;
        while let Err(invalid) = core::str::from_utf8(&text[at..len]) {
            at += invalid.valid_up_to();
            if is_part && invalid.error_len().is_none() {
                // The rest of the last character had no room.
                len = at;
                break;
            }
            text[at] = b'?';
        }
        // SAFETY: as above; so many bytes are UTF-8.
        unsafe { (*payload).len = len };
    }

    /// The message.
    pub(super) fn message(&self) -> &str {
        // SAFETY: so many bytes behind the payload were written, whole characters each time.
        unsafe {
            let start = core::ptr::from_ref(self).add(1).cast::<u8>();
            core::str::from_utf8_unchecked(core::slice::from_raw_parts(start, self.len))
        }
    }

    /// One more error refers to it.
    pub(super) fn hold(&self) {
        refs::hold(&self.count);
    }

    /// One error less refers to it. After the last the block goes back to where it came from, and the cause's payload is
    /// returned, to be released as well.
    ///
    /// # Safety
    ///
    /// An error referred to `this`, and does so no more.
    pub(super) unsafe fn release(this: NonNull<Self>) -> Option<NonNull<Self>> {
        // SAFETY: the payload is there until the last error lets go; then it is ours alone, and read out before it goes.
        unsafe {
            if !refs::let_go(&this.as_ref().count) {
                return None;
            }
            let Self { cause, owner, give_back, room, .. } = this.read();
            // Made once already.
            if let Some(layout) = layout(room) {
                give_back(owner, this.cast(), layout);
            }
            ManuallyDrop::new(cause?).payload()
        }
    }
}

/// Writes behind a payload.
struct Tail {
    payload: NonNull<Payload>,
    whole: bool,
}

impl fmt::Write for Tail {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: nobody else refers to the payload yet; the block has `room` bytes behind it.
        unsafe {
            let payload = self.payload.as_ptr();
            let mut fits = text.len().min((*payload).room - (*payload).len);
            while !text.is_char_boundary(fits) {
                fits -= 1;
            }
            payload.add(1).cast::<u8>().add((*payload).len).copy_from_nonoverlapping(text.as_ptr(), fits);
            (*payload).len += fits;
            self.whole &= fits == text.len();
            if self.whole { Ok(()) } else { Err(fmt::Error) }
        }
    }
}
