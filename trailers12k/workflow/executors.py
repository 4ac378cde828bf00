"""Lets Snakemake submit jobs to Slurm by our executor, which loses none, instead of the plugin's.

Changes Snakemake's registry of plugins in this process. Must not know rules or targets.
"""

from importlib.util import find_spec


def use_own_slurm_executor() -> None:
    """Replace the executor of the plugin `slurm`, if it is installed. Before the run starts."""
    if find_spec("snakemake_executor_plugin_slurm"):
        from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

        from trailers12k.workflow.slurm_executor import SlurmExecutor

        ExecutorPluginRegistry().get_plugin("slurm").executor = SlurmExecutor
