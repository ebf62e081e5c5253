//! An ordered set whose entries each carry a set of classes, and which answers in `O(log n)`: which is the first entry
//! that shares a class with these? and: how many entries come before this key?
//!
//! Belongs here: a weight-balanced tree (Adams; delta 3, gamma 2, as proven by Hirai and Yamamoto) in one arena, each
//! node knowing the size and the union of the classes of its subtree. A union that shares a class has an entry that
//! does, so the search for the first never turns back, whatever the mix of classes. Not here: what entries mean.

use super::skill::shares;

const NIL: u32 = u32::MAX;
/// No subtree may weigh more than `DELTA` times its sibling.
const DELTA: u32 = 3;
/// One rotation suffices while the inner grandchild weighs less than `GAMMA` times the outer.
const GAMMA: u32 = 2;

#[derive(Clone, Debug)]
pub(super) struct FirstFit<K> {
    nodes: Vec<Node<K>>,
    /// Per node `width` words of its own classes, then `width` words of its subtree's.
    classes: Vec<u64>,
    width: usize,
    free: Vec<u32>,
    root: u32,
}

#[derive(Clone, Copy, Debug)]
struct Node<K> {
    key: K,
    left: u32,
    right: u32,
    size: u32,
}

impl<K: Copy + Ord> FirstFit<K> {
    /// `width`: words of the class sets that will be given.
    pub fn new(width: usize) -> FirstFit<K> {
        FirstFit { nodes: Vec::new(), classes: Vec::new(), width, free: Vec::new(), root: NIL }
    }

    pub fn len(&self) -> usize {
        self.size(self.root) as usize
    }

    /// All classes of all entries.
    pub fn union(&self) -> &[u64] {
        self.subtree_classes(self.root)
    }

    /// The first entry in order that shares a class with `classes`.
    pub fn first_sharing(&self, classes: &[u64]) -> Option<K> {
        let mut at = self.root;
        if !shares(self.subtree_classes(at), classes) {
            return None;
        }
        loop {
            let node = &self.nodes[at as usize];
            if shares(self.subtree_classes(node.left), classes) {
                at = node.left;
            } else if shares(self.own_classes(at), classes) {
                return Some(node.key);
            } else {
                at = node.right;
            }
        }
    }

    /// Number of entries before `key`, which need not be one itself.
    pub fn before(&self, key: &K) -> usize {
        let (mut at, mut before) = (self.root, 0);
        while at != NIL {
            let node = &self.nodes[at as usize];
            if *key <= node.key {
                at = node.left;
            } else {
                before += self.size(node.left) + 1;
                at = node.right;
            }
        }
        before as usize
    }

    /// Adds an entry. A key that is there already keeps its place and gets the new classes.
    pub fn insert(&mut self, key: K, classes: &[u64]) {
        debug_assert_eq!(classes.len(), self.width);
        self.root = self.insert_below(self.root, key, classes);
    }

    pub fn remove(&mut self, key: &K) {
        self.root = self.remove_below(self.root, key);
    }

    /// The entries in order, each with its classes.
    pub fn iter(&self) -> impl Iterator<Item = (K, &[u64])> {
        let mut above = Vec::new();
        let mut at = self.root;
        std::iter::from_fn(move || {
            while at != NIL {
                above.push(at);
                at = self.nodes[at as usize].left;
            }
            let here = above.pop()?;
            at = self.nodes[here as usize].right;
            Some((self.nodes[here as usize].key, self.own_classes(here)))
        })
    }

    fn insert_below(&mut self, at: u32, key: K, classes: &[u64]) -> u32 {
        if at == NIL {
            return self.allocate(key, classes);
        }
        let Node { key: here, left, right, .. } = self.nodes[at as usize];
        match key.cmp(&here) {
            std::cmp::Ordering::Less => self.nodes[at as usize].left = self.insert_below(left, key, classes),
            std::cmp::Ordering::Greater => self.nodes[at as usize].right = self.insert_below(right, key, classes),
            std::cmp::Ordering::Equal => self.own_classes_mut(at).copy_from_slice(classes),
        }
        self.balance(at)
    }

    fn remove_below(&mut self, at: u32, key: &K) -> u32 {
        if at == NIL {
            return NIL;
        }
        let Node { key: here, left, right, .. } = self.nodes[at as usize];
        match key.cmp(&here) {
            std::cmp::Ordering::Less => self.nodes[at as usize].left = self.remove_below(left, key),
            std::cmp::Ordering::Greater => self.nodes[at as usize].right = self.remove_below(right, key),
            std::cmp::Ordering::Equal => {
                self.free.push(at);
                if right == NIL {
                    return left;
                }
                let (heir, rest) = self.take_first(right);
                self.nodes[heir as usize].left = left;
                self.nodes[heir as usize].right = rest;
                return self.balance(heir);
            }
        }
        self.balance(at)
    }

    /// Unlinks the first node below `at`: that node, and what remains.
    fn take_first(&mut self, at: u32) -> (u32, u32) {
        let Node { left, right, .. } = self.nodes[at as usize];
        if left == NIL {
            return (at, right);
        }
        let (first, rest) = self.take_first(left);
        self.nodes[at as usize].left = rest;
        (first, self.balance(at))
    }

