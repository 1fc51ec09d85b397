# Sourced, on both sides. check WHAT COMMAND...: one line with the time it took; the output only where it failed.
failed=0
check() {
  local what=$1 begun output status
  shift
  begun=$(date +%s%N)
  output=$("$@" 2>&1)
  status=$?
  if [ $status = 0 ]; then printf 'ok    %6d ms  %s%s\n' $((($(date +%s%N) - begun) / 1000000)) "$what" "$(sed -n 's/^figure: /: /p' <<< "$output" | tail -1)"
  else
    printf 'FAIL  %s (status %d)\n%s\n' "$what" $status "$(sed 's/^/      /' <<< "$output" | tail -40)"
    failed=1
  fi
}
has() { local text; text=$("${@:2}" 2>&1); grep -Eq -- "$1" <<< "$text" || { echo "no /$1/ in:"; echo "$text"; return 1; }; }
hasnt() { ! has "$@" >/dev/null || { echo "/$1/ in:"; "${@:2}"; return 1; }; }
# As long as a slow machine may take; a command that succeeds ends it.
eventually() { for _ in $(seq "${patience:-60}"); do "$@" >/dev/null 2>&1 && return; sleep 0.4; done; "$@"; }
