#!/bin/sh
# Sweeps one run with AWS Batch, in the queue that aws-batch.yaml makes: a plan, an array job of N shares (8 unless
# another number from 2 is given), a commit. Each job waits for the one before; a child of the array knows its share by
# AWS_BATCH_JOB_ARRAY_INDEX.
set -eu
shares=${1:-8}
run=$(date -u +%Y%m%dT%H%M%SZ)-batch

submit() {
  aws batch submit-job --job-queue orgsweep --job-definition orgsweep --query jobId --output text "$@"
}

plan=$(submit --job-name orgsweep-plan --container-overrides \
  '{"command": ["orgsweep", "plan", "--lake", "/lake", "--run-id", "'"$run"'"]}')
sweep=$(submit --job-name orgsweep-sweep --depends-on "jobId=$plan" --array-properties "size=$shares" --container-overrides \
  '{"command": ["orgsweep", "sweep", "--lake", "/lake", "--run", "'"$run"'", "--shards", "'"$shares"'"]}')
# Exit code 3, committed with gaps, is no failure of the job.
commit=$(submit --job-name orgsweep-commit --depends-on "jobId=$sweep" --container-overrides \
  '{"command": ["sh", "-c", "orgsweep commit --lake /lake --run '"$run"' || (code=$?; [ $code -eq 3 ] || exit $code)"]}')
echo "run $run: plan $plan, sweep $sweep, commit $commit"
