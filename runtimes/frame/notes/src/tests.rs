//! The pallet in a runtime of its own.

use crate::{Error, Event, Kept, Next, Notes, pallet};
use frame::{runtime::prelude::*, testing_prelude::*};

#[frame_construct_runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;

    #[runtime::pallet_index(1)]
    pub type Notebook = pallet::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = MockBlock<Self>;
}

impl pallet::Config for Test {
    type MaxLength = ConstU32<8>;
    type MaxNotes = ConstU32<3>;
}

const ALICE: u64 = 1;
const BOB: u64 = 2;

fn on_chain(test: impl FnOnce()) {
    TestState::new_empty().execute_with(|| {
        System::set_block_number(1);
        test();
        assert_eq!(Kept::<Test>::get(ALICE) as usize, Notes::<Test>::iter_prefix(ALICE).count());
    });
}

fn write(note: &[u8]) -> DispatchResult {
    Notebook::write(RuntimeOrigin::signed(ALICE), note.to_vec())
}

#[test]
fn notes_are_numbered_for_each_account() {
    on_chain(|| {
        assert_ok!(write(b"one"));
        assert_ok!(Notebook::write(RuntimeOrigin::signed(BOB), b"bob's".to_vec()));
        assert_ok!(write(b"two"));
        assert_eq!(Notes::<Test>::get(ALICE, 1).expect("it was written").to_vec(), b"two");
        assert_eq!(Notes::<Test>::get(BOB, 0).expect("it was written").to_vec(), b"bob's");
        System::assert_last_event(Event::Written { who: ALICE, number: 1 }.into());
    });
}

#[test]
fn a_note_is_changed_in_place() {
    on_chain(|| {
        assert_ok!(write(b"before"));
        assert_ok!(Notebook::change(RuntimeOrigin::signed(ALICE), 0, b"after".to_vec()));
        assert_eq!(Notes::<Test>::get(ALICE, 0).expect("it is there").to_vec(), b"after");
        assert_noop!(Notebook::change(RuntimeOrigin::signed(ALICE), 1, b"".to_vec()), Error::<Test>::NotFound);
        assert_noop!(Notebook::change(RuntimeOrigin::signed(BOB), 0, b"".to_vec()), Error::<Test>::NotFound);
        assert_noop!(Notebook::change(RuntimeOrigin::signed(ALICE), 0, vec![0; 9]), Error::<Test>::TooLong);
    });
}

#[test]
fn numbers_are_not_used_again() {
    on_chain(|| {
        assert_ok!(write(b"one"));
        assert_ok!(Notebook::erase(RuntimeOrigin::signed(ALICE), 0));
        assert_noop!(Notebook::erase(RuntimeOrigin::signed(ALICE), 0), Error::<Test>::NotFound);
        assert_ok!(write(b"two"));
        assert!(Notes::<Test>::contains_key(ALICE, 1));
        assert_eq!(Next::<Test>::get(ALICE), 2);
    });
}

#[test]
fn bounds_hold() {
    on_chain(|| {
        assert_noop!(write(&[0; 9]), Error::<Test>::TooLong);
        for _ in 0..3 {
            assert_ok!(write(&[0; 8]));
        }
        assert_noop!(write(b""), Error::<Test>::TooMany);
        assert_noop!(Notebook::write(RuntimeOrigin::none(), vec![]), DispatchError::BadOrigin);
    });
}

#[test]
fn several_are_written_or_none() {
    on_chain(|| {
        let several = |notes: &[&[u8]]| {
            let notes = notes.iter().map(|note| note.to_vec()).collect();
            Notebook::write_many(RuntimeOrigin::signed(ALICE), notes)
        };
        assert_noop!(several(&[b"1", b"2", b"3", b"4"]), Error::<Test>::TooMany);
        assert_ok!(several(&[b"1", b"2"]));
        assert_eq!(Kept::<Test>::get(ALICE), 2);
        assert_ok!(Notebook::erase_all(RuntimeOrigin::signed(ALICE)));
        System::assert_last_event(Event::Erased { who: ALICE, notes: 2 }.into());
        assert_eq!(Notes::<Test>::iter().count(), 0);
        assert_noop!(Notebook::erase_all(RuntimeOrigin::signed(ALICE)), Error::<Test>::NotFound);
    });
}
