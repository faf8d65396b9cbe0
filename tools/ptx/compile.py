"""Compiles compute/cuda/kernels/*.cu to PTX with NVRTC. Run by scripts/ptx."""

import collections
import ctypes
import pathlib
import re
import sys
import sysconfig

ROOT = pathlib.Path(__file__).resolve().parents[2]
KERNELS = ROOT / "compute/cuda/kernels"
PTX = ROOT / "compute/cuda/ptx"

# The oldest processors that we support; the driver compiles the PTX for the one that is there.
ARCHITECTURE = "compute_61"

# Kernels that are used on newer processors only, for an instruction that older ones lack.
NEWER = {"mma_i8": "compute_80"}

# The kernels name every rounding themselves; the flags say the same, for whatever they might forget.
OPTIONS = [
    "--std=c++17",
    "--fmad=false",
    "--ftz=false",
    "--prec-div=true",
    "--prec-sqrt=true",
    f"--include-path={KERNELS}",
]


def load_nvrtc():
    """The library of the wheel in this virtual environment."""
    lib = pathlib.Path(sysconfig.get_paths()["purelib"]) / "nvidia/cuda_nvrtc/lib"
    # NVRTC opens its builtins by name; they are not on the loader's path.
    for builtins in sorted(lib.glob("libnvrtc-builtins.so*")):
        ctypes.CDLL(str(builtins), mode=ctypes.RTLD_GLOBAL)
    return ctypes.CDLL(str(next(iter(sorted(lib.glob("libnvrtc.so*"))))))


def compile_kernel(nvrtc, source):
    """PTX of one file; ends the program with the compiler's log if it has any complaint."""
    program = ctypes.c_void_p()
    text = source.read_bytes()
    check(nvrtc, nvrtc.nvrtcCreateProgram(ctypes.byref(program), text, source.name.encode(), 0, None, None))
    given = [f"--gpu-architecture={NEWER.get(source.stem, ARCHITECTURE)}", *OPTIONS]
    options = (ctypes.c_char_p * len(given))(*[option.encode() for option in given])
    status = nvrtc.nvrtcCompileProgram(program, len(given), options)
    log = fetch(nvrtc, program, nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog).strip()
    if status != 0 or log:
        sys.exit(f"{source.name}: {log or status}")
    return without_unused(fetch(nvrtc, program, nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX))


def without_unused(ptx):
    """Drops the constants that NVRTC writes out although no instruction names them."""
    uses = collections.Counter(re.findall(r"[A-Za-z_$][\w$]*", ptx))
    constant = re.compile(r"\.global \.align \d+ \.\w+ ([\w$]+)")
    lines = [line for line in ptx.splitlines() if not ((found := constant.match(line)) and uses[found[1]] == 1)]
    return "\n".join(lines).strip() + "\n"


def fetch(nvrtc, program, size_of, get):
    size = ctypes.c_size_t()
    check(nvrtc, size_of(program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    check(nvrtc, get(program, buffer))
    return buffer.value.decode()


def check(nvrtc, status):
    if status != 0:
        nvrtc.nvrtcGetErrorString.restype = ctypes.c_char_p
        sys.exit(f"NVRTC: {nvrtc.nvrtcGetErrorString(status).decode()}")


def main():
    checking = sys.argv[1:] == ["--check"]
    nvrtc = load_nvrtc()
    stale = []
    names = set()
    for source in sorted(KERNELS.glob("*.cu")):
        target = PTX / f"{source.stem}.ptx"
        names.add(target.name)
        ptx = compile_kernel(nvrtc, source)
        if not checking:
            target.write_text(ptx)
        elif not target.exists() or target.read_text() != ptx:
            stale.append(target.name)
    orphans = [path.name for path in PTX.glob("*.ptx") if path.name not in names]
    if stale or orphans:
        sys.exit(f"ptx: not what the kernels compile to: {stale}; without a kernel: {orphans}; run scripts/ptx")
    print(f"ptx: {len(names)} modules, {ARCHITECTURE} or as NEWER says, {'as committed' if checking else 'written'}")


main()
