//! What must not compile, bound by bound: each of these would with one bound less.

/// A parent that may go to another thread, and be used by one at a time only: a subsystem for one thread.
///
/// ```compile_fail,E0277
/// use allocator_api2::alloc::Global;
/// use heapbase::{error::{Error, OUT_OF_MEMORY}, subsystem::Subsystem};
///
/// let part = Subsystem::for_threads("part", Subsystem::new("parent", Global));
/// Error::for_threads(&OUT_OF_MEMORY).message(&part, format_args!("{}", 1));
/// ```
///
/// ```compile_fail,E0277
/// use allocator_api2::alloc::Global;
/// use heapbase::{error::{Error, OUT_OF_MEMORY}, subsystem::{Shared, Subsystem}};
///
/// let part = Shared::new(Subsystem::for_threads("part", Subsystem::new("parent", Global))).unwrap();
/// Error::for_threads(&OUT_OF_MEMORY).message(&part, format_args!("{}", 1));
/// ```
///
/// ```compile_fail,E0277
/// use allocator_api2::alloc::Global;
/// use heapbase::subsystem::{Shared, Subsystem};
///
/// fn send<T: Send>(_: T) {}
/// send(Shared::new(Subsystem::for_threads("part", Subsystem::new("parent", Global))).unwrap());
/// ```
///
/// ```compile_fail,E0277
/// use allocator_api2::alloc::Global;
/// use heapbase::subsystem::{Shared, Subsystem};
///
/// fn share<T: Sync>(_: T) {}
/// share(Shared::new(Subsystem::for_threads("part", Subsystem::new("parent", Global))).unwrap());
/// ```
///
/// It is one:
///
/// ```
/// use allocator_api2::alloc::Global;
/// use heapbase::subsystem::Subsystem;
///
/// fn send<T: Send>(_: T) {}
/// send(Subsystem::new("parent", Global));
/// send(Subsystem::for_threads("part", Subsystem::new("parent", Global)));
/// ```
pub struct Sendable;

/// A parent that others may use, and that stays where it is.
///
/// ```compile_fail,E0277
/// # use allocator_api2::alloc::{AllocError, Allocator, Global, Layout};
/// # struct Stays(core::marker::PhantomData<std::sync::MutexGuard<'static, ()>>);
/// # // SAFETY: every block is the system's.
/// # unsafe impl Allocator for Stays {
/// #     fn allocate(&self, layout: Layout) -> Result<core::ptr::NonNull<[u8]>, AllocError> { Global.allocate(layout) }
/// #     // SAFETY: the caller's promise.
/// #     unsafe fn deallocate(&self, block: core::ptr::NonNull<u8>, layout: Layout) { unsafe { Global.deallocate(block, layout) } }
/// # }
/// use heapbase::{error::{Error, OUT_OF_MEMORY}, subsystem::{Shared, Subsystem}};
///
/// let part = Shared::new(Subsystem::for_threads("part", Stays(core::marker::PhantomData))).unwrap();
/// Error::for_threads(&OUT_OF_MEMORY).message(&part, format_args!("{}", 1));
/// ```
///
/// ```compile_fail,E0277
/// # use allocator_api2::alloc::{AllocError, Allocator, Global, Layout};
/// # struct Stays(core::marker::PhantomData<std::sync::MutexGuard<'static, ()>>);
/// # // SAFETY: every block is the system's.
/// # unsafe impl Allocator for Stays {
/// #     fn allocate(&self, layout: Layout) -> Result<core::ptr::NonNull<[u8]>, AllocError> { Global.allocate(layout) }
/// #     // SAFETY: the caller's promise.
/// #     unsafe fn deallocate(&self, block: core::ptr::NonNull<u8>, layout: Layout) { unsafe { Global.deallocate(block, layout) } }
/// # }
/// use heapbase::subsystem::{Shared, Subsystem};
///
/// fn send<T: Send>(_: T) {}
/// send(Shared::new(Subsystem::for_threads("part", Stays(core::marker::PhantomData))).unwrap());
/// ```
///
/// ```compile_fail,E0277
/// # use allocator_api2::alloc::{AllocError, Allocator, Global, Layout};
/// # struct Stays(core::marker::PhantomData<std::sync::MutexGuard<'static, ()>>);
/// # // SAFETY: every block is the system's.
/// # unsafe impl Allocator for Stays {
/// #     fn allocate(&self, layout: Layout) -> Result<core::ptr::NonNull<[u8]>, AllocError> { Global.allocate(layout) }
/// #     // SAFETY: the caller's promise.
/// #     unsafe fn deallocate(&self, block: core::ptr::NonNull<u8>, layout: Layout) { unsafe { Global.deallocate(block, layout) } }
/// # }
/// use heapbase::subsystem::{Shared, Subsystem};
///
/// fn share<T: Sync>(_: T) {}
/// share(Shared::new(Subsystem::for_threads("part", Stays(core::marker::PhantomData))).unwrap());
/// ```
///
/// It is one:
///
/// ```
/// # use allocator_api2::alloc::{AllocError, Allocator, Global, Layout};
/// # struct Stays(core::marker::PhantomData<std::sync::MutexGuard<'static, ()>>);
/// # // SAFETY: every block is the system's.
/// # unsafe impl Allocator for Stays {
/// #     fn allocate(&self, layout: Layout) -> Result<core::ptr::NonNull<[u8]>, AllocError> { Global.allocate(layout) }
/// #     // SAFETY: the caller's promise.
/// #     unsafe fn deallocate(&self, block: core::ptr::NonNull<u8>, layout: Layout) { unsafe { Global.deallocate(block, layout) } }
/// # }
/// use heapbase::subsystem::Subsystem;
///
/// fn share<T: Sync>(_: T) {}
/// share(Subsystem::for_threads("part", Stays(core::marker::PhantomData)));
/// ```
pub struct Shareable;

