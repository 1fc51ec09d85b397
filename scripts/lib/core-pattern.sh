# Sourced. take_core_pattern waits for the machine-wide lock and remembers the kernel's settings; give_core_pattern puts
# them back. The same protocol as test/support/core-pattern.ts: flock on the lock file, the saved values beside it.

core_pattern_lock=/run/lock/gocore-sink-core-pattern.lock
core_pattern_saved=/run/lock/gocore-sink-core-pattern.saved

give_core_pattern() {
  [ -e "$core_pattern_saved" ] || return 0
  local name value
  for name in core_pattern core_pipe_limit core_uses_pid; do
    value=$(sed -n 's/.*"'"$name"'":"\([^"]*\)".*/\1/p' "$core_pattern_saved")
    printf '%s' "$value" > "/proc/sys/kernel/$name"
  done
  rm -f "$core_pattern_saved"
}

take_core_pattern() {
  exec 8>"$core_pattern_lock"
  flock 8
  give_core_pattern
  printf '{"core_pattern":"%s","core_pipe_limit":"%s","core_uses_pid":"%s"}' \
    "$(cat /proc/sys/kernel/core_pattern)" "$(cat /proc/sys/kernel/core_pipe_limit)" \
    "$(cat /proc/sys/kernel/core_uses_pid)" > "$core_pattern_saved"
}
