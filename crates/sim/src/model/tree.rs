//! The tree of organizational units, and where an account stands in it.

use crate::random::{Draw, LOWER, Topic};

/// One organizational unit: its parent's place in [`UNITS`], its name, and the stage that its accounts are in.
struct Unit {
    parent: Option<usize>,
    stage: &'static str,
    weight: u64,
}

const fn unit(parent: Option<usize>, stage: &'static str, weight: u64) -> Unit {
    Unit { parent, stage, weight }
}

/// The tree: security, infrastructure (network, shared services), workloads (production (regulated), test,
/// development), sandboxes, and those that are on their way in or out. Weights say how many of a hundred accounts are
/// there. A parent stands before its children.
const UNITS: [Unit; 12] = [
    unit(None, "security", 3),
    unit(None, "infra", 2),
    unit(Some(1), "network", 3),
    unit(Some(1), "shared", 4),
    unit(None, "work", 0),
    unit(Some(4), "prod", 27),
    unit(Some(5), "pci", 5),
    unit(Some(4), "test", 18),
    unit(Some(4), "dev", 22),
    unit(Some(8), "lab", 3),
    unit(None, "sandbox", 9),
    unit(None, "transit", 2),
];

/// The share of accounts directly below the root, of a hundred.
const BELOW_ROOT: u64 = 2;

/// The ids of an organization, its root and its units.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) organization_id: String,
    pub(super) root_id: String,
    /// The path of each unit, from the organization down, with a trailing slash.
    unit_paths: Vec<String>,
}

/// A place in the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    unit: Option<usize>,
    /// The word that stands for the unit in account names.
    pub(super) stage: &'static str,
}

impl Place {
    /// Directly below the root.
    pub(super) const ROOT: Self = Self { unit: None, stage: "core" };
}

impl Tree {
    pub(super) fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed, Topic::Organization, 0, 0);
        let organization_id = format!("o-{}", draw.text(LOWER, 10));
        let root = draw.text(LOWER, 4);
        let root_id = format!("r-{root}");
        let mut unit_paths: Vec<String> = Vec::with_capacity(UNITS.len());
        for unit in &UNITS {
            let parent = unit.parent.and_then(|parent| unit_paths.get(parent));
            let above = parent.map_or_else(|| format!("{organization_id}/{root_id}/"), String::clone);
            unit_paths.push(format!("{above}ou-{root}-{}/", draw.text(LOWER, 8)));
        }
        Self { organization_id, root_id, unit_paths }
    }

    /// Draws a place for an account.
    pub(super) fn draw_place(draw: &mut Draw) -> Place {
        let total = BELOW_ROOT + UNITS.iter().map(|unit| unit.weight).sum::<u64>();
        let mut rest = draw.below(total);
        for (place, unit) in UNITS.iter().enumerate() {
            if rest < unit.weight {
                return Place { unit: Some(place), stage: unit.stage };
            }
            rest -= unit.weight;
        }
        Place::ROOT
    }

    /// The path of an account at a place: `o-…/r-…/ou-…/<account id>/`.
    pub(super) fn account_path(&self, place: Place, account_id: &str) -> String {
        match place.unit.and_then(|unit| self.unit_paths.get(unit)) {
            Some(path) => format!("{path}{account_id}/"),
            None => format!("{}/{}/{account_id}/", self.organization_id, self.root_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use orgsweep_core::OrgPath;

    use super::*;

    #[test]
    fn accounts_are_spread_over_units_up_to_three_deep() {
        let tree = Tree::new(7);
        let mut draw = Draw::new(7, Topic::Identity, 0, 0);
        let paths: HashSet<String> =
            (0..2000).map(|_| tree.account_path(Tree::draw_place(&mut draw), "123456789012")).collect();
        let depths: HashSet<usize> = paths.iter().map(|path| OrgPath::new(path.clone()).ou_ids().count()).collect();
        assert_eq!(depths, HashSet::from([0, 1, 2, 3]));
        assert_eq!(paths.len(), UNITS.len(), "all but the unit that holds only units, and the root");
    }

    #[test]
    fn ids_look_like_those_of_aws() {
        let tree = Tree::new(7);
        assert_eq!((tree.organization_id.len(), tree.root_id.len()), (12, 6));
        for path in &tree.unit_paths {
            let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
            assert_eq!(parts[..2], [tree.organization_id.as_str(), tree.root_id.as_str()]);
            assert!(parts[2..].iter().all(|part| part.starts_with("ou-") && part.len() == 16), "{path}");
        }
    }
}
