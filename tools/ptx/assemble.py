"""Assembles compute/cuda/ptx/*.ptx with NVIDIA's assembler. Run by scripts/ptx --assemble."""

import pathlib
import re
import stat
import subprocess
import sys
import sysconfig

PTX = pathlib.Path(__file__).resolve().parents[2] / "compute/cuda/ptx"

# All that this version of the assembler knows, from the oldest that the kernels are for.
PROCESSORS = ["sm_61", "sm_70", "sm_75", "sm_80", "sm_86", "sm_89", "sm_90"]

KERNEL = re.compile(r"Compiling entry function '(\w+)'")
TARGET = re.compile(r"^\.target sm_(\d+)$", re.MULTILINE)
SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
REGISTERS = re.compile(r"Used (\d+) registers")


def main():
    ptxas = pathlib.Path(sysconfig.get_paths()["purelib"]) / "nvidia/cuda_nvcc/bin/ptxas"
    ptxas.chmod(ptxas.stat().st_mode | stat.S_IXUSR)
    print("| kernel | processor | registers | spill stores, loads, bytes |\n| --- | --- | --- | --- |")
    count = 0
    for module in sorted(PTX.glob("*.ptx")):
        oldest = int(TARGET.search(module.read_text())[1])
        for processor in PROCESSORS:
            if int(processor.removeprefix("sm_")) < oldest:
                continue
            command = [ptxas, "--verbose", f"--gpu-name={processor}", module, "--output-file=/dev/null"]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"{module.name} for {processor}: {done.stdout}{done.stderr}")
            for kernel, registers, stores, loads in kernels(done.stdout + done.stderr):
                count += 1
                if stores or loads or registers >= 64:
                    print(f"| {kernel} | {processor} | {registers} | {stores}, {loads} |")
    print(f"\n{count} kernels assembled; those not shown spill nothing and use fewer than 64 registers")


def kernels(log):
    """Name, registers and spilled bytes of each kernel in the assembler's log."""
    for part in re.split(r"(?=ptxas info\s+: Compiling)", log):
        if found := KERNEL.search(part):
            stores, loads = SPILLS.search(part).groups()
            yield found[1], int(REGISTERS.search(part)[1]), int(stores), int(loads)


main()
