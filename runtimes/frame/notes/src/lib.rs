//! Notes that accounts keep on chain: a template to write a pallet from.
//!
//! An account writes notes, changes them, and erases them; each has the next number of its account. [`pallet::Call::write_many`]
//! and [`pallet::Call::erase_all`] touch many storage items in one call, so blocks of them show what storage costs a heap.
//!
//! ```
//! use pallet_notes as notes;
//! # fn is_a_pallet<T: notes::Config>() where notes::Pallet<T>: frame::traits::PalletInfoAccess {}
//! ```
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(test)]
mod tests;

pub use pallet::*;

/// The pallet.
#[frame::pallet]
pub mod pallet {
    use alloc::vec::Vec;
    use frame::prelude::*;

    /// What the pallet needs of its runtime.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// Bytes of a note, at most.
        #[pallet::constant]
        type MaxLength: Get<u32>;

        /// Notes that an account keeps, at most.
        #[pallet::constant]
        type MaxNotes: Get<u32>;
    }

    /// The pallet itself.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// The text of a note.
    pub type Note<T> = BoundedVec<u8, <T as Config>::MaxLength>;

    /// Every account's notes by their numbers.
    #[pallet::storage]
    pub type Notes<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, u32, Note<T>, OptionQuery>;

    /// The number that an account's next note gets.
    #[pallet::storage]
    pub type Next<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

    /// How many notes an account keeps.
    #[pallet::storage]
    pub type Kept<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An account wrote a note.
        Written {
            /// Whose it is.
            who: T::AccountId,
            /// Its number.
            number: u32,
        },
        /// An account changed a note.
        Changed {
            /// Whose it is.
            who: T::AccountId,
            /// Its number.
            number: u32,
        },
        /// An account erased notes.
        Erased {
            /// Whose they were.
            who: T::AccountId,
            /// How many.
            notes: u32,
        },
    }

    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The note is longer than `MaxLength`.
        TooLong,
        /// The account would keep more than `MaxNotes`.
        TooMany,
        /// The account has no note of this number.
        NotFound,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Writes a note.
        #[pallet::call_index(0)]
        #[pallet::weight(T::DbWeight::get().reads_writes(2, 3))]
        pub fn write(origin: OriginFor<T>, note: Vec<u8>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::keep(&who, note)
        }

        /// Puts another text in a note's place.
        #[pallet::call_index(1)]
        #[pallet::weight(T::DbWeight::get().reads_writes(1, 1))]
        pub fn change(origin: OriginFor<T>, number: u32, note: Vec<u8>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let note = Note::<T>::try_from(note).map_err(|_| Error::<T>::TooLong)?;
            Notes::<T>::try_mutate_exists(&who, number, |kept| {
                *kept.as_mut().ok_or(Error::<T>::NotFound)? = note;
                Ok::<_, Error<T>>(())
            })?;
            Self::deposit_event(Event::Changed { who, number });
            Ok(())
        }

        /// Erases a note.
        #[pallet::call_index(2)]
        #[pallet::weight(T::DbWeight::get().reads_writes(2, 2))]
        pub fn erase(origin: OriginFor<T>, number: u32) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Notes::<T>::take(&who, number).ok_or(Error::<T>::NotFound)?;
            Kept::<T>::mutate(&who, |kept| kept.saturating_dec());
            Self::deposit_event(Event::Erased { who, notes: 1 });
            Ok(())
        }

        /// Writes several notes, all or none.
        #[pallet::call_index(3)]
        #[pallet::weight(T::DbWeight::get().reads_writes(2, 3).saturating_mul(notes.len() as u64))]
        pub fn write_many(origin: OriginFor<T>, notes: Vec<Vec<u8>>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            notes.into_iter().try_for_each(|note| Self::keep(&who, note))
        }

        /// Erases all notes of the account.
        #[pallet::call_index(4)]
        #[pallet::weight(T::DbWeight::get().reads_writes(1, 1).saturating_mul(u64::from(T::MaxNotes::get())))]
        pub fn erase_all(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let notes = Notes::<T>::drain_prefix(&who).count() as u32;
            ensure!(notes > 0, Error::<T>::NotFound);
            Kept::<T>::remove(&who);
            Self::deposit_event(Event::Erased { who, notes });
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        fn keep(who: &T::AccountId, note: Vec<u8>) -> DispatchResult {
            let note = Note::<T>::try_from(note).map_err(|_| Error::<T>::TooLong)?;
            Kept::<T>::try_mutate(who, |kept| {
                ensure!(*kept < T::MaxNotes::get(), Error::<T>::TooMany);
                *kept += 1;
                Ok::<_, Error<T>>(())
            })?;
            let number = Next::<T>::mutate(who, |next| {
                let number = *next;
                *next = number.saturating_add(1);
                number
            });
            Notes::<T>::insert(who, number, note);
            Self::deposit_event(Event::Written { who: who.clone(), number });
            Ok(())
        }
    }
}
