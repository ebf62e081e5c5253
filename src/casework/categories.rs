//! What matters a city's tickets are about: a tree of up to five levels. Belongs here: the tree and its file form. Not here:
//! the tree itself, which the hotline office keeps.

use super::table::{self, Fault};
use super::words::Urgency;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub const LEVELS: usize = 5;

/// A page is sent all of them.
const MOST: usize = 5_000;

/// Tickets are classified by its leaves. An empty tree asks for no classification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Categories {
    nodes: BTreeMap<String, Category>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Names from the top: 城市管理, 市容环境, ...
    pub path: Vec<String>,
    /// Its own or the nearest above.
    pub urgency: Option<Urgency>,
    pub department: Option<String>,
    pub leaf: bool,
}

impl Categories {
    /// From `code,name,urgency,department` lines: codes as `01.03.02`, a branch before what is below it; urgency and
    /// department may be empty and are then those of the branch.
    pub fn parse(text: &str) -> Result<Categories, Vec<Fault>> {
        let (mut faults, mut nodes) = (vec![], BTreeMap::<String, Category>::new());
        let mut siblings: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        for (line, cells) in table::rows(text, &["code", "name", "urgency", "department"], &mut faults) {
            let [code, name, urgency, department] = cells[..] else { continue };
            let mut fault = |what: String, fix: &str| faults.push(Fault::new(line, what, fix));
            if !is_code(code) {
                fault(format!("{code:?} is not a code"), "write up to five groups of letters and digits: 01.03.02");
                continue;
            }
            if name.is_empty() {
                fault(format!("{code} has no name"), "name it in the second column");
            }
            if let Some(first) = lines.insert(code.to_owned(), line) {
                fault(format!("{code} is there twice, first in line {first}"), "give one of the two another code");
                continue;
            }
            let above = code.rsplit_once('.').map(|(above, _)| above);
            let branch = match above {
                None => None,
                Some(above) => match nodes.get_mut(above) {
                    Some(branch) => {
                        branch.leaf = false;
                        Some(branch.clone())
                    }
                    None => {
                        fault(format!("{code} is below {above}, which is not there"), "add that line above this one");
                        continue;
                    }
                },
            };
            if let Some(first) = siblings.insert((above.unwrap_or("").to_owned(), name.to_owned()), line) {
                fault(format!("{name} is there twice, first in line {first}"), "names below one branch must differ");
            }
            let own = Urgency::from_zh(urgency);
            if own.is_none() && !urgency.is_empty() {
                fault(format!("{urgency:?} is not an urgency"), "write 一般, 紧急 or 特急, or leave it empty");
            }
            let branch = branch.unwrap_or(Category { path: vec![], urgency: None, department: None, leaf: false });
            let node = Category {
                path: branch.path.into_iter().chain([name.to_owned()]).collect(),
                urgency: own.or(branch.urgency),
                department: Some(department.to_owned()).filter(|d| !d.is_empty()).or(branch.department),
                leaf: true,
            };
            nodes.insert(code.to_owned(), node);
        }
        if nodes.len() > MOST {
            let what = format!("{} categories are more than an agent can choose from", nodes.len());
            faults.push(Fault::new(1, what, format!("keep at most {MOST}")));
        }
        table::judged(Categories { nodes }, faults)
    }

    pub fn get(&self, code: &str) -> Option<&Category> {
        self.nodes.get(code)
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Codes and categories, branches before what is below them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Category)> {
        self.nodes.iter().map(|(code, category)| (code.as_str(), category))
    }

    pub fn leaves(&self) -> usize {
        self.nodes.values().filter(|category| category.leaf).count()
    }

    pub fn departments(&self) -> BTreeSet<String> {
        self.nodes.values().filter_map(|category| category.department.clone()).collect()
    }
}

fn is_code(text: &str) -> bool {
    let groups = text.split('.');
    groups.clone().count() <= LEVELS
        && groups.into_iter().all(|g| (1..=8).contains(&g.len()) && g.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_tree_is_sound() {
        let tree = Categories::parse(include_str!("../../deploy/casework/categories.csv")).unwrap();
        assert!((55..=80).contains(&tree.leaves()), "{} leaves", tree.leaves());
        assert!(tree.nodes.values().filter(|c| c.leaf).all(|c| c.department.is_some()), "each leaf has its department");
        let deep = tree.nodes.values().map(|c| c.path.len()).max();
        assert_eq!(deep, Some(LEVELS), "all five levels are shown");
        let lamp = tree.iter().find(|(_, c)| c.path.last().is_some_and(|n| n == "燃气泄漏")).unwrap().1;
        assert_eq!((lamp.urgency, lamp.leaf), (Some(Urgency::Critical), true));
    }

    #[test]
    fn what_a_leaf_does_not_say_its_branch_does() {
        let tree = Categories::parse(
            "code,name,urgency,department\n01,城市管理,,市城管局\n01.01,市容,紧急\n01.01.01,占道经营\n01.01.02,违建,一般,市规划局\n",
        )
        .unwrap();
        let shown = |code: &str| {
            let c = tree.get(code).unwrap();
            (c.path.join("/"), c.urgency, c.department.clone().unwrap(), c.leaf)
        };
        assert_eq!(shown("01"), ("城市管理".into(), None, "市城管局".into(), false));
        assert_eq!(
            shown("01.01.01"),
            ("城市管理/市容/占道经营".into(), Some(Urgency::Urgent), "市城管局".into(), true)
        );
        assert_eq!(shown("01.01.02"), ("城市管理/市容/违建".into(), Some(Urgency::Normal), "市规划局".into(), true));
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let text = "code,name,urgency,department\n01,A\n01,B\n02.01,C\n01.01.01.01.01.01,D\n03,\n01.01,E,很急\n01.02,E\n0 1,F\n";
        let told: Vec<_> =
            Categories::parse(text).unwrap_err().into_iter().map(|f| format!("{}: {}", f.line, f.what)).collect();
        assert_eq!(
            told,
            [
                "3: 01 is there twice, first in line 2",
                "4: 02.01 is below 02, which is not there",
                "5: \"01.01.01.01.01.01\" is not a code",
                "6: 03 has no name",
                "7: \"很急\" is not an urgency",
                "8: E is there twice, first in line 7",
                "9: \"0 1\" is not a code",
            ]
        );
        let many: String = (0..=MOST).map(|n| format!("{n},matter {n}\n")).collect();
        let told = Categories::parse(&format!("code,name,urgency,department\n{many}")).unwrap_err();
        assert_eq!(told[0].what, "5001 categories are more than an agent can choose from");
    }
}
