//! Holds `config/deploy/machines/` and the pages' examples against the command line: tests alone.

#![cfg(test)]

use clap::Parser;
use serde_json::Value as Json;

use crate::args::{Cli, Command, RunChoice};

const BATCH: &str = include_str!("../../../config/deploy/machines/aws-batch.yaml");
const SUBMIT: &str = include_str!("../../../config/deploy/machines/aws-batch-submit.sh");
const KUBERNETES: &str = include_str!("../../../config/deploy/machines/kubernetes.yaml");
const STEP_FUNCTIONS: &str = include_str!("../../../config/deploy/machines/step-functions.asl.json");
const PAGES: [&str; 2] = [include_str!("../../../README.md"), include_str!("../../../config/deploy/README.md")];

/// The command lines in a file, as lists of words: JSON lists after `command:`, whatever stands around them.
fn commands(text: &str) -> Vec<Vec<String>> {
    let lists = text.match_indices("ommand").filter_map(|(place, _)| {
        let after = text[place..].trim_start_matches("ommand").trim_start_matches(['"', ':', ' ']);
        // One JSON document from here on; what follows it is not looked at.
        let list = serde_json::Deserializer::from_str(after).into_iter::<Vec<String>>().next();
        list.filter(|_| after.starts_with('[')).map(Result::unwrap)
    });
    lists.map(unwrapped).collect()
}

/// A command that a shell is given, without the shell.
fn unwrapped(words: Vec<String>) -> Vec<String> {
    match words.as_slice() {
        [shell, flag, line] if shell == "sh" && flag == "-c" => {
            let line = line
                .strip_suffix(" || (code=$?; [ $code -eq 3 ] || exit $code)")
                .expect("gaps are no failure of the job");
            line.split_whitespace().map(str::to_owned).collect()
        }
        _ => words,
    }
}

/// The words of a state's command, for share 3 of 8 in an execution that is named `nightly`.
fn words_of(state: &Json) -> Vec<String> {
    let array = state["Parameters"]["ContainerOverrides"]["Command.$"].as_str().unwrap();
    let words = array.strip_prefix("States.Array(").unwrap().strip_suffix(')').unwrap();
    let words = words.replace("States.Format('{}/{}', $.number, $.shares)", "'3/8'");
    let words = words.replace("States.Format(", "").replace("', $$.Execution.Name)", "'").replace("{}", "nightly");
    let words = words.replace("$$.Execution.Name", "'nightly'").replace("$.run", "'nightly'");
    unwrapped(words.trim_matches('\'').split("', '").map(str::to_owned).collect())
}

/// The commands are the plan of a run that has a name, a sweep of one of its 8 shares, and its commit, all in this lake.
#[track_caller]
fn check(commands: &[Vec<String>], lake: &str) {
    let parsed: Vec<Cli> = commands.iter().map(|words| Cli::try_parse_from(words).unwrap()).collect();
    let [plan, sweep, commit] = parsed.iter().map(|cli| &cli.command).collect::<Vec<_>>().try_into().unwrap();
    let Command::Plan(plan) = plan else { panic!("{plan:?}") };
    let Command::Sweep(sweep) = sweep else { panic!("{sweep:?}") };
    let Command::Commit(commit) = commit else { panic!("{commit:?}") };
    assert_eq!([&plan.lake, &sweep.lake, &commit.lake].map(Option::as_deref), [Some(lake); 3]);
    let run_id = plan.run_id.clone().expect("each job knows the run");
    assert_eq!([&sweep.run, &commit.run], [&RunChoice::Run(run_id); 2]);
    let share = sweep.share.shard.map(|share| share.to_string());
    assert!(sweep.share.shards == Some(8) || share.as_deref() == Some("3/8"), "{sweep:?}");
}

#[test]
fn the_batch_jobs_are_the_parts_of_a_scan() {
    // The stack's own command is what happens where nobody gives another: it must ask no account.
    let [default] = commands(BATCH).try_into().unwrap();
    let Command::Scan(scan) = Cli::try_parse_from(&default).unwrap().command else { panic!("{default:?}") };
    assert!(scan.dry_run && scan.lake.as_deref() == Some("/lake"));
    assert!(BATCH.contains("ContainerPath: /lake }"));
    let submitted = SUBMIT.replace(r#"'"$shares"'"#, "8").replace(r#"'"$run"'"#, "20261122T100000Z-batch");
    check(&commands(&submitted), "/lake");
    assert!(SUBMIT.contains("shares=${1:-8}") && SUBMIT.contains("size=$shares"));
    assert!(BATCH.contains("JobQueueName: orgsweep\n") && BATCH.contains("JobDefinitionName: orgsweep\n"));
}

#[test]
fn the_kubernetes_jobs_are_the_parts_of_a_scan_with_a_pod_for_each_share() {
    check(&commands(KUBERNETES), "/data/lake");
    for field in ["completions", "parallelism"] {
        assert!(KUBERNETES.contains(&format!("  {field}: 8\n")), "{field}");
    }
    let documents: Vec<&str> = KUBERNETES.split("\n---\n").collect();
    for (document, step) in documents.iter().zip(["lake", "plan", "sweep", "commit"]) {
        assert!(document.contains(&format!("  labels: {{ app: orgsweep, step: {step} }}\n")), "{document}");
        assert_eq!(document.contains("mountPath: /data }"), step != "lake");
    }
    assert_eq!(documents.len(), 4);
    let policies = KUBERNETES.matches("{ containerName: orgsweep, operator: In, values: [2] }").count();
    assert_eq!(policies, 3, "wrong usage is not tried again");
}

#[test]
fn the_state_machine_runs_the_parts_of_a_scan_and_maps_over_the_shares() {
    let machine: Json = serde_json::from_str(STEP_FUNCTIONS).unwrap();
    let sweep = &machine["States"]["Sweep"];
    assert_eq!(sweep["ItemProcessor"]["ProcessorConfig"]["Mode"], "DISTRIBUTED");
    // Within the map the execution is another one.
    assert_eq!(sweep["ItemSelector"]["run.$"], "$$.Execution.Name");
    let share = &sweep["ItemProcessor"]["States"]["Sweep a share"];
    let commands = [&machine["States"]["Plan"], share, &machine["States"]["Commit"]].map(words_of);
    check(&commands, "/lake");
    // Every state that another one names is there.
    let mut next = machine["StartAt"].as_str();
    let mut seen = Vec::new();
    while let Some(name) = next {
        let state = &machine["States"][name];
        assert!(state.is_object(), "{name}");
        seen.push(name);
        next = state["Next"].as_str();
    }
    assert_eq!(seen, ["Plan", "Number the shares", "Sweep", "Commit"]);
}

#[test]
fn every_command_line_on_the_pages_is_one_that_orgsweep_takes() {
    let mut lines = 0;
    for page in PAGES {
        let blocks = page.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
        for line in blocks.flat_map(str::lines).map(|line| line.split('#').next().unwrap_or_default()) {
            if line.starts_with("orgsweep ") {
                let parsed = Cli::try_parse_from(line.split_whitespace());
                assert!(parsed.is_ok(), "{line}: {parsed:?}");
                lines += 1;
            }
        }
    }
    assert!(lines > 6, "{lines}");
}
