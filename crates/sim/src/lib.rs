//! A simulated AWS Organization: one deterministic model, two faces.
//!
//! The [`Model`] makes the facts of any account on demand from a seed and the account's index. A [`Simulation`] adds
//! what changes: reports in the making, token buckets, sessions. [`SimCloud`] is its in-process face, the traits of
//! `orgsweep-cloud`; [`serve`] is its HTTP face, which speaks AWS's own protocols, so that any AWS client works
//! against it. [`write_truth`] says what a sweep must find, from the model and not from what the faces render.
//!
//! Signatures are not verified: a request is taken to come from whoever's access key id and session token it names.
//! This crate knows nothing of the sweep, of the lake, or of the AWS SDK.

mod action;
mod calendar;
mod cloud;
mod delivery;
mod environment;
mod fault;
mod hostility;
mod http;
mod mix;
mod model;
mod profile;
mod random;
mod report;
mod request;
mod session_policy;
mod settings;
mod simulation;
mod token;
mod truth;

pub use action::{Action, Actions};
pub use cloud::{Observer, SimCloud};
pub use delivery::{Delivery, GARBAGE, PROXY_PAGE};
pub use environment::{CALLER_ACCESS_KEY_ID, CALLER_SECRET_ACCESS_KEY, CALLER_USER_NAME, client_environment};
pub use fault::{Fault, kind_of};
pub use hostility::{HostileFault, Hostility, UnknownFault};
pub use http::serve;
pub use mix::{Mix, PerMille, RootMix, Unreadable, UserMix};
pub use model::{
    AccountFacts, AccountStanding, CertificateFacts, ContactFacts, KeyFacts, KeyUse, MfaDevice, Model, Moment, Posture,
    RoleStanding, RootFacts, SinceReport, UserFacts,
};
pub use profile::{Latencies, Latency, Profile, Quota, Quotas, ReportMaking, UnknownProfile};
pub use report::{REPORT_HEADER, write_report};
pub use request::{
    AssignmentStatus, AssumeRoleInput, AssumeRootInput, AssumedRole, DescribedOrganization, Identity,
    ListedCertificate, ListedKey, ListedMfaDevice, ListedUser, Operation, Output, PageRequest, Reply, Request, Service,
    Signer,
};
pub use settings::SimSettings;
pub use simulation::{Bound, LastingFaults, Simulation};
pub use truth::write_truth;