    /// Restores balance and sums at `at`, whose children are right and changed by one entry at most.
    fn balance(&mut self, at: u32) -> u32 {
        let Node { left, right, .. } = self.nodes[at as usize];
        if self.weight(right) > DELTA * self.weight(left) {
            let Node { left: inner, right: outer, .. } = self.nodes[right as usize];
            if self.weight(inner) >= GAMMA * self.weight(outer) {
                self.nodes[at as usize].right = self.rotate_right(right);
            }
            self.rotate_left(at)
        } else if self.weight(left) > DELTA * self.weight(right) {
            let Node { left: outer, right: inner, .. } = self.nodes[left as usize];
            if self.weight(inner) >= GAMMA * self.weight(outer) {
                self.nodes[at as usize].left = self.rotate_left(left);
            }
            self.rotate_right(at)
        } else {
            self.sum(at);
            at
        }
    }

    fn rotate_left(&mut self, at: u32) -> u32 {
        let up = self.nodes[at as usize].right;
        self.nodes[at as usize].right = self.nodes[up as usize].left;
        self.nodes[up as usize].left = at;
        self.sum(at);
        self.sum(up);
        up
    }

    fn rotate_right(&mut self, at: u32) -> u32 {
        let up = self.nodes[at as usize].left;
        self.nodes[at as usize].left = self.nodes[up as usize].right;
        self.nodes[up as usize].right = at;
        self.sum(at);
        self.sum(up);
        up
    }

    /// Size and classes of the subtree, from its node and its two children.
    fn sum(&mut self, at: u32) {
        let Node { left, right, .. } = self.nodes[at as usize];
        self.nodes[at as usize].size = self.size(left) + self.size(right) + 1;
        for word in 0..self.width {
            let of = |node: u32| match node {
                NIL => 0,
                node => self.classes[(2 * node as usize + 1) * self.width + word],
            };
            let all = self.classes[2 * at as usize * self.width + word] | of(left) | of(right);
            self.classes[(2 * at as usize + 1) * self.width + word] = all;
        }
    }

    fn allocate(&mut self, key: K, classes: &[u64]) -> u32 {
        let node = Node { key, left: NIL, right: NIL, size: 1 };
        match self.free.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                self.own_classes_mut(at).copy_from_slice(classes);
                self.sum(at);
                at
            }
            None => {
                self.nodes.push(node);
                self.classes.extend_from_slice(classes);
                self.classes.extend_from_slice(classes);
                self.nodes.len() as u32 - 1
            }
        }
    }

    fn size(&self, at: u32) -> u32 {
        if at == NIL { 0 } else { self.nodes[at as usize].size }
    }

    fn weight(&self, at: u32) -> u32 {
        self.size(at) + 1
    }

    fn own_classes(&self, at: u32) -> &[u64] {
        &self.classes[2 * at as usize * self.width..][..self.width]
    }

    fn own_classes_mut(&mut self, at: u32) -> &mut [u64] {
        &mut self.classes[2 * at as usize * self.width..][..self.width]
    }

    fn subtree_classes(&self, at: u32) -> &[u64] {
        if at == NIL { &[] } else { &self.classes[(2 * at as usize + 1) * self.width..][..self.width] }
    }
}

/// Equal when the entries are: how the tree came about does not matter.
impl<K: Copy + Ord> PartialEq for FirstFit<K> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Copy + Ord> Eq for FirstFit<K> {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A linear congruential generator: reproducible, and enough to shuffle.
    fn numbers(seed: u64) -> impl Iterator<Item = u64> {
        std::iter::successors(Some(seed), |n| {
            Some(n.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407))
        })
        .skip(1)
        .map(|n| n >> 33)
    }

    fn is_balanced<K: Copy + Ord>(tree: &FirstFit<K>, at: u32) -> bool {
        if at == NIL {
            return true;
        }
        let Node { left, right, .. } = tree.nodes[at as usize];
        let (l, r) = (tree.weight(left), tree.weight(right));
        l <= DELTA * r && r <= DELTA * l && is_balanced(tree, left) && is_balanced(tree, right)
    }

    #[test]
    fn answers_as_a_sorted_list_would() {
        for width in [1, 2] {
            let mut tree = FirstFit::new(width);
            let mut list: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
            let mut random = numbers(width as u64);
            let mut next = || random.next().unwrap();
            for step in 0..6_000 {
                let key = next() % 300;
                let classes: Vec<u64> = (0..width).map(|_| 1 << (next() % 64)).collect();
                // The set fills for a while, then drains, and again.
                if next() % 10 < if step / 1_000 % 2 == 0 { 7 } else { 3 } {
                    tree.insert(key, &classes);
                    list.insert(key, classes);
                } else {
                    tree.remove(&key);
                    list.remove(&key);
                }
                let query: Vec<u64> = (0..width).map(|_| 1 << (next() % 64)).collect();
                let first = list.iter().find(|(_, own)| shares(own, &query)).map(|(key, _)| *key);
                assert_eq!(tree.first_sharing(&query), first);
                assert_eq!(tree.before(&key), list.range(..key).count());
                assert_eq!(tree.len(), list.len());
                assert!(is_balanced(&tree, tree.root), "step {step}");
            }
            assert!(tree.iter().eq(list.iter().map(|(key, own)| (*key, own.as_slice()))));
            assert!(tree.nodes.len() <= 300, "freed nodes are used again");
        }
    }

    #[test]
    fn keys_in_rising_order_stay_balanced() {
        let mut tree = FirstFit::new(1);
        for key in 0..10_000 {
            tree.insert(key, &[1]);
            if key >= 100 {
                tree.remove(&(key - 100));
            }
            assert_eq!(tree.iter().next().map(|(key, _)| key), Some(if key >= 100 { key - 99 } else { 0 }));
        }
        assert!(is_balanced(&tree, tree.root));
    }
}
