# Sourced: a User-mode Linux that is newer than this machine's Debian packages it (Linux 6.1 in Debian 12), for what came to
# the kernel since: the coredump socket, pidfds in core_pattern. It is the package of a later suite, from the mirror that
# apt here is set to, with its signatures checked by Debian's keyring; nothing of that suite is installed. The C library that
# it wants lies beside it.
newer_suite=forky
new_kernel=$tools/kernel

# Whether this machine's own User-mode Linux brings a program to its end: that of Debian 12 has no room for the registers of
# some processors (AMX).
boots_here() {
  timeout 30 linux.uml mem=128M root=/dev/root rootfstype=hostfs rootflags=/ ro init=/bin/true con=null con0=fd:0,fd:1 panic=1 \
    </dev/null 2>&1 | grep -q 'exitcode=0x00000000'
}

# apt with a state of its own, and one source.
apt_of_suite() {
  local command=$1
  shift
  "$command" -qq -o Dir::Etc::SourceList="$new_kernel/apt/suite.list" -o Dir::Etc::SourceParts=- -o Dir::State="$new_kernel/apt" \
    -o Dir::State::Status="$new_kernel/apt/status" -o Dir::Cache="$new_kernel/apt" -o APT::Sandbox::User=root \
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}

fetch_new_kernel() {
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 2>/dev/null | head -1)
  [ -n "$mirror" ] || { say "apt here has no mirror of Debian"; return 1; }
  [ -e "$keyring" ] || { say "there is no $keyring: install debian-archive-keyring"; return 1; }
  rm -rf "$new_kernel"
  mkdir -p "$new_kernel"/apt/{lists,archives}/partial && : > "$new_kernel/apt/status" &&
    echo "deb [signed-by=$keyring] $mirror $newer_suite main" > "$new_kernel/apt/suite.list" || return
  say "fetching User-mode Linux of Debian's suite $newer_suite"
  (
    cd "$new_kernel" && apt_of_suite apt-get update && apt_of_suite apt-get download user-mode-linux libc6 &&
      dpkg-deb -x user-mode-linux_*.deb . && dpkg-deb -x libc6_*.deb libc
  ) >&2 || return
  local library=$new_kernel/libc/usr/lib/x86_64-linux-gnu
  patchelf --set-interpreter "$library/ld-linux-x86-64.so.2" --set-rpath "$library" "$new_kernel/usr/bin/linux.uml" || return
  rm -rf "$new_kernel"/{apt,*.deb}
  [ -n "$("$new_kernel/usr/bin/linux.uml" --version)" ]
}

# The stamp names the place, since the kernel knows where its C library lies.
ensure_new_kernel() {
  [ "$(cat "$new_kernel/stamp" 2>/dev/null)" = "$new_kernel" ] && return
  if ! command -v patchelf >/dev/null; then
    say "installing patchelf"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends patchelf >/dev/null || die "could not install patchelf"
  fi
  fetch_new_kernel || die "needs User-mode Linux of Debian's suite $newer_suite (packages user-mode-linux and libc6), which could not be had"
  echo "$new_kernel" > "$new_kernel/stamp"
}
