//! The host functions of the ledger, made safe, and the way out of a call.

use alloc::vec::Vec;
use codec::{Compact, Decode};
use core::mem::ManuallyDrop;

/// Address and length of a buffer in one: `address | length << 32`.
type Fat = u64;

mod env {
    use super::Fat;

    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        pub(super) fn ext_storage_get_version_1(key: Fat) -> Fat;
        pub(super) fn ext_storage_set_version_1(key: Fat, value: Fat);
        pub(super) fn ext_storage_clear_version_1(key: Fat);
        pub(super) fn ext_storage_append_version_1(key: Fat, element: Fat);
        pub(super) fn ext_storage_root_version_2(version: u32) -> Fat;
        pub(super) fn ext_trie_blake2_256_ordered_root_version_2(values: Fat, version: u32) -> *mut u8;
        pub(super) fn ext_hashing_blake2_128_version_1(data: Fat) -> *mut u8;
        pub(super) fn ext_hashing_blake2_256_version_1(data: Fat) -> *mut u8;
        pub(super) fn ext_crypto_ed25519_verify_version_1(signature: *const u8, message: Fat, public: *const u8)
        -> u32;
        pub(super) fn ext_crypto_sr25519_verify_version_2(signature: *const u8, message: Fat, public: *const u8)
        -> u32;
        pub(super) fn ext_panic_handler_abort_on_panic_version_1(message: Fat);
    }
}

fn fat(bytes: &[u8]) -> Fat {
    bytes.as_ptr() as Fat | (bytes.len() as Fat) << 32
}

/// Takes over a buffer that a host function returned.
///
/// # Safety
///
/// `start` and `length` describe a buffer that a host function returned and that nobody has taken over yet.
unsafe fn owned(start: *mut u8, length: usize) -> Vec<u8> {
    // SAFETY: the host wrote `length` bytes at `start` and gave the block away. Whoever owns the heap allocated it: the
    // global allocator under v1, whose blocks may be freed with any alignment up to 8; the host's own otherwise, which
    // the global allocator gives blocks back to by their address.
    unsafe { Vec::from_raw_parts(start, length, length) }
}

/// The same for an array, which is copied out.
///
/// # Safety
///
/// As for [`owned`], with `N` bytes.
unsafe fn owned_array<const N: usize>(start: *mut u8) -> [u8; N] {
    // SAFETY: the caller's promise.
    let bytes = unsafe { owned(start, N) };
    let mut array = [0; N];
    array.copy_from_slice(&bytes);
    array
}

/// Hands the result of an entry point to the host. It is never freed: the instance ends with the call.
pub(crate) fn returned(output: Vec<u8>) -> u64 {
    fat(&ManuallyDrop::new(output))
}

/// Ends the call with a message.
#[cold]
pub(crate) fn abort(message: &str) -> ! {
    // SAFETY: the message outlives the call, which does not return.
    unsafe { env::ext_panic_handler_abort_on_panic_version_1(fat(message.as_bytes())) };
    core::arch::wasm32::unreachable()
}

/// A panic of Rust's own ends the call too, with what there is to say about it.
#[cfg(not(test))]
#[panic_handler]
fn panicked(info: &core::panic::PanicInfo<'_>) -> ! {
    abort(&alloc::format!("{info}"))
}

/// Reads the value of a key.
pub(crate) fn get<T>(key: &[u8], read: impl FnOnce(Option<&[u8]>) -> T) -> T {
    // SAFETY: the key outlives the call.
    let answer = unsafe { env::ext_storage_get_version_1(fat(key)) };
    // SAFETY: what the host function returned, taken over once.
    let answer = unsafe { owned(answer as u32 as *mut u8, (answer >> 32) as usize) };
    // `None` is one byte 0; `Some` one byte 1, the length and the value.
    match answer.split_first() {
        Some((1, mut value)) => {
            let length = Compact::<u32>::decode(&mut value);
            debug_assert_eq!(length.map(|length| length.0 as usize), Ok(value.len()));
            read(Some(value))
        }
        _ => read(None),
    }
}

/// Sets the value of a key.
pub(crate) fn set(key: &[u8], value: &[u8]) {
    // SAFETY: both outlive the call.
    unsafe { env::ext_storage_set_version_1(fat(key), fat(value)) }
}

/// Removes a key.
pub(crate) fn clear(key: &[u8]) {
    // SAFETY: the key outlives the call.
    unsafe { env::ext_storage_clear_version_1(fat(key)) }
}

/// Appends an encoded element to the list that is the value of a key.
pub(crate) fn append(key: &[u8], element: &[u8]) {
    // SAFETY: both outlive the call.
    unsafe { env::ext_storage_append_version_1(fat(key), fat(element)) }
}

/// The root of the state as it is now.
pub(crate) fn storage_root() -> [u8; 32] {
    // SAFETY: takes a number.
    let root = unsafe { env::ext_storage_root_version_2(1) };
    if (root >> 32) as usize != 32 {
        abort("the host's state root has not 32 bytes");
    }
    // SAFETY: what the host function returned, of the length just compared, taken over once.
    unsafe { owned_array(root as u32 as *mut u8) }
}

/// The root of the trie that holds encoded values under their positions; `values` is the encoded list.
pub(crate) fn ordered_root(values: &[u8]) -> [u8; 32] {
    // SAFETY: the values outlive the call; the host function returns a block of 32 bytes, taken over once.
    unsafe { owned_array(env::ext_trie_blake2_256_ordered_root_version_2(fat(values), 0)) }
}

/// BLAKE2 with a digest of 128 bits.
pub(crate) fn blake2_128(data: &[u8]) -> [u8; 16] {
    // SAFETY: the data outlive the call; the host function returns a block of 16 bytes, taken over once.
    unsafe { owned_array(env::ext_hashing_blake2_128_version_1(fat(data))) }
}

/// BLAKE2 with a digest of 256 bits.
pub(crate) fn blake2_256(data: &[u8]) -> [u8; 32] {
    // SAFETY: the data outlive the call; the host function returns a block of 32 bytes, taken over once.
    unsafe { owned_array(env::ext_hashing_blake2_256_version_1(fat(data))) }
}

/// Whether an Ed25519 signature is right.
pub(crate) fn ed25519_verify(signature: &[u8; 64], message: &[u8], public: &[u8; 32]) -> bool {
    // SAFETY: all three outlive the call and have the lengths that the host reads.
    unsafe { env::ext_crypto_ed25519_verify_version_1(signature.as_ptr(), fat(message), public.as_ptr()) == 1 }
}

/// Whether an Sr25519 signature is right.
pub(crate) fn sr25519_verify(signature: &[u8; 64], message: &[u8], public: &[u8; 32]) -> bool {
    // SAFETY: all three outlive the call and have the lengths that the host reads.
    unsafe { env::ext_crypto_sr25519_verify_version_2(signature.as_ptr(), fat(message), public.as_ptr()) == 1 }
}
