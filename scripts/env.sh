# Source this before cargo: `. scripts/env.sh`. Every script here does. Values already set are kept.
#
# One target directory serves builds, tests and the demo, so nothing is compiled twice.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/assay/target}"

# Link the system's libssl: building the vendored copy takes minutes.
export OPENSSL_NO_VENDOR="${OPENSSL_NO_VENDOR:-1}"

# The runtime is built for wasm32v1-none. Use the default toolchain where it has that target's standard library, else
# the distribution's compiler, for which scripts/setup built one. With neither, only SKIP_WASM_BUILD=1 builds succeed.
if [ -z "${WASM_BUILD_TOOLCHAIN:-}" ]; then
	assay_sysroot="$(rustc --print sysroot 2>/dev/null || true)"
	if [ ! -d "$assay_sysroot/lib/rustlib/wasm32v1-none/lib" ] && [ -d /usr/lib/rustlib/wasm32v1-none/lib ]; then
		export WASM_BUILD_TOOLCHAIN=debian
	fi
	unset assay_sysroot
fi

# Debian's rustc ships no linker for WebAssembly of its own.
if [ "${WASM_BUILD_TOOLCHAIN:-}" = debian ]; then
	export CARGO_TARGET_WASM32V1_NONE_LINKER="${CARGO_TARGET_WASM32V1_NONE_LINKER:-wasm-ld}"
fi

# The target directory lies outside the workspace, and the runtime must be built from this lock file all the same.
export WASM_BUILD_WORKSPACE_HINT="${WASM_BUILD_WORKSPACE_HINT:-$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." && pwd)}"
