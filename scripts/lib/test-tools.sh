# Sourced after env.sh. Brings what the tests and benchmarks use beyond the product's own needs: other people's debuggers
# and compressors as oracles, Go to build crashing programs. Installs what is missing where it may (root with apt-get;
# Go's own module fetch for the rest); what can't be had is named, and the tests that need it are skipped by name.

dlv_version=v1.27.2
go_wanted=1.26.8

test_packages=(
  gcc:gcc clang:clang gdb:gdb lz4:lz4 zstd:zstd xz:xz-utils strace:strace flock:util-linux mkfs.xfs:xfsprogs python3:python3
  readelf:binutils groff:groff mandoc:mandoc zsh:zsh fish:fish jq:jq curl:curl tmux:tmux
  systemd-analyze:systemd age:age linux.uml:user-mode-linux kmod:kmod busybox:busybox-static ip:iproute2 mkfs.ext4:e2fsprogs perl:perl llvm-dwarfdump:llvm debuginfod:debuginfod dwp:binutils llvm-dwp:llvm
)

ensure_test_packages() {
  local pair missing=()
  for pair in "${test_packages[@]}"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  [ ${#missing[@]} = 0 ] && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "not installed, so some tests will be skipped: ${missing[*]}"
    return
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null 2>&1 || say "apt-get update failed"
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 \
    || say "apt-get could not install all of: ${missing[*]}"
}

go_minor() { go version 2>/dev/null | sed -n 's/^go version go1\.\([0-9]*\).*/\1/p'; }

# A Go that can fetch others (1.21 and later). An older one, such as a distribution's, fetches it as a module.
ensure_go() {
  if ! command -v go >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing Go"
    apt-get install -y -qq --no-install-recommends golang-go >/dev/null 2>&1 || say "apt-get could not install golang-go"
  fi
  local minor; minor=$(go_minor)
  [ -n "$minor" ] || { say "no Go here: tests that crash Go programs will be skipped"; return; }
  if [ "$minor" -lt 26 ]; then
    local arch; arch=$(go env GOARCH)
    local dir; dir=$(go env GOMODCACHE)/golang.org/toolchain@v0.0.1-go$go_wanted.linux-$arch
    [ -x "$dir/bin/go" ] || (cd / && GOFLAGS='' go mod download "golang.org/toolchain@v0.0.1-go$go_wanted.linux-$arch" >&2) \
      || { say "could not fetch Go $go_wanted, going on with 1.$minor"; return; }
    export PATH="$dir/bin:$PATH"
  fi
}

# Delve, of one version, so that comparisons mean the same everywhere.
ensure_dlv() {
  export PATH="$tools/bin:$PATH"
  [ "$("$tools/bin/dlv" version 2>/dev/null | sed -n 's/^Version: //p')" = "${dlv_version#v}" ] && return
  command -v go >/dev/null || return 0
  say "building Delve $dlv_version"
  GOFLAGS='' GOTOOLCHAIN=auto GOBIN=$tools/bin go install "github.com/go-delve/delve/cmd/dlv@$dlv_version" >&2 \
    || say "could not build Delve: tests against it will be skipped"
}

ensure_test_tools() {
  mkdir -p "$tools"
  { flock 9; ensure_test_packages; } 9>"$tools/.test-lock"
  ensure_go
  { flock 9; ensure_dlv; } 9>"$tools/.test-lock"
  export PATH="$tools/bin:$PATH"
}
