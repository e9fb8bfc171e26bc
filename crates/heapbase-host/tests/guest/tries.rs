//! Roots and proofs that a runtime computes from values.

use crate::subjects::each;
use heapbase_host::Hasher;
use sp_core::{H256, KeccakHasher};
use sp_trie::{
    LayoutV0, LayoutV1, PrefixedMemoryDB, TrieConfiguration, TrieDBMutBuilder, TrieMut, generate_trie_proof,
};

fn pairs() -> Vec<(Vec<u8>, Vec<u8>)> {
    (0..200u32).map(|number| (number.to_be_bytes().to_vec(), vec![number as u8; number as usize % 70])).collect()
}

#[test]
fn roots_of_pairs() {
    each(|subject| {
        for pairs in [vec![], pairs()] {
            let expected = |version| match version {
                0u8 => {
                    (LayoutV0::<Hasher>::trie_root(pairs.clone()), LayoutV0::<KeccakHasher>::trie_root(pairs.clone()))
                }
                _ => (LayoutV1::<Hasher>::trie_root(pairs.clone()), LayoutV1::<KeccakHasher>::trie_root(pairs.clone())),
            };
            for version in [0, 1] {
                let roots: (H256, H256) = subject.get("trie_roots", (&pairs, version));
                assert_eq!(roots, expected(version), "{}: {} pairs, version {version}", subject.name, pairs.len());
            }
        }
    });
}

#[test]
fn roots_of_enumerated_values() {
    each(|subject| {
        let values: Vec<_> = pairs().into_iter().map(|(_, value)| value).collect();
        for values in [vec![], values] {
            for version in [0u8, 1] {
                let roots: (H256, H256) = subject.get("trie_ordered_roots", (&values, version));
                let expected = match version {
                    0 => (
                        LayoutV0::<Hasher>::ordered_trie_root(values.clone()),
                        LayoutV0::<KeccakHasher>::ordered_trie_root(values.clone()),
                    ),
                    _ => (
                        LayoutV1::<Hasher>::ordered_trie_root(values.clone()),
                        LayoutV1::<KeccakHasher>::ordered_trie_root(values.clone()),
                    ),
                };
                assert_eq!(roots, expected, "{}: {} values, version {version}", subject.name, values.len());
            }
        }
    });
}

#[test]
fn proofs() {
    let mut db = PrefixedMemoryDB::<Hasher>::default();
    let mut root = H256::default();
    {
        let mut trie = TrieDBMutBuilder::<LayoutV1<Hasher>>::new(&mut db, &mut root).build();
        for (key, value) in pairs() {
            trie.insert(&key, &value).expect("a trie in memory takes everything");
        }
    }
    let (key, value) = pairs().remove(140);
    let proof = generate_trie_proof::<LayoutV1<Hasher>, _, _, _>(&db, root, std::slice::from_ref(&key))
        .expect("the key is there");
    each(|subject| {
        let verify = |root: H256, proof: &Vec<Vec<u8>>, value: &[u8]| -> bool {
            subject.get("trie_verify_proof", (root, proof, &key, value, 1u8))
        };
        assert!(verify(root, &proof, &value), "{}", subject.name);
        assert!(!verify(root, &proof, b"another value"), "{}", subject.name);
        assert!(!verify(H256::repeat_byte(1), &proof, &value), "{}", subject.name);
        assert!(!verify(root, &proof[1..].to_vec(), &value), "{}", subject.name);
    });
}
