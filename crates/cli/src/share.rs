//! Which share of a plan this machine sweeps: named by a flag, or numbered by the service that started it.

use anyhow::anyhow;
use orgsweep_sweep::Share;

use crate::args::ShareArgs;
use crate::failure::Failure;
use crate::settings::{INDEX_VARIABLES, Machine};

/// The share that flags and machine name; the whole plan where they name none.
///
/// # Errors
/// Exit code 2 where `--shards` is given and the machine's index is not told, told twice, or out of range; and where the
/// machine is one of many and no flag says of how many, since each of them would sweep the whole plan.
pub fn share(args: &ShareArgs, machine: &Machine) -> Result<Share, Failure> {
    match (args.shard, args.shards) {
        (Some(share), _) => Ok(share),
        (None, None) => match machine.indexes.first() {
            None => Ok(Share::WHOLE),
            Some((variable, index)) => Err(Failure::usage(anyhow!(
                "{variable} is {index}, so this is one of several machines, and each would sweep the whole plan: give \
                 --shards N with the job's number of machines, or --shard 1/1 where this one is to sweep the whole"
            ))),
        },
        (None, Some(of)) => numbered(of, machine).map_err(|told| Failure::usage(anyhow!(told))),
    }
}

fn numbered(of: u32, machine: &Machine) -> Result<Share, String> {
    let [kubernetes, batch] = INDEX_VARIABLES;
    let (variable, index) = match machine.indexes.as_slice() {
        [] => {
            return Err(format!(
                "--shards {of} takes the number of the share from {kubernetes} (a Kubernetes Indexed Job) or {batch} (an \
                 AWS Batch array job), and neither is set: name the share with --shard K/{of}"
            ));
        }
        [(one, index), rest @ ..] => match rest.iter().find(|(_, other)| other != index) {
            None => (*one, index),
            Some((other, differs)) => {
                return Err(format!(
                    "{one} is {index} and {other} is {differs}: unset one of them, or name the share with --shard K/{of}"
                ));
            }
        },
    };
    // Both services count from 0, shares from 1.
    let number = index.parse::<u32>().ok().and_then(|index| index.checked_add(1));
    number.and_then(|number| Share::new(number, of).ok()).ok_or_else(|| {
        format!("{variable} is {index:?}, and --shards {of} has the indexes 0 to {}: let the job have {of}", of - 1)
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn share_of(shards: u32, variables: &[(&str, &str)]) -> Result<String, String> {
        let environment: Vec<(OsString, OsString)> =
            variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let args = ShareArgs { shard: None, shards: Some(shards) };
        let share = share(&args, &Machine::of_environment(&environment));
        share.map(|share| share.to_string()).map_err(|failure| failure.message())
    }

    #[test]
    fn both_services_number_their_machines() {
        assert_eq!(share_of(8, &[("JOB_COMPLETION_INDEX", "0")]).as_deref(), Ok("1/8"));
        assert_eq!(share_of(8, &[("AWS_BATCH_JOB_ARRAY_INDEX", "7")]).as_deref(), Ok("8/8"));
        let both = [("JOB_COMPLETION_INDEX", "2"), ("AWS_BATCH_JOB_ARRAY_INDEX", "2")];
        assert_eq!(share_of(8, &both).as_deref(), Ok("3/8"));
    }

    #[test]
    fn a_machine_with_a_number_is_told_of_how_many_it_is_one_or_that_it_sweeps_the_whole() {
        let whole = |shard: Option<&str>, variables: &[(&str, &str)]| {
            let environment: Vec<(OsString, OsString)> =
                variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
            let args = ShareArgs { shard: shard.map(|shard| shard.parse().unwrap()), shards: None };
            let share = share(&args, &Machine::of_environment(&environment));
            share.map(Share::is_whole).map_err(|failure| failure.message())
        };
        assert_eq!((whole(None, &[]), whole(None, &[("JOB_COMPLETION_INDEX", "")])), (Ok(true), Ok(true)));
        for variable in INDEX_VARIABLES {
            let told = whole(None, &[(variable, "3")]).unwrap_err();
            assert!([variable, "is 3", "--shards N", "--shard 1/1"].iter().all(|word| told.contains(word)), "{told}");
            assert_eq!(whole(Some("1/1"), &[(variable, "3")]), Ok(true));
        }
    }

    #[test]
    fn an_index_that_is_none_is_refused_with_what_to_do() {
        let check = |variables: &[(&str, &str)], words: &[&str]| {
            let told = share_of(8, variables).unwrap_err();
            assert!(words.iter().all(|word| told.contains(word)), "{told}");
        };
        check(&[], &["JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX", "neither is set", "--shard K/8"]);
        check(&[("JOB_COMPLETION_INDEX", "")], &["neither is set"]);
        check(&[("JOB_COMPLETION_INDEX", "8")], &["\"8\"", "0 to 7"]);
        check(&[("AWS_BATCH_JOB_ARRAY_INDEX", "-1")], &["AWS_BATCH_JOB_ARRAY_INDEX", "0 to 7"]);
        check(&[("AWS_BATCH_JOB_ARRAY_INDEX", "4294967295")], &["0 to 7"]);
        check(&[("JOB_COMPLETION_INDEX", "1"), ("AWS_BATCH_JOB_ARRAY_INDEX", "2")], &["is 1", "is 2", "unset one"]);
    }
}