/// An error for other threads outlives neither what it borrows nor what its owner borrows.
///
/// ```compile_fail,E0597
/// use allocator_api2::alloc::Global;
/// use heapbase::{error::{Error, OUT_OF_MEMORY}, subsystem::Subsystem};
///
/// let error;
/// {
///     let part = Subsystem::for_threads("part", Global);
///     error = Error::for_threads(&OUT_OF_MEMORY).message(&part, format_args!("{}", 1));
/// }
/// println!("{error}");
/// ```
///
/// ```compile_fail,E0597
/// use allocator_api2::alloc::Global;
/// use heapbase::{error::{Error, OUT_OF_MEMORY}, subsystem::{Shared, Subsystem}};
///
/// let error;
/// {
///     let outer = Subsystem::for_threads("outer", Global);
///     let part = Shared::new(Subsystem::for_threads("part", &outer)).unwrap();
///     error = Error::for_threads(&OUT_OF_MEMORY).message(&part, format_args!("{}", 1));
/// }
/// println!("{error}");
/// ```
///
/// Nor does it when it forgets that it is one:
///
/// ```compile_fail,E0597
/// use allocator_api2::alloc::Global;
/// use heapbase::{error::{Error, OUT_OF_MEMORY}, subsystem::Subsystem};
///
/// let error: Error<'_>;
/// {
///     let part = Subsystem::for_threads("part", Global);
///     error = Error::for_threads(&OUT_OF_MEMORY).message(&part, format_args!("{}", 1)).into();
/// }
/// println!("{error}");
/// ```
///
/// A cause lives no longer than what its error borrows:
///
/// ```compile_fail,E0597
/// use allocator_api2::alloc::Global;
/// use heapbase::{error::{Error, OUT_OF_MEMORY, OVER_BUDGET}, subsystem::Subsystem};
///
/// let cause;
/// {
///     let part = Subsystem::new("part", Global);
///     let inner = Error::build(&OVER_BUDGET).message(&part, format_args!("{}", 1));
///     let outer = Error::build(&OUT_OF_MEMORY).cause(inner).message(&part, format_args!("{}", 2));
///     cause = outer.cause();
/// }
/// println!("{cause:?}");
/// ```
///
/// but longer than its error:
///
/// ```
/// use allocator_api2::alloc::Global;
/// use heapbase::{error::{Error, OUT_OF_MEMORY, OVER_BUDGET}, subsystem::Subsystem};
///
/// let part = Subsystem::new("part", Global);
/// let inner = Error::build(&OVER_BUDGET).message(&part, format_args!("{}", 1));
/// let outer = Error::build(&OUT_OF_MEMORY).cause(inner).message(&part, format_args!("{}", 2));
/// let cause = outer.cause().unwrap();
/// drop(outer);
/// assert_eq!(cause.kind(), &OVER_BUDGET);
/// ```
pub struct Outlives;

/// Reserved memory goes to another thread where its parent may, and outlives no parent.
///
/// ```compile_fail,E0277
/// use allocator_api2::alloc::Global;
/// use heapbase::{memory::Reserved, subsystem::Subsystem};
///
/// fn send<T: Send>(_: T) {}
/// let parent = Subsystem::new("parent", Global);
/// send(Reserved::new(&parent, 1_024).unwrap());
/// ```
///
/// ```compile_fail,E0505
/// use allocator_api2::{alloc::Global, boxed::Box};
/// use heapbase::{Local, SizeClassAllocator, memory::Reserved, subsystem::Subsystem};
///
/// let parent = Subsystem::new("parent", Global);
/// let heap = Local::new(SizeClassAllocator::with_source(Reserved::new(&parent, 4_096).unwrap()));
/// parent.close().unwrap();
/// println!("{}", Box::new_in(1, &heap));
/// ```
///
/// ```
/// use allocator_api2::alloc::Global;
/// use heapbase::{memory::Reserved, subsystem::Subsystem};
///
/// fn send<T: Send>(_: T) {}
/// send(Reserved::new(Subsystem::new("parent", Global), 1_024).unwrap());
/// ```
pub struct Reserves;
