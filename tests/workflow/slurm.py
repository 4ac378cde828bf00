"""A real Slurm on this machine: two nodes, each a partition, one with two GPUs that are none.

It runs in a mount namespace of its own, where /etc/slurm is this cluster's: nothing of the machine
is touched.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

COMMANDS = ["slurmctld", "slurmd", "munged", "mungekey", "unshare", "nsenter", "sinfo"]

CONFIG = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={root}/run/munge.socket
SlurmctldPort={port}
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/run/slurmctld.pid
SlurmdPidFile={root}/run/slurmd-%n.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={root}/log/jobcomp.txt
MinJobAge=600
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1000
GresTypes=gpu
SlurmdParameters=config_overrides
KillWait=5
InactiveLimit=0
NodeName=c1 NodeHostname={host} NodeAddr=127.0.0.1 Port={port1} CPUs=4 RealMemory=32000
NodeName=g1 NodeHostname={host} NodeAddr=127.0.0.1 Port={port2} CPUs=16 RealMemory=64000 Gres={gpus}
PartitionName={cpu} Nodes=c1 Default=YES MaxTime=24:00:00 State=UP
PartitionName={gpu} Nodes=g1 MaxTime=24:00:00 State=UP
"""


OFTEN = """
from trailers12k.workflow import slurm_executor
slurm_executor.SlurmExecutor.next_seconds_between_status_checks = property(
    lambda self: {seconds}, lambda self, longer: None
)
"""
"""For a Snakefile: a poll every so many seconds. The plugin waits longer each time."""


def missing() -> list[str]:
    """The programs that a cluster needs and this machine has not; they want root."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    lacking = [name for name in COMMANDS if not shutil.which(name, path=path)]
    return lacking + ["root"] * (os.geteuid() != 0)


class Cluster:
    """Started by `with`. lines: more of slurm.conf; of two with the same key, the last one counts.
    partitions: without and with GPUs. gpu_type: of both GPUs, if they have one."""

    def __init__(
        self,
        root: Path,
        lines: Sequence[str] = (),
        partitions: tuple[str, str] = ("cpu", "gpu"),
        gpu_type: str = "",
    ):
        self.root = root
        self._lines = lines
        self._partitions = dict(zip(("cpu", "gpu"), partitions, strict=True))
        self._gpu_type = gpu_type
        self._enter: list[str] = []
        self._started: list[subprocess.Popen] = []

    def __enter__(self) -> "Cluster":
        for name in ("etc", "run", "log", "state", "spool/c1", "spool/g1"):
            (self.root / name).mkdir(parents=True)
        host = socket.gethostname().split(".")[0]
        ports = dict(zip(("port", "port1", "port2"), free_ports(3), strict=True))
        gpus = f"gpu:{self._gpu_type}:2" if self._gpu_type else "gpu:2"
        config = CONFIG.format(host=host, root=self.root, gpus=gpus, **ports, **self._partitions)
        (self.root / "etc/slurm.conf").write_text(config + "\n".join([*self._lines, ""]))
        of_type = f" Type={self._gpu_type}" if self._gpu_type else ""
        gpus = f"NodeName=g1 Name=gpu{of_type} File={self.root}/run/nvidia[0-1]\n"
        (self.root / "etc/gres.conf").write_text(gpus)
        for number in range(2):
            os.mknod(self.root / f"run/nvidia{number}", 0o20666, os.makedev(1, 3))
        space = f"mkdir -p /etc/slurm && mount --bind {self.root}/etc /etc/slurm && exec sleep 7200"
        self._start(["unshare", "-m", "sh", "-c", space])
        pid = self._started[0].pid
        until(lambda: Path(f"/proc/{pid}/comm").read_text().strip() == "sleep")
        self._enter = ["nsenter", "-t", str(pid), "-m"]
        try:
            self._start_daemons()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start_daemons(self) -> None:
        key, sock = self.root / "etc/munge.key", self.root / "run/munge.socket"
        subprocess.run(["mungekey", "-c", "-k", key], check=True)
        own = {"pid-file": "run/munged.pid", "log-file": "log/munged.log", "seed-file": "etc/seed"}
        options = [f"--{name}={self.root / path}" for name, path in own.items()]
        # By force, since a test's folders are nobody else's to look into.
        self._start(["munged", "-F", "-f", f"--key-file={key}", f"--socket={sock}", *options])
        until(lambda: self.run("munge", "-S", str(sock), "-n").returncode == 0)
        self.start_controller()
        for node in ("c1", "g1"):
            self._start([*self.inside(self.root), "slurmd", "-D", "-N", node])
        until(lambda: set(self.run("sinfo", "-h", "-N", "-o", "%T").stdout.split()) == {"idle"})

    def start_controller(self) -> None:
        """Start slurmctld; it continues with the jobs of one before it."""
        self._controller = self._start([*self.inside(self.root), "slurmctld", "-D", "-i"])
        # The nodes end before it.
        self._started.insert(2, self._started.pop())

    def kill_controller(self, how: int = signal.SIGKILL) -> None:
        """End slurmctld by a signal. The nodes and their jobs go on."""
        self._controller.send_signal(how)
        self._controller.wait()
        self._started.remove(self._controller)

    def forget(self) -> None:
        """Remove what slurmctld has saved, while it is away. New jobs have other numbers, since a
        node refuses one that it runs already."""
        shutil.rmtree(self.root / "state")
        (self.root / "state").mkdir()
        with (self.root / "etc/slurm.conf").open("a") as config:
            config.write("FirstJobId=1000\n")

    def __exit__(self, *error: object) -> None:
        for process in reversed(self._started):
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, command: Sequence[str]) -> subprocess.Popen:
        with (self.root / "log/started.txt").open("a") as log:
            path = {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
            started = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | path)
        self._started.append(started)
        return started

    def inside(self, folder: Path) -> list[str]:
        """What a command must begin with to be run in the cluster, in a folder."""
        return [*self._enter, f"--wdns={folder}", "--"]

    def run(self, *command: str) -> subprocess.CompletedProcess:
        """A command in the cluster, to its end."""
        return subprocess.run([*self.inside(self.root), *command], capture_output=True, text=True)

    def jobs(self) -> list[dict[str, str]]:
        """The jobs that wait or run, as squeue tells them."""
        columns = "JobID:12,State:12,tres-per-job:16,comment:200"
        told = self.run("squeue", "-h", "-O", columns).stdout
        names = ("id", "state", "gpus", "comment")
        return [dict(zip(names, line.split(), strict=True)) for line in told.splitlines()]

    def ended(self) -> list[dict[str, str]]:
        """The jobs that have ended, as Slurm wrote them down."""
        lines = (self.root / "log/jobcomp.txt").read_text().splitlines()
        return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]


def free_ports(number: int) -> list[int]:
    """Ports of this machine that nobody uses."""
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def until(is_so, seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError("the cluster did not start")
        time.sleep(0.2)
