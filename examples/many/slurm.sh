#!/usr/bin/env bash
# One part of a plan a task, on the nodes of a Slurm cluster. Points, plan and parts lie where every node sees them.
#
#   unisphere plan x.npy --parts 64 > run.plan
#   id=$(sbatch --parsable --array=1-64 slurm.sh)
#   sbatch --dependency=afterany:$id --output=report.json --error=merge.log \
#       --wrap "unisphere merge run.plan parts --json"
#
# A task whose node dies is queued again, and goes on where it was. After the time limit or any other failure: the same
# commands again. What is done is kept, and a part that is finished ends at once.
#SBATCH --job-name=unisphere
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=part-%a.log
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=04:00:00

export RAYON_NUM_THREADS=$SLURM_CPUS_PER_TASK
# One kind of processor for all parts (--constraint), or --device gpu and --gres=gpu:1: merge refuses a mixture.
unisphere part run.plan auto --out parts --device cpu --max-memory $((SLURM_MEM_PER_NODE * 9 / 10))M
code=$?

# 5: the disk failed or is full, or the part still runs elsewhere. That may go well another time.
if [ $code = 5 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 5 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && sleep 60
fi
exit $code
