//! What is known of an account: the model's facts, as far as the run says that it read them and may have.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use orgsweep_core::{Source, Sources, Timestamp};
use orgsweep_sim::{AccountFacts, Model, Posture, RoleStanding, UserFacts};

use super::Truth;
use super::readable::Missed;
use crate::committed::text;
use crate::scenario::{NOT_REPLACED_FOR, NOW};

/// An account, and what of it is known.
pub(super) struct Known<'a> {
    pub(super) model: &'a Model,
    pub(super) index: u32,
    pub(super) facts: AccountFacts,
    pub(super) posture: Posture,
    /// The root user as AWS has it now.
    pub(super) root: Option<UserFacts>,
    /// The sources that the account was to be asked; none where it was not asked.
    pub(super) wanted: Sources,
    /// Those that were read. What is asked of the organization is among them.
    pub(super) read: Sources,
    pub(super) report: Option<Report>,
}

/// A credential report that was read.
pub(super) struct Report {
    pub(super) made_at: Timestamp,
    pub(super) carried_from: Option<String>,
    /// Whether it was made before anybody asked, and so does not know of what has changed since.
    pub(super) is_earlier: bool,
    pub(super) users: Vec<UserFacts>,
}

impl<'a> Known<'a> {
    /// What is known of an account that has this row.
    pub(super) fn of(truth: Truth<'a>, index: u32, row: &RecordBatch) -> Result<Self, String> {
        let model = truth.simulation.model();
        let facts = model.account(index);
        let carried_from = text(row, "report_carried_from");
        let gaps = gaps(row)?;
        let organization: Sources = [Source::OrganizationFeatures].into_iter().collect();
        let (mut wanted, mut read) = (Sources::NONE, organization);
        if facts.standing.state.is_usable() {
            let missed = Missed::of(truth, index, carried_from.is_some());
            missed.hold(gaps)?;
            wanted = missed.wanted;
            if !gaps.contains(Source::Role) {
                read = read.union(wanted.without(gaps));
            }
        } else if gaps != Sources::NONE {
            return Err("it was not to be asked, and says what was not answered".to_owned());
        }
        let report =
            if read.contains(Source::CredentialReport) { Some(report(truth, index, carried_from)?) } else { None };
        let root = model.users(index).into_iter().next();
        Ok(Self { model, index, facts, posture: model.posture(index), root, wanted, read, report })
    }

    pub(super) fn has_read(&self, source: Source) -> bool {
        self.read.contains(source)
    }

    /// A fact of a source, where that was read.
    pub(super) fn from<T>(&self, source: Source, fact: impl FnOnce(&Self) -> T) -> Option<T> {
        self.has_read(source).then(|| fact(self))
    }

    pub(super) fn is_management(&self) -> bool {
        self.facts.is_management
    }

    pub(super) fn is_asked(&self) -> bool {
        self.wanted != Sources::NONE
    }
}

impl Report {
    /// Its root row.
    pub(super) fn root(&self) -> Option<&UserFacts> {
        self.users.iter().find(|user| user.is_root)
    }

    /// Its rows that are IAM users.
    pub(super) fn iam_users(&self) -> impl Iterator<Item = &UserFacts> {
        self.users.iter().filter(|user| !user.is_root)
    }

    /// The report that a model's account has.
    fn of(model: &Model, index: u32, carried_from: Option<String>) -> Self {
        let earlier = model.fresh_report(index);
        let mut users = model.users(index);
        users.retain(|user| earlier.is_some() || user.is_there());
        users.sort_by(|one, other| one.name.cmp(&other.name));
        Self { made_at: earlier.unwrap_or(model.now()), carried_from, is_earlier: earlier.is_some(), users }
    }
}

/// The report that a run must have read, or may have carried over.
fn report(truth: Truth<'_>, index: u32, carried_from: Option<String>) -> Result<Report, String> {
    let Some(from) = &carried_from else { return Ok(Report::of(truth.simulation.model(), index, None)) };
    let (run_id, then) = truth.carried.ok_or("its report is carried over, and none was to be")?;
    let model = then.model();
    if from != run_id.as_str() {
        return Err(format!("its report is carried over from {from} instead of {run_id}"));
    }
    let standing = model.standing(index);
    let was_opened = index == 0 || standing.role == RoleStanding::Granted;
    if index >= model.accounts() || !was_opened || !standing.state.is_usable() {
        return Err(format!("its report is carried over from {run_id}, which cannot have read it"));
    }
    let report = Report::of(model, index, carried_from);
    if report.made_at <= NOW.minus(NOT_REPLACED_FOR) {
        return Err(format!("its report of {} is carried over, and AWS may have made another since", report.made_at));
    }
    Ok(report)
}

/// The sources that a row says were not read; each with what was answered instead.
pub(super) fn gaps(row: &RecordBatch) -> Result<Sources, String> {
    let list = row.column_by_name("unanswered").and_then(|column| column.as_list_opt::<i32>());
    let list = list.filter(|list| !list.is_empty()).ok_or("it does not say what was not answered")?.value(0);
    let column = |name: &str| list.as_struct_opt().and_then(|gaps| gaps.column_by_name(name)?.as_string_opt::<i32>());
    let (Some(sources), Some(kinds), Some(codes)) = (column("source"), column("kind"), column("code")) else {
        return Err("what was not answered is no list of sources, kinds and codes".to_owned());
    };
    let mut gaps = Sources::NONE;
    for place in 0..sources.len() {
        let name = sources.value(place);
        gaps.insert(Source::from_name(name).ok_or_else(|| format!("there is no source {name}"))?);
        if kinds.value(place).is_empty() || codes.value(place).is_empty() {
            return Err(format!("{name} was not read, and nothing says why"));
        }
    }
    Ok(gaps)
}
